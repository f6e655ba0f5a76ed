//! Entries as auditors read them.

use naru_kernel::{PersonId, Tenant, Timestamp};
use naru_store::{Db, Entry, Error, FromRow, Personal, Row, Tx, Value, params};

use crate::rules::query::Filter;

/// What every list filters by, from `$2` to `$10`.
macro_rules! filtered {
    () => {
        "at >= $2 AND at <= $3 \
         AND (CAST($4 AS TEXT) IS NULL OR action LIKE $4) \
         AND (CAST($5 AS TEXT) IS NULL OR outcome = $5) \
         AND (CAST($6 AS TEXT) IS NULL OR actor LIKE $6 OR actor = $7 OR subject = $8) \
         AND (CAST($9 AS TEXT) IS NULL OR address = $9) \
         AND (CAST($10 AS TEXT) IS NULL OR LOWER(action) LIKE $10 ESCAPE '!' OR LOWER(subject) LIKE $10 ESCAPE '!' \
              OR LOWER(detail) LIKE $10 ESCAPE '!')"
    };
}

macro_rules! page {
    ($of:literal, $beyond:literal, $order:literal) => {
        concat!(
            "SELECT stream, sequence, at, action, outcome, actor, subject, address, detail, hash FROM audit WHERE ",
            $of,
            " AND ",
            filtered!(),
            " AND (CAST($11 AS BIGINT) IS NULL OR (at, stream, sequence) ",
            $beyond,
            " ($11, $12, $13)) ORDER BY at ",
            $order,
            ", stream ",
            $order,
            ", sequence ",
            $order,
            " LIMIT $14"
        )
    };
}

macro_rules! counted {
    ($of:literal) => {
        concat!(
            "SELECT COUNT(*) AS n FROM (SELECT sequence FROM audit WHERE ",
            $of,
            " AND ",
            filtered!(),
            " LIMIT 100000) AS counted"
        )
    };
}

// Of all chains: `$1` is empty, and the expression keeps an index by chain out of it.
naru_store::sql! {
    NEWEST_OF_STREAM = page!("stream = $1", "<", "DESC");
    OLDEST_OF_STREAM = page!("stream = $1", ">", "ASC");
    NEWEST_OF_ALL = page!("stream || '' >= $1", "<", "DESC");
    OLDEST_OF_ALL = page!("stream || '' >= $1", ">", "ASC");
    COUNT_STREAM = counted!("stream = $1");
    COUNT_ALL = counted!("stream || '' >= $1");
    STREAMS = "SELECT stream FROM audit_heads UNION SELECT DISTINCT stream FROM audit UNION SELECT stream FROM audit_trees \
               UNION SELECT DISTINCT stream FROM audit_checkpoints ORDER BY stream";
    PERSONAL = "SELECT hash, salt, value FROM audit_personal WHERE stream = $1 AND sequence = $2";
    FORGET = "DELETE FROM audit_personal WHERE person = $1";
    FORGET_RETIRED = "DELETE FROM audit_personal WHERE stream = $1 AND sequence <= $2";
    ENTRY = "SELECT stream, sequence, at, action, outcome, actor, subject, address, detail, hash FROM audit \
             WHERE stream = $1 AND sequence = $2";
}

struct Stream(String);

impl FromRow for Stream {
    fn from_row(row: &Row) -> Result<Self, Error> {
        row.get("stream").map(Self)
    }
}

fn conditions(stream: Option<&str>, filter: &Filter) -> Vec<Value> {
    let action = filter.action.as_ref().map(|beginning| format!("{beginning}%"));
    let person = filter.person.map(|person| person.to_string());
    params![
        stream.unwrap_or_default(),
        filter.from,
        filter.to,
        action,
        filter.outcome.clone(),
        person.as_ref().map(|person| format!("{person}/%")),
        person.as_ref().map(|person| format!("claimed:{person}")),
        person,
        filter.address.clone(),
        filter.search.clone()
    ]
}

/// At most `rows` entries after the cursor; of one chain, or of all. A ministry's auditor reads as that ministry.
pub(crate) async fn entries(
    db: &Db,
    tenant: Option<Tenant>,
    stream: Option<&str>,
    filter: &Filter,
    rows: i64,
) -> Result<Vec<Entry>, Error> {
    let mut values = conditions(stream, filter);
    let (at, place, sequence): (Option<Timestamp>, Option<String>, Option<i64>) = match &filter.after {
        Some(cursor) => (
            Some(cursor.at),
            Some(cursor.stream.clone()),
            Some(cursor.sequence),
        ),
        None => (None, None, None),
    };
    values.extend(params![at, place, sequence, rows]);
    let text = match (stream.is_some(), filter.oldest_first) {
        (true, false) => NEWEST_OF_STREAM,
        (true, true) => OLDEST_OF_STREAM,
        (false, false) => NEWEST_OF_ALL,
        (false, true) => OLDEST_OF_ALL,
    };
    match tenant {
        Some(tenant) => db.within(tenant).all(text, values).await,
        None => db.all(text, values).await,
    }
}

/// How many entries fit; counting stops at 100,000.
pub(crate) async fn count(
    db: &Db,
    tenant: Option<Tenant>,
    stream: Option<&str>,
    filter: &Filter,
) -> Result<i64, Error> {
    let text = if stream.is_some() { COUNT_STREAM } else { COUNT_ALL };
    let values = conditions(stream, filter);
    match tenant {
        Some(tenant) => db.within(tenant).one(text, values).await,
        None => db.one(text, values).await,
    }
}

/// Every chain there is, also one whose head, or whose every entry, is gone.
pub(crate) async fn streams(db: &Db) -> Result<Vec<String>, Error> {
    let streams = db.all::<Stream>(STREAMS, params![]).await?;
    Ok(streams.into_iter().map(|Stream(stream)| stream).collect())
}

/// What an entry says of people beside their identifiers, as far as it was not forgotten.
pub(crate) async fn personal(
    db: &Db,
    tenant: Option<Tenant>,
    stream: &str,
    sequence: i64,
) -> Result<Vec<Personal>, Error> {
    let values = params![stream, sequence];
    match tenant {
        Some(tenant) => db.within(tenant).all(PERSONAL, values).await,
        None => db.all(PERSONAL, values).await,
    }
}

/// Forgets what entries say of a person; gives how many texts.
pub(crate) async fn forget(tx: &mut Tx, person: PersonId) -> Result<u64, Error> {
    tx.exec(FORGET, params![person]).await
}

/// Forgets what retired entries said of people.
pub(crate) async fn forget_retired(tx: &mut Tx, stream: &str, to: i64) -> Result<u64, Error> {
    tx.exec(FORGET_RETIRED, params![stream, to]).await
}

/// One entry.
pub(crate) async fn entry(db: &Db, stream: &str, sequence: i64) -> Result<Option<Entry>, Error> {
    db.optional(ENTRY, params![stream, sequence]).await
}
