//! The tables of rules.

use naru_kernel::{MinistryId, PersonId, PolicyId, Tenant, Timestamp};
use naru_store::{Db, Error, FromRow, Row, Tx, params};

use crate::{
    model::{Policy, PolicyVersion, Words},
    rules::RULES_PER_MINISTRY_MAX,
};

naru_store::sql! {
    INSERT = "INSERT INTO policies (id, ministry, name_ko, name_en, text, has_forbid, is_on, version, created_at, \
              changed_at, changed_by) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
    UPDATE = "UPDATE policies SET name_ko = $3, name_en = $4, text = $5, has_forbid = $6, is_on = $7, version = $8, \
              changed_at = $9, changed_by = $10 WHERE id = $1 AND ministry = $2";
    KEEP = "INSERT INTO policy_versions (policy, version, ministry, name_ko, name_en, text, is_on, changed_at, changed_by, \
            agreed_by) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
    // Taken first: who changes rules of a ministry takes turns.
    BUMP = "INSERT INTO policy_sets (ministry, version) VALUES ($1, 1) \
            ON CONFLICT (ministry) DO UPDATE SET version = policy_sets.version + 1";
    VERSION = "SELECT version AS n FROM policy_sets WHERE ministry = $1";
    ONE = "SELECT id, ministry, name_ko, name_en, text, has_forbid, is_on, version, created_at, changed_at, changed_by \
           FROM policies WHERE id = $1 AND ministry = $2";
    HOLDING = "SELECT id, ministry, name_ko, name_en, text, has_forbid, is_on, version, created_at, changed_at, changed_by \
               FROM policies WHERE ministry = $1 AND is_on = TRUE ORDER BY id LIMIT $2";
    COUNT = "SELECT COUNT(*) AS n FROM policies WHERE ministry = $1";
    LIST = "SELECT id, ministry, name_ko, name_en, text, has_forbid, is_on, version, created_at, changed_at, changed_by \
            FROM policies WHERE ministry = $1 AND (CAST($2 AS TEXT) IS NULL OR id > $2) AND (CAST($3 AS TEXT) IS NULL \
            OR LOWER(name_ko) LIKE $3 ESCAPE '!' OR LOWER(name_en) LIKE $3 ESCAPE '!') ORDER BY id LIMIT $4";
    FOUND = "SELECT COUNT(*) AS n FROM policies WHERE ministry = $1 AND (CAST($2 AS TEXT) IS NULL \
             OR LOWER(name_ko) LIKE $2 ESCAPE '!' OR LOWER(name_en) LIKE $2 ESCAPE '!')";
    VERSIONS = "SELECT version, name_ko, name_en, text, is_on, changed_at, changed_by, agreed_by FROM policy_versions \
                WHERE policy = $1 AND ministry = $2 ORDER BY version DESC LIMIT $3";
}

fn words(row: &Row) -> Result<Words, Error> {
    Ok(Words {
        ko: row.get("name_ko")?,
        en: row.get("name_en")?,
    })
}

impl FromRow for Policy {
    fn from_row(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            id: row.get("id")?,
            ministry: row.get("ministry")?,
            name: words(row)?,
            text: row.get("text")?,
            has_forbid: row.get("has_forbid")?,
            is_on: row.get("is_on")?,
            version: row.get("version")?,
            created_at: row.get("created_at")?,
            changed_at: row.get("changed_at")?,
            changed_by: row.get("changed_by")?,
        })
    }
}

impl FromRow for PolicyVersion {
    fn from_row(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            version: row.get("version")?,
            name: words(row)?,
            text: row.get("text")?,
            on: row.get("is_on")?,
            changed_at: row.get("changed_at")?,
            changed_by: row.get("changed_by")?,
            agreed_by: row.get("agreed_by")?,
        })
    }
}

/// Says that the ministry's rules change, and makes others who change them wait.
pub(crate) async fn bump(tx: &mut Tx, tenant: Tenant) -> Result<(), Error> {
    tx.exec(BUMP, params![tenant.ministry()]).await.map(drop)
}

