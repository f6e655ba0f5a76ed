//! A change one can see: a row in `secrets` and an entry in the record.

use naru_kernel::{MinistryId, Timestamp};
use naru_store::{Act, By, Db, Error, FromRow, Row, Tx, params};

pub(crate) const PUT: &str = "INSERT INTO secrets (name, value, created_at) VALUES ($1, $2, 0)";
const NAMES: &str = "SELECT name FROM secrets ORDER BY name";
const ENTRIES: &str = "SELECT CAST(COUNT(*) AS BIGINT) AS n FROM audit";

struct Name(String);

impl FromRow for Name {
    fn from_row(row: &Row) -> Result<Self, Error> {
        row.get("name").map(Self)
    }
}

/// Runs beside the test, which waits for it.
pub(crate) fn beside<F>(work: F) -> tokio::task::JoinHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    #[expect(clippy::disallowed_methods, reason = "a test waits for what it starts")]
    tokio::task::spawn(work)
}

/// What is done, by the platform unless a ministry is named.
pub(crate) fn act(subject: &str, ministry: Option<MinistryId>) -> Act {
    Act {
        at: Timestamp::from_seconds(1_795_478_400),
        action: "store.test",
        by: By::Platform("test"),
        ministry,
        subject: subject.to_owned(),
        address: Some("192.0.2.1".to_owned()),
    }
}

/// Writes one row within a change.
pub(crate) async fn put(tx: &mut Tx, name: &str, value: &[u8]) -> Result<(), Error> {
    tx.exec(PUT, params![name, value]).await.map(drop)
}

/// One whole change: a row and its entry.
pub(crate) async fn change(db: &Db, name: &str) -> Result<(), Error> {
    change_in(db, name, None).await
}

/// The same, in a ministry's record.
pub(crate) async fn change_in(db: &Db, name: &str, ministry: Option<MinistryId>) -> Result<(), Error> {
    let owned = name.to_owned();
    db.change(act(name, ministry), move |tx| {
        Box::pin(async move { put(tx, &owned, b"value").await })
    })
    .await
}

/// The rows there are.
pub(crate) async fn names(db: &Db) -> Vec<String> {
    let rows = db.all::<Name>(NAMES, Vec::new()).await.unwrap();
    rows.into_iter().map(|name| name.0).collect()
}

/// How many entries there are, in all chains.
pub(crate) async fn entries(db: &Db) -> i64 {
    db.one::<i64>(ENTRIES, Vec::new()).await.unwrap()
}
