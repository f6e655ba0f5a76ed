//! What is asked for, and how rows become a file that a spreadsheet cannot mistake for formulas.

use naru_kernel::{PageRequest, PersonId, Timestamp};
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
}

/// The longest beginning of an action.
const ACTION_CHARACTERS_MAX: usize = 64;

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
        Ok(Self {
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

/// The first line of a file, after a mark that tells spreadsheets it is UTF-8.
pub(crate) const CSV_HEAD: &str =
    "\u{feff}stream,sequence,at,action,outcome,actor,subject,address,detail\r\n";

/// One line of a file (RFC 4180).
pub(crate) fn csv_line(row: &AuditRow) -> String {
    let cells = [
        row.stream.clone(),
        row.sequence.to_string(),
        row.at.to_string(),
        row.action.clone(),
        row.outcome.clone(),
        row.actor.clone(),
        row.subject.clone(),
        row.address.clone(),
        row.detail.to_string(),
    ];
    let mut line = cells.map(|text| cell(&text)).join(",");
    line.push_str("\r\n");
    line
}

/// Quoted; and what a spreadsheet would run as a formula gets an apostrophe in front.
fn cell(text: &str) -> String {
    let is_formula = text.trim_start().starts_with(['=', '+', '-', '@']) || text.starts_with(['\t', '\r']);
    let guard = if is_formula { "'" } else { "" };
    format!("\"{guard}{}\"", text.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_are_defused_and_quotes_doubled() {
        for text in ["=1+1", "+1", "-1", "@a", " =1", "\t=1", "\r=1"] {
            assert!(cell(text).starts_with("\"'"), "{text:?}");
        }
        assert_eq!(cell("a \"b\", c"), "\"a \"\"b\"\", c\"");
        assert_eq!(cell("a=b"), "\"a=b\"");
    }

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
