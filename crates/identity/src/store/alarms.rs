//! Alarms.

use naru_kernel::{MinistryId, PageRequest, PersonId, Timestamp};
use naru_store::{Db, Error, FromRow, Row, Tx, params};

use crate::model::Alarm;

naru_store::sql! {
    INSERT = "INSERT INTO alarms (id, ministry, at, kind, person, detail) VALUES ($1, $2, $3, $4, $5, $6)";
    LIST = "SELECT id, at, kind, person, detail FROM alarms \
            WHERE ministry = $1 AND (CAST($2 AS TEXT) IS NULL OR id < $2) ORDER BY id DESC LIMIT $3";
    COUNT = "SELECT COUNT(*) AS n FROM alarms WHERE ministry = $1";
    OWN = "SELECT id, at, kind, person, detail FROM alarms \
           WHERE person = $1 AND (CAST($2 AS TEXT) IS NULL OR id < $2) ORDER BY id DESC LIMIT $3";
    COUNT_OWN = "SELECT COUNT(*) AS n FROM alarms WHERE person = $1";
    RECENT = "SELECT COUNT(*) AS n FROM (SELECT 1 FROM alarms WHERE person = $1 AND kind = $2 AND at > $3 LIMIT 1) recent";
}

impl FromRow for Alarm {
    fn from_row(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            id: row.get("id")?,
            at: row.get("at")?,
            kind: row.get("kind")?,
            person: row.get("person")?,
            detail: row.get("detail")?,
        })
    }
}

pub(crate) async fn insert(tx: &mut Tx, ministry: MinistryId, alarm: &Alarm) -> Result<(), Error> {
    let values = params![
        alarm.id,
        ministry,
        alarm.at,
        &alarm.kind,
        alarm.person,
        &alarm.detail
    ];
    tx.exec(INSERT, values).await.map(drop)
}

/// Newest first; one row more than asked for tells that there is a next page.
pub(crate) async fn list(
    db: &Db,
    ministry: MinistryId,
    page: &PageRequest,
) -> Result<(Vec<Alarm>, i64), Error> {
    let total = db.one::<i64>(COUNT, params![ministry]).await?;
    let after = page.after.as_deref();
    let rows = db
        .all(LIST, params![ministry, after, page.rows().saturating_add(1)])
        .await?;
    Ok((rows, total))
}

/// A person's own, whichever ministry they were raised in.
pub(crate) async fn own(db: &Db, person: PersonId, page: &PageRequest) -> Result<(Vec<Alarm>, i64), Error> {
    let total = db.one::<i64>(COUNT_OWN, params![person]).await?;
    let after = page.after.as_deref();
    let rows = db
        .all(OWN, params![person, after, page.rows().saturating_add(1)])
        .await?;
    Ok((rows, total))
}

/// Whether this was raised about the person since then.
pub(crate) async fn was_raised(
    tx: &mut Tx,
    person: PersonId,
    kind: &str,
    since: Timestamp,
) -> Result<bool, Error> {
    Ok(tx.one::<i64>(RECENT, params![person, kind, since]).await? > 0)
}
