//! Every SQL text is understood by the engine of this run.

use naru_testkit::TestDatabase;

/// Every SQL text of the platform.
pub(crate) fn statements() -> impl Iterator<Item = &'static str> {
    naru_store::statements()
        .chain(naru_identity::statements())
        .chain(naru_desktops::statements())
        .chain(naru_applications::statements())
        .chain(naru_approvals::statements())
        .chain(naru_policies::statements())
        .chain(naru_audit::statements())
        .chain(naru_portal::statements())
}

#[tokio::test]
async fn every_statement_is_understood() {
    let database = TestDatabase::open().await;
    let mut count = 0;
    for sql in statements() {
        if let Err(error) = database.db.prepare(sql).await {
            panic!("{:?} does not understand {sql}: {error}", database.db.engine());
        }
        count += 1;
    }
    assert!(count > 100, "only {count} statements: a list is no longer whole");
}

#[test]
fn no_statement_uses_what_only_one_engine_has() {
    const WORDS: &[&str] = &[
        "NOW()",
        "CURRENT_TIMESTAMP",
        "FOR UPDATE",
        " ILIKE ",
        "ANY(",
        "::",
        "STRFTIME",
        "JSON_",
        "->>",
    ];
    for sql in statements() {
        let upper = sql.to_uppercase();
        for word in WORDS {
            assert!(!upper.contains(word), "{word} in {sql}");
        }
    }
}
