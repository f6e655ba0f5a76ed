//! Roles that were given, and the reach they have.

use naru_kernel::{Grant, GrantId, MinistryId, PersonId, Role, Tenant, Timestamp};
use naru_store::{Error, FromRow, Row, Tx, Within as Reading, params};

use super::search::{COUNTED_ROWS_MAX, anywhere};
use crate::members::{RoleGrant, within_of};

macro_rules! columns {
    () => {
        "g.id, g.person, g.ministry, g.role, g.within, g.scope, g.expires_at, g.granted_by, g.approved_by, \
         g.created_at"
    };
}
macro_rules! listed {
    () => {
        " FROM role_grants g JOIN memberships m ON m.person = g.person AND m.ministry = g.ministry \
         WHERE g.ministry = $1 AND m.search_text LIKE $2 ESCAPE '\\' AND (CAST($3 AS TEXT) IS NULL OR g.role = $3) \
         AND (CAST($4 AS TEXT) IS NULL OR g.person = $4) AND (g.expires_at IS NULL OR g.expires_at > $5) \
         AND (g.role <> 'worker' OR $6) "
    };
}

naru_store::sql! {
    INSERT = "INSERT INTO role_grants (id, person, ministry, role, within, scope, expires_at, granted_by, approved_by, \
              created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) \
              ON CONFLICT (person, ministry, role, within, scope) DO NOTHING";
    FORGET_SAME = "DELETE FROM role_grants WHERE person = $1 AND ministry = $2 AND role = $3 AND within = $4 \
                   AND scope = $5 AND expires_at <= $6";
    OF_PERSON = concat!("SELECT ", columns!(), " FROM role_grants g WHERE g.person = $1 AND g.ministry = $2 \
                AND (g.expires_at IS NULL OR g.expires_at > $3) ORDER BY g.id LIMIT 64");
    OF_PEOPLE = concat!("SELECT ", columns!(), " FROM role_grants g WHERE g.ministry = $1 \
                 AND (g.expires_at IS NULL OR g.expires_at > $2) AND g.person IN ($3, $4, $5, $6, $7, $8, $9, $10, $11, \
                 $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30, $31, $32, \
                 $33, $34)");
    BY_ID = concat!("SELECT ", columns!(), " FROM role_grants g WHERE g.id = $1 AND g.ministry = $2");
    REMOVE = "DELETE FROM role_grants WHERE id = $1 AND ministry = $2";
    REMOVE_ALL = "DELETE FROM role_grants WHERE person = $1 AND ministry = $2";
    COUNT_ADMINS = "SELECT COUNT(*) AS n FROM role_grants g JOIN people p ON p.id = g.person \
                    JOIN memberships m ON m.person = g.person AND m.ministry = g.ministry AND m.state = 'active' \
                    WHERE g.ministry = $1 AND g.role = 'ministry_admin' AND g.within = 'ministry' \
                    AND p.state <> 'revoked' AND (g.expires_at IS NULL OR g.expires_at > $2)";
    COUNT = concat!("SELECT COUNT(*) AS n FROM (SELECT g.id", listed!(), "LIMIT 10001) counted");
    LIST_NEWEST = concat!("SELECT ", columns!(), ", m.name AS person_name", listed!(),
                  "AND (CAST($7 AS TEXT) IS NULL OR g.id < $7) ORDER BY g.id DESC LIMIT $8");
    LIST_BY_NAME = concat!("SELECT ", columns!(), ", m.name AS person_name", listed!(),
                   "AND (CAST($7 AS TEXT) IS NULL OR (m.name, g.id) > (SELECT n.name, h.id FROM role_grants h \
                   JOIN memberships n ON n.person = h.person AND n.ministry = h.ministry \
                   WHERE h.id = $7 AND h.ministry = $1)) ORDER BY m.name, g.id LIMIT $8");
    FORGET_EXPIRED = "DELETE FROM role_grants WHERE expires_at < $1";
}

/// How many people [`of_people`] looks up at once.
pub(crate) const PEOPLE_MAX: usize = 32;

/// The grant in a row that may have none.
pub(crate) fn grant_of(row: &Row) -> Result<Option<Grant>, Error> {
    let Some(role) = row.get::<Option<String>>("role")? else {
        return Ok(None);
    };
    let unfit = |source: Box<dyn std::error::Error + Send + Sync>| Error::Column {
        column: "role".to_owned(),
        source,
    };
    let role: Role = role.parse().map_err(|error| unfit(Box::from(error)))?;
    let within = within_of(&row.get::<String>("within")?, row.get("scope")?)
        .map_err(|error| unfit(Box::from(error)))?;
    Ok(Some(Grant { role, within }))
}

impl FromRow for RoleGrant {
    fn from_row(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            id: row.get("id")?,
            person: row.get("person")?,
            ministry: row.get("ministry")?,
            grant: grant_of(row)?.ok_or(Error::NoRow)?,
            expires_at: row.get("expires_at")?,
            granted_by: row.get("granted_by")?,
            approved_by: row.get("approved_by")?,
            created_at: row.get("created_at")?,
        })
    }
}

