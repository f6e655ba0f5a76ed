//! What of the record is asked for.

use naru_kernel::{MinistryId, PageRequest, PersonId, Timestamp};
use naru_store::PLATFORM_STREAM;
use serde::Deserialize;

use crate::{AuditRow, Error};

/// What of the record is wanted, as a query says it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuditQuery {
    /// Rows per page.
    pub limit: Option<i64>,
    /// The `next` of the page before.
    pub after: Option<String>,
    /// An action, or the beginning of one: `identity.` or `identity.log-on`.
    pub action: Option<String>,
    /// A person: by them or about them.
    pub person: Option<String>,
    /// `done` or `refused`.
    pub outcome: Option<String>,
    /// Not before, microseconds.
    pub from: Option<i64>,
    /// Not after, microseconds.
    pub to: Option<i64>,
    /// From this network address.
    pub address: Option<String>,
    /// The chain of one ministry, or `platform`; for those who may read all.
    pub ministry: Option<String>,
    /// Text in action, subject or detail.
    pub search: Option<String>,
    /// `-at` (newest first, as without) or `at`.
    pub sort: Option<String>,
}

/// A place in the list: everything before it was shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cursor {
    pub(crate) at: Timestamp,
    pub(crate) stream: String,
    pub(crate) sequence: i64,
}

/// A query, understood.
#[derive(Clone, Debug)]
pub struct Filter {
    pub(crate) rows: i64,
    pub(crate) after: Option<Cursor>,
    pub(crate) action: Option<String>,
    pub(crate) person: Option<PersonId>,
    pub(crate) outcome: Option<String>,
    pub(crate) from: Timestamp,
    pub(crate) to: Timestamp,
    pub(crate) address: Option<String>,
    /// One chain of those that may be read.
    pub(crate) stream: Option<String>,
    /// A pattern in small letters, with `!` before what is meant as it stands.
    pub(crate) search: Option<String>,
    pub(crate) oldest_first: bool,
}

/// The longest beginning of an action.
const ACTION_CHARACTERS_MAX: usize = 64;
/// The longest text to search for, and the longest address.
const SEARCH_CHARACTERS_MAX: usize = 100;

/// Understands the name of a chain.
pub(crate) fn stream_name(text: &str) -> Option<String> {
    (text == PLATFORM_STREAM || text.parse::<MinistryId>().is_ok()).then(|| text.to_owned())
}

/// The pattern that finds `text` anywhere.
fn pattern(text: &str) -> String {
    let mut pattern = String::from("%");
    for c in text.to_lowercase().chars() {
        if matches!(c, '%' | '_' | '!') {
            pattern.push('!');
        }
        pattern.push(c);
    }
    pattern.push('%');
    pattern
}

impl Filter {
    /// Understands a query. An empty text is no filter: forms send those.
    ///
    /// # Errors
    /// Names the field that cannot be understood.
    pub fn read(query: AuditQuery) -> Result<Self, Error> {
        let wrong = |field, problem| Error::Field { field, problem };
        let given = |text: Option<String>| {
            text.map(|text| text.trim().to_owned())
                .filter(|text| !text.is_empty())
        };
        let page = PageRequest {
            limit: query.limit,
            ..PageRequest::default()
        };
        let after =
            given(query.after).map(|text| Cursor::read(&text).ok_or_else(|| wrong("after", "no such page")));
        let action = given(query.action);
        let is_action = |text: &String| {
            text.len() <= ACTION_CHARACTERS_MAX
                && text
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b == b'.' || b == b'-')
        };
        if action.as_ref().is_some_and(|text| !is_action(text)) {
            return Err(wrong("action", "an action has small letters, dots and hyphens"));
        }
        let outcome = given(query.outcome);
        if outcome
            .as_ref()
            .is_some_and(|text| text != "done" && text != "refused")
        {
            return Err(wrong("outcome", "an outcome is done or refused"));
        }
        let person = given(query.person).map(|text| {
            text.parse()
                .map_err(|_| wrong("person", "this is no person's identifier"))
        });
        let short = |field, text: Option<String>| match text {
            Some(text) if text.chars().count() > SEARCH_CHARACTERS_MAX => {
                Err(wrong(field, "this is too long"))
            }
            text => Ok(text),
        };
        let address = short("address", given(query.address))?;
        let search = short("search", given(query.search))?.map(|text| pattern(&text));
        let stream = given(query.ministry)
            .map(|text| stream_name(&text).ok_or_else(|| wrong("ministry", "there is no such ministry")));
        let oldest_first = match given(query.sort).as_deref() {
            None | Some("-at") => false,
            Some("at") => true,
            Some(_) => return Err(wrong("sort", "the record is sorted by at or -at")),
        };
        Ok(Self {
            address,
            stream: stream.transpose()?,
            search,
            oldest_first,
            rows: page.rows(),
            after: after.transpose()?,
            action,
            person: person.transpose()?,
            outcome,
            from: Timestamp::from_micros(query.from.unwrap_or(i64::MIN)),
            to: Timestamp::from_micros(query.to.unwrap_or(i64::MAX)),
        })
    }
}

impl Cursor {
    fn read(text: &str) -> Option<Self> {
        let mut parts = text.splitn(3, '~');
        let at = parts.next()?.parse().ok()?;
        let sequence = parts.next()?.parse().ok()?;
        let stream = parts.next()?.to_owned();
        Some(Self {
            at: Timestamp::from_micros(at),
            stream,
            sequence,
        })
    }

    pub(crate) fn of(row: &AuditRow) -> Self {
        Self {
            at: row.at,
            stream: row.stream.clone(),
            sequence: row.sequence,
        }
    }

    pub(crate) fn text(&self) -> String {
        format!("{}~{}~{}", self.at.as_micros(), self.sequence, self.stream)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_understood_or_its_field_is_named() {
        let field = |query| match Filter::read(query) {
            Err(Error::Field { field, .. }) => field,
            Ok(_) | Err(_) => "",
        };
        assert_eq!(
            field(AuditQuery {
                action: Some("%".into()),
                ..AuditQuery::default()
            }),
            "action"
        );
        assert_eq!(
            field(AuditQuery {
                outcome: Some("x".into()),
                ..AuditQuery::default()
            }),
            "outcome"
        );
        assert_eq!(
            field(AuditQuery {
                person: Some("7".into()),
                ..AuditQuery::default()
            }),
            "person"
        );
        assert_eq!(
            field(AuditQuery {
                after: Some("x".into()),
                ..AuditQuery::default()
            }),
            "after"
        );
        assert_eq!(
            field(AuditQuery {
                sort: Some("actor".into()),
                ..AuditQuery::default()
            }),
            "sort"
        );
        assert_eq!(
            field(AuditQuery {
                ministry: Some("x".into()),
                ..AuditQuery::default()
            }),
            "ministry"
        );
        assert_eq!(
            field(AuditQuery {
                search: Some("x".repeat(101)),
                ..AuditQuery::default()
            }),
            "search"
        );
        assert_eq!(pattern("50%_A!"), "%50!%!_a!!%");
        let blank = AuditQuery {
            action: Some(" ".into()),
            limit: Some(9_999),
            ..AuditQuery::default()
        };
        let filter = Filter::read(blank).unwrap();
        assert_eq!((filter.action, filter.rows), (None, 200));
    }

    #[test]
    fn a_cursor_survives_its_text() {
        let cursor = Cursor {
            at: Timestamp::from_micros(-5),
            stream: "a~b".into(),
            sequence: 7,
        };
        assert_eq!(Cursor::read(&cursor.text()), Some(cursor));
    }
}
