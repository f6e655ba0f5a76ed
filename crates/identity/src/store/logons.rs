//! Log-on sessions: begun, listed, ended.

use naru_kernel::{LogonId, PersonId, Timestamp};
use naru_store::{Db, Error, FromRow, Row, Tx, params};

use super::word;
use crate::model::{EndReason, Logon, LogonState};

naru_store::sql! {
    INSERT = "INSERT INTO logons (id, person, ministry, certificate, method, state, is_activated, address, user_agent, \
              user_agent_hash, created_at, last_seen_at, idle_expires_at, expires_at) \
              VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $11, $12, $13)";
    BY_ID = "SELECT id, person, ministry, certificate, method, state, is_activated, ceremony, address, user_agent, \
             created_at, last_seen_at, idle_expires_at, expires_at FROM logons WHERE id = $1";
    OPEN_OF = "SELECT id, person, ministry, certificate, method, state, is_activated, ceremony, address, user_agent, \
               created_at, last_seen_at, idle_expires_at, expires_at FROM logons \
               WHERE person = $1 AND state <> 'ended' ORDER BY last_seen_at";
    BEYOND = "SELECT id FROM logons WHERE person = $1 AND state <> 'ended' \
              ORDER BY last_seen_at DESC, id DESC LIMIT 1000 OFFSET $2";
    DUE = "SELECT id, person, ministry, certificate, method, state, is_activated, ceremony, address, user_agent, \
           created_at, last_seen_at, idle_expires_at, expires_at FROM logons \
           WHERE state <> 'ended' AND idle_expires_at <= $1 ORDER BY idle_expires_at LIMIT 200";
    ACTIVATED = "UPDATE logons SET is_activated = TRUE WHERE id = $1";
    STEP_UP = "UPDATE logons SET state = 'signed_in', ceremony = NULL, last_seen_at = $2, idle_expires_at = $3, \
               expires_at = $4 WHERE id = $1 AND state = 'first_factor'";
    SET_CEREMONY = "UPDATE logons SET ceremony = $2 WHERE id = $1 AND state <> 'ended'";
    TAKE_CEREMONY = "UPDATE logons SET ceremony = NULL WHERE id = $1 AND ceremony = $2";
    END = "UPDATE logons SET state = 'ended', ended_at = $2, end_reason = $3, ceremony = NULL \
           WHERE id = $1 AND state <> 'ended'";
    FORGET_TOKENS = "DELETE FROM logon_tokens WHERE logon = $1";
    FORGET_ENDED = "DELETE FROM logons WHERE id IN (SELECT l.id FROM logons l WHERE l.state = 'ended' AND l.ended_at < $1 LIMIT 1000)";
}

impl FromRow for Logon {
    fn from_row(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            id: row.get("id")?,
            person: row.get("person")?,
            ministry: row.get("ministry")?,
            certificate: row.get("certificate")?,
            method: word(row, "method")?,
            state: word(row, "state")?,
            is_activated: row.get("is_activated")?,
            ceremony: row.get("ceremony")?,
            address: row.get("address")?,
            user_agent: row.get("user_agent")?,
            created_at: row.get("created_at")?,
            last_seen_at: row.get("last_seen_at")?,
            idle_expires_at: row.get("idle_expires_at")?,
            expires_at: row.get("expires_at")?,
        })
    }
}

struct OnlyId(LogonId);

impl FromRow for OnlyId {
    fn from_row(row: &Row) -> Result<Self, Error> {
        row.get("id").map(Self)
    }
}

pub(crate) async fn insert(tx: &mut Tx, logon: &Logon, user_agent_hash: Vec<u8>) -> Result<(), Error> {
    let values = params![
        logon.id,
        logon.person,
        logon.ministry,
        logon.certificate,
        logon.method.as_str(),
        logon.state.as_str(),
        logon.is_activated,
        &logon.address,
        &logon.user_agent,
        user_agent_hash,
        logon.created_at,
        logon.idle_expires_at,
        logon.expires_at
    ];
    tx.exec(INSERT, values).await.map(drop)
}

pub(crate) async fn by_id(db: &Db, id: LogonId) -> Result<Option<Logon>, Error> {
    db.optional(BY_ID, params![id]).await
}

/// The session, if it is not over.
pub(crate) async fn open_by_id(tx: &mut Tx, id: LogonId) -> Result<Option<Logon>, Error> {
    let logon = tx.optional::<Logon>(BY_ID, params![id]).await?;
    Ok(logon.filter(|logon| logon.state != LogonState::Ended))
}

/// The person's sessions that are not over, longest unused first.
pub(crate) async fn open_of(tx: &mut Tx, person: PersonId) -> Result<Vec<Logon>, Error> {
    tx.all(OPEN_OF, params![person]).await
}

/// The person's sessions that are not over, without the `kept` that were used last.
pub(crate) async fn beyond(tx: &mut Tx, person: PersonId, kept: i64) -> Result<Vec<LogonId>, Error> {
    let rows = tx.all::<OnlyId>(BEYOND, params![person, kept]).await?;
    Ok(rows.into_iter().map(|OnlyId(id)| id).collect())
}

/// The person's sessions that are not over, for people to see, newest first.
pub(crate) async fn shown_of(db: &Db, person: PersonId) -> Result<Vec<Logon>, Error> {
    let mut logons = db.all::<Logon>(OPEN_OF, params![person]).await?;
    logons.sort_by_key(|logon| core::cmp::Reverse(logon.id));
    Ok(logons)
}

/// Sessions whose time is over.
pub(crate) async fn due(db: &Db, now: Timestamp) -> Result<Vec<Logon>, Error> {
    db.all(DUE, params![now]).await
}

pub(crate) async fn activated(tx: &mut Tx, id: LogonId) -> Result<(), Error> {
    tx.exec(ACTIVATED, params![id]).await.map(drop)
}

/// `false` if it was not waiting for a second factor.
pub(crate) async fn step_up(
    tx: &mut Tx,
    id: LogonId,
    now: Timestamp,
    idle_expires_at: Timestamp,
    expires_at: Timestamp,
) -> Result<bool, Error> {
    Ok(tx
        .exec(STEP_UP, params![id, now, idle_expires_at, expires_at])
        .await?
        == 1)
}

pub(crate) async fn set_ceremony(tx: &mut Tx, id: LogonId, ceremony: String) -> Result<bool, Error> {
    Ok(tx.exec(SET_CEREMONY, params![id, ceremony]).await? == 1)
}

/// Takes the ceremony out if it still is this one: it is finished once.
pub(crate) async fn take_ceremony(tx: &mut Tx, id: LogonId, ceremony: &str) -> Result<bool, Error> {
    Ok(tx.exec(TAKE_CEREMONY, params![id, ceremony]).await? == 1)
}

/// `false` if it was over already. Its tokens are forgotten.
pub(crate) async fn end(tx: &mut Tx, id: LogonId, reason: EndReason, now: Timestamp) -> Result<bool, Error> {
    let ended = tx.exec(END, params![id, now, reason.as_str()]).await? == 1;
    tx.exec(FORGET_TOKENS, params![id]).await?;
    Ok(ended)
}

pub(crate) async fn forget_ended(tx: &mut Tx, before: Timestamp) -> Result<(), Error> {
    tx.exec(FORGET_ENDED, params![before]).await.map(drop)
}
