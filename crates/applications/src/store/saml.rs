//! Sessions and names at SAML's service providers, and the keys that sign assertions.
//!
//! A session belongs to a person of one ministry and an application that may be of another; rows are found by the log-on, or
//! by application and name together, which only the two know.

use naru_kernel::{ApplicationId, LogonId, MinistryId, PersonId, Timestamp};
use naru_sso::saml::{NameId, NameIdFormat};
use naru_store::{Db, Error, FromRow, Row, Tx, params};

naru_store::sql! {
    ADD_SESSION = "INSERT INTO saml_sessions (session_index, application, person, person_ministry, logon, name_id, \
                   name_id_format, state, by_browser, tries, next_at, created_at, expires_at) \
                   VALUES ($1, $2, $3, $4, $5, $6, $7, 'open', $8, 0, $9, $9, $10)";
    OF_NAME = "SELECT session_index, application, logon, name_id, name_id_format, tries FROM saml_sessions \
               WHERE application = $1 AND name_id = $2 AND name_id_format = $3 AND state = 'open' \
               ORDER BY created_at LIMIT 64";
    OF_LOGON_BY_BROWSER = "SELECT session_index, application, logon, name_id, name_id_format, tries \
                           FROM saml_sessions WHERE logon = $1 AND by_browser = $2 AND state IN ('open', 'ending') \
                           ORDER BY created_at LIMIT 64";
    BY_INDEX = "SELECT session_index, application, logon, name_id, name_id_format, tries FROM saml_sessions \
                WHERE session_index = $1";
    DUE = "SELECT session_index, application, logon, name_id, name_id_format, tries FROM saml_sessions \
           WHERE state = 'ending' AND by_browser = $2 AND next_at <= $1 ORDER BY next_at LIMIT 32";
    END_LOGON = "UPDATE saml_sessions SET state = 'ending', next_at = $2 WHERE logon = $1 AND state = 'open'";
    END_PERSON = "UPDATE saml_sessions SET state = 'ending', next_at = $2 WHERE person = $1 AND state = 'open'";
    END_MEMBERSHIP = "UPDATE saml_sessions SET state = 'ending', next_at = $3 \
                      WHERE person = $1 AND person_ministry = $2 AND state = 'open'";
    TRIED = "UPDATE saml_sessions SET tries = tries + 1, next_at = $2 WHERE session_index = $1 AND state = 'ending'";
    SETTLE = "UPDATE saml_sessions SET state = $2 WHERE session_index = $1 AND state IN ('open', 'ending')";
    FORGET = "DELETE FROM saml_sessions WHERE expires_at < $1";
    OPEN_OF_APPLICATION = "SELECT session_index, application, logon, name_id, name_id_format, tries FROM saml_sessions \
                           WHERE logon = $1 AND application = $2 AND name_id_format = $3 AND state = 'open' \
                           ORDER BY created_at DESC LIMIT 32";
    INDEXES = "SELECT session_index AS name_id FROM saml_sessions WHERE logon = $1 AND application = $2 AND name_id = $3 \
               ORDER BY created_at LIMIT 32";
    UNREACHED = "SELECT COUNT(*) AS n FROM saml_sessions WHERE logon = $1 AND by_browser = $2 \
                 AND (state = 'untold' OR (state = 'ending' AND tries > 0))";
    NAME = "SELECT name_id FROM saml_names WHERE application = $1 AND person = $2";
    ADD_NAME = "INSERT INTO saml_names (application, person, name_id, created_at) VALUES ($1, $2, $3, $4) \
                ON CONFLICT (application, person) DO NOTHING";
    KEYS = "SELECT value FROM secrets WHERE name = 'saml.signing-keys'";
    ADD_KEYS = "INSERT INTO secrets (name, value, created_at) VALUES ('saml.signing-keys', $1, $2) \
                ON CONFLICT (name) DO NOTHING";
    SET_KEYS = "UPDATE secrets SET value = $1, created_at = $2 WHERE name = 'saml.signing-keys'";
}

