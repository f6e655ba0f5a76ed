//! Second factors and activation codes.

use naru_kernel::{FactorId, MinistryId, PersonId, Timestamp};
use naru_store::{Db, Error, FromRow, Row, Tx, params};

use super::word;
use crate::model::{Factor, FactorKind, Ministry};

naru_store::sql! {
    OF_PERSON = "SELECT id, kind, name, passkey, secret, last_step, created_at, last_used_at FROM factors \
                 WHERE person = $1 ORDER BY id";
    KINDS = "SELECT m.id, m.name_ko, m.name_en, m.agency_code, m.is_platform, f.kind FROM ministries m \
             LEFT JOIN factors f ON f.person = $1 WHERE m.id = $2 ORDER BY f.id";
    INSERT = "INSERT INTO factors (id, person, ministry, kind, name, credential, passkey, secret, last_step, created_at) \
              VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (credential) DO NOTHING";
    USE_TOTP = "UPDATE factors SET last_step = $2, last_used_at = $3 WHERE id = $1 AND last_step < $2";
    USE_PASSKEY = "UPDATE factors SET passkey = $2, last_used_at = $3 WHERE id = $1";
    REMOVE = "DELETE FROM factors WHERE id = $1 AND person = $2";
    REMOVE_ALL = "DELETE FROM factors WHERE person = $1";
    SET_ACTIVATION = "INSERT INTO activations (person, ministry, hash, tries, created_at, expires_at) \
                      VALUES ($1, $2, $3, 0, $4, $5) ON CONFLICT (person) DO UPDATE SET hash = $3, tries = 0, \
                      created_at = $4, expires_at = $5";
    ACTIVATION = "SELECT hash, tries, expires_at FROM activations WHERE person = $1";
    TRY_ACTIVATION = "UPDATE activations SET tries = tries + 1 WHERE person = $1";
    REMOVE_ACTIVATION = "DELETE FROM activations WHERE person = $1";
    FORGET_ACTIVATIONS = "DELETE FROM activations WHERE expires_at < $1";
}

impl FromRow for Factor {
    fn from_row(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            id: row.get("id")?,
            kind: word(row, "kind")?,
            name: row.get("name")?,
            passkey: row.get("passkey")?,
            secret: row.get("secret")?,
            last_step: row.get("last_step")?,
            created_at: row.get("created_at")?,
            last_used_at: row.get("last_used_at")?,
        })
    }
}

/// An activation code that was handed out.
pub(crate) struct Activation {
    pub(crate) hash: Vec<u8>,
    pub(crate) tries: i64,
    pub(crate) expires_at: Timestamp,
}

impl FromRow for Activation {
    fn from_row(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            hash: row.get("hash")?,
            tries: row.get("tries")?,
            expires_at: row.get("expires_at")?,
        })
    }
}

pub(crate) async fn of_person(db: &Db, person: PersonId) -> Result<Vec<Factor>, Error> {
    db.all(OF_PERSON, params![person]).await
}

pub(crate) async fn of_person_in(tx: &mut Tx, person: PersonId) -> Result<Vec<Factor>, Error> {
    tx.all(OF_PERSON, params![person]).await
}

/// One row for each factor, and one without a kind if there is none.
struct Kind(Ministry, Option<FactorKind>);

impl FromRow for Kind {
    fn from_row(row: &Row) -> Result<Self, Error> {
        let kind = row.get::<Option<String>>("kind")?;
        let kind = kind.map(|_| word(row, "kind")).transpose()?;
        Ok(Self(Ministry::from_row(row)?, kind))
    }
}

/// The person's ministry, and of which kinds their factors are: what a step of a log-on says, in one statement.
pub(crate) async fn kinds_in(
    tx: &mut Tx,
    (person, ministry): (PersonId, MinistryId),
) -> Result<(Ministry, Vec<FactorKind>), Error> {
    let rows = tx.all::<Kind>(KINDS, params![person, ministry]).await?;
    let kinds = rows.iter().filter_map(|Kind(_, kind)| *kind).collect();
    let Kind(ministry, _) = rows.into_iter().next().ok_or(Error::NoRow)?;
    Ok((ministry, kinds))
}

/// `false` if the passkey is somebody's already.
pub(crate) async fn insert(
    tx: &mut Tx,
    (person, ministry): (PersonId, MinistryId),
    factor: &Factor,
    credential: Option<String>,
) -> Result<bool, Error> {
    let values = params![
        factor.id,
        person,
        ministry,
        factor.kind.as_str(),
        &factor.name,
        credential,
        factor.passkey.clone(),
        factor.secret.clone(),
        factor.last_step,
        factor.created_at
    ];
    Ok(tx.exec(INSERT, values).await? == 1)
}

/// `false` if the step or a later one was used before.
pub(crate) async fn use_totp(tx: &mut Tx, id: FactorId, step: i64, now: Timestamp) -> Result<bool, Error> {
    Ok(tx.exec(USE_TOTP, params![id, step, now]).await? == 1)
}

pub(crate) async fn use_passkey(
    tx: &mut Tx,
    id: FactorId,
    passkey: String,
    now: Timestamp,
) -> Result<(), Error> {
    tx.exec(USE_PASSKEY, params![id, passkey, now]).await.map(drop)
}

pub(crate) async fn remove(tx: &mut Tx, id: FactorId, person: PersonId) -> Result<bool, Error> {
    Ok(tx.exec(REMOVE, params![id, person]).await? == 1)
}

pub(crate) async fn remove_all(tx: &mut Tx, person: PersonId) -> Result<u64, Error> {
    tx.exec(REMOVE_ACTIVATION, params![person]).await?;
    tx.exec(REMOVE_ALL, params![person]).await
}

pub(crate) async fn set_activation(
    tx: &mut Tx,
    (person, ministry): (PersonId, MinistryId),
    hash: Vec<u8>,
    now: Timestamp,
    expires_at: Timestamp,
) -> Result<(), Error> {
    tx.exec(SET_ACTIVATION, params![person, ministry, hash, now, expires_at])
        .await
        .map(drop)
}

pub(crate) async fn activation(tx: &mut Tx, person: PersonId) -> Result<Option<Activation>, Error> {
    tx.optional(ACTIVATION, params![person]).await
}

pub(crate) async fn try_activation(tx: &mut Tx, person: PersonId) -> Result<(), Error> {
    tx.exec(TRY_ACTIVATION, params![person]).await.map(drop)
}

pub(crate) async fn remove_activation(tx: &mut Tx, person: PersonId) -> Result<(), Error> {
    tx.exec(REMOVE_ACTIVATION, params![person]).await.map(drop)
}

pub(crate) async fn forget_expired(tx: &mut Tx, now: Timestamp) -> Result<(), Error> {
    tx.exec(FORGET_ACTIVATIONS, params![now]).await.map(drop)
}
