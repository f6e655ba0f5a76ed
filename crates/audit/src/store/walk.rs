//! Entries as they are verified: many, fast.

use naru_store::{Db, Entry, Error, FromRow, Row, params};

use crate::rules::tree::Hash;

naru_store::sql! {
    // All that is hashed, in few columns: what an engine spends on a row is mostly spent per column.
    PACKED = "SELECT sequence, at, hash, octet_length(action) || ',' || octet_length(outcome) || ',' || octet_length(actor) \
              || ',' || octet_length(subject) || ',' || octet_length(address) AS lengths, \
              action || outcome || actor || subject || address || detail AS body FROM audit \
              WHERE stream = $1 AND sequence > $2 AND sequence <= $3 ORDER BY sequence LIMIT 4000";
    WINDOW = "SELECT stream, sequence, at, action, outcome, actor, subject, address, detail, hash FROM audit \
              WHERE stream = $1 AND sequence >= $2 ORDER BY sequence LIMIT 200";
    ACTS_OF_RETIRING = "SELECT stream, sequence, at, action, outcome, actor, subject, address, detail, hash FROM audit \
                        WHERE stream = $1 AND action = 'audit.retire' ORDER BY sequence DESC LIMIT 100";
    EXTENT = "SELECT COALESCE((SELECT MIN(sequence) FROM audit WHERE stream = $1), 0) AS first_sequence, \
              COALESCE((SELECT MAX(sequence) FROM audit WHERE stream = $1), 0) AS last_sequence, \
              COALESCE((SELECT sequence FROM audit_heads WHERE stream = $1), -1) AS head_sequence, \
              COALESCE((SELECT size FROM audit_trees WHERE stream = $1), 0) AS tree_size, \
              (SELECT hash FROM audit_heads WHERE stream = $1) AS head_hash";
}

/// Rows read at once; the number in `PACKED`.
pub(crate) const PACKED_ROWS: usize = 4_000;

/// One entry, packed.
pub(crate) struct Packed {
    pub(crate) sequence: i64,
    pub(crate) at: i64,
    pub(crate) hash: Vec<u8>,
    lengths: String,
    body: String,
}

impl FromRow for Packed {
    fn from_row(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            sequence: row.get("sequence")?,
            at: row.get("at")?,
            hash: row.get("hash")?,
            lengths: row.get("lengths")?,
            body: row.get("body")?,
        })
    }
}

impl Packed {
    /// The texts in the order they are hashed in; fewer than six if the lengths do not fit.
    pub(crate) fn texts(&self) -> impl Iterator<Item = &[u8]> {
        let mut rest = Some(self.body.as_bytes());
        let first = self.lengths.split(',').map(|length| length.parse::<usize>().ok());
        first.chain([None]).enumerate().map_while(move |(place, length)| {
            let bytes = rest?;
            let (text, after) = match (place, length) {
                (5, _) => (bytes, None),
                (_, Some(length)) => {
                    let (text, after) = bytes.split_at_checked(length)?;
                    (text, Some(after))
                }
                (_, None) => return None,
            };
            rest = after;
            Some(text)
        })
    }
}

/// At most 4,000 entries after `after`, up to and with `to`.
pub(crate) async fn packed(db: &Db, stream: &str, after: i64, to: i64) -> Result<Vec<Packed>, Error> {
    db.all(PACKED, params![stream, after, to]).await
}

/// Some entries from this place on, as they stand.
pub(crate) async fn window(db: &Db, stream: &str, from: i64) -> Result<Vec<Entry>, Error> {
    db.all(WINDOW, params![stream, from]).await
}

/// The entries that say what was retired, newest first.
pub(crate) async fn acts_of_retiring(db: &Db, stream: &str) -> Result<Vec<Entry>, Error> {
    db.all(ACTS_OF_RETIRING, params![stream]).await
}

/// From where to where a chain goes, and what its head says.
#[derive(Clone, Debug)]
pub(crate) struct Extent {
    pub(crate) first: i64,
    pub(crate) last: i64,
    pub(crate) tree_size: i64,
    pub(crate) head: Option<(i64, Hash)>,
}

impl FromRow for Extent {
    fn from_row(row: &Row) -> Result<Self, Error> {
        let sequence: i64 = row.get("head_sequence")?;
        let hash: Option<Vec<u8>> = row.get("head_hash")?;
        // A hash of another length fits nothing, as zeros do not.
        let hash = hash.map(|hash| Hash::try_from(hash.as_slice()).unwrap_or_default());
        Ok(Self {
            first: row.get("first_sequence")?,
            last: row.get("last_sequence")?,
            tree_size: row.get("tree_size")?,
            head: hash.map(|hash| (sequence, hash)),
        })
    }
}

pub(crate) async fn extent(db: &Db, stream: &str) -> Result<Extent, Error> {
    db.one(EXTENT, params![stream]).await
}
