//! Groups of people of a ministry.

use naru_kernel::{GroupId, PersonId, Tenant, Timestamp};
use naru_store::{Error, FromRow, Row, Tx, Within as Reading, params};

use super::{
    search::{COUNTED_ROWS_MAX, anywhere},
    word,
};
use crate::members::{Group, ManagedBy};

macro_rules! columns {
    () => {
        "g.id, g.ministry, g.name, g.external_id, g.managed_by, g.version, g.created_at, g.changed_at"
    };
}
macro_rules! members {
    () => {
        ", (SELECT COUNT(*) FROM (SELECT gm.person FROM group_members gm WHERE gm.member_group = g.id LIMIT 10001) few) \
         AS members "
    };
}

naru_store::sql! {
    INSERT = "INSERT INTO groups_of_people (id, ministry, name, search_text, external_id, managed_by, version, created_at, \
              changed_at) VALUES ($1, $2, $3, $4, $5, $6, 1, $7, $7) ON CONFLICT DO NOTHING";
    BY_ID = concat!("SELECT ", columns!(), " FROM groups_of_people g WHERE g.id = $1 AND g.ministry = $2");
    BY_NAME = concat!("SELECT ", columns!(), " FROM groups_of_people g WHERE g.name = $1 AND g.ministry = $2");
    BY_EXTERNAL = concat!("SELECT ", columns!(), " FROM groups_of_people g WHERE g.external_id = $1 AND g.ministry = $2");
    HOLD = "UPDATE groups_of_people SET version = version + 1, changed_at = $3 WHERE id = $1 AND ministry = $2 \
            RETURNING id, ministry, name, external_id, managed_by, version, created_at, changed_at";
    SET = "UPDATE groups_of_people SET name = $3, search_text = $4, external_id = $5 WHERE id = $1 AND ministry = $2";
    REMOVE = "DELETE FROM groups_of_people WHERE id = $1 AND ministry = $2";
    REMOVE_MEMBERS = "DELETE FROM group_members WHERE member_group = $1 AND ministry = $2";
    COUNT_ALL = "SELECT COUNT(*) AS n FROM (SELECT g.id FROM groups_of_people g WHERE g.ministry = $1 \
                 AND g.search_text LIKE $2 ESCAPE '\\' LIMIT 10001) counted";
    LIST = concat!("SELECT ", columns!(), members!(), "FROM groups_of_people g WHERE g.ministry = $1 \
            AND g.search_text LIKE $2 ESCAPE '\\' AND (CAST($3 AS TEXT) IS NULL OR g.name > (SELECT h.name FROM \
            groups_of_people h WHERE h.id = $3 AND h.ministry = $1)) ORDER BY g.name LIMIT $4");
    LIST_DOWN = concat!("SELECT ", columns!(), members!(), "FROM groups_of_people g WHERE g.ministry = $1 \
                 AND g.search_text LIKE $2 ESCAPE '\\' AND (CAST($3 AS TEXT) IS NULL OR g.name < (SELECT h.name FROM \
                 groups_of_people h WHERE h.id = $3 AND h.ministry = $1)) ORDER BY g.name DESC LIMIT $4");
    PAGE = concat!("SELECT ", columns!(), " FROM groups_of_people g WHERE g.ministry = $1 AND g.managed_by = 'scim' \
            AND g.search_text LIKE $2 ESCAPE '\\' ORDER BY g.created_at, g.id LIMIT $3 OFFSET $4");
    ADD_MEMBER = "INSERT INTO group_members (member_group, person, ministry) SELECT $1, m.person, m.ministry \
                  FROM memberships m WHERE m.person = $2 AND m.ministry = $3 AND m.state = 'active' \
                  ON CONFLICT (member_group, person) DO NOTHING";
    REMOVE_MEMBER = "DELETE FROM group_members WHERE member_group = $1 AND person = $2 AND ministry = $3";
    REMOVE_EVERYWHERE = "DELETE FROM group_members WHERE person = $1 AND ministry = $2";
    COUNT_MEMBERS = "SELECT COUNT(*) AS n FROM (SELECT gm.person FROM group_members gm JOIN memberships m \
                     ON m.person = gm.person AND m.ministry = gm.ministry WHERE gm.member_group = $1 AND gm.ministry = $2 \
                     AND m.search_text LIKE $3 ESCAPE '\\' LIMIT 10001) counted";
    MEMBERS = "SELECT m.person, m.name, m.unit FROM group_members gm JOIN memberships m ON m.person = gm.person \
               AND m.ministry = gm.ministry WHERE gm.member_group = $1 AND gm.ministry = $2 \
               AND m.search_text LIKE $3 ESCAPE '\\' AND (CAST($4 AS TEXT) IS NULL OR (m.name, m.person) > \
               (SELECT n.name, n.person FROM memberships n WHERE n.person = $4 AND n.ministry = $2)) \
               ORDER BY m.name, m.person LIMIT $5";
    ALL_MEMBERS = "SELECT m.person, m.name, m.unit FROM group_members gm JOIN memberships m ON m.person = gm.person \
                   AND m.ministry = gm.ministry WHERE gm.member_group = $1 AND gm.ministry = $2 ORDER BY m.person LIMIT $3";
    OF_PERSON = concat!("SELECT ", columns!(), " FROM group_members gm JOIN groups_of_people g ON g.id = gm.member_group \
                WHERE gm.person = $1 AND gm.ministry = $2 ORDER BY g.name LIMIT 200");
}