/// How a session is found in the table.
#[derive(Clone, Debug)]
pub(crate) struct SessionRow {
    pub(crate) session_index: String,
    pub(crate) application: ApplicationId,
    pub(crate) logon: LogonId,
    pub(crate) name_id: String,
    pub(crate) format: NameIdFormat,
    pub(crate) tries: i64,
}

impl SessionRow {
    /// The name as the service provider knows it.
    pub(crate) fn name(&self, entity_id: &str) -> NameId {
        NameId {
            format: self.format,
            value: self.name_id.clone(),
            for_service_provider: matches!(self.format, NameIdFormat::Persistent | NameIdFormat::Transient)
                .then(|| entity_id.to_owned()),
        }
    }
}

impl FromRow for SessionRow {
    fn from_row(row: &Row) -> Result<Self, Error> {
        let format: String = row.get("name_id_format")?;
        Ok(Self {
            session_index: row.get("session_index")?,
            application: row.get("application")?,
            logon: row.get("logon")?,
            name_id: row.get("name_id")?,
            format: format_of(&format).ok_or_else(|| Error::Column {
                column: "name_id_format".to_owned(),
                source: format!("{format} is no format").into(),
            })?,
            tries: row.get("tries")?,
        })
    }
}

const fn word(format: NameIdFormat) -> &'static str {
    match format {
        NameIdFormat::Persistent => "persistent",
        NameIdFormat::Transient => "transient",
        NameIdFormat::EmailAddress => "email_address",
        NameIdFormat::Unspecified => "unspecified",
    }
}

fn format_of(text: &str) -> Option<NameIdFormat> {
    NameIdFormat::ALL.into_iter().find(|format| word(*format) == text)
}

/// A session that begins.
pub(crate) struct NewSession {
    pub(crate) session_index: String,
    pub(crate) application: ApplicationId,
    pub(crate) person: PersonId,
    pub(crate) person_ministry: MinistryId,
    pub(crate) logon: LogonId,
    pub(crate) name_id: NameId,
    /// Whether its end can only be told through the browser.
    pub(crate) by_browser: bool,
    pub(crate) expires_at: Timestamp,
}

pub(crate) async fn add_session(tx: &mut Tx, new: NewSession, now: Timestamp) -> Result<(), Error> {
    let params = params![
        new.session_index,
        new.application,
        new.person,
        new.person_ministry,
        new.logon,
        new.name_id.value,
        word(new.name_id.format),
        new.by_browser,
        now,
        new.expires_at
    ];
    tx.exec(ADD_SESSION, params).await.map(drop)
}

/// The sessions a log-on has at an application under names of this sort, the newest first.
pub(crate) async fn open_sessions(
    tx: &mut Tx,
    logon: LogonId,
    application: ApplicationId,
    format: NameIdFormat,
) -> Result<Vec<SessionRow>, Error> {
    tx.all(OPEN_OF_APPLICATION, params![logon, application, word(format)])
        .await
}

/// All sessions of a log-on at an application under one name, over or not: a logout names them together.
pub(crate) async fn indexes(db: &Db, session: &SessionRow) -> Result<Vec<String>, Error> {
    let params = params![session.logon, session.application, session.name_id.as_str()];
    let found: Vec<Text> = db.all(INDEXES, params).await?;
    Ok(found.into_iter().map(|Text(index)| index).collect())
}

/// How many service providers of a log-on could not be told without a browser so far.
pub(crate) async fn unreached(db: &Db, logon: LogonId) -> Result<i64, Error> {
    db.one(UNREACHED, params![logon, false]).await
}

/// Sessions of whoever has this name at this application.
pub(crate) async fn sessions_of_name(
    tx: &mut Tx,
    application: ApplicationId,
    name: &NameId,
) -> Result<Vec<SessionRow>, Error> {
    let params = params![application, name.value.as_str(), word(name.format)];
    tx.all(OF_NAME, params).await
}

