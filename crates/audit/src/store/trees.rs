//! Trees, checkpoints, deliveries to witnesses, and what was retired.

use naru_kernel::Timestamp;
use naru_store::{Db, Error, FromRow, Row, Tx, params};

use crate::rules::tree::{Frontier, Hash, Peak};

naru_store::sql! {
    GROWN = "SELECT h.stream AS stream, h.sequence AS sequence, COALESCE(t.size, 0) AS size, COALESCE(t.at, 0) AS at \
             FROM audit_heads h LEFT JOIN audit_trees t ON t.stream = h.stream WHERE h.sequence > COALESCE(t.size, 0) \
             ORDER BY h.stream";
    GROWTH = "SELECT h.stream AS stream, h.sequence AS sequence, COALESCE(t.size, 0) AS size, COALESCE(t.at, 0) AS at \
              FROM audit_heads h LEFT JOIN audit_trees t ON t.stream = h.stream WHERE h.stream = $1";
    TREE = "SELECT size, frontier FROM audit_trees WHERE stream = $1";
    HASHES = "SELECT sequence, hash FROM audit WHERE stream = $1 AND sequence > $2 AND sequence <= $3 ORDER BY sequence LIMIT 4096";
    NODES = "SELECT place AS sequence, hash FROM audit_nodes WHERE stream = $1 AND level = $2 AND place >= $3 AND place < $4 \
             ORDER BY place";
    BEGIN_TREE = "INSERT INTO audit_trees (stream, size, frontier, at) VALUES ($1, 0, $2, 0) ON CONFLICT (stream) DO NOTHING";
    ADVANCE = "UPDATE audit_trees SET size = $3, frontier = $4, at = $5 WHERE stream = $1 AND size = $2";
    ADD_NODE = "INSERT INTO audit_nodes (stream, level, place, hash) VALUES ($1, $2, $3, $4)";
    ADD_CHECKPOINT = "INSERT INTO audit_checkpoints (stream, size, root, note, at) VALUES ($1, $2, $3, $4, $5)";
    NEWEST = "SELECT stream, size, root, note, at FROM audit_checkpoints WHERE stream = $1 ORDER BY size DESC LIMIT 1";
    AT_SIZE = "SELECT stream, size, root, note, at FROM audit_checkpoints WHERE stream = $1 AND size = $2";
    BETWEEN = "SELECT stream, size, root, note, at FROM audit_checkpoints WHERE stream = $1 AND size > $2 AND size <= $3 \
               ORDER BY size";
    BEFORE = "SELECT stream, size, root, note, at FROM audit_checkpoints WHERE stream = $1 AND size <= $2 \
              ORDER BY size DESC LIMIT 1";
    PAGE = "SELECT stream, size, root, note, at FROM audit_checkpoints WHERE stream = $1 AND size < $2 \
            ORDER BY size DESC LIMIT $3";
    UNDELIVERED = "SELECT t.stream AS stream, t.size AS size, COALESCE(d.size, 0) AS known, COALESCE(d.failures, 0) AS failures, \
                   COALESCE(d.tried_at, 0) AS tried_at FROM audit_trees t \
                   LEFT JOIN audit_deliveries d ON d.stream = t.stream AND d.witness = $1 \
                   WHERE t.size > COALESCE(d.size, 0) AND t.size > 0 ORDER BY COALESCE(d.tried_at, 0), t.stream LIMIT $2";
    WRITE_DELIVERY = "INSERT INTO audit_deliveries (witness, stream, size, delivered_at, tried_at, failures, problem, cosignature) \
                      VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (witness, stream) DO UPDATE SET \
                      size = CASE WHEN excluded.size > audit_deliveries.size THEN excluded.size ELSE audit_deliveries.size END, \
                      delivered_at = COALESCE(excluded.delivered_at, audit_deliveries.delivered_at), \
                      tried_at = excluded.tried_at, failures = excluded.failures, problem = excluded.problem, \
                      cosignature = CASE WHEN excluded.cosignature = '' THEN audit_deliveries.cosignature ELSE excluded.cosignature END";
    DELIVERIES = "SELECT witness, stream, size, delivered_at, tried_at, failures, problem, cosignature FROM audit_deliveries \
                  WHERE stream = $1 ORDER BY witness";
    RETIRED = "SELECT size, hash, frontier, note, at FROM audit_retired WHERE stream = $1";
    RETIRE = "INSERT INTO audit_retired (stream, size, hash, frontier, note, at) VALUES ($1, $2, $3, $4, $5, $6) \
              ON CONFLICT (stream) DO UPDATE SET size = excluded.size, hash = excluded.hash, frontier = excluded.frontier, \
              note = excluded.note, at = excluded.at";
    LAST_BEFORE = "SELECT sequence AS n FROM audit WHERE stream = $1 AND at < $2 ORDER BY at DESC, sequence DESC LIMIT 1";
    YOUNGER = "SELECT MIN(sequence) AS n FROM audit WHERE stream = $1 AND at >= $2 AND sequence <= $3 HAVING MIN(sequence) IS NOT NULL";
    DELETE_ENTRIES = "DELETE FROM audit WHERE stream = $1 AND sequence IN \
                      (SELECT sequence FROM audit WHERE stream = $1 AND sequence <= $2 ORDER BY sequence LIMIT 5000)";
    DELETE_CHECKPOINTS = "DELETE FROM audit_checkpoints WHERE stream = $1 AND size < $2";
    KEY = "SELECT value FROM secrets WHERE name = $1";
    KEEP_KEY = "INSERT INTO secrets (name, value, created_at) VALUES ($1, $2, $3) ON CONFLICT (name) DO NOTHING";
}

