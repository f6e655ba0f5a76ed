//! A ministry's corner: its look and its notices.

use naru_kernel::{MinistryId, NoticeId, PersonId, Tenant, Timestamp};
use naru_store::{Db, Error, FromRow, Row, Tx, params};

use crate::model::{Look, Notice, Words};

naru_store::sql! {
    LOOK = "SELECT colour, logo_png, changed_at FROM ministry_looks WHERE ministry = $1";
    SET_LOOK = "INSERT INTO ministry_looks (ministry, colour, logo_png, changed_at) VALUES ($1, $2, $3, $4) \
                ON CONFLICT (ministry) DO UPDATE SET colour = excluded.colour, logo_png = excluded.logo_png, \
                changed_at = excluded.changed_at";
    SHOWN = "SELECT id, title_ko, title_en, body_ko, body_en, is_urgent, shown_from, shown_until, created_by, created_at, \
             changed_at FROM notices WHERE ministry = $1 AND shown_from <= $2 \
             AND (shown_until IS NULL OR shown_until > $2) ORDER BY is_urgent DESC, shown_from DESC, id DESC LIMIT $3";
    NOTICE = "SELECT id, title_ko, title_en, body_ko, body_en, is_urgent, shown_from, shown_until, created_by, created_at, \
              changed_at FROM notices WHERE id = $1 AND ministry = $2";
    COUNT = "SELECT COUNT(*) AS n FROM notices WHERE ministry = $1 AND search_text LIKE $2 ESCAPE '\\'";
    COUNT_ALL = "SELECT COUNT(*) AS n FROM notices WHERE ministry = $1";
    NEWEST = "SELECT id, title_ko, title_en, body_ko, body_en, is_urgent, shown_from, shown_until, created_by, created_at, \
              changed_at FROM notices WHERE ministry = $1 AND search_text LIKE $2 ESCAPE '\\' \
              AND (CAST($3 AS TEXT) IS NULL OR (shown_from, id) < \
              (SELECT q.shown_from, q.id FROM notices q WHERE q.id = $3 AND q.ministry = $1)) \
              ORDER BY shown_from DESC, id DESC LIMIT $4";
    OLDEST = "SELECT id, title_ko, title_en, body_ko, body_en, is_urgent, shown_from, shown_until, created_by, created_at, \
              changed_at FROM notices WHERE ministry = $1 AND search_text LIKE $2 ESCAPE '\\' \
              AND (CAST($3 AS TEXT) IS NULL OR (shown_from, id) > \
              (SELECT q.shown_from, q.id FROM notices q WHERE q.id = $3 AND q.ministry = $1)) \
              ORDER BY shown_from, id LIMIT $4";
    INSERT = "INSERT INTO notices (id, ministry, title_ko, title_en, body_ko, body_en, is_urgent, shown_from, shown_until, \
              search_text, created_by, created_at, changed_at) \
              VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $12)";
    UPDATE = "UPDATE notices SET title_ko = $3, title_en = $4, body_ko = $5, body_en = $6, is_urgent = $7, shown_from = $8, \
              shown_until = $9, search_text = $10, changed_at = $11 WHERE id = $1 AND ministry = $2";
    REMOVE = "DELETE FROM notices WHERE id = $1 AND ministry = $2";
}

impl FromRow for Look {
    fn from_row(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            colour: row.get("colour")?,
            logo_png: row.get("logo_png")?,
            changed_at: row.get("changed_at")?,
        })
    }
}

impl FromRow for Notice {
    fn from_row(row: &Row) -> Result<Self, Error> {
        let words = |ko: &str, en: &str| {
            Ok::<_, Error>(Words {
                ko: row.get(ko)?,
                en: row.get(en)?,
            })
        };
        Ok(Self {
            id: row.get("id")?,
            title: words("title_ko", "title_en")?,
            body: words("body_ko", "body_en")?,
            is_urgent: row.get("is_urgent")?,
            shown_from: row.get("shown_from")?,
            shown_until: row.get("shown_until")?,
            created_by: row.get::<Option<PersonId>>("created_by")?,
            created_at: row.get("created_at")?,
            changed_at: row.get("changed_at")?,
        })
    }
}