/// Sessions of a log-on that only the browser can end.
pub(crate) async fn sessions_by_browser(db: &Db, logon: LogonId) -> Result<Vec<SessionRow>, Error> {
    db.all(OF_LOGON_BY_BROWSER, params![logon, true]).await
}

/// A session, over or not.
pub(crate) async fn session(db: &Db, index: &str) -> Result<Option<SessionRow>, Error> {
    db.optional(BY_INDEX, params![index]).await
}

/// Sessions whose service providers are to be told without a browser, now.
pub(crate) async fn due(db: &Db, now: Timestamp) -> Result<Vec<SessionRow>, Error> {
    db.all(DUE, params![now, false]).await
}

pub(crate) async fn end_of_logon(tx: &mut Tx, logon: LogonId, at: Timestamp) -> Result<u64, Error> {
    tx.exec(END_LOGON, params![logon, at]).await
}

pub(crate) async fn end_of_person(tx: &mut Tx, person: PersonId, at: Timestamp) -> Result<u64, Error> {
    tx.exec(END_PERSON, params![person, at]).await
}

/// All sessions of a person as one of this ministry.
pub(crate) async fn end_of_membership(
    tx: &mut Tx,
    person: PersonId,
    ministry: MinistryId,
    at: Timestamp,
) -> Result<u64, Error> {
    tx.exec(END_MEMBERSHIP, params![person, ministry, at]).await
}

/// It did not work: again at `next_at`.
pub(crate) async fn tried(tx: &mut Tx, index: &str, next_at: Timestamp) -> Result<(), Error> {
    tx.exec(TRIED, params![index, next_at]).await.map(drop)
}

/// The service provider confirmed, or we give up.
pub(crate) async fn settle(tx: &mut Tx, index: &str, told: bool) -> Result<(), Error> {
    let state = if told { "told" } else { "untold" };
    tx.exec(SETTLE, params![index, state]).await.map(drop)
}

pub(crate) async fn forget(tx: &mut Tx, now: Timestamp) -> Result<(), Error> {
    tx.exec(FORGET, params![now]).await.map(drop)
}

struct Text(String);

impl FromRow for Text {
    fn from_row(row: &Row) -> Result<Self, Error> {
        row.get("name_id").map(Self)
    }
}

/// The lasting name of a person at an application, if it was told one.
pub(crate) async fn name(
    tx: &mut Tx,
    application: ApplicationId,
    person: PersonId,
) -> Result<Option<String>, Error> {
    let found: Option<Text> = tx.optional(NAME, params![application, person]).await?;
    Ok(found.map(|Text(name)| name))
}

pub(crate) async fn add_name(
    tx: &mut Tx,
    application: ApplicationId,
    person: PersonId,
    name: &str,
    now: Timestamp,
) -> Result<(), Error> {
    tx.exec(ADD_NAME, params![application, person, name, now])
        .await
        .map(drop)
}

struct Bytes(Vec<u8>);

impl FromRow for Bytes {
    fn from_row(row: &Row) -> Result<Self, Error> {
        row.get("value").map(Self)
    }
}

/// The keys as stored; `None` before the first start.
pub(crate) async fn keys(db: &Db) -> Result<Option<Vec<u8>>, Error> {
    let found: Option<Bytes> = db.optional(KEYS, params![]).await?;
    Ok(found.map(|Bytes(value)| value))
}

/// The keys in a transaction; `fresh` becomes them if there are none yet.
pub(crate) async fn keys_or(tx: &mut Tx, fresh: Vec<u8>, now: Timestamp) -> Result<Vec<u8>, Error> {
    tx.exec(ADD_KEYS, params![fresh, now]).await?;
    tx.one(KEYS, params![]).await.map(|Bytes(value)| value)
}

pub(crate) async fn set_keys(tx: &mut Tx, value: Vec<u8>, now: Timestamp) -> Result<(), Error> {
    tx.exec(SET_KEYS, params![value, now]).await.map(drop)
}
