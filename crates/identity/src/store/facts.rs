//! What other domains may ask about people and ministries.

use naru_kernel::{MinistryId, PersonId, Role, Tenant, Timestamp};
use naru_store::{Db, Error, FromRow, Row, Tx, Value, params};

use super::word;
use crate::model::{Ministry, PersonState};

naru_store::sql! {
    SUBJECT = "SELECT p.name, p.language, p.state, m.unit, m.email, m.account FROM memberships m \
               JOIN people p ON p.id = m.person WHERE m.person = $1 AND m.ministry = $2 AND m.state = 'active'";
    GROUPS = "SELECT g.name FROM group_members x JOIN groups_of_people g ON g.id = x.member_group \
              WHERE x.person = $1 AND x.ministry = $2 ORDER BY g.name LIMIT 200";
    ROLES = "SELECT DISTINCT role FROM role_grants WHERE person = $1 AND ministry = $2 \
             AND (expires_at IS NULL OR expires_at > $3)";
    MINISTRIES = "SELECT id, name_ko, name_en, agency_code, is_platform FROM ministries WHERE id IN \
                  ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)";
    PLATFORM = "SELECT id, name_ko, name_en, agency_code, is_platform FROM ministries WHERE is_platform = TRUE \
                ORDER BY id LIMIT 1";
    RENAME = "UPDATE ministries SET name_ko = $2, name_en = $3 WHERE id = $1";
}

/// How many ministries [`ministries`] looks up at once.
const MINISTRIES_AT_ONCE: usize = 16;

/// A person as one ministry knows them.
pub(crate) struct Subject {
    pub(crate) name: String,
    pub(crate) language: String,
    pub(crate) state: PersonState,
    pub(crate) unit: String,
    pub(crate) email: Option<String>,
    pub(crate) account: String,
}

impl FromRow for Subject {
    fn from_row(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            name: row.get("name")?,
            language: row.get("language")?,
            state: word(row, "state")?,
            unit: row.get("unit")?,
            email: row.get("email")?,
            account: row.get("account")?,
        })
    }
}

struct GroupName(String);

impl FromRow for GroupName {
    fn from_row(row: &Row) -> Result<Self, Error> {
        row.get("name").map(Self)
    }
}

struct RoleWord(Role);

impl FromRow for RoleWord {
    fn from_row(row: &Row) -> Result<Self, Error> {
        word(row, "role").map(Self)
    }
}

/// The person, if they serve the ministry.
pub(crate) async fn subject(db: &Db, tenant: Tenant, person: PersonId) -> Result<Option<Subject>, Error> {
    db.within(tenant)
        .optional(SUBJECT, params![person, tenant.ministry()])
        .await
}

/// Names of the groups of the ministry the person is in.
pub(crate) async fn groups(db: &Db, tenant: Tenant, person: PersonId) -> Result<Vec<String>, Error> {
    let rows = db
        .within(tenant)
        .all::<GroupName>(GROUPS, params![person, tenant.ministry()])
        .await?;
    Ok(rows.into_iter().map(|GroupName(name)| name).collect())
}

/// What the person is in the ministry now.
pub(crate) async fn roles(
    db: &Db,
    tenant: Tenant,
    person: PersonId,
    now: Timestamp,
) -> Result<Vec<Role>, Error> {
    let rows = db
        .within(tenant)
        .all::<RoleWord>(ROLES, params![person, tenant.ministry(), now])
        .await?;
    let mut roles: Vec<Role> = rows.into_iter().map(|RoleWord(role)| role).collect();
    roles.sort();
    Ok(roles)
}

/// Ministries by identifier; names of ministries are nobody's secret.
pub(crate) async fn ministries(db: &Db, ids: &[MinistryId]) -> Result<Vec<Ministry>, Error> {
    let mut found = Vec::new();
    for some in ids.chunks(MINISTRIES_AT_ONCE) {
        // Unused places hold an identifier that nobody can have.
        let padded = some
            .iter()
            .map(|ministry| Value::from(*ministry))
            .chain(std::iter::repeat_with(|| Value::from("")))
            .take(MINISTRIES_AT_ONCE);
        found.extend(db.all::<Ministry>(MINISTRIES, padded.collect()).await?);
    }
    Ok(found)
}

/// `false` if there is no such ministry.
pub(crate) async fn rename(
    tx: &mut Tx,
    ministry: MinistryId,
    name_ko: String,
    name_en: String,
) -> Result<bool, Error> {
    Ok(tx.exec(RENAME, params![ministry, name_ko, name_en]).await? == 1)
}

/// The ministry that runs the platform, if there is one yet.
pub(crate) async fn platform(db: &Db) -> Result<Option<Ministry>, Error> {
    db.optional(PLATFORM, params![]).await
}
