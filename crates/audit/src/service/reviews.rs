//! The monthly review: what a month held, and an auditor who signs it off.

use naru_kernel::{Actor, Timestamp};
use naru_runtime::Client;

use super::Audit;
use crate::{
    ActionCount, Error, MonthCounts, RefusedBurst, Review,
    rules::month::Month,
    store::{self, Reviewed},
};

/// The longest note.
const NOTE_CHARACTERS_MAX: usize = 2_000;
/// Words in the names of actions that change who may do what.
const ROLE_WORDS: [&str; 4] = ["role", "grant", "administrator", "scope"];

impl Audit {
    async fn counts(&self, stream: &str, from: Timestamp, to: Timestamp) -> Result<MonthCounts, Error> {
        let tallies = store::tallies(&self.db, stream, from, to).await?;
        let sum = |wanted: &dyn Fn(&store::Tally) -> bool| {
            tallies
                .iter()
                .filter(|tally| wanted(tally))
                .map(|tally| tally.count)
                .sum()
        };
        let is_role_change = |tally: &store::Tally| {
            tally.outcome == "done" && ROLE_WORDS.iter().any(|word| tally.action.contains(word))
        };
        Ok(MonthCounts {
            entries: sum(&|_| true),
            refused: sum(&|tally| tally.outcome == "refused"),
            role_changes: sum(&is_role_change),
            alarms: store::alarms(&self.db, stream, from, to).await?,
            bursts: store::refusals(&self.db, stream, from, to)
                .await?
                .into_iter()
                .map(|burst| RefusedBurst {
                    address: burst.address,
                    hour: burst.hour,
                    count: burst.count,
                })
                .collect(),
            actions: tallies
                .into_iter()
                .map(|tally| ActionCount {
                    action: tally.action,
                    outcome: tally.outcome,
                    count: tally.count,
                })
                .collect(),
        })
    }

    /// Months that were signed off, newest first, and before them the one asked for, or last month, if it was not.
    ///
    /// # Errors
    /// When the actor may not, the month is none, somebody else is counting, or the store fails.
    pub async fn reviews(
        &self,
        actor: &Actor,
        stream: Option<&str>,
        month: Option<&str>,
    ) -> Result<Vec<Review>, Error> {
        let stream = self.one_stream(actor, stream).await?;
        let month = match month {
            Some(text) => Month::read(text).ok_or_else(wrong_month)?,
            None => Month::of(self.clock.now()).before(),
        };
        let done = store::reviews(&self.db, &stream).await?;
        let mut reviews = Vec::new();
        if done.iter().all(|review| review.month != month.text()) {
            let _turn = self.verifications.try_acquire().map_err(|_| Error::Busy)?;
            reviews.push(Review {
                month: month.text(),
                stream: stream.clone(),
                counts: self.counts(&stream, month.begin(), month.end()).await?,
                reviewed_by: None,
                reviewed_at: None,
                note: None,
                entries_then: None,
            });
        }
        reviews.extend(done.into_iter().map(|review| signed_off(&stream, review)));
        Ok(reviews)
    }

    /// Signs a month off; that it was is an entry.
    ///
    /// # Errors
    /// When the actor may not, the month is not over or was signed off already, or the store fails.
    pub async fn review(
        &self,
        actor: &Actor,
        stream: Option<&str>,
        month: &str,
        note: &str,
        client: &Client,
    ) -> Result<Review, Error> {
        let stream = self.one_stream(actor, stream).await?;
        let month = Month::read(month).ok_or_else(wrong_month)?;
        if note.chars().count() > NOTE_CHARACTERS_MAX {
            return Err(Error::Field {
                field: "note",
                problem: "this is too long",
            });
        }
        if month.end() > self.clock.now() {
            return Err(Error::NotOver);
        }
        let counts = {
            let _turn = self.verifications.try_acquire().map_err(|_| Error::Busy)?;
            self.counts(&stream, month.begin(), month.end()).await?
        };
        let size = store::growth(&self.db, &stream)
            .await?
            .map_or(0, |growth| growth.sequence);
        let reviewed = Reviewed {
            month: month.text(),
            person: actor.person,
            note: note.trim().to_owned(),
            counts: serde_json::to_string(&counts).unwrap_or_default(),
            size,
            at: self.clock.now(),
        };
        let act = self.act("audit.review", actor, month.text(), client);
        let (kept, of) = (reviewed.clone(), stream.clone());
        let added = self
            .db
            .change(act, move |tx| {
                Box::pin(async move {
                    tx.note("stream", of.as_str());
                    tx.note("entries", kept.size);
                    store::add_review(tx, &of, kept).await
                })
            })
            .await;
        match added {
            Ok(()) => Ok(signed_off(&stream, reviewed)),
            Err(naru_store::Error::Clash(_)) => Err(Error::Reviewed),
            Err(error) => Err(error.into()),
        }
    }
}

fn wrong_month() -> Error {
    Error::Field {
        field: "month",
        problem: "a month is written like 2026-11",
    }
}

fn signed_off(stream: &str, review: Reviewed) -> Review {
    Review {
        month: review.month,
        stream: stream.to_owned(),
        counts: serde_json::from_str(&review.counts).unwrap_or_else(|_| MonthCounts {
            entries: 0,
            refused: 0,
            alarms: 0,
            role_changes: 0,
            actions: Vec::new(),
            bursts: Vec::new(),
        }),
        reviewed_by: Some(review.person),
        reviewed_at: Some(review.at),
        note: Some(review.note),
        entries_then: Some(review.size),
    }
}
