//! Memberships: people as one ministry knows them, and lists of them.

use std::collections::{BTreeMap, BTreeSet};

use naru_kernel::{GroupId, MinistryId, PersonId, Tenant, Timestamp};
use naru_store::{Db, Error, FromRow, Row, Tx, Value, Within as Reading, params};

use super::{
    search::{COUNTED_ROWS_MAX, anywhere},
    word,
};
use crate::{
    members::Membership,
    model::{Ministry, Person, PersonState},
};

macro_rules! columns {
    () => {
        "m.person, m.ministry, m.unit, m.email, m.external_id, m.account, m.state, m.is_home, m.version, m.created_at, \
         m.changed_at"
    };
}
macro_rules! person {
    () => {
        "p.id, p.ministry, p.name, p.subject_name, p.state, p.locked_until, p.failures, p.failures_since, p.language, \
         p.last_logon_at, m.unit, m.is_home, \
         (SELECT COUNT(*) FROM factors f WHERE f.person = p.id AND m.is_home) AS factors, \
         (SELECT COUNT(*) FROM certificates c WHERE c.person = p.id AND m.is_home) AS certificates"
    };
}
// An administrator of units sees those units: their grants are asked in the statement itself.
macro_rules! wanted {
    () => {
        " FROM memberships m JOIN people p ON p.id = m.person \
         WHERE m.ministry = $1 AND m.state = 'active' AND m.search_text LIKE $2 ESCAPE '\\' \
         AND (CAST($3 AS TEXT) IS NULL OR \
         CASE WHEN p.state = 'locked' AND p.locked_until <= $8 THEN 'active' ELSE p.state END = $3) \
         AND (CAST($4 AS TEXT) IS NULL OR SUBSTR(m.unit || '/', 1, LENGTH($4) + 1) = $4 || '/') \
         AND (CAST($5 AS TEXT) IS NULL OR EXISTS (SELECT 1 FROM group_members gm WHERE gm.member_group = $5 \
         AND gm.person = m.person AND gm.ministry = $1)) \
         AND ($6 OR EXISTS (SELECT 1 FROM role_grants r WHERE r.person = $7 AND r.ministry = $1 \
         AND r.role = 'ministry_admin' AND r.within = 'unit' AND (r.expires_at IS NULL OR r.expires_at > $8) \
         AND SUBSTR(m.unit || '/', 1, LENGTH(r.scope) + 1) = r.scope || '/')) "
    };
}
macro_rules! list {
    ($key:literal, $their_key:literal, $sign:literal, $way:literal) => {
        concat!(
            "SELECT ",
            person!(),
            wanted!(),
            "AND (CAST($9 AS TEXT) IS NULL OR (",
            $key,
            ", m.person) ",
            $sign,
            " (SELECT ",
            $their_key,
            ", qm.person FROM memberships qm JOIN people qp ON qp.id = qm.person \
             WHERE qm.person = $9 AND qm.ministry = $1)) ORDER BY ",
            $key,
            " ",
            $way,
            ", m.person ",
            $way,
            " LIMIT $10"
        )
    };
}