/// A chain and its tree.
#[derive(Clone, Debug)]
pub(crate) struct Growth {
    pub(crate) stream: String,
    /// Entries of the chain.
    pub(crate) sequence: i64,
    /// Those the tree has.
    pub(crate) size: i64,
    /// When the newest checkpoint was made.
    pub(crate) at: Timestamp,
}

impl FromRow for Growth {
    fn from_row(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            stream: row.get("stream")?,
            sequence: row.get("sequence")?,
            size: row.get("size")?,
            at: row.get("at")?,
        })
    }
}

/// Chains that have entries their tree does not have yet.
pub(crate) async fn grown(db: &Db) -> Result<Vec<Growth>, Error> {
    db.all(GROWN, params![]).await
}

/// A tree as stored.
pub(crate) struct Tree {
    pub(crate) size: i64,
    frontier: Vec<u8>,
}

impl FromRow for Tree {
    fn from_row(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            size: row.get("size")?,
            frontier: row.get("frontier")?,
        })
    }
}

impl Tree {
    pub(crate) fn frontier(&self) -> Option<Frontier> {
        Frontier::read(u64::try_from(self.size).ok()?, &self.frontier)
    }
}

pub(crate) async fn tree(db: &Db, stream: &str) -> Result<Option<Tree>, Error> {
    db.optional(TREE, params![stream]).await
}

/// How far one chain and its tree are.
pub(crate) async fn growth(db: &Db, stream: &str) -> Result<Option<Growth>, Error> {
    db.optional(GROWTH, params![stream]).await
}

struct PlacedHash {
    place: i64,
    hash: Vec<u8>,
}

impl FromRow for PlacedHash {
    fn from_row(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            place: row.get("sequence")?,
            hash: row.get("hash")?,
        })
    }
}

/// The hashes of entries after `after` up to and with `to`, at most 4,096, as far as there is no gap.
pub(crate) async fn hashes(db: &Db, stream: &str, after: i64, to: i64) -> Result<Vec<Vec<u8>>, Error> {
    let rows = db.all::<PlacedHash>(HASHES, params![stream, after, to]).await?;
    Ok(without_gap(rows, after.saturating_add(1)).collect())
}

/// Roots of stored subtrees from place `from` up to but not with `to`, as far as there is no gap.
pub(crate) async fn nodes(db: &Db, stream: &str, level: u32, from: u64, to: u64) -> Result<Vec<Hash>, Error> {
    let place = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
    let rows = db
        .all::<PlacedHash>(NODES, params![stream, level, place(from), place(to)])
        .await?;
    let hashes = without_gap(rows, place(from)).map_while(|hash| hash.as_slice().try_into().ok());
    Ok(hashes.collect())
}

fn without_gap(rows: Vec<PlacedHash>, first: i64) -> impl Iterator<Item = Vec<u8>> {
    (first..)
        .zip(rows)
        .map_while(|(expected, row)| (row.place == expected).then_some(row.hash))
}

