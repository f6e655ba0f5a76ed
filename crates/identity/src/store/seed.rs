//! Many made-up ministries and people at once, for measuring: rows are made by the engine itself, in few statements.

use naru_kernel::Timestamp;
use naru_store::{Error, Tx, params};

// Identifiers are a number of thirty-two decimal digits: hexadecimal enough, and the same on every engine.
macro_rules! id {
    ($kind:literal, $number:literal) => {
        concat!(
            "'",
            $kind,
            "_' || SUBSTR('00000000000000000000000000000000' || CAST(",
            $number,
            " AS TEXT), \
                 LENGTH(CAST(",
            $number,
            " AS TEXT)) + 1, 32)"
        )
    };
}
macro_rules! name {
    () => {
        "CASE n.i % 8 WHEN 0 THEN '김' WHEN 1 THEN '이' WHEN 2 THEN '박' WHEN 3 THEN '최' WHEN 4 THEN '정' WHEN 5 THEN '강' \
         WHEN 6 THEN '조' ELSE '윤' END || CASE (n.i / 8) % 6 WHEN 0 THEN '민수' WHEN 1 THEN '서연' WHEN 2 THEN '지우' \
         WHEN 3 THEN '하준' WHEN 4 THEN '도윤' ELSE '은서' END"
    };
}
// The number of a person's ministry.
macro_rules! ministry {
    () => {
        id!("ministry", "($4 + n.i / $3)")
    };
}
macro_rules! subject {
    () => {
        "CAST(100000 + $4 + n.i / $3 AS TEXT) || '-' || CAST(n.i AS TEXT)"
    };
}
macro_rules! numbers {
    () => {
        "WITH RECURSIVE n(i) AS (SELECT CAST($1 AS BIGINT) UNION ALL SELECT i + 1 FROM n WHERE i + 1 < $2) "
    };
}

naru_store::sql! {
    MINISTRIES = concat!("INSERT INTO ministries (id, name_ko, name_en, agency_code, is_platform, created_at) ", numbers!(),
        "SELECT ", id!("ministry", "n.i"), ", '시험부처 ' || CAST(n.i AS TEXT), 'Test ministry ' || CAST(n.i AS TEXT), \
        'S' || CAST(n.i AS TEXT), FALSE, $3 FROM n WHERE n.i < $2");
    PEOPLE = concat!("INSERT INTO people (id, ministry, name, subject_name, subject_key, search_text, state, failures, \
        failures_since, language, created_at) ", numbers!(), "SELECT ", id!("person", "n.i"), ", ", ministry!(), ", ", name!(),
        ", 'CN=' || ", subject!(), ", 'seed ' || ", subject!(), ", ", name!(), " || ' cn=' || ", subject!(),
        ", 'active', 0, 0, 'ko', $5 FROM n WHERE n.i < $2");
    MEMBERSHIPS = concat!("INSERT INTO memberships (person, ministry, name, search_text, unit, account, state, is_home, \
        version, created_at, changed_at) ", numbers!(), "SELECT ", id!("person", "n.i"), ", ", ministry!(), ", ", name!(),
        ", ", name!(), " || ' cn=' || ", subject!(), ", '국' || CAST(n.i % 5 AS TEXT) || '/과' || CAST(n.i % 20 AS TEXT), \
        'seed-' || CAST(n.i AS TEXT), 'active', TRUE, 1, $5 + n.i, $5 + n.i FROM n WHERE n.i < $2");
    GRANTS = concat!("INSERT INTO role_grants (id, person, ministry, role, within, scope, granted_by, created_at) ", numbers!(),
        "SELECT ", id!("grant", "n.i"), ", ", id!("person", "n.i"), ", ", ministry!(),
        ", 'worker', 'ministry', '', 'platform', $5 FROM n WHERE n.i < $2");
}

/// Makes ministries numbered from `first` up to, and without, `end`.
pub(crate) async fn ministries(tx: &mut Tx, (first, end): (i64, i64), now: Timestamp) -> Result<(), Error> {
    tx.exec(MINISTRIES, params![first, end, now]).await.map(drop)
}

/// Makes people numbered from `first` up to, and without, `end`; so many of them in each ministry, the first of which has
/// the number `ministry`.
pub(crate) async fn people(
    tx: &mut Tx,
    (first, end): (i64, i64),
    (each, ministry): (i64, i64),
    now: Timestamp,
) -> Result<(), Error> {
    for text in [PEOPLE, MEMBERSHIPS, GRANTS] {
        tx.exec(text, params![first, end, each, ministry, now]).await?;
    }
    Ok(())
}
