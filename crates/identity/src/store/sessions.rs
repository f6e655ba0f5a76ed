//! Tokens: the one read every request makes, and the writes that keep a session alive.

use naru_kernel::{Grant, LogonId, MinistryId, PersonId, Timestamp};
use naru_store::{Db, Error, FromRow, Row, Tx, params};

use super::{grants::grant_of, word};
use crate::rules::Presented;

naru_store::sql! {
    FIND = "SELECT t.created_at AS token_created_at, t.replaced_at, l.id, l.person, l.ministry, l.state, \
            l.user_agent_hash, l.last_seen_at, l.idle_expires_at, l.expires_at, p.state AS person_state, \
            g.role, g.within, g.scope \
            FROM logon_tokens t JOIN logons l ON l.id = t.logon JOIN people p ON p.id = l.person \
            JOIN memberships m ON m.person = l.person AND m.ministry = l.ministry AND m.state = 'active' \
            LEFT JOIN role_grants g ON g.person = l.person AND g.ministry = l.ministry \
            AND (g.expires_at IS NULL OR g.expires_at > $2) WHERE t.hash = $1";
    INSERT = "INSERT INTO logon_tokens (hash, logon, created_at) VALUES ($1, $2, $3)";
    REPLACE = "UPDATE logon_tokens SET replaced_at = $2 WHERE hash = $1 AND replaced_at IS NULL";
    FORGET = "DELETE FROM logon_tokens WHERE logon = $1";
    TOUCH = "UPDATE logons SET last_seen_at = $2, \
             idle_expires_at = CASE WHEN expires_at < $3 THEN expires_at ELSE $3 END \
             WHERE id = $1 AND state = 'signed_in' AND idle_expires_at > $2 AND last_seen_at <= $2";
}

/// What a token leads to.
pub(crate) struct Found {
    pub(crate) logon: LogonId,
    pub(crate) person: PersonId,
    pub(crate) ministry: MinistryId,
    /// What counts now: an expired grant is not among them.
    pub(crate) grants: Vec<Grant>,
    pub(crate) expires_at: Timestamp,
    pub(crate) presented: Presented,
}

impl FromRow for Found {
    fn from_row(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            logon: row.get("id")?,
            person: row.get("person")?,
            ministry: row.get("ministry")?,
            grants: grant_of(row)?.into_iter().collect(),
            expires_at: row.get("expires_at")?,
            presented: Presented {
                token_created_at: row.get("token_created_at")?,
                replaced_at: row.get("replaced_at")?,
                state: word(row, "state")?,
                person_state: word(row, "person_state")?,
                user_agent_hash: row.get("user_agent_hash")?,
                last_seen_at: row.get("last_seen_at")?,
                idle_expires_at: row.get("idle_expires_at")?,
            },
        })
    }
}

/// Looks across ministries: the token names the session, and that its ministry. One row for each grant.
pub(crate) async fn find(db: &Db, hash: Vec<u8>, now: Timestamp) -> Result<Option<Found>, Error> {
    let mut rows = db.all::<Found>(FIND, params![hash, now]).await?.into_iter();
    let Some(mut found) = rows.next() else {
        return Ok(None);
    };
    found.grants.extend(rows.flat_map(|row| row.grants));
    Ok(Some(found))
}

pub(crate) async fn insert(tx: &mut Tx, hash: Vec<u8>, logon: LogonId, now: Timestamp) -> Result<(), Error> {
    tx.exec(INSERT, params![hash, logon, now]).await.map(drop)
}

/// `false` if another request replaced it first.
pub(crate) async fn replace(tx: &mut Tx, hash: Vec<u8>, now: Timestamp) -> Result<bool, Error> {
    Ok(tx.exec(REPLACE, params![hash, now]).await? == 1)
}

pub(crate) async fn forget(tx: &mut Tx, logon: LogonId) -> Result<(), Error> {
    tx.exec(FORGET, params![logon]).await.map(drop)
}

/// Writes down that a session is used; `false` if it is over.
pub(crate) async fn touch(
    tx: &mut Tx,
    logon: LogonId,
    now: Timestamp,
    idle_expires_at: Timestamp,
) -> Result<bool, Error> {
    Ok(tx.exec(TOUCH, params![logon, now, idle_expires_at]).await? == 1)
}