/// Moves a tree on from a size; `false` if somebody else has meanwhile.
pub(crate) async fn advance(
    tx: &mut Tx,
    stream: &str,
    from: i64,
    frontier: &Frontier,
    at: Timestamp,
) -> Result<bool, Error> {
    if from == 0 {
        tx.exec(BEGIN_TREE, params![stream, Vec::<u8>::new()]).await?;
    }
    let size = i64::try_from(frontier.size()).unwrap_or(i64::MAX);
    let moved = tx
        .exec(ADVANCE, params![stream, from, size, frontier.bytes(), at])
        .await?;
    Ok(moved == 1)
}

/// Keeps the root of a completed subtree.
pub(crate) async fn add_node(tx: &mut Tx, stream: &str, place: i64, peak: &Peak) -> Result<(), Error> {
    tx.exec(ADD_NODE, params![stream, peak.level, place, peak.hash.as_slice()])
        .await
        .map(drop)
}

/// A checkpoint as stored.
#[derive(Clone, Debug)]
pub(crate) struct KeptCheckpoint {
    pub(crate) stream: String,
    pub(crate) size: i64,
    pub(crate) root: Vec<u8>,
    pub(crate) note: String,
    pub(crate) at: Timestamp,
}

impl FromRow for KeptCheckpoint {
    fn from_row(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            stream: row.get("stream")?,
            size: row.get("size")?,
            root: row.get("root")?,
            note: row.get("note")?,
            at: row.get("at")?,
        })
    }
}

pub(crate) async fn add_checkpoint(tx: &mut Tx, checkpoint: KeptCheckpoint) -> Result<(), Error> {
    let KeptCheckpoint {
        stream,
        size,
        root,
        note,
        at,
    } = checkpoint;
    tx.exec(ADD_CHECKPOINT, params![stream, size, root, note, at])
        .await
        .map(drop)
}

pub(crate) async fn newest_checkpoint(db: &Db, stream: &str) -> Result<Option<KeptCheckpoint>, Error> {
    db.optional(NEWEST, params![stream]).await
}

pub(crate) async fn checkpoint_at(db: &Db, stream: &str, size: i64) -> Result<Option<KeptCheckpoint>, Error> {
    db.optional(AT_SIZE, params![stream, size]).await
}

/// The newest checkpoint that has no more entries than this.
pub(crate) async fn checkpoint_before(
    db: &Db,
    stream: &str,
    size: i64,
) -> Result<Option<KeptCheckpoint>, Error> {
    db.optional(BEFORE, params![stream, size]).await
}

/// Checkpoints larger than `after`, up to and with `to`.
pub(crate) async fn checkpoints_between(
    db: &Db,
    stream: &str,
    after: i64,
    to: i64,
) -> Result<Vec<KeptCheckpoint>, Error> {
    db.all(BETWEEN, params![stream, after, to]).await
}

/// Checkpoints smaller than `below`, newest first.
pub(crate) async fn checkpoints(
    db: &Db,
    stream: &str,
    below: i64,
    rows: i64,
) -> Result<Vec<KeptCheckpoint>, Error> {
    db.all(PAGE, params![stream, below, rows]).await
}

/// A chain whose newest state a witness does not know.
#[derive(Clone, Debug)]
pub(crate) struct Undelivered {
    pub(crate) stream: String,
    /// What the witness knows.
    pub(crate) known: i64,
    pub(crate) failures: i64,
    pub(crate) tried_at: Timestamp,
}

impl FromRow for Undelivered {
    fn from_row(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            stream: row.get("stream")?,
            known: row.get("known")?,
            failures: row.get("failures")?,
            tried_at: row.get("tried_at")?,
        })
    }
}

/// Chains a witness is behind with, the longest untried first.
pub(crate) async fn undelivered(db: &Db, witness: &str, rows: i64) -> Result<Vec<Undelivered>, Error> {
    db.all(UNDELIVERED, params![witness, rows]).await
}

/// What became of telling a witness.
#[derive(Clone, Debug)]
pub(crate) struct Delivery {
    pub(crate) witness: String,
    pub(crate) stream: String,
    /// What it knows now.
    pub(crate) size: i64,
    pub(crate) delivered_at: Option<Timestamp>,
    pub(crate) tried_at: Timestamp,
    pub(crate) failures: i64,
    pub(crate) problem: String,
    pub(crate) cosignature: String,
}