impl FromRow for Group {
    fn from_row(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            id: row.get("id")?,
            ministry: row.get("ministry")?,
            name: row.get("name")?,
            external_id: row.get("external_id")?,
            managed_by: word(row, "managed_by")?,
            version: row.get("version")?,
            created_at: row.get("created_at")?,
            changed_at: row.get("changed_at")?,
        })
    }
}

/// A group in a list, with how many are in it.
pub(crate) struct Listed {
    pub(crate) group: Group,
    pub(crate) members: i64,
}

impl FromRow for Listed {
    fn from_row(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            group: Group::from_row(row)?,
            members: row.get("members")?,
        })
    }
}

/// Somebody in a group.
pub(crate) struct Member {
    pub(crate) person: PersonId,
    pub(crate) name: String,
    pub(crate) unit: String,
}

impl FromRow for Member {
    fn from_row(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            person: row.get("person")?,
            name: row.get("name")?,
            unit: row.get("unit")?,
        })
    }
}

/// How many groups a ministry has.
pub(crate) async fn count(tx: &mut Tx, tenant: Tenant) -> Result<i64, Error> {
    tx.one(COUNT_ALL, params![tenant.ministry(), "%"]).await
}

/// `false` if its name or its directory's name is taken.
pub(crate) async fn insert(tx: &mut Tx, group: &Group) -> Result<bool, Error> {
    let values = params![
        group.id,
        group.ministry,
        &group.name,
        group.name.to_lowercase(),
        group.external_id.clone(),
        group.managed_by.as_str(),
        group.created_at
    ];
    Ok(tx.exec(INSERT, values).await? == 1)
}

pub(crate) async fn by_id(from: Reading<'_>, id: GroupId) -> Result<Option<Group>, Error> {
    from.optional(BY_ID, params![id, from.tenant().ministry()]).await
}

pub(crate) async fn by_name(tx: &mut Tx, name: &str, tenant: Tenant) -> Result<Option<Group>, Error> {
    tx.optional(BY_NAME, params![name, tenant.ministry()]).await
}

pub(crate) async fn by_external(tx: &mut Tx, name: &str, tenant: Tenant) -> Result<Option<Group>, Error> {
    tx.optional(BY_EXTERNAL, params![name, tenant.ministry()]).await
}

/// Holds a group and counts a change of it.
pub(crate) async fn hold(
    tx: &mut Tx,
    id: GroupId,
    tenant: Tenant,
    now: Timestamp,
) -> Result<Option<Group>, Error> {
    tx.optional(HOLD, params![id, tenant.ministry(), now]).await
}

pub(crate) async fn set(tx: &mut Tx, group: &Group) -> Result<(), Error> {
    let values = params![
        group.id,
        group.ministry,
        &group.name,
        group.name.to_lowercase(),
        group.external_id.clone()
    ];
    tx.exec(SET, values).await.map(drop)
}

pub(crate) async fn remove(tx: &mut Tx, id: GroupId, tenant: Tenant) -> Result<(), Error> {
    tx.exec(REMOVE_MEMBERS, params![id, tenant.ministry()]).await?;
    tx.exec(REMOVE, params![id, tenant.ministry()]).await.map(drop)
}

