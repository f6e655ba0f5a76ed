//! The hash-chained record: one chain per ministry and one for the platform.
//!
//! Each entry's hash covers the hash before it and every column of its own, each with its length in front, so
//! that no byte can be moved or flipped unseen. `audit_heads` holds the newest hash of each chain: a cut tail shows too.

use std::collections::BTreeMap;

use aws_lc_rs::digest;
use naru_kernel::Timestamp;

use crate::{Db, Error, FromRow, Row, Tx, params};

crate::sql! {
    HOLD = "UPDATE audit_heads SET sequence = sequence WHERE stream = $1 RETURNING sequence, hash";
    BEGIN = "INSERT INTO audit_heads (stream, sequence, hash) VALUES ($1, 0, $2) ON CONFLICT (stream) DO NOTHING";
    APPEND = "INSERT INTO audit (stream, sequence, at, action, outcome, actor, subject, address, detail, hash) \
              VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
    MOVE_HEAD = "INSERT INTO audit_heads (stream, sequence, hash) VALUES ($1, $2, $3) \
                 ON CONFLICT (stream) DO UPDATE SET sequence = excluded.sequence, hash = excluded.hash";
    STREAM_FROM = "SELECT stream, sequence, at, action, outcome, actor, subject, address, detail, hash FROM audit \
                   WHERE stream = $1 AND sequence > $2 ORDER BY sequence LIMIT 1000";
    HEAD = "SELECT sequence, hash FROM audit_heads WHERE stream = $1";
}

/// The chain of what belongs to no ministry.
pub const PLATFORM_STREAM: &str = "platform";

/// Entries read at once; the number in `STREAM_FROM`.
const PAGE_ENTRIES: usize = 1_000;

/// What stands before the first entry.
pub const GENESIS: [u8; 32] = [0; 32];

/// One entry of the record.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Entry {
    /// Whose chain: a ministry's id, or [`PLATFORM_STREAM`].
    pub stream: String,
    /// Place in the chain, from 1, without gaps.
    pub sequence: i64,
    /// When.
    pub at: Timestamp,
    /// What.
    pub action: String,
    /// `done` or `refused`.
    pub outcome: String,
    /// Who.
    pub actor: String,
    /// To what.
    pub subject: String,
    /// From where; empty if nowhere.
    pub address: String,
    /// More, as a JSON object.
    pub detail: String,
    /// SHA-256 over the hash before and all the columns above.
    #[serde(skip)]
    pub hash: Vec<u8>,
}

impl FromRow for Entry {
    fn from_row(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            stream: row.get("stream")?,
            sequence: row.get("sequence")?,
            at: row.get("at")?,
            action: row.get("action")?,
            outcome: row.get("outcome")?,
            actor: row.get("actor")?,
            subject: row.get("subject")?,
            address: row.get("address")?,
            detail: row.get("detail")?,
            hash: row.get("hash")?,
        })
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Head {
    sequence: i64,
    hash: Vec<u8>,
}

impl FromRow for Head {
    fn from_row(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            sequence: row.get("sequence")?,
            hash: row.get("hash")?,
        })
    }
}

/// The hash of an entry after `previous`; the entry's own `hash` is not looked at.
#[must_use]
pub fn entry_hash(previous: &[u8], entry: &Entry) -> Vec<u8> {
    let mut context = digest::Context::new(&digest::SHA256);
    let mut field = |bytes: &[u8]| {
        let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        context.update(&length.to_be_bytes());
        context.update(bytes);
    };
    field(previous);
    field(entry.stream.as_bytes());
    field(&entry.sequence.to_be_bytes());
    field(&entry.at.as_micros().to_be_bytes());
    for text in [
        &entry.action,
        &entry.outcome,
        &entry.actor,
        &entry.subject,
        &entry.address,
        &entry.detail,
    ] {
        field(text.as_bytes());
    }
    context.finish().as_ref().to_vec()
}

/// The newest entry of each chain that a shared transaction has appended to so far: written once, before its commit.
pub(crate) type Heads = BTreeMap<String, Head>;

/// The newest entry of the chain, held for this transaction: by the row's lock, or because nobody else writes.
async fn hold_head(tx: &mut Tx, stream: &str) -> Result<Head, Error> {
    if let Some(heads) = &tx.heads {
        if let Some(head) = heads.get(stream) {
            return Ok(head.clone());
        }
        let head = tx.optional::<Head>(HEAD, params![stream]).await?;
        return Ok(head.unwrap_or(Head {
            sequence: 0,
            hash: GENESIS.to_vec(),
        }));
    }
    if let Some(head) = tx.optional::<Head>(HOLD, params![stream]).await? {
        return Ok(head);
    }
    tx.exec(BEGIN, params![stream, GENESIS.as_slice()]).await?;
    tx.one::<Head>(HOLD, params![stream]).await
}

