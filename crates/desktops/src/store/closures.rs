//! What takes relays down.

use naru_kernel::{
    Timestamp,
    fleet::{CloseReason, Closure, ClosureTarget},
};
use naru_store::{Db, Error, FromRow, Row, Tx, params};

use super::unfit;

naru_store::sql! {
    NEXT = "UPDATE closure_head SET sequence = sequence + 1 WHERE one = 1 RETURNING sequence AS n";
    ADD = "INSERT INTO closures (sequence, kind, target, reason, at) VALUES ($1, $2, $3, $4, $5)";
    HEAD = "SELECT sequence AS n FROM closure_head WHERE one = 1";
    AFTER = "SELECT sequence, kind, target, reason, at FROM closures \
             WHERE sequence > $1 AND at >= $2 ORDER BY sequence LIMIT $3";
    FORGET = "DELETE FROM closures WHERE at < $1";
}

struct ClosureRow(Closure);

impl FromRow for ClosureRow {
    fn from_row(row: &Row) -> Result<Self, Error> {
        let target = match row.get::<String>("kind")?.as_str() {
            "logon" => ClosureTarget::Logon(row.get("target")?),
            "person" => ClosureTarget::Person(row.get("target")?),
            "desktop" => ClosureTarget::Desktop(row.get("target")?),
            _ => return Err(unfit("kind", "not a closure's target")),
        };
        let reason: CloseReason = serde_json::from_value(row.get::<String>("reason")?.into())
            .map_err(|error| unfit("reason", error))?;
        Ok(Self(Closure {
            sequence: row.get("sequence")?,
            target,
            reason,
            at: row.get("at")?,
        }))
    }
}

/// Adds a closure. The head's row stays locked until commit, so sequences become visible in their order and no
/// reader's cursor can overtake one.
pub(crate) async fn add(
    tx: &mut Tx,
    target: ClosureTarget,
    reason: CloseReason,
    at: Timestamp,
) -> Result<(), Error> {
    let (kind, target) = match target {
        ClosureTarget::Logon(logon) => ("logon", logon.to_string()),
        ClosureTarget::Person(person) => ("person", person.to_string()),
        ClosureTarget::Desktop(desktop) => ("desktop", desktop.to_string()),
    };
    let sequence: i64 = tx.one(NEXT, params![]).await?;
    tx.exec(ADD, params![sequence, kind, target, reason.as_str(), at])
        .await
        .map(drop)
}

/// The newest sequence ever given; read before [`after`], so that a cursor never runs ahead of what was read.
pub(crate) async fn head(db: &Db) -> Result<i64, Error> {
    db.one(HEAD, params![]).await
}

pub(crate) async fn after(db: &Db, cursor: i64, since: Timestamp, limit: i64) -> Result<Vec<Closure>, Error> {
    let rows: Vec<ClosureRow> = db.all(AFTER, params![cursor, since, limit]).await?;
    Ok(rows.into_iter().map(|row| row.0).collect())
}

pub(crate) async fn forget_before(tx: &mut Tx, at: Timestamp) -> Result<u64, Error> {
    tx.exec(FORGET, params![at]).await
}
