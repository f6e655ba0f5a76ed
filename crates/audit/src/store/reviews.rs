//! What a month held, and who looked at it.

use naru_kernel::{PersonId, Timestamp};
use naru_store::{Db, Error, FromRow, Row, Tx, params};

naru_store::sql! {
    TALLIES = "SELECT action, outcome, COUNT(*) AS n FROM audit WHERE stream = $1 AND at >= $2 AND at < $3 \
               GROUP BY action, outcome ORDER BY COUNT(*) DESC, action, outcome LIMIT 500";
    ALARMS = "SELECT COUNT(*) AS n FROM audit WHERE stream = $1 AND at >= $2 AND at < $3 AND detail LIKE '%\"alarm\":%'";
    // An hour in which one place was refused often.
    REFUSALS = "SELECT address, at / 3600000000 AS hour, COUNT(*) AS n FROM audit \
                WHERE stream = $1 AND at >= $2 AND at < $3 AND outcome = 'refused' \
                GROUP BY address, at / 3600000000 HAVING COUNT(*) >= 10 ORDER BY COUNT(*) DESC, address LIMIT 100";
    REVIEWS = "SELECT month, person, note, counts, size, at FROM audit_reviews WHERE stream = $1 ORDER BY month DESC LIMIT 60";
    ADD_REVIEW = "INSERT INTO audit_reviews (stream, month, person, note, counts, size, at) VALUES ($1, $2, $3, $4, $5, $6, $7)";
}

/// How often something was done or refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) action: String,
    pub(crate) outcome: String,
    pub(crate) count: i64,
}

impl FromRow for Tally {
    fn from_row(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            action: row.get("action")?,
            outcome: row.get("outcome")?,
            count: row.get("n")?,
        })
    }
}

pub(crate) async fn tallies(
    db: &Db,
    stream: &str,
    from: Timestamp,
    to: Timestamp,
) -> Result<Vec<Tally>, Error> {
    db.all(TALLIES, params![stream, from, to]).await
}

pub(crate) async fn alarms(db: &Db, stream: &str, from: Timestamp, to: Timestamp) -> Result<i64, Error> {
    db.one(ALARMS, params![stream, from, to]).await
}

/// Many refusals within one hour from one address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusals {
    pub(crate) address: String,
    pub(crate) hour: Timestamp,
    pub(crate) count: i64,
}

impl FromRow for Refusals {
    fn from_row(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            address: row.get("address")?,
            hour: Timestamp::from_seconds(row.get::<i64>("hour")?.saturating_mul(3_600)),
            count: row.get("n")?,
        })
    }
}

pub(crate) async fn refusals(
    db: &Db,
    stream: &str,
    from: Timestamp,
    to: Timestamp,
) -> Result<Vec<Refusals>, Error> {
    db.all(REFUSALS, params![stream, from, to]).await
}

/// A month that was signed off.
#[derive(Clone, Debug)]
pub(crate) struct Reviewed {
    pub(crate) month: String,
    pub(crate) person: PersonId,
    pub(crate) note: String,
    pub(crate) counts: String,
    /// Entries of the chain when it was signed off.
    pub(crate) size: i64,
    pub(crate) at: Timestamp,
}

impl FromRow for Reviewed {
    fn from_row(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            month: row.get("month")?,
            person: row.get("person")?,
            note: row.get("note")?,
            counts: row.get("counts")?,
            size: row.get("size")?,
            at: row.get("at")?,
        })
    }
}

/// The newest 60 months that were signed off.
pub(crate) async fn reviews(db: &Db, stream: &str) -> Result<Vec<Reviewed>, Error> {
    db.all(REVIEWS, params![stream]).await
}

pub(crate) async fn add_review(tx: &mut Tx, stream: &str, review: Reviewed) -> Result<(), Error> {
    let Reviewed {
        month,
        person,
        note,
        counts,
        size,
        at,
    } = review;
    tx.exec(ADD_REVIEW, params![stream, month, person, note, counts, size, at])
        .await
        .map(drop)
}