/// One page, one row more than asked for, and how many there are in all.
pub(crate) async fn list(
    from: Reading<'_>,
    (search, is_down): (Option<&str>, bool),
    after: Option<String>,
    rows: i64,
) -> Result<(Vec<Listed>, i64), Error> {
    let (ministry, pattern) = (from.tenant().ministry(), anywhere(search));
    let total = from.one::<i64>(COUNT_ALL, params![ministry, &pattern]).await?;
    let text = if is_down { LIST_DOWN } else { LIST };
    let values = params![ministry, &pattern, after, rows.saturating_add(1)];
    Ok((from.all(text, values).await?, total.min(COUNTED_ROWS_MAX + 1)))
}

/// Groups of the directory in the order of their making.
pub(crate) async fn page(
    from: Reading<'_>,
    search: Option<&str>,
    (rows, offset): (i64, i64),
) -> Result<Vec<Group>, Error> {
    let values = params![from.tenant().ministry(), anywhere(search), rows, offset];
    from.all(PAGE, values).await
}

/// `false` if they were in it, or do not serve the ministry.
pub(crate) async fn add_member(
    tx: &mut Tx,
    id: GroupId,
    person: PersonId,
    tenant: Tenant,
) -> Result<bool, Error> {
    Ok(tx
        .exec(ADD_MEMBER, params![id, person, tenant.ministry()])
        .await?
        == 1)
}

/// `false` if they were not in it.
pub(crate) async fn remove_member(
    tx: &mut Tx,
    id: GroupId,
    person: PersonId,
    tenant: Tenant,
) -> Result<bool, Error> {
    Ok(tx
        .exec(REMOVE_MEMBER, params![id, person, tenant.ministry()])
        .await?
        == 1)
}

/// Takes a person out of every group of a ministry.
pub(crate) async fn remove_everywhere(tx: &mut Tx, person: PersonId, tenant: Tenant) -> Result<u64, Error> {
    tx.exec(REMOVE_EVERYWHERE, params![person, tenant.ministry()])
        .await
}

/// One page of a group's people by name, one row more than asked for, and how many there are in all.
pub(crate) async fn members(
    from: Reading<'_>,
    id: GroupId,
    search: Option<&str>,
    (after, rows): (Option<String>, i64),
) -> Result<(Vec<Member>, i64), Error> {
    let (ministry, pattern) = (from.tenant().ministry(), anywhere(search));
    let total = from
        .one::<i64>(COUNT_MEMBERS, params![id, ministry, &pattern])
        .await?;
    let values = params![id, ministry, &pattern, after, rows.saturating_add(1)];
    Ok((from.all(MEMBERS, values).await?, total.min(COUNTED_ROWS_MAX + 1)))
}

/// The first so many people of a group.
pub(crate) async fn all_members(
    tx: &mut Tx,
    id: GroupId,
    tenant: Tenant,
    rows: i64,
) -> Result<Vec<Member>, Error> {
    tx.all(ALL_MEMBERS, params![id, tenant.ministry(), rows]).await
}

/// The same, outside a change.
pub(crate) async fn read_members(from: Reading<'_>, id: GroupId, rows: i64) -> Result<Vec<Member>, Error> {
    from.all(ALL_MEMBERS, params![id, from.tenant().ministry(), rows])
        .await
}

/// The groups a person is in, by name.
pub(crate) async fn of_person(from: Reading<'_>, person: PersonId) -> Result<Vec<Group>, Error> {
    from.all(OF_PERSON, params![person, from.tenant().ministry()])
        .await
}

/// The same, inside a change.
pub(crate) async fn of_person_in(tx: &mut Tx, person: PersonId, tenant: Tenant) -> Result<Vec<Group>, Error> {
    tx.all(OF_PERSON, params![person, tenant.ministry()]).await
}

/// A new group.
pub(crate) fn new_group(
    (id, tenant): (GroupId, Tenant),
    name: String,
    (external_id, managed_by): (Option<String>, ManagedBy),
    now: Timestamp,
) -> Group {
    Group {
        id,
        ministry: tenant.ministry(),
        name,
        external_id,
        managed_by,
        version: 1,
        created_at: now,
        changed_at: now,
    }
}
