//! What a log-on session proved.

use naru_kernel::{LogonId, MinistryId, PersonId, Timestamp, access::Assurance};
use naru_store::{Db, Error, FromRow, Row, Tx, params};

use super::word;
use crate::model::LogonState;

naru_store::sql! {
    BY_LOGON = "SELECT person, ministry, method, state, assurance, authenticated_at, created_at, idle_expires_at \
                FROM logons WHERE id = $1";
    PROVED = "UPDATE logons SET assurance = $2, authenticated_at = $3 WHERE id = $1 AND state = 'signed_in'";
}

/// What a session proved, and whether it is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Proof {
    pub(crate) person: PersonId,
    pub(crate) ministry: MinistryId,
    pub(crate) method: String,
    pub(crate) state: LogonState,
    pub(crate) assurance: Assurance,
    pub(crate) authenticated_at: Timestamp,
    pub(crate) idle_expires_at: Timestamp,
}

impl FromRow for Proof {
    fn from_row(row: &Row) -> Result<Self, Error> {
        let created_at: Timestamp = row.get("created_at")?;
        let authenticated_at: Timestamp = row.get("authenticated_at")?;
        Ok(Self {
            person: row.get("person")?,
            ministry: row.get("ministry")?,
            method: row.get("method")?,
            state: word(row, "state")?,
            assurance: word(row, "assurance")?,
            // Sessions of before this was kept showed a factor when they began, at the latest.
            authenticated_at: authenticated_at.max(created_at),
            idle_expires_at: row.get("idle_expires_at")?,
        })
    }
}

/// Looks across ministries: whoever asks holds the session's identifier.
pub(crate) async fn of(db: &Db, logon: LogonId) -> Result<Option<Proof>, Error> {
    db.optional(BY_LOGON, params![logon]).await
}

/// Like [`of`], in a transaction.
pub(crate) async fn of_in(tx: &mut Tx, logon: LogonId) -> Result<Option<Proof>, Error> {
    tx.optional(BY_LOGON, params![logon]).await
}

/// Writes down that a factor was shown now; `false` if the session is not signed in.
pub(crate) async fn proved(
    tx: &mut Tx,
    logon: LogonId,
    assurance: Assurance,
    now: Timestamp,
) -> Result<bool, Error> {
    Ok(tx.exec(PROVED, params![logon, assurance.as_str(), now]).await? == 1)
}
