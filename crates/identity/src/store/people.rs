//! Ministries and people.

use naru_kernel::{MinistryId, PersonId, Timestamp};
use naru_store::{Db, Error, FromRow, Row, Tx, params};

use super::word;
use crate::{
    model::{Failures, Ministry, Person, PersonState},
    rules::NewPerson,
};

naru_store::sql! {
    MINISTRY = "SELECT id, name_ko, name_en, agency_code, is_platform FROM ministries WHERE id = $1";
    MINISTRY_BY_AGENCY = "SELECT id, name_ko, name_en, agency_code, is_platform FROM ministries WHERE agency_code = $1";
    INSERT_MINISTRY = "INSERT INTO ministries (id, name_ko, name_en, agency_code, is_platform, created_at) \
                       VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (agency_code) DO NOTHING";
    INSERT = "INSERT INTO people (id, ministry, name, subject_name, subject_key, search_text, state, failures, \
              failures_since, language, created_at) \
              VALUES ($1, $2, $3, $4, $5, $6, 'active', 0, 0, $7, $8) \
              ON CONFLICT (subject_key) DO NOTHING";
    BY_ID = "SELECT id, ministry, name, subject_name, state, locked_until, failures, failures_since, language, \
             last_logon_at FROM people WHERE id = $1";
    BY_SUBJECT = "SELECT id, ministry, name, subject_name, state, locked_until, failures, failures_since, \
                  language, last_logon_at FROM people WHERE subject_key = $1";
    HOLD = "UPDATE people SET failures = failures WHERE id = $1 \
            RETURNING id, ministry, name, subject_name, state, locked_until, failures, failures_since, language, \
            last_logon_at";
    HOLD_BY_SUBJECT = "UPDATE people SET failures = failures WHERE subject_key = $1 \
                       RETURNING id, ministry, name, subject_name, state, locked_until, failures, failures_since, \
                       language, last_logon_at";
    HOLD_IN = "UPDATE people SET failures = failures WHERE id = $1 AND ministry = $2 \
               RETURNING id, ministry, name, subject_name, state, locked_until, failures, failures_since, \
               language, last_logon_at";
    COUNT_FAILURE = "UPDATE people SET failures = $2, failures_since = $3 WHERE id = $1";
    LOCK = "UPDATE people SET state = 'locked', locked_until = $2, failures = 0 WHERE id = $1 AND state <> 'revoked'";
    SET_STATE = "UPDATE people SET state = $2, locked_until = NULL, failures = 0 WHERE id = $1";
    SIGNED_IN = "UPDATE people SET state = 'active', locked_until = NULL, failures = 0, last_logon_at = $2 WHERE id = $1";
    SIGNED_IN_KNOWN = "UPDATE people SET last_logon_at = $2 WHERE id = $1";
    NAMES = "SELECT p.id, p.name FROM people p WHERE p.id IN ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, \
             $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30, $31, $32) \
             AND (CAST($33 AS TEXT) IS NULL OR EXISTS (SELECT 1 FROM memberships m WHERE m.person = p.id \
             AND m.ministry = $33))";
    TAKEN = "SELECT subject_key FROM people WHERE subject_key IN ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, \
             $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30, $31, $32)";
}

/// How many subject keys [`taken`] looks up at once.
pub(crate) const TAKEN_KEYS_MAX: usize = 32;

impl FromRow for Ministry {
    fn from_row(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            id: row.get("id")?,
            name_ko: row.get("name_ko")?,
            name_en: row.get("name_en")?,
            agency_code: row.get("agency_code")?,
            is_platform: row.get("is_platform")?,
        })
    }
}

impl FromRow for Person {
    fn from_row(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            id: row.get("id")?,
            ministry: row.get("ministry")?,
            name: row.get("name")?,
            subject_name: row.get("subject_name")?,
            state: word(row, "state")?,
            locked_until: row.get("locked_until")?,
            failures: Failures {
                count: row.get("failures")?,
                since: row.get("failures_since")?,
            },
            language: row.get("language")?,
            last_logon_at: row.get("last_logon_at")?,
        })
    }
}

/// How many people [`names`] looks up at once.
pub(crate) const NAMES_PEOPLE_MAX: usize = 32;

struct Named(PersonId, String);

impl FromRow for Named {
    fn from_row(row: &Row) -> Result<Self, Error> {
        Ok(Self(row.get("id")?, row.get("name")?))
    }
}

struct Key(String);

impl FromRow for Key {
    fn from_row(row: &Row) -> Result<Self, Error> {
        row.get("subject_key").map(Self)
    }
}

pub(crate) async fn ministry(db: &Db, id: MinistryId) -> Result<Option<Ministry>, Error> {
    db.optional(MINISTRY, params![id]).await
}

pub(crate) async fn ministry_by_agency(db: &Db, code: &str) -> Result<Option<Ministry>, Error> {
    db.optional(MINISTRY_BY_AGENCY, params![code]).await
}