naru_store::sql! {
    INSERT = "INSERT INTO memberships (person, ministry, name, search_text, unit, email, external_id, account, state, \
              is_home, version, created_at, changed_at) \
              SELECT p.id, $2, p.name, p.search_text, $3, $4, $5, $6, 'active', $7, 1, $8, $8 FROM people p WHERE p.id = $1 \
              ON CONFLICT (person, ministry) DO UPDATE SET name = excluded.name, search_text = excluded.search_text, \
              unit = $3, email = $4, external_id = $5, state = 'active', is_home = $7, \
              version = memberships.version + 1, changed_at = $8";
    OF = concat!("SELECT ", columns!(), " FROM memberships m WHERE m.person = $1 AND m.ministry = $2");
    BY_EXTERNAL = "SELECT person FROM memberships WHERE external_id = $1 AND ministry = $2";
    SET = "UPDATE memberships SET unit = $3, email = $4, external_id = $5, version = version + 1, changed_at = $6 \
           WHERE person = $1 AND ministry = $2";
    RENAME = "UPDATE memberships SET name = $2, search_text = $3, version = version + 1, changed_at = $4 WHERE person = $1";
    RENAME_PERSON = "UPDATE people SET name = $2, search_text = $3, language = $4 WHERE id = $1";
    END = "UPDATE memberships SET state = 'ended', is_home = FALSE, external_id = NULL, version = version + 1, \
           changed_at = $3 WHERE person = $1 AND ministry = $2 AND state = 'active'";
    MOVE_PERSON = "UPDATE people SET ministry = $2, subject_name = $3, subject_key = $4, search_text = $5 WHERE id = $1";
    MOVE_FACTORS = "UPDATE factors SET ministry = $2 WHERE person = $1";
    END_CERTIFICATES = "UPDATE certificates SET state = 'revoked', revoked_at = $2 WHERE person = $1 AND state = 'active'";
    SUBJECT_TAKEN = "SELECT COUNT(*) AS n FROM people WHERE subject_key = $1 AND id <> $2";
    SERVES = "SELECT i.id, i.name_ko, i.name_en, i.agency_code, i.is_platform FROM memberships m \
              JOIN ministries i ON i.id = m.ministry WHERE m.person = $1 AND m.state = 'active' \
              ORDER BY m.is_home DESC, i.name_ko, i.id LIMIT 32";
    OPEN_IN = "SELECT id AS logon FROM logons WHERE person = $1 AND ministry = $2 AND state <> 'ended'";
    SWITCH = "UPDATE logons SET ministry = $2, last_seen_at = $3 WHERE id = $1 AND state = 'signed_in'";
    COUNT = concat!("SELECT COUNT(*) AS n FROM (SELECT m.person", wanted!(), "LIMIT 10001) counted");
    BY_NAME = list!("m.name", "qm.name", ">", "ASC");
    BY_NAME_DOWN = list!("m.name", "qm.name", "<", "DESC");
    BY_UNIT = list!("m.unit", "qm.unit", ">", "ASC");
    BY_UNIT_DOWN = list!("m.unit", "qm.unit", "<", "DESC");
    BY_AGE = list!("m.created_at", "qm.created_at", ">", "ASC");
    BY_AGE_DOWN = list!("m.created_at", "qm.created_at", "<", "DESC");
    BY_LOGON = list!("COALESCE(p.last_logon_at, 0)", "COALESCE(qp.last_logon_at, 0)", ">", "ASC");
    BY_LOGON_DOWN = list!("COALESCE(p.last_logon_at, 0)", "COALESCE(qp.last_logon_at, 0)", "<", "DESC");
    ROSTER = "SELECT p.id, p.subject_key, p.name, p.language, p.state, m.unit, g.name AS group_name \
              FROM (SELECT k.person, k.ministry, k.unit FROM memberships k WHERE k.ministry = $1 AND k.is_home \
              AND k.state = 'active' AND k.person > $2 ORDER BY k.person LIMIT $3) m JOIN people p ON p.id = m.person \
              LEFT JOIN group_members gm ON gm.person = m.person AND gm.ministry = m.ministry \
              LEFT JOIN groups_of_people g ON g.id = gm.member_group AND g.managed_by = 'hand' ORDER BY p.id";
    OPEN_SESSIONS = "SELECT l.person, COUNT(*) AS people FROM logons l JOIN memberships m ON m.person = l.person \
                     WHERE m.ministry = $1 AND m.is_home AND l.state <> 'ended' GROUP BY l.person";
    UNITS = "SELECT m.unit, COUNT(*) AS people FROM memberships m WHERE m.ministry = $1 AND m.state = 'active' \
             AND m.unit > $2 GROUP BY m.unit ORDER BY m.unit LIMIT $3";
}