/// How a ministry looks; nothing special if it never said.
pub(crate) async fn look(db: &Db, tenant: Tenant) -> Result<Look, Error> {
    let look = db
        .within(tenant)
        .optional(LOOK, params![tenant.ministry()])
        .await?;
    Ok(look.unwrap_or_default())
}

/// Like [`look`], in a transaction.
pub(crate) async fn look_in(tx: &mut Tx, tenant: Tenant) -> Result<Look, Error> {
    let look = tx.optional(LOOK, params![tenant.ministry()]).await?;
    Ok(look.unwrap_or_default())
}

pub(crate) async fn set_look(tx: &mut Tx, tenant: Tenant, look: &Look) -> Result<(), Error> {
    let values = params![
        tenant.ministry(),
        look.colour.clone(),
        look.logo_png.clone(),
        look.changed_at
    ];
    tx.exec(SET_LOOK, values).await.map(drop)
}

/// What hangs on the board now, urgent first.
pub(crate) async fn shown(
    db: &Db,
    tenant: Tenant,
    now: Timestamp,
    notices_max: i64,
) -> Result<Vec<Notice>, Error> {
    db.within(tenant)
        .all(SHOWN, params![tenant.ministry(), now, notices_max])
        .await
}

/// One page, with one row more than asked for if there is a next one, and the number of rows in all.
pub(crate) async fn list(
    db: &Db,
    tenant: Tenant,
    (pattern, after): (&str, Option<&str>),
    rows: i64,
    is_oldest_first: bool,
) -> Result<(Vec<Notice>, i64), Error> {
    let (within, ministry): (_, MinistryId) = (db.within(tenant), tenant.ministry());
    let total = within.one::<i64>(COUNT, params![ministry, pattern]).await?;
    let sql = if is_oldest_first { OLDEST } else { NEWEST };
    let values = params![ministry, pattern, after, rows.saturating_add(1)];
    Ok((within.all(sql, values).await?, total))
}

pub(crate) async fn notice_in(tx: &mut Tx, tenant: Tenant, id: NoticeId) -> Result<Option<Notice>, Error> {
    tx.optional(NOTICE, params![id, tenant.ministry()]).await
}

/// How many the ministry has.
pub(crate) async fn count(tx: &mut Tx, tenant: Tenant) -> Result<i64, Error> {
    tx.one(COUNT_ALL, params![tenant.ministry()]).await
}

fn search_text(notice: &Notice) -> String {
    let parts = [
        &notice.title.ko,
        &notice.title.en,
        &notice.body.ko,
        &notice.body.en,
    ];
    parts.map(|part| part.to_lowercase()).join(" ")
}

pub(crate) async fn insert(tx: &mut Tx, tenant: Tenant, notice: &Notice) -> Result<(), Error> {
    let values = params![
        notice.id,
        tenant.ministry(),
        &notice.title.ko,
        &notice.title.en,
        &notice.body.ko,
        &notice.body.en,
        notice.is_urgent,
        notice.shown_from,
        notice.shown_until,
        search_text(notice),
        notice.created_by,
        notice.created_at
    ];
    tx.exec(INSERT, values).await.map(drop)
}

pub(crate) async fn update(tx: &mut Tx, tenant: Tenant, notice: &Notice) -> Result<(), Error> {
    let values = params![
        notice.id,
        tenant.ministry(),
        &notice.title.ko,
        &notice.title.en,
        &notice.body.ko,
        &notice.body.en,
        notice.is_urgent,
        notice.shown_from,
        notice.shown_until,
        search_text(notice),
        notice.changed_at
    ];
    tx.exec(UPDATE, values).await.map(drop)
}

pub(crate) async fn remove(tx: &mut Tx, tenant: Tenant, id: NoticeId) -> Result<(), Error> {
    tx.exec(REMOVE, params![id, tenant.ministry()]).await.map(drop)
}