/// `false` if the agency code is taken.
pub(crate) async fn insert_ministry(tx: &mut Tx, ministry: &Ministry, now: Timestamp) -> Result<bool, Error> {
    let values = params![
        ministry.id,
        &ministry.name_ko,
        &ministry.name_en,
        &ministry.agency_code,
        ministry.is_platform,
        now
    ];
    Ok(tx.exec(INSERT_MINISTRY, values).await? == 1)
}

/// Adds the person alone, without a membership; `false` if the subject is taken.
pub(crate) async fn insert(
    tx: &mut Tx,
    id: PersonId,
    ministry: MinistryId,
    new: &NewPerson,
    now: Timestamp,
) -> Result<bool, Error> {
    let values = params![
        id,
        ministry,
        &new.name,
        &new.subject_name,
        &new.subject_key,
        new.search_text(),
        &new.language,
        now
    ];
    Ok(tx.exec(INSERT, values).await? == 1)
}

pub(crate) async fn person(db: &Db, id: PersonId) -> Result<Option<Person>, Error> {
    db.optional(BY_ID, params![id]).await
}

pub(crate) async fn person_by_subject(db: &Db, key: &str) -> Result<Option<Person>, Error> {
    db.optional(BY_SUBJECT, params![key]).await
}

/// Holds the person's row until the end of the transaction and reads it in the same statement: decisions about one
/// person come one after another on every engine.
pub(crate) async fn hold(tx: &mut Tx, id: PersonId) -> Result<Option<Person>, Error> {
    tx.optional(HOLD, params![id]).await
}

/// Like [`hold`], for a person who is signed in, in whichever of their ministries: what is theirs alone lies in their home,
/// so from here on the change sees both.
pub(crate) async fn hold_anywhere(tx: &mut Tx, id: PersonId) -> Result<Option<Person>, Error> {
    tx.across_ministries().await?;
    hold(tx, id).await
}

/// Reads a person inside a change without holding them.
pub(crate) async fn read_in(tx: &mut Tx, id: PersonId) -> Result<Option<Person>, Error> {
    tx.optional(BY_ID, params![id]).await
}

/// Like [`hold`], for the person with this certificate subject.
pub(crate) async fn hold_by_subject(tx: &mut Tx, key: &str) -> Result<Option<Person>, Error> {
    tx.optional(HOLD_BY_SUBJECT, params![key]).await
}

/// Like [`hold`], for a person of this ministry only.
pub(crate) async fn hold_in(
    tx: &mut Tx,
    id: PersonId,
    ministry: MinistryId,
) -> Result<Option<Person>, Error> {
    tx.optional(HOLD_IN, params![id, ministry]).await
}

pub(crate) async fn count_failure(tx: &mut Tx, id: PersonId, failures: Failures) -> Result<(), Error> {
    tx.exec(COUNT_FAILURE, params![id, failures.count, failures.since])
        .await
        .map(drop)
}

pub(crate) async fn lock(tx: &mut Tx, id: PersonId, until: Timestamp) -> Result<(), Error> {
    tx.exec(LOCK, params![id, until]).await.map(drop)
}

pub(crate) async fn set_state(tx: &mut Tx, id: PersonId, state: PersonState) -> Result<(), Error> {
    tx.exec(SET_STATE, params![id, state.as_str()]).await.map(drop)
}

pub(crate) async fn signed_in(tx: &mut Tx, id: PersonId, now: Timestamp) -> Result<(), Error> {
    tx.exec(SIGNED_IN, params![id, now]).await.map(drop)
}

/// Like [`signed_in`], in a browser of theirs: failures and a lock from elsewhere stay.
pub(crate) async fn signed_in_known(tx: &mut Tx, id: PersonId, now: Timestamp) -> Result<(), Error> {
    tx.exec(SIGNED_IN_KNOWN, params![id, now]).await.map(drop)
}

/// Which of at most [`TAKEN_KEYS_MAX`] subject keys belong to somebody.
pub(crate) async fn taken(db: &Db, keys: &[&str]) -> Result<Vec<String>, Error> {
    // Unused places hold a key that nobody can have.
    let padded = keys
        .iter()
        .copied()
        .chain(std::iter::repeat(""))
        .take(TAKEN_KEYS_MAX);
    let values = padded.map(naru_store::Value::from).collect();
    let rows = db.all::<Key>(TAKEN, values).await?;
    Ok(rows.into_iter().map(|Key(key)| key).collect())
}

/// The names of at most [`NAMES_PEOPLE_MAX`] people, of one ministry or of all.
pub(crate) async fn names(
    db: &Db,
    people: &[PersonId],
    ministry: Option<MinistryId>,
) -> Result<impl Iterator<Item = (PersonId, String)> + use<>, Error> {
    // Unused places hold an identifier that nobody can have.
    let padded = people
        .iter()
        .map(|person| naru_store::Value::from(*person))
        .chain(std::iter::repeat_with(|| naru_store::Value::from("")))
        .take(NAMES_PEOPLE_MAX);
    let values = padded.chain(params![ministry]).collect();
    let rows = db.all::<Named>(NAMES, values).await?;
    Ok(rows.into_iter().map(|Named(person, name)| (person, name)))
}