/// How a list of people is sorted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Sort {
    #[default]
    Name,
    NameDown,
    Unit,
    UnitDown,
    Age,
    AgeDown,
    Logon,
    LogonDown,
}

impl Sort {
    /// From a query's word; a minus in front turns it around.
    pub(crate) fn of(text: &str) -> Option<Self> {
        Some(match text {
            "" | "name" => Self::Name,
            "-name" => Self::NameDown,
            "unit" => Self::Unit,
            "-unit" => Self::UnitDown,
            "created_at" => Self::Age,
            "-created_at" => Self::AgeDown,
            "last_logon_at" => Self::Logon,
            "-last_logon_at" => Self::LogonDown,
            _ => return None,
        })
    }

    const fn text(self) -> &'static str {
        match self {
            Self::Name => BY_NAME,
            Self::NameDown => BY_NAME_DOWN,
            Self::Unit => BY_UNIT,
            Self::UnitDown => BY_UNIT_DOWN,
            Self::Age => BY_AGE,
            Self::AgeDown => BY_AGE_DOWN,
            Self::Logon => BY_LOGON,
            Self::LogonDown => BY_LOGON_DOWN,
        }
    }
}

/// Which people are listed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wanted {
    pub(crate) search: Option<String>,
    pub(crate) state: Option<PersonState>,
    pub(crate) unit: Option<String>,
    pub(crate) group: Option<GroupId>,
    /// The administrator who sees only what their units' grants reach; absent for one who sees all.
    pub(crate) reached_by: Option<PersonId>,
    pub(crate) sort: Sort,
    pub(crate) after: Option<String>,
    pub(crate) rows: i64,
}

impl FromRow for Membership {
    fn from_row(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            person: row.get("person")?,
            ministry: row.get("ministry")?,
            unit: row.get("unit")?,
            email: row.get("email")?,
            external_id: row.get("external_id")?,
            account: row.get("account")?,
            state: word(row, "state")?,
            is_home: row.get("is_home")?,
            version: row.get("version")?,
            created_at: row.get("created_at")?,
            changed_at: row.get("changed_at")?,
        })
    }
}

/// A person in a list, with how many factors and certificates they have; a guest's are their home's business.
pub(crate) struct Listed {
    pub(crate) person: Person,
    pub(crate) unit: String,
    pub(crate) is_home: bool,
    pub(crate) factors: i64,
    pub(crate) certificates: i64,
}

impl FromRow for Listed {
    fn from_row(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            person: Person::from_row(row)?,
            unit: row.get("unit")?,
            is_home: row.get("is_home")?,
            factors: row.get("factors")?,
            certificates: row.get("certificates")?,
        })
    }
}

/// A unit and how many serve in it.
pub(crate) struct UnitCount {
    pub(crate) unit: String,
    pub(crate) people: i64,
}

impl FromRow for UnitCount {
    fn from_row(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            unit: row.get("unit")?,
            people: row.get("people")?,
        })
    }
}

/// What a ministry knows of a person besides their own data.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Details {
    pub(crate) unit: String,
    pub(crate) email: Option<String>,
    pub(crate) external_id: Option<String>,
}

/// Lets a person serve a ministry; one who did before gets their account back.
pub(crate) async fn insert(
    tx: &mut Tx,
    (person, tenant): (PersonId, Tenant),
    details: &Details,
    (account, is_home): (&str, bool),
    now: Timestamp,
) -> Result<(), Error> {
    let values = params![
        person,
        tenant.ministry(),
        &details.unit,
        details.email.clone(),
        details.external_id.clone(),
        account,
        is_home,
        now
    ];
    tx.exec(INSERT, values).await.map(drop)
}

pub(crate) async fn of(from: Reading<'_>, person: PersonId) -> Result<Option<Membership>, Error> {
    from.optional(OF, params![person, from.tenant().ministry()]).await
}

