//! Rows of ministries are asked for by their ministry: every SQL text that touches a table with a column `ministry` names
//! it, or stands here with its reason. On `PostgreSQL` row-level security is the lock behind this one.

use std::collections::BTreeSet;

use naru_testkit::TestDatabase;

use crate::statements::statements;

/// What rows may be chosen by instead of their ministry: table, the choice as it stands behind WHERE or ON, and why. A list
/// or a search is never among them. May only shrink.
const CHOSEN_OTHERWISE: &[(&str, &str, &str)] = &[
    (
        "people",
        "id = $1",
        "one person, known from a session or found by their ministry before",
    ),
    (
        "people",
        "subject_key = $1",
        "a log-on: who it is tells which ministry",
    ),
    (
        "people",
        "subject_key IN ($1",
        "subjects are taken once in the whole installation",
    ),
    (
        "memberships",
        "person = $1",
        "a person's own, in every ministry they serve",
    ),
    ("certificates", "person = $1", "a person's own"),
    (
        "certificates",
        "id = $1",
        "one that was found by its person before",
    ),
    (
        "certificates",
        "profile = $1 AND issuer = $2 AND serial = $3",
        "a log-on: who it is tells which ministry",
    ),
    (
        "certificates",
        "id > $1 AND id IN (SELECT certificate FROM logons",
        "a revocation list is of no ministry",
    ),
    ("factors", "person = $", "a person's own"),
    ("factors", "id = $1", "one that was found by its person before"),
    ("alarms", "person = $1", "about a person, for themselves"),
    ("activations", "person = $1", "a person's own"),
    (
        "activations",
        "expires_at < $1",
        "what has expired goes, whose it was",
    ),
    ("handovers", "hash = $1", "a secret that only its holder has"),
    (
        "handovers",
        "expires_at < $1",
        "what has expired goes, whose it was",
    ),
    (
        "role_grants",
        "expires_at < $1",
        "what has expired goes, whose it was",
    ),
    ("logons", "id = $1", "a session tells whose it is"),
    ("logons", "person = $1", "a person's own"),
    (
        "logons",
        "idle_expires_at <= $1",
        "sessions that have idled out end, whose they are",
    ),
    ("logons", "l.ended_at < $1", "what has ended goes, whose it was"),
    (
        "logons",
        "SELECT certificate FROM logons WHERE state <> 'ended'",
        "a revocation list is of no ministry",
    ),
    (
        "scim_tokens",
        "hash = $1",
        "a secret that only its holder has, and that tells the ministry",
    ),
    (
        "scim_tokens",
        "id = $1",
        "one that was found by its secret before",
    ),
    (
        "desktops",
        "id = $1",
        "one that was found by its person, or by its host",
    ),
    ("desktops", "person = $1", "a person's own"),
    (
        "desktops",
        "host = ",
        "hosts are the platform's and serve every ministry",
    ),
    (
        "desktops",
        "zone = $1",
        "the queue of a zone is one for all ministries",
    ),
    (
        "desktops",
        "d.id > $1 ORDER BY d.id LIMIT $2",
        "an operator sees what runs on the hosts, without names",
    ),
    (
        "desktops",
        "state = 'queued' AND polled_at < $2",
        "who no longer asks loses the place",
    ),
    (
        "desktops",
        "d.state = 'starting' AND d.placed_at < $1",
        "what never started ends, whose it was",
    ),
    (
        "desktops",
        "state = 'ended' AND ended_at < $1",
        "what has ended goes, whose it was",
    ),
    (
        "desktops",
        "SELECT state, COUNT(*)",
        "figures of the whole installation",
    ),
    (
        "desktops",
        "SELECT zone, protocol, COUNT(*)",
        "figures of the whole installation",
    ),
    (
        "desktops",
        "SELECT COUNT(*) AS n FROM desktops WHERE state <> 'ended'",
        "figures of the whole installation",
    ),
    (
        "approvals",
        "id = $1 AND asked_by = $2",
        "what a person asked themselves",
    ),
    (
        "approvals",
        "state = 'waiting' AND expires_at <= $1",
        "what nobody decided in time expires, whose it was",
    ),
    (
        "applications",
        "id = $",
        "an application of another ministry may be opened to this one: its audience is asked",
    ),
    (
        "applications",
        "entity_id = $1",
        "a service provider tells which ministry",
    ),
];

const CHOSEN_OTHERWISE_MAX: usize = 38;
const _: () = assert!(CHOSEN_OTHERWISE.len() <= CHOSEN_OTHERWISE_MAX);

struct Name(String);

impl naru_store::FromRow for Name {
    fn from_row(row: &naru_store::Row) -> Result<Self, naru_store::Error> {
        row.get("name").map(Self)
    }
}

