//! Ministries, as operators of the platform list them. They are everybody's to name and nobody's to hide, so nothing here
//! is held to one ministry.

use naru_kernel::Timestamp;
use naru_store::{Db, Error, FromRow, Row, params};

use super::search::{COUNTED_ROWS_MAX, anywhere};
use crate::model::Ministry;

macro_rules! listed {
    () => {
        " FROM ministries i WHERE (LOWER(i.name_ko) LIKE $1 ESCAPE '\\' OR LOWER(i.name_en) LIKE $1 ESCAPE '\\' \
         OR i.agency_code LIKE $1 ESCAPE '\\') "
    };
}
macro_rules! list {
    ($key:literal, $their_key:literal, $sign:literal, $way:literal) => {
        concat!(
            "SELECT i.id, i.name_ko, i.name_en, i.agency_code, i.is_platform, i.created_at, \
             (SELECT COUNT(*) FROM (SELECT m.person FROM memberships m WHERE m.ministry = i.id AND m.state = 'active' \
             LIMIT 10001) few) AS people",
            listed!(), "AND (CAST($2 AS TEXT) IS NULL OR (", $key, ", i.id) ", $sign, " (SELECT ", $their_key,
            ", q.id FROM ministries q WHERE q.id = $2)) ORDER BY ", $key, " ", $way, ", i.id ", $way, " LIMIT $3"
        )
    };
}

naru_store::sql! {
    COUNT = concat!("SELECT COUNT(*) AS n FROM (SELECT i.id", listed!(), "LIMIT 10001) counted");
    BY_NAME = list!("i.name_ko", "q.name_ko", ">", "ASC");
    BY_NAME_DOWN = list!("i.name_ko", "q.name_ko", "<", "DESC");
    BY_CODE = list!("i.agency_code", "q.agency_code", ">", "ASC");
    BY_CODE_DOWN = list!("i.agency_code", "q.agency_code", "<", "DESC");
    BY_AGE = list!("i.created_at", "q.created_at", ">", "ASC");
    BY_AGE_DOWN = list!("i.created_at", "q.created_at", "<", "DESC");
}

/// A ministry in a list.
pub(crate) struct Listed {
    pub(crate) ministry: Ministry,
    pub(crate) created_at: Timestamp,
    pub(crate) people: i64,
}

impl FromRow for Listed {
    fn from_row(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            ministry: Ministry::from_row(row)?,
            created_at: row.get("created_at")?,
            people: row.get("people")?,
        })
    }
}

/// The statement for a query's word; a minus in front turns the order around.
pub(crate) fn sorted(text: &str) -> Option<&'static str> {
    Some(match text {
        "" | "name" => BY_NAME,
        "-name" => BY_NAME_DOWN,
        "agency_code" => BY_CODE,
        "-agency_code" => BY_CODE_DOWN,
        "created_at" => BY_AGE,
        "-created_at" => BY_AGE_DOWN,
        _ => return None,
    })
}

/// One page, one row more than asked for, and how many there are in all.
pub(crate) async fn list(
    db: &Db,
    (search, text): (Option<&str>, &'static str),
    after: Option<String>,
    rows: i64,
) -> Result<(Vec<Listed>, i64), Error> {
    let pattern = anywhere(search);
    let total = db.one::<i64>(COUNT, params![&pattern]).await?;
    let listed = db
        .all(text, params![&pattern, after, rows.saturating_add(1)])
        .await?;
    Ok((listed, total.min(COUNTED_ROWS_MAX + 1)))
}