/// A grant in a list, with whose it is.
pub(crate) struct Listed {
    pub(crate) grant: RoleGrant,
    pub(crate) person_name: String,
}

impl FromRow for Listed {
    fn from_row(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            grant: RoleGrant::from_row(row)?,
            person_name: row.get("person_name")?,
        })
    }
}

/// `false` if the person holds exactly this already.
pub(crate) async fn insert(tx: &mut Tx, grant: &RoleGrant) -> Result<bool, Error> {
    let (role, within) = (grant.grant.role.as_str(), &grant.grant.within);
    let (word, scope) = (within.as_str(), within.scope());
    // One that has expired stands in the way no longer.
    let same = params![grant.person, grant.ministry, role, word, scope, grant.created_at];
    tx.exec(FORGET_SAME, same).await?;
    let values = params![
        grant.id,
        grant.person,
        grant.ministry,
        role,
        word,
        scope,
        grant.expires_at,
        &grant.granted_by,
        grant.approved_by,
        grant.created_at
    ];
    Ok(tx.exec(INSERT, values).await? == 1)
}

/// What a person holds in a ministry now.
pub(crate) async fn of_person(
    from: Reading<'_>,
    person: PersonId,
    now: Timestamp,
) -> Result<Vec<RoleGrant>, Error> {
    from.all(OF_PERSON, params![person, from.tenant().ministry(), now])
        .await
}

/// The same, inside a change.
pub(crate) async fn of_person_in(
    tx: &mut Tx,
    (person, tenant): (PersonId, Tenant),
    now: Timestamp,
) -> Result<Vec<RoleGrant>, Error> {
    tx.all(OF_PERSON, params![person, tenant.ministry(), now]).await
}

/// What at most [`PEOPLE_MAX`] people hold in a ministry now.
pub(crate) async fn of_people(
    from: Reading<'_>,
    people: &[PersonId],
    now: Timestamp,
) -> Result<Vec<RoleGrant>, Error> {
    // Unused places hold an identifier that nobody can have.
    let padded = people
        .iter()
        .map(|person| naru_store::Value::from(*person))
        .chain(std::iter::repeat_with(|| naru_store::Value::from("")))
        .take(PEOPLE_MAX);
    let values = params![from.tenant().ministry(), now]
        .into_iter()
        .chain(padded)
        .collect();
    from.all(OF_PEOPLE, values).await
}

pub(crate) async fn by_id(tx: &mut Tx, id: GrantId, tenant: Tenant) -> Result<Option<RoleGrant>, Error> {
    tx.optional(BY_ID, params![id, tenant.ministry()]).await
}

pub(crate) async fn remove(tx: &mut Tx, id: GrantId, tenant: Tenant) -> Result<bool, Error> {
    Ok(tx.exec(REMOVE, params![id, tenant.ministry()]).await? == 1)
}

/// Takes away all a person held in a ministry; gives how much.
pub(crate) async fn remove_all(tx: &mut Tx, person: PersonId, ministry: MinistryId) -> Result<u64, Error> {
    tx.exec(REMOVE_ALL, params![person, ministry]).await
}

/// Administrators of the whole ministry who can log on.
pub(crate) async fn count_admins(tx: &mut Tx, tenant: Tenant, now: Timestamp) -> Result<i64, Error> {
    tx.one(COUNT_ADMINS, params![tenant.ministry(), now]).await
}

/// Which grants are listed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wanted {
    pub(crate) search: Option<String>,
    pub(crate) role: Option<Role>,
    pub(crate) person: Option<PersonId>,
    pub(crate) by_name: bool,
    pub(crate) after: Option<String>,
    pub(crate) rows: i64,
}

/// One page, one row more than asked for, and how many there are in all. Workers' own role is left out unless asked for.
pub(crate) async fn list(
    from: Reading<'_>,
    wanted: &Wanted,
    now: Timestamp,
) -> Result<(Vec<Listed>, i64), Error> {
    let with_workers = wanted.role == Some(Role::Worker) || wanted.person.is_some();
    let shared = params![
        from.tenant().ministry(),
        anywhere(wanted.search.as_deref()),
        wanted.role.map(|role| role.as_str().to_owned()),
        wanted.person,
        now,
        with_workers
    ];
    let total = from.one::<i64>(COUNT, shared.clone()).await?;
    let page = params![wanted.after.clone(), wanted.rows.saturating_add(1)];
    let values = shared.into_iter().chain(page).collect();
    let text = if wanted.by_name { LIST_BY_NAME } else { LIST_NEWEST };
    Ok((from.all(text, values).await?, total.min(COUNTED_ROWS_MAX + 1)))
}

pub(crate) async fn forget_expired(tx: &mut Tx, before: Timestamp) -> Result<(), Error> {
    tx.exec(FORGET_EXPIRED, params![before]).await.map(drop)
}