pub(crate) async fn of_in(
    tx: &mut Tx,
    person: PersonId,
    tenant: Tenant,
) -> Result<Option<Membership>, Error> {
    tx.optional(OF, params![person, tenant.ministry()]).await
}

struct Holder(PersonId);

impl FromRow for Holder {
    fn from_row(row: &Row) -> Result<Self, Error> {
        row.get("person").map(Self)
    }
}

/// Whose external identifier this is in the ministry.
pub(crate) async fn by_external(
    tx: &mut Tx,
    external_id: &str,
    tenant: Tenant,
) -> Result<Option<PersonId>, Error> {
    let holder = tx.optional::<Holder>(BY_EXTERNAL, params![external_id, tenant.ministry()]);
    Ok(holder.await?.map(|Holder(person)| person))
}

pub(crate) async fn set(
    tx: &mut Tx,
    (person, tenant): (PersonId, Tenant),
    details: &Details,
    now: Timestamp,
) -> Result<(), Error> {
    let values = params![
        person,
        tenant.ministry(),
        &details.unit,
        details.email.clone(),
        details.external_id.clone(),
        now
    ];
    tx.exec(SET, values).await.map(drop)
}

/// Gives a person another name, in every ministry they serve.
pub(crate) async fn rename(
    tx: &mut Tx,
    person: PersonId,
    (name, language): (&str, &str),
    search_text: &str,
    now: Timestamp,
) -> Result<(), Error> {
    tx.exec(RENAME_PERSON, params![person, name, search_text, language])
        .await?;
    tx.exec(RENAME, params![person, name, search_text, now])
        .await
        .map(drop)
}

/// `false` if they did not serve it.
pub(crate) async fn end(
    tx: &mut Tx,
    person: PersonId,
    tenant: Tenant,
    now: Timestamp,
) -> Result<bool, Error> {
    Ok(tx.exec(END, params![person, tenant.ministry(), now]).await? == 1)
}

/// Where a person goes.
pub(crate) struct NewHome<'n> {
    pub(crate) ministry: MinistryId,
    pub(crate) subject_name: &'n str,
    pub(crate) subject_key: &'n str,
    pub(crate) search_text: &'n str,
}

/// Gives a person another home and another certificate name: their certificates are worth nothing here any more, their
/// factors come along. Looks across ministries: that is what moving is. `false` if the name is somebody's.
pub(crate) async fn move_person(
    tx: &mut Tx,
    person: PersonId,
    home: &NewHome<'_>,
    now: Timestamp,
) -> Result<bool, Error> {
    let taken = tx.one::<i64>(SUBJECT_TAKEN, params![home.subject_key, person]);
    if taken.await? > 0 {
        return Ok(false);
    }
    let values = params![
        person,
        home.ministry,
        home.subject_name,
        home.subject_key,
        home.search_text
    ];
    tx.exec(MOVE_PERSON, values).await?;
    tx.exec(MOVE_FACTORS, params![person, home.ministry]).await?;
    tx.exec(END_CERTIFICATES, params![person, now]).await?;
    Ok(true)
}

/// The ministries a person serves, home first. Looks across ministries: it is the person's own question.
pub(crate) async fn serves(db: &Db, person: PersonId) -> Result<Vec<Ministry>, Error> {
    db.all(SERVES, params![person]).await
}

struct OpenLogon(naru_kernel::LogonId);

impl FromRow for OpenLogon {
    fn from_row(row: &Row) -> Result<Self, Error> {
        row.get("logon").map(Self)
    }
}

/// A person's sessions in which they serve this ministry.
pub(crate) async fn open_in(
    tx: &mut Tx,
    person: PersonId,
    tenant: Tenant,
) -> Result<Vec<naru_kernel::LogonId>, Error> {
    let rows = tx.all::<OpenLogon>(OPEN_IN, params![person, tenant.ministry()]);
    Ok(rows.await?.into_iter().map(|OpenLogon(logon)| logon).collect())
}