/// Writes the heads a shared transaction has moved.
pub(crate) async fn move_heads(tx: &mut Tx) -> Result<(), Error> {
    for (stream, head) in tx.heads.take().unwrap_or_default() {
        tx.exec(MOVE_HEAD, params![stream, head.sequence, head.hash])
            .await?;
    }
    Ok(())
}

/// Appends an entry; gives its place.
pub(crate) async fn append(tx: &mut Tx, mut entry: Entry) -> Result<i64, Error> {
    let head = hold_head(tx, &entry.stream).await?;
    entry.sequence = head.sequence.saturating_add(1);
    entry.hash = entry_hash(&head.hash, &entry);
    let stream = entry.stream.clone();
    let head = Head {
        sequence: entry.sequence,
        hash: entry.hash.clone(),
    };
    tx.exec(
        APPEND,
        params![
            entry.stream,
            entry.sequence,
            entry.at,
            entry.action,
            entry.outcome,
            entry.actor,
            entry.subject,
            entry.address,
            entry.detail,
            entry.hash,
        ],
    )
    .await?;
    let sequence = head.sequence;
    match &mut tx.heads {
        Some(heads) => {
            heads.insert(stream, head);
        }
        None => {
            tx.exec(MOVE_HEAD, params![stream, head.sequence, head.hash])
                .await?;
        }
    }
    Ok(sequence)
}

/// Where a chain is broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Break {
    /// The first entry that does not fit.
    pub sequence: i64,
    /// Why.
    pub why: &'static str,
}

/// Walks a chain from its beginning; gives the number of entries, or where it breaks.
///
/// Entries may be appended meanwhile. An entry and the head it moves are one commit, so the head read before the walk
/// cannot lie beyond what the walk sees, and the head read after it cannot lie behind.
///
/// # Errors
/// When the database cannot be read.
pub async fn verify_stream(db: &Db, stream: &str) -> Result<Result<i64, Break>, Error> {
    let before = db.optional::<Head>(HEAD, params![stream]).await?;
    let mut last = Head {
        sequence: 0,
        hash: GENESIS.to_vec(),
    };
    let mut hash_at_head = None;
    loop {
        let page = db
            .all::<Entry>(STREAM_FROM, params![stream, last.sequence])
            .await?;
        let is_last_page = page.len() < PAGE_ENTRIES;
        for entry in page {
            let expected = last.sequence.saturating_add(1);
            if entry.sequence != expected {
                return Ok(broken(expected, "an entry is missing"));
            }
            if entry_hash(&last.hash, &entry) != entry.hash {
                return Ok(broken(expected, "the entry was changed"));
            }
            last.sequence = expected;
            last.hash = entry.hash;
            if before.as_ref().is_some_and(|head| head.sequence == expected) {
                hash_at_head = Some(last.hash.clone());
            }
        }
        if is_last_page {
            break;
        }
    }
    let after = db.optional::<Head>(HEAD, params![stream]).await?;
    Ok(compare_with_heads(before, &last, hash_at_head, after))
}

fn broken(sequence: i64, why: &'static str) -> Result<i64, Break> {
    Err(Break { sequence, why })
}

/// Holds the last entry of a walk against the heads read before and after it.
fn compare_with_heads(
    before: Option<Head>,
    last: &Head,
    hash_at_head: Option<Vec<u8>>,
    after: Option<Head>,
) -> Result<i64, Break> {
    if let Some(before) = before {
        if before.sequence > last.sequence {
            return broken(last.sequence.saturating_add(1), "entries at the end are missing");
        }
        if before.sequence > 0 && hash_at_head.as_ref() != Some(&before.hash) {
            return broken(before.sequence, "the head was changed");
        }
    }
    match after {
        None if last.sequence > 0 => broken(1, "the head is missing"),
        Some(after) if after.sequence < last.sequence => {
            broken(after.sequence.saturating_add(1), "the head was moved back")
        }
        Some(after) if after.sequence == last.sequence && after.hash != last.hash => {
            broken(last.sequence, "the head was changed")
        }
        Some(_) | None => Ok(last.sequence),
    }
}
