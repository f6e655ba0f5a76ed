//! Logs of others, as far as we have seen them.

use naru_kernel::Timestamp;
use naru_store::{Error, FromRow, Row, Tx, params};

use crate::rules::tree::Hash;

naru_store::sql! {
    // Held for this transaction, so that two checkpoints of one log are judged one after the other.
    HOLD_LOG = "UPDATE witnessed_logs SET size = size WHERE origin = $1 RETURNING size, root";
    BEGIN_LOG = "INSERT INTO witnessed_logs (origin, size, root, at) VALUES ($1, 0, $2, $3) ON CONFLICT (origin) DO NOTHING";
    MOVE_LOG = "UPDATE witnessed_logs SET size = $2, root = $3, at = $4 WHERE origin = $1";
    KEEP = "INSERT INTO witnessed_checkpoints (origin, size, note, at) VALUES ($1, $2, $3, $4) ON CONFLICT (origin, size) DO NOTHING";
}

/// How far a log is known.
pub(crate) struct Known {
    pub(crate) size: u64,
    pub(crate) root: Hash,
}

impl FromRow for Known {
    fn from_row(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            size: u64::try_from(row.get::<i64>("size")?).unwrap_or(0),
            root: row
                .get::<Vec<u8>>("root")?
                .as_slice()
                .try_into()
                .unwrap_or_default(),
        })
    }
}

/// How far this log is known; it is held until the transaction's end. One that was never seen is empty.
pub(crate) async fn witnessed(
    tx: &mut Tx,
    origin: &str,
    empty: &Hash,
    at: Timestamp,
) -> Result<Known, Error> {
    if let Some(known) = tx.optional(HOLD_LOG, params![origin]).await? {
        return Ok(known);
    }
    tx.exec(BEGIN_LOG, params![origin, empty.as_slice(), at]).await?;
    tx.one(HOLD_LOG, params![origin]).await
}

/// Remembers a checkpoint that was judged good.
pub(crate) async fn keep_witnessed(
    tx: &mut Tx,
    origin: &str,
    (size, root): (u64, &Hash),
    note: &str,
    at: Timestamp,
) -> Result<(), Error> {
    let size = i64::try_from(size).unwrap_or(i64::MAX);
    tx.exec(MOVE_LOG, params![origin, size, root.as_slice(), at])
        .await?;
    tx.exec(KEEP, params![origin, size, note, at]).await.map(drop)
}
