//! Reading the record's tables, which the store owns.

use naru_kernel::Timestamp;
use naru_store::{Db, Entry, Error, FromRow, Row, Value, params};

use crate::rules::Filter;

naru_store::sql! {
    OF_STREAM = "SELECT stream, sequence, at, action, outcome, actor, subject, address, detail, hash FROM audit \
                 WHERE stream = $1 AND at >= $2 AND at <= $3 \
                 AND (CAST($4 AS TEXT) IS NULL OR action LIKE $4) \
                 AND (CAST($5 AS TEXT) IS NULL OR outcome = $5) \
                 AND (CAST($6 AS TEXT) IS NULL OR actor LIKE $6 OR actor = $7 OR subject = $8) \
                 AND (CAST($9 AS BIGINT) IS NULL OR (at, stream, sequence) < ($9, $10, $11)) \
                 ORDER BY at DESC, stream DESC, sequence DESC LIMIT $12";
    OF_ALL = "SELECT stream, sequence, at, action, outcome, actor, subject, address, detail, hash FROM audit \
              WHERE at >= $1 AND at <= $2 \
              AND (CAST($3 AS TEXT) IS NULL OR action LIKE $3) \
              AND (CAST($4 AS TEXT) IS NULL OR outcome = $4) \
              AND (CAST($5 AS TEXT) IS NULL OR actor LIKE $5 OR actor = $6 OR subject = $7) \
              AND (CAST($8 AS BIGINT) IS NULL OR (at, stream, sequence) < ($8, $9, $10)) \
              ORDER BY at DESC, stream DESC, sequence DESC LIMIT $11";
    COUNT_STREAM = "SELECT COUNT(*) AS n FROM (SELECT sequence FROM audit \
                    WHERE stream = $1 AND at >= $2 AND at <= $3 \
                    AND (CAST($4 AS TEXT) IS NULL OR action LIKE $4) \
                    AND (CAST($5 AS TEXT) IS NULL OR outcome = $5) \
                    AND (CAST($6 AS TEXT) IS NULL OR actor LIKE $6 OR actor = $7 OR subject = $8) LIMIT 100000) AS counted";
    COUNT_ALL = "SELECT COUNT(*) AS n FROM (SELECT sequence FROM audit WHERE at >= $1 AND at <= $2 \
                 AND (CAST($3 AS TEXT) IS NULL OR action LIKE $3) \
                 AND (CAST($4 AS TEXT) IS NULL OR outcome = $4) \
                 AND (CAST($5 AS TEXT) IS NULL OR actor LIKE $5 OR actor = $6 OR subject = $7) LIMIT 100000) AS counted";
    STREAMS = "SELECT stream FROM audit_heads UNION SELECT DISTINCT stream FROM audit ORDER BY stream";
    HEAD = "SELECT sequence, hash FROM audit_heads WHERE stream = $1";
}

struct Stream(String);

impl FromRow for Stream {
    fn from_row(row: &Row) -> Result<Self, Error> {
        row.get("stream").map(Self)
    }
}

/// The newest hash of a chain.
pub(crate) struct Head {
    pub(crate) hash: Vec<u8>,
}

impl FromRow for Head {
    fn from_row(row: &Row) -> Result<Self, Error> {
        row.get("hash").map(|hash| Self { hash })
    }
}

fn conditions(stream: Option<&str>, filter: &Filter) -> Vec<Value> {
    let action = filter.action.as_ref().map(|beginning| format!("{beginning}%"));
    let person = filter.person.map(|person| person.to_string());
    let mut values: Vec<Value> = stream.map(Value::from).into_iter().collect();
    values.extend(params![
        filter.from,
        filter.to,
        action,
        filter.outcome.clone(),
        person.as_ref().map(|person| format!("{person}/%")),
        person.as_ref().map(|person| format!("claimed:{person}")),
        person
    ]);
    values
}

/// At most `rows` entries after the cursor, newest first; of one chain, or of all.
pub(crate) async fn entries(
    db: &Db,
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
    db.all(if stream.is_some() { OF_STREAM } else { OF_ALL }, values)
        .await
}

/// How many entries fit; counting stops at 100,000.
pub(crate) async fn count(db: &Db, stream: Option<&str>, filter: &Filter) -> Result<i64, Error> {
    let text = if stream.is_some() { COUNT_STREAM } else { COUNT_ALL };
    db.one(text, conditions(stream, filter)).await
}

/// Every chain there is, also one whose head is gone.
pub(crate) async fn streams(db: &Db) -> Result<Vec<String>, Error> {
    let streams = db.all::<Stream>(STREAMS, params![]).await?;
    Ok(streams.into_iter().map(|Stream(stream)| stream).collect())
}

pub(crate) async fn head(db: &Db, stream: &str) -> Result<Option<Head>, Error> {
    db.optional(HEAD, params![stream]).await
}
