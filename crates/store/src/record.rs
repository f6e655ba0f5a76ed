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
/// # Errors
/// When the database cannot be read.
pub async fn verify_stream(db: &Db, stream: &str) -> Result<Result<i64, Break>, Error> {
    // The head is read first: what is appended meanwhile lies beyond it and is not judged.
    let head = db.optional::<Head>(HEAD, params![stream]).await?;
    let last = head.as_ref().map_or(0, |head| head.sequence);
    let mut previous = GENESIS.to_vec();
    let mut sequence = 0_i64;
    'pages: loop {
        let page = db.all::<Entry>(STREAM_FROM, params![stream, sequence]).await?;
        if page.is_empty() {
            break;
        }
        for entry in page {
            if entry.sequence > last {
                break 'pages;
            }
            if entry.sequence != sequence.saturating_add(1) {
                return Ok(Err(Break {
                    sequence: sequence.saturating_add(1),
                    why: "an entry is missing",
                }));
            }
            sequence = entry.sequence;
            if entry_hash(&previous, &entry) != entry.hash {
                return Ok(Err(Break {
                    sequence,
                    why: "the entry was changed",
                }));
            }
            previous = entry.hash;
        }
    }
    match head {
        Some(head) if head.sequence != sequence => Ok(Err(Break {
            sequence: sequence.saturating_add(1),
            why: "entries at the end are missing",
        })),
        Some(head) if head.hash != previous => Ok(Err(Break {
            sequence,
            why: "the head was changed",
        })),
        None if sequence > 0 => Ok(Err(Break {
            sequence,
            why: "the head is missing",
        })),
        Some(_) | None => Ok(Ok(sequence)),
    }
}
