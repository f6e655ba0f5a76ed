//! Browsers in which people signed in.

use naru_kernel::{PersonId, Timestamp};
use naru_store::{Error, FromRow, Row, Tx, params};

use crate::model::Failures;

naru_store::sql! {
    KNOWN = "SELECT failures, failures_since, locked_until FROM devices WHERE person = $1 AND hash = $2";
    HAS = "SELECT COUNT(*) AS n FROM (SELECT 1 FROM devices WHERE person = $1 LIMIT 1) some_device";
    ANYBODYS = "SELECT COUNT(*) AS n FROM (SELECT 1 FROM devices WHERE hash = $1 LIMIT 1) some_device";
    REMEMBER = "INSERT INTO devices (person, hash, failures, failures_since, first_seen_at, last_seen_at) \
                VALUES ($1, $2, 0, 0, $3, $3) \
                ON CONFLICT (person, hash) DO UPDATE SET failures = 0, locked_until = NULL, last_seen_at = $3";
    COUNT_FAILURE = "UPDATE devices SET failures = $3, failures_since = $4 WHERE person = $1 AND hash = $2";
    LOCK = "UPDATE devices SET failures = 0, locked_until = $3 WHERE person = $1 AND hash = $2";
    IS_LOCKED = "SELECT COUNT(*) AS n FROM (SELECT 1 FROM devices WHERE person = $1 AND locked_until > $2 LIMIT 1) locked";
    UNLOCK = "UPDATE devices SET failures = 0, locked_until = NULL WHERE person = $1";
    KEEP_NEWEST = "DELETE FROM devices WHERE person = $1 AND hash NOT IN \
                   (SELECT d.hash FROM devices d WHERE d.person = $1 ORDER BY d.last_seen_at DESC LIMIT $2)";
    FORGET_ALL = "DELETE FROM devices WHERE person = $1";
    FORGET = "DELETE FROM devices WHERE last_seen_at < $1";
}

/// A browser the person is known by.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Device {
    pub(crate) failures: Failures,
    pub(crate) locked_until: Option<Timestamp>,
}

impl FromRow for Device {
    fn from_row(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            failures: Failures {
                count: row.get("failures")?,
                since: row.get("failures_since")?,
            },
            locked_until: row.get("locked_until")?,
        })
    }
}

pub(crate) async fn known(tx: &mut Tx, person: PersonId, hash: &[u8]) -> Result<Option<Device>, Error> {
    tx.optional(KNOWN, params![person, hash]).await
}

/// Whether the person is known by any browser.
pub(crate) async fn has(tx: &mut Tx, person: PersonId) -> Result<bool, Error> {
    Ok(tx.one::<i64>(HAS, params![person]).await? > 0)
}

/// Whether anybody is known by this browser: its cookie is one of ours.
pub(crate) async fn is_anybodys(tx: &mut Tx, hash: &[u8]) -> Result<bool, Error> {
    Ok(tx.one::<i64>(ANYBODYS, params![hash]).await? > 0)
}

/// The person signed in there; of their browsers the newest stay.
pub(crate) async fn remember(
    tx: &mut Tx,
    person: PersonId,
    hash: &[u8],
    now: Timestamp,
    kept_max: i64,
) -> Result<(), Error> {
    tx.exec(REMEMBER, params![person, hash, now]).await?;
    tx.exec(KEEP_NEWEST, params![person, kept_max]).await.map(drop)
}

pub(crate) async fn count_failure(
    tx: &mut Tx,
    (person, hash): (PersonId, &[u8]),
    failures: Failures,
) -> Result<(), Error> {
    let values = params![person, hash, failures.count, failures.since];
    tx.exec(COUNT_FAILURE, values).await.map(drop)
}

pub(crate) async fn lock(
    tx: &mut Tx,
    (person, hash): (PersonId, &[u8]),
    until: Timestamp,
) -> Result<(), Error> {
    tx.exec(LOCK, params![person, hash, until]).await.map(drop)
}

/// Whether any of the person's browsers is locked.
pub(crate) async fn is_locked(tx: &mut Tx, person: PersonId, now: Timestamp) -> Result<bool, Error> {
    Ok(tx.one::<i64>(IS_LOCKED, params![person, now]).await? > 0)
}

/// Ends the locks of all the person's browsers.
pub(crate) async fn unlock(tx: &mut Tx, person: PersonId) -> Result<(), Error> {
    tx.exec(UNLOCK, params![person]).await.map(drop)
}

/// The person is known by no browser any more.
pub(crate) async fn forget_all(tx: &mut Tx, person: PersonId) -> Result<(), Error> {
    tx.exec(FORGET_ALL, params![person]).await.map(drop)
}

pub(crate) async fn forget(tx: &mut Tx, before: Timestamp) -> Result<(), Error> {
    tx.exec(FORGET, params![before]).await.map(drop)
}
