//! People as a ministry's directory sees them: those whose home the ministry is.
//!
//! The texts are constants: what a directory filters by that has a column (`userName`, `externalId`, `id`, `active`, and
//! for names a search that finds no less than wanted) narrows the rows here; the whole filter is judged on what is read.

use naru_kernel::PersonId;
use naru_store::{Error, FromRow, Row, Value, Within as Reading, params};

use super::search::anywhere;
use crate::{members::Membership, model::Person};

macro_rules! narrowed {
    () => {
        " FROM memberships m JOIN people p ON p.id = m.person \
         WHERE m.ministry = $1 AND m.state = 'active' AND m.is_home \
         AND (CAST($2 AS TEXT) IS NULL OR p.subject_key = $2) AND (CAST($3 AS TEXT) IS NULL OR m.external_id = $3) \
         AND (CAST($4 AS TEXT) IS NULL OR m.person = $4) AND m.search_text LIKE $5 ESCAPE '\\' \
         AND (CAST($6 AS TEXT) IS NULL OR CASE WHEN p.state = 'revoked' THEN 'no' ELSE 'yes' END = $6) "
    };
}
macro_rules! page {
    ($key:literal, $way:literal) => {
        concat!(
            "SELECT p.id, p.ministry, p.name, p.subject_name, p.state, p.locked_until, p.failures, p.failures_since, \
             p.language, p.last_logon_at, m.person, m.unit, m.email, m.external_id, m.account, m.version, m.created_at, \
             m.changed_at",
            narrowed!(), "ORDER BY ", $key, " ", $way, ", m.person ", $way, " LIMIT $7 OFFSET $8"
        )
    };
}

naru_store::sql! {
    COUNT = concat!("SELECT COUNT(*) AS n", narrowed!());
    BY_AGE = page!("m.created_at", "ASC");
    BY_AGE_DOWN = page!("m.created_at", "DESC");
    BY_CHANGE = page!("m.changed_at", "ASC");
    BY_CHANGE_DOWN = page!("m.changed_at", "DESC");
    BY_NAME = page!("m.name", "ASC");
    BY_NAME_DOWN = page!("m.name", "DESC");
    BY_SUBJECT = page!("p.subject_key", "ASC");
    BY_SUBJECT_DOWN = page!("p.subject_key", "DESC");
}

/// What people are sorted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum By {
    Age,
    Change,
    Name,
    Subject,
}

/// What has a column.
#[derive(Clone, Debug, Default)]
pub(crate) struct Narrow {
    pub(crate) subject_key: Option<String>,
    pub(crate) external_id: Option<String>,
    pub(crate) person: Option<PersonId>,
    pub(crate) search: Option<String>,
    pub(crate) active: Option<bool>,
}

impl Narrow {
    fn params(&self, from: Reading<'_>) -> Vec<Value> {
        let active = self.active.map(|active| if active { "yes" } else { "no" });
        params![
            from.tenant().ministry(),
            self.subject_key.clone(),
            self.external_id.clone(),
            self.person,
            anywhere(self.search.as_deref()),
            active
        ]
    }
}

/// A person whose home the ministry is.
pub(crate) struct User {
    pub(crate) person: Person,
    pub(crate) membership: Membership,
}

impl FromRow for User {
    fn from_row(row: &Row) -> Result<Self, Error> {
        let person = Person::from_row(row)?;
        let membership = Membership {
            person: person.id,
            ministry: person.ministry,
            unit: row.get("unit")?,
            email: row.get("email")?,
            external_id: row.get("external_id")?,
            account: row.get("account")?,
            state: crate::members::MembershipState::Active,
            is_home: true,
            version: row.get("version")?,
            created_at: row.get("created_at")?,
            changed_at: row.get("changed_at")?,
        };
        Ok(Self { person, membership })
    }
}

pub(crate) async fn count(from: Reading<'_>, narrow: &Narrow) -> Result<i64, Error> {
    from.one(COUNT, narrow.params(from)).await
}

pub(crate) async fn page(
    from: Reading<'_>,
    narrow: &Narrow,
    (by, is_down): (By, bool),
    (rows, offset): (i64, i64),
) -> Result<Vec<User>, Error> {
    let text = match (by, is_down) {
        (By::Age, false) => BY_AGE,
        (By::Age, true) => BY_AGE_DOWN,
        (By::Change, false) => BY_CHANGE,
        (By::Change, true) => BY_CHANGE_DOWN,
        (By::Name, false) => BY_NAME,
        (By::Name, true) => BY_NAME_DOWN,
        (By::Subject, false) => BY_SUBJECT,
        (By::Subject, true) => BY_SUBJECT_DOWN,
    };
    let mut values = narrow.params(from);
    values.extend(params![rows, offset]);
    from.all(text, values).await
}