/// How often the ministry's rules have changed.
pub(crate) async fn version(db: &Db, tenant: Tenant) -> Result<i64, Error> {
    let within = db.within(tenant);
    let found = within
        .optional::<i64>(VERSION, params![tenant.ministry()])
        .await?;
    Ok(found.unwrap_or(0))
}

pub(crate) async fn count(tx: &mut Tx, tenant: Tenant) -> Result<i64, Error> {
    tx.one(COUNT, params![tenant.ministry()]).await
}

pub(crate) async fn insert(tx: &mut Tx, policy: &Policy) -> Result<(), Error> {
    let values = params![
        policy.id,
        policy.ministry,
        &policy.name.ko,
        &policy.name.en,
        &policy.text,
        policy.has_forbid,
        policy.is_on,
        policy.version,
        policy.created_at,
        policy.changed_at,
        policy.changed_by
    ];
    tx.exec(INSERT, values).await.map(drop)
}

/// The rule as it is now in place of what was.
pub(crate) async fn update(tx: &mut Tx, policy: &Policy) -> Result<(), Error> {
    let values = params![
        policy.id,
        policy.ministry,
        &policy.name.ko,
        &policy.name.en,
        &policy.text,
        policy.has_forbid,
        policy.is_on,
        policy.version,
        policy.changed_at,
        policy.changed_by
    ];
    tx.exec(UPDATE, values).await.map(drop)
}

/// Keeps the rule as it is now among its versions.
pub(crate) async fn keep(tx: &mut Tx, policy: &Policy, agreed_by: Option<PersonId>) -> Result<(), Error> {
    let values = params![
        policy.id,
        policy.version,
        policy.ministry,
        &policy.name.ko,
        &policy.name.en,
        &policy.text,
        policy.is_on,
        policy.changed_at,
        policy.changed_by,
        agreed_by
    ];
    tx.exec(KEEP, values).await.map(drop)
}

/// The rule; call [`bump`] before, so that it stays as it is read.
pub(crate) async fn take(tx: &mut Tx, tenant: Tenant, id: PolicyId) -> Result<Option<Policy>, Error> {
    tx.optional(ONE, params![id, tenant.ministry()]).await
}

pub(crate) async fn one(db: &Db, tenant: Tenant, id: PolicyId) -> Result<Option<Policy>, Error> {
    db.within(tenant)
        .optional(ONE, params![id, tenant.ministry()])
        .await
}

/// The rules that hold.
pub(crate) async fn holding(db: &Db, tenant: Tenant) -> Result<Vec<Policy>, Error> {
    let values = params![tenant.ministry(), RULES_PER_MINISTRY_MAX];
    db.within(tenant).all(HOLDING, values).await
}

/// A rule's versions, newest first.
pub(crate) async fn versions(
    db: &Db,
    tenant: Tenant,
    id: PolicyId,
    rows: i64,
) -> Result<Vec<PolicyVersion>, Error> {
    let values = params![id, tenant.ministry(), rows];
    db.within(tenant).all(VERSIONS, values).await
}

/// A page, one row more than wanted tells that there is a next; and how many there are.
pub(crate) async fn list(
    db: &Db,
    tenant: Tenant,
    after: Option<PolicyId>,
    search: Option<&str>,
    rows: i64,
) -> Result<(Vec<Policy>, i64), Error> {
    let (ministry, pattern): (MinistryId, _) = (tenant.ministry(), search.map(pattern));
    let within = db.within(tenant);
    let total = within
        .one::<i64>(FOUND, params![ministry, pattern.clone()])
        .await?;
    let values = params![ministry, after, pattern, rows.saturating_add(1)];
    Ok((within.all(LIST, values).await?, total))
}

fn pattern(search: &str) -> String {
    let mut pattern = String::from("%");
    for character in search.to_lowercase().chars() {
        if matches!(character, '%' | '_' | '!') {
            pattern.push('!');
        }
        pattern.push(character);
    }
    pattern.push('%');
    pattern
}

/// Time and person of a change.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Changed {
    pub(crate) at: Timestamp,
    pub(crate) by: PersonId,
    pub(crate) agreed_by: Option<PersonId>,
}
