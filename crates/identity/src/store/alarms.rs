//! Alarms.

use naru_kernel::{MinistryId, PageRequest};
use naru_store::{Db, Error, FromRow, Row, Tx, params};

use crate::model::Alarm;

naru_store::sql! {
    INSERT = "INSERT INTO alarms (id, ministry, at, kind, person, detail) VALUES ($1, $2, $3, $4, $5, $6)";
    LIST = "SELECT id, at, kind, person, detail FROM alarms \
            WHERE ministry = $1 AND (CAST($2 AS TEXT) IS NULL OR id < $2) ORDER BY id DESC LIMIT $3";
    COUNT = "SELECT COUNT(*) AS n FROM alarms WHERE ministry = $1";
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