/// Lets a session serve another ministry; `false` if it is not signed in any more.
pub(crate) async fn switch(
    tx: &mut Tx,
    logon: naru_kernel::LogonId,
    ministry: MinistryId,
    now: Timestamp,
) -> Result<bool, Error> {
    Ok(tx.exec(SWITCH, params![logon, ministry, now]).await? == 1)
}

/// One page, one row more than asked for, and how many there are in all.
pub(crate) async fn list(
    from: Reading<'_>,
    wanted: &Wanted,
    now: Timestamp,
) -> Result<(Vec<Listed>, i64), Error> {
    let shared = params![
        from.tenant().ministry(),
        anywhere(wanted.search.as_deref()),
        wanted.state.map(|state| state.as_str().to_owned()),
        wanted.unit.clone(),
        wanted.group,
        wanted.reached_by.is_none(),
        wanted.reached_by,
        now
    ];
    let total = from.one::<i64>(COUNT, shared.clone()).await?;
    let page = params![wanted.after.clone(), wanted.rows.saturating_add(1)];
    let values: Vec<Value> = shared.into_iter().chain(page).collect();
    let rows = from.all(wanted.sort.text(), values).await?;
    Ok((rows, total.min(COUNTED_ROWS_MAX + 1)))
}

/// Units in which somebody serves, by name, after one.
pub(crate) async fn units(from: Reading<'_>, after: &str, rows: i64) -> Result<Vec<UnitCount>, Error> {
    from.all(UNITS, params![from.tenant().ministry(), after, rows])
        .await
}

/// Somebody whose home a ministry is, as a list of everybody compares them.
pub(crate) struct OnRoster {
    pub(crate) id: PersonId,
    pub(crate) subject_key: String,
    pub(crate) name: String,
    pub(crate) language: String,
    pub(crate) state: PersonState,
    pub(crate) unit: String,
    groups: Vec<String>,
}

impl OnRoster {
    /// Names of the groups they are in that are changed by hand.
    pub(crate) fn groups(&self) -> BTreeSet<String> {
        self.groups.iter().cloned().collect()
    }
}

impl FromRow for OnRoster {
    fn from_row(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            id: row.get("id")?,
            subject_key: row.get("subject_key")?,
            name: row.get("name")?,
            language: row.get("language")?,
            state: word(row, "state")?,
            unit: row.get("unit")?,
            groups: row.get::<Option<String>>("group_name")?.into_iter().collect(),
        })
    }
}

/// The next so many people whose home the ministry is, with their groups.
pub(crate) async fn roster(from: Reading<'_>, after: &str, people: i64) -> Result<Vec<OnRoster>, Error> {
    let rows = from
        .all::<OnRoster>(ROSTER, params![from.tenant().ministry(), after, people])
        .await?;
    let mut roster: Vec<OnRoster> = Vec::with_capacity(rows.len());
    // One row for each group: those of one person stand together.
    for row in rows {
        match roster.last_mut() {
            Some(last) if last.id == row.id => last.groups.extend(row.groups),
            Some(_) | None => roster.push(row),
        }
    }
    Ok(roster)
}

struct Sessions(PersonId, i64);

impl FromRow for Sessions {
    fn from_row(row: &Row) -> Result<Self, Error> {
        Ok(Self(row.get("person")?, row.get("people")?))
    }
}

/// How many sessions each person has open whose home the ministry is, whichever they serve in them; who has none is left
/// out.
pub(crate) async fn open_sessions(from: Reading<'_>) -> Result<BTreeMap<PersonId, i64>, Error> {
    let rows = from.all::<Sessions>(OPEN_SESSIONS, params![from.tenant().ministry()]);
    Ok(rows
        .await?
        .into_iter()
        .map(|Sessions(person, count)| (person, count))
        .collect())
}