/// Tables whose rows belong to ministries.
async fn tables() -> BTreeSet<String> {
    let database = TestDatabase::open_sqlite().await;
    let sql = "SELECT m.name AS name FROM sqlite_schema m JOIN pragma_table_info(m.name) c ON c.name = 'ministry' \
               WHERE m.type = 'table'";
    let names: Vec<Name> = database.db.all(sql, Vec::new()).await.unwrap();
    names.into_iter().map(|Name(name)| name).collect()
}

fn words(sql: &str) -> Vec<&str> {
    sql.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
        .filter(|word| !word.is_empty())
        .collect()
}

/// Tables the text reads or writes: names after the words that introduce one.
fn touched<'s>(sql: &'s str, tables: &BTreeSet<String>) -> Vec<&'s str> {
    let words = words(sql);
    let introduces = |word: &str| ["FROM", "JOIN", "INTO", "UPDATE"].contains(&word.to_uppercase().as_str());
    words
        .windows(2)
        .filter(|pair| introduces(pair[0]) && tables.contains(pair[1]))
        .map(|pair| pair[1])
        .collect()
}

/// Whether rows are chosen by their ministry, or made with one.
fn names_ministry(sql: &str) -> bool {
    let text = sql.split_whitespace().collect::<Vec<_>>().join(" ");
    let inserted = text
        .strip_prefix("INSERT INTO ")
        .and_then(|rest| rest.split_once(')'))
        .is_some_and(|(columns, _)| words(columns).contains(&"ministry"));
    let chosen = ["ministry = ", "ministry IN (", "ministry IS NOT DISTINCT FROM "]
        .iter()
        .any(|comparison| {
            text.match_indices(comparison).any(|(at, _)| {
                // Behind WHERE or ON, and the whole name of the column.
                let before = text.get(..at).unwrap_or_default();
                let is_whole = !before.ends_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
                is_whole && (before.contains(" WHERE ") || before.contains(" ON "))
            })
        });
    inserted || chosen
}

#[tokio::test]
async fn every_text_about_rows_of_ministries_names_the_ministry() {
    let tables = tables().await;
    assert!(tables.len() > 10, "{tables:?}");
    let mut found = Vec::new();
    let mut used = BTreeSet::new();
    let mut count = 0;
    for sql in statements() {
        let touched = touched(sql, &tables);
        if touched.is_empty() {
            continue;
        }
        count += 1;
        if names_ministry(sql) {
            continue;
        }
        let text = sql.split_whitespace().collect::<Vec<_>>().join(" ");
        for table in touched {
            let rule = CHOSEN_OTHERWISE
                .iter()
                .position(|(of, choice, _)| *of == table && is_chosen_by(&text, choice));
            match rule {
                Some(rule) => drop(used.insert(rule)),
                None => found.push(format!("{table}: {text}")),
            }
        }
    }
    assert!(count > 50, "only {count} texts: a list is no longer whole");
    assert!(
        found.is_empty(),
        "{} of {count} texts name no ministry:\n{}",
        found.len(),
        found.join("\n")
    );
    for (place, (table, choice, why)) in CHOSEN_OTHERWISE.iter().enumerate() {
        assert!(
            used.contains(&place),
            "{table}: {choice} is gone: take it from the list"
        );
        assert!(!why.is_empty());
    }
}

/// Whether the text has this choice, and not as the end of a longer name.
fn is_chosen_by(text: &str, choice: &str) -> bool {
    text.match_indices(choice).any(|(at, _)| {
        let before = text.get(..at).unwrap_or_default();
        !before.ends_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
    })
}

#[test]
fn a_text_that_forgets_the_ministry_is_found() {
    let tables = BTreeSet::from(["people".to_owned()]);
    for (sql, is_found) in [
        ("SELECT id FROM people WHERE id = $1", true),
        ("SELECT ministry FROM people WHERE id = $1", true),
        ("SELECT id FROM people WHERE home_ministry = $1", true),
        ("UPDATE people SET ministry = $1 WHERE id = $2", true),
        ("DELETE FROM people WHERE id = $1 AND ministry = $2", false),
        (
            "SELECT p.id FROM logons l JOIN people p ON p.ministry = l.ministry",
            false,
        ),
        ("INSERT INTO people (id, ministry) VALUES ($1, $2)", false),
        ("INSERT INTO people (id) VALUES ($1)", true),
        ("SELECT id FROM nodes WHERE id = $1", false),
    ] {
        let finds = !touched(sql, &tables).is_empty() && !names_ministry(sql);
        assert_eq!(finds, is_found, "{sql}");
    }
}
