//! The hash-chained record: one chain per ministry and one for the platform.
//!
//! Each entry's hash covers the hash before it and every column of its own, each with its length in front, so
//! that no byte can be moved or flipped unseen. `audit_heads` holds the newest hash of each chain: a cut tail shows too.

use aws_lc_rs::digest;
use naru_kernel::Timestamp;

use crate::{Db, Error, FromRow, Row, Tx, params};

crate::sql! {
    NEXT = "UPDATE audit_heads SET sequence = sequence + 1 WHERE stream = $1 RETURNING sequence, hash";
    BEGIN = "INSERT INTO audit_heads (stream, sequence, hash) VALUES ($1, 0, $2) ON CONFLICT (stream) DO NOTHING";
    APPEND = "INSERT INTO audit (stream, sequence, at, action, outcome, actor, subject, address, detail, hash) \
              VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
    MOVE_HEAD = "UPDATE audit_heads SET hash = $2 WHERE stream = $1";
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

struct Head {
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

pub(crate) async fn append(tx: &mut Tx, mut entry: Entry) -> Result<(), Error> {
    let head = match tx.optional::<Head>(NEXT, params![entry.stream.as_str()]).await? {
        Some(head) => head,
        None => {
            tx.exec(BEGIN, params![entry.stream.as_str(), GENESIS.as_slice()])
                .await?;
            tx.one::<Head>(NEXT, params![entry.stream.as_str()]).await?
        }
    };
    entry.sequence = head.sequence;
    entry.hash = entry_hash(&head.hash, &entry);
    let stream = entry.stream.clone();
    let hash = entry.hash.clone();
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
    tx.exec(MOVE_HEAD, params![stream, hash]).await?;
    Ok(())
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
