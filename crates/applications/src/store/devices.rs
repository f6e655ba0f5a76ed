//! Devices that wait for a person, and log-outs that are owed.

use naru_kernel::{ApplicationId, Timestamp};
use naru_store::{Db, Error, FromRow, Row, Tx, params};

use super::word;
use crate::model::DeviceState;

naru_store::sql! {
    ADD = "INSERT INTO sign_on_devices (hash, user_code_hash, application, scopes, key_thumbprint, state, interval_seconds, expires_at) \
           VALUES ($1, $2, $3, $4, $5, 'waiting', $6, $7) ON CONFLICT DO NOTHING";
    COUNT = "SELECT COUNT(*) AS n FROM sign_on_devices WHERE application = $1";
    BY_CODE = "SELECT hash, application, scopes, key_thumbprint, state, grant_id, interval_seconds, asked_at, expires_at \
               FROM sign_on_devices WHERE user_code_hash = $1 AND state = 'waiting' AND expires_at > $2";
    BY_HASH = "SELECT hash, application, scopes, key_thumbprint, state, grant_id, interval_seconds, asked_at, expires_at \
               FROM sign_on_devices WHERE hash = $1";
    ALLOW = "UPDATE sign_on_devices SET state = 'allowed', grant_id = $2 WHERE hash = $1 AND state = 'waiting'";
    REFUSE = "UPDATE sign_on_devices SET state = 'refused' WHERE hash = $1 AND state = 'waiting'";
    ASKED = "UPDATE sign_on_devices SET asked_at = $2, interval_seconds = $3 WHERE hash = $1";
    REMOVE = "DELETE FROM sign_on_devices WHERE hash = $1";
    DUE = "SELECT application, session, subject, tries FROM sign_on_logouts WHERE next_at <= $1 \
           ORDER BY next_at, application, session LIMIT $2";
    LATER = "UPDATE sign_on_logouts SET tries = $3, next_at = $4 WHERE application = $1 AND session = $2";
    TOLD = "DELETE FROM sign_on_logouts WHERE application = $1 AND session = $2";
    OWED = "SELECT COUNT(*) AS n FROM sign_on_logouts";
}

/// A device.
#[derive(Clone, Debug)]
pub(crate) struct DeviceRow {
    pub(crate) hash: Vec<u8>,
    pub(crate) application: ApplicationId,
    pub(crate) scopes: String,
    pub(crate) key_thumbprint: Option<String>,
    pub(crate) state: DeviceState,
    pub(crate) grant: Option<String>,
    pub(crate) interval_seconds: i64,
    pub(crate) asked_at: Option<Timestamp>,
    pub(crate) expires_at: Timestamp,
}

impl FromRow for DeviceRow {
    fn from_row(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            hash: row.get("hash")?,
            application: row.get("application")?,
            scopes: row.get("scopes")?,
            key_thumbprint: row.get("key_thumbprint")?,
            state: word(row, "state")?,
            grant: row.get("grant_id")?,
            interval_seconds: row.get("interval_seconds")?,
            asked_at: row.get("asked_at")?,
            expires_at: row.get("expires_at")?,
        })
    }
}

/// A log-out an application must hear of.
#[derive(Clone, Debug)]
pub(crate) struct LogoutRow {
    pub(crate) application: ApplicationId,
    pub(crate) session: String,
    pub(crate) subject: String,
    pub(crate) tries: i64,
}

impl FromRow for LogoutRow {
    fn from_row(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            application: row.get("application")?,
            session: row.get("session")?,
            subject: row.get("subject")?,
            tries: row.get("tries")?,
        })
    }
}

/// Adds a device with the hash of its user code; `false` if that code is taken.
pub(crate) async fn add(tx: &mut Tx, device: &DeviceRow, user_code: Vec<u8>) -> Result<bool, Error> {
    let params = params![
        device.hash.clone(),
        user_code,
        device.application,
        &device.scopes,
        device.key_thumbprint.clone(),
        device.interval_seconds,
        device.expires_at,
    ];
    Ok(tx.exec(ADD, params).await? == 1)
}

pub(crate) async fn count(tx: &mut Tx, application: ApplicationId) -> Result<i64, Error> {
    tx.one(COUNT, params![application]).await
}

/// The device that waits with this user code, of any ministry: a person reads it from its screen.
pub(crate) async fn by_code(db: &Db, user_code: Vec<u8>, now: Timestamp) -> Result<Option<DeviceRow>, Error> {
    db.optional(BY_CODE, params![user_code, now]).await
}

pub(crate) async fn by_hash(tx: &mut Tx, hash: Vec<u8>) -> Result<Option<DeviceRow>, Error> {
    tx.optional(BY_HASH, params![hash]).await
}

/// Allows a device that waits; `false` if it does not any more.
pub(crate) async fn allow(tx: &mut Tx, hash: Vec<u8>, grant: &str) -> Result<bool, Error> {
    Ok(tx.exec(ALLOW, params![hash, grant]).await? == 1)
}

pub(crate) async fn refuse(tx: &mut Tx, hash: Vec<u8>) -> Result<bool, Error> {
    Ok(tx.exec(REFUSE, params![hash]).await? == 1)
}

/// Writes down that it asked, and how long it must wait from now on.
pub(crate) async fn asked(tx: &mut Tx, hash: Vec<u8>, now: Timestamp, interval: i64) -> Result<(), Error> {
    tx.exec(ASKED, params![hash, now, interval]).await.map(drop)
}

pub(crate) async fn remove(tx: &mut Tx, hash: Vec<u8>) -> Result<(), Error> {
    tx.exec(REMOVE, params![hash]).await.map(drop)
}

/// Log-outs whose time has come, of all ministries: the platform's own work.
pub(crate) async fn due(db: &Db, now: Timestamp, limit: i64) -> Result<Vec<LogoutRow>, Error> {
    db.all(DUE, params![now, limit]).await
}

pub(crate) async fn later(tx: &mut Tx, row: &LogoutRow, tries: i64, next: Timestamp) -> Result<(), Error> {
    tx.exec(LATER, params![row.application, &row.session, tries, next])
        .await
        .map(drop)
}

pub(crate) async fn told(tx: &mut Tx, row: &LogoutRow) -> Result<(), Error> {
    tx.exec(TOLD, params![row.application, &row.session])
        .await
        .map(drop)
}

pub(crate) async fn owed(db: &Db) -> Result<i64, Error> {
    db.one(OWED, params![]).await
}
