//! What was begun and waits to be answered.

use naru_kernel::{ApplicationId, Timestamp};
use naru_store::{Db, Error, FromRow, Row, Tx, params};

naru_store::sql! {
    ADD = "INSERT INTO sign_on_requests (hash, application, payload, created_at, expires_at) VALUES ($1, $2, $3, $4, $5)";
    COUNT = "SELECT COUNT(*) AS n FROM sign_on_requests WHERE application = $1";
    COUNT_FREE = "SELECT COUNT(*) AS n FROM sign_on_requests WHERE application IS NULL";
    DROP_OLDEST = "DELETE FROM sign_on_requests WHERE hash IN (SELECT hash FROM sign_on_requests WHERE application = $1 \
                   ORDER BY created_at LIMIT $2)";
    DROP_OLDEST_FREE = "DELETE FROM sign_on_requests WHERE hash IN (SELECT hash FROM sign_on_requests \
                        WHERE application IS NULL ORDER BY created_at LIMIT $1)";
    FIND = "SELECT application, payload, created_at FROM sign_on_requests WHERE hash = $1 AND expires_at > $2";
    CHANGE = "UPDATE sign_on_requests SET payload = $2 WHERE hash = $1";
    TAKE = "DELETE FROM sign_on_requests WHERE hash = $1 AND expires_at > $2 RETURNING application, payload, created_at";
    FORGET = "DELETE FROM sign_on_requests WHERE expires_at <= $1";
}

/// A request that waits.
#[derive(Clone, Debug)]
pub(crate) struct RequestRow {
    pub(crate) application: Option<ApplicationId>,
    pub(crate) payload: String,
    pub(crate) created_at: Timestamp,
}

impl FromRow for RequestRow {
    fn from_row(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            application: row.get("application")?,
            payload: row.get("payload")?,
            created_at: row.get("created_at")?,
        })
    }
}

pub(crate) async fn add(tx: &mut Tx, hash: Vec<u8>, row: RequestRow, until: Timestamp) -> Result<(), Error> {
    let params = params![hash, row.application, row.payload, row.created_at, until];
    tx.exec(ADD, params).await.map(drop)
}

/// How many wait for one application, or for none in particular.
pub(crate) async fn count(tx: &mut Tx, application: Option<ApplicationId>) -> Result<i64, Error> {
    match application {
        Some(application) => tx.one(COUNT, params![application]).await,
        None => tx.one(COUNT_FREE, params![]).await,
    }
}

/// Lets the oldest of them go.
pub(crate) async fn drop_oldest(
    tx: &mut Tx,
    application: Option<ApplicationId>,
    rows: i64,
) -> Result<u64, Error> {
    match application {
        Some(application) => tx.exec(DROP_OLDEST, params![application, rows]).await,
        None => tx.exec(DROP_OLDEST_FREE, params![rows]).await,
    }
}

/// A request by its handle's hash: whoever has the handle may, whatever ministry it is of.
pub(crate) async fn find(db: &Db, hash: Vec<u8>, now: Timestamp) -> Result<Option<RequestRow>, Error> {
    db.optional(FIND, params![hash, now]).await
}

pub(crate) async fn change(tx: &mut Tx, hash: Vec<u8>, payload: String) -> Result<(), Error> {
    tx.exec(CHANGE, params![hash, payload]).await.map(drop)
}

/// Takes it out: of two that come at once, one gets it.
pub(crate) async fn take(tx: &mut Tx, hash: Vec<u8>, now: Timestamp) -> Result<Option<RequestRow>, Error> {
    tx.optional(TAKE, params![hash, now]).await
}

pub(crate) async fn forget(tx: &mut Tx, now: Timestamp) -> Result<u64, Error> {
    tx.exec(FORGET, params![now]).await
}