impl FromRow for Delivery {
    fn from_row(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            witness: row.get("witness")?,
            stream: row.get("stream")?,
            size: row.get("size")?,
            delivered_at: row.get("delivered_at")?,
            tried_at: row.get("tried_at")?,
            failures: row.get("failures")?,
            problem: row.get("problem")?,
            cosignature: row.get("cosignature")?,
        })
    }
}

pub(crate) async fn write_delivery(tx: &mut Tx, delivery: Delivery) -> Result<(), Error> {
    tx.exec(
        WRITE_DELIVERY,
        params![
            delivery.witness,
            delivery.stream,
            delivery.size,
            delivery.delivered_at,
            delivery.tried_at,
            delivery.failures,
            delivery.problem,
            delivery.cosignature
        ],
    )
    .await
    .map(drop)
}

pub(crate) async fn deliveries(db: &Db, stream: &str) -> Result<Vec<Delivery>, Error> {
    db.all(DELIVERIES, params![stream]).await
}

/// What was taken away from the beginning of a chain.
#[derive(Clone, Debug)]
pub(crate) struct Retired {
    pub(crate) size: i64,
    /// Of the last entry that was taken away.
    pub(crate) hash: Vec<u8>,
    pub(crate) frontier: Vec<u8>,
    pub(crate) note: String,
    pub(crate) at: Timestamp,
}

impl FromRow for Retired {
    fn from_row(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            size: row.get("size")?,
            hash: row.get("hash")?,
            frontier: row.get("frontier")?,
            note: row.get("note")?,
            at: row.get("at")?,
        })
    }
}

impl Retired {
    pub(crate) fn tree(&self) -> Option<Frontier> {
        Frontier::read(u64::try_from(self.size).ok()?, &self.frontier)
    }
}

pub(crate) async fn retired(db: &Db, stream: &str) -> Result<Option<Retired>, Error> {
    db.optional(RETIRED, params![stream]).await
}

pub(crate) async fn retire(tx: &mut Tx, stream: &str, what: Retired) -> Result<(), Error> {
    let Retired {
        size,
        hash,
        frontier,
        note,
        at,
    } = what;
    tx.exec(RETIRE, params![stream, size, hash, frontier, note, at])
        .await
        .map(drop)
}

/// The last entry that, with all before it, is older than this; 0 if none is.
pub(crate) async fn last_before(db: &Db, stream: &str, before: Timestamp) -> Result<i64, Error> {
    let Some(last) = db.optional::<i64>(LAST_BEFORE, params![stream, before]).await? else {
        return Ok(0);
    };
    // Clocks of several portals differ a little: an entry that is younger may stand before one that is older.
    let younger = db.optional::<i64>(YOUNGER, params![stream, before, last]).await?;
    Ok(younger.map_or(last, |first| first.saturating_sub(1)))
}

/// Deletes at most 5,000 retired entries; gives how many.
pub(crate) async fn delete_entries(tx: &mut Tx, stream: &str, to: i64) -> Result<u64, Error> {
    tx.exec(DELETE_ENTRIES, params![stream, to]).await
}

/// Deletes checkpoints before the one that was retired to.
pub(crate) async fn delete_checkpoints(tx: &mut Tx, stream: &str, size: i64) -> Result<u64, Error> {
    tx.exec(DELETE_CHECKPOINTS, params![stream, size]).await
}

/// Where the signing key is kept when no file is configured.
const KEY_NAME: &str = "audit.checkpoint-key";

struct Secret(Vec<u8>);

impl FromRow for Secret {
    fn from_row(row: &Row) -> Result<Self, Error> {
        row.get("value").map(Self)
    }
}

/// The key, if there is one.
pub(crate) async fn kept_key(db: &Db) -> Result<Option<Vec<u8>>, Error> {
    let secret = db.optional::<Secret>(KEY, params![KEY_NAME]).await?;
    Ok(secret.map(|Secret(value)| value))
}

/// Keeps this key unless there is one; gives the one that is kept.
pub(crate) async fn keep_key(tx: &mut Tx, fresh: &[u8], at: Timestamp) -> Result<Vec<u8>, Error> {
    tx.exec(KEEP_KEY, params![KEY_NAME, fresh, at]).await?;
    let Secret(value) = tx.one::<Secret>(KEY, params![KEY_NAME]).await?;
    Ok(value)
}
