//! Attempts to log on, as their person sees them.

use naru_kernel::{PageRequest, PersonId, Timestamp};
use naru_store::{Db, Error, FromRow, Row, Tx, params};

use crate::{model::AttemptId, rules::Position};

naru_store::sql! {
    INSERT = "INSERT INTO attempts (id, person, at, address, place_ko, place_en, latitude, longitude, device, \
              is_new_device, method, assurance, outcome) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)";
    LIST = "SELECT id, at, address, place_ko, place_en, latitude, longitude, device, is_new_device, method, assurance, outcome \
            FROM attempts WHERE person = $1 AND (CAST($2 AS TEXT) IS NULL OR id < $2) ORDER BY id DESC LIMIT $3";
    COUNT = "SELECT COUNT(*) AS n FROM (SELECT 1 FROM attempts WHERE person = $1 LIMIT 10001) counted";
    SINCE = "SELECT COUNT(*) AS n FROM (SELECT 1 FROM attempts WHERE person = $1 AND id > $2 LIMIT 500) counted";
    LAST_GOOD = "SELECT id, at, address, place_ko, place_en, latitude, longitude, device, is_new_device, method, assurance, \
                 outcome FROM attempts WHERE person = $1 AND outcome = 'signed_in' ORDER BY id DESC LIMIT 1";
    FORGET = "DELETE FROM attempts WHERE id IN (SELECT a.id FROM attempts a WHERE a.at < $1 LIMIT 1000)";
}

/// An attempt.
#[derive(Clone, Debug)]
pub(crate) struct Attempt {
    pub(crate) id: AttemptId,
    pub(crate) at: Timestamp,
    pub(crate) address: String,
    pub(crate) place: Option<(String, String)>,
    pub(crate) position: Option<Position>,
    pub(crate) device: String,
    pub(crate) is_new_device: bool,
    pub(crate) method: String,
    pub(crate) assurance: Option<String>,
    pub(crate) outcome: String,
}

impl FromRow for Attempt {
    fn from_row(row: &Row) -> Result<Self, Error> {
        let names = (row.get::<Option<String>>("place_ko")?, row.get("place_en")?);
        let degrees: (Option<f64>, Option<f64>) = (row.get("latitude")?, row.get("longitude")?);
        Ok(Self {
            id: row.get("id")?,
            at: row.get("at")?,
            address: row.get("address")?,
            place: names.0.zip(names.1),
            position: degrees
                .0
                .zip(degrees.1)
                .and_then(|(latitude, longitude)| Position::new(latitude, longitude)),
            device: row.get("device")?,
            is_new_device: row.get("is_new_device")?,
            method: row.get("method")?,
            assurance: row.get("assurance")?,
            outcome: row.get("outcome")?,
        })
    }
}

pub(crate) async fn insert(tx: &mut Tx, person: PersonId, attempt: Attempt) -> Result<(), Error> {
    let (place_ko, place_en) = attempt.place.unzip();
    let values = params![
        attempt.id,
        person,
        attempt.at,
        attempt.address,
        place_ko,
        place_en,
        attempt.position.map(Position::latitude),
        attempt.position.map(Position::longitude),
        attempt.device,
        attempt.is_new_device,
        attempt.method,
        attempt.assurance,
        attempt.outcome
    ];
    tx.exec(INSERT, values).await.map(drop)
}

/// Newest first; one row more than asked for tells that there is a next page. Counted to 10,001.
pub(crate) async fn list(
    db: &Db,
    person: PersonId,
    page: &PageRequest,
) -> Result<(Vec<Attempt>, i64), Error> {
    let total = db.one::<i64>(COUNT, params![person]).await?;
    let after = page.after.as_deref();
    let rows = db
        .all(LIST, params![person, after, page.rows().saturating_add(1)])
        .await?;
    Ok((rows, total))
}

/// How many there are that are newer than this identifier; counted to 500.
pub(crate) async fn since(tx: &mut Tx, person: PersonId, id: AttemptId) -> Result<i64, Error> {
    tx.one(SINCE, params![person, id]).await
}

/// The last one that signed in.
pub(crate) async fn last_good(tx: &mut Tx, person: PersonId) -> Result<Option<Attempt>, Error> {
    tx.optional(LAST_GOOD, params![person]).await
}

pub(crate) async fn forget(tx: &mut Tx, before: Timestamp) -> Result<(), Error> {
    tx.exec(FORGET, params![before]).await.map(drop)
}
