//! Reading, verifying and exporting the record.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use aws_lc_rs::digest;
use futures_util::{Stream, stream};
use naru_kernel::{Action, Actor, Clock, MinistryId, Page, PersonId, Scope};
use naru_runtime::Client;
use naru_store::{Act, BoxFuture, By, Db, Outcome, verify_stream};
use tokio::sync::Semaphore;

use crate::{
    AuditRow, Broken, Error, Filter, StreamVerdict, Verification,
    rules::{CSV_HEAD, Cursor, csv_line},
    store,
};

/// Rows of one export; who needs more asks for a shorter time.
const EXPORT_ROWS_MAX: usize = 500_000;
/// Rows read at once for an export.
const EXPORT_PAGE_ROWS: i64 = 1_000;
/// Verifications over HTTP at the same time: each reads a whole chain.
const VERIFICATIONS_MAX: usize = 1;

/// Who knows which ministry runs the platform; wired by the portal.
pub trait KnowsMinistries: Send + Sync + 'static {
    /// Whether this ministry runs the platform.
    fn is_platform(&self, ministry: MinistryId) -> BoxFuture<'_, Result<bool, naru_store::Error>>;
}

/// Who knows what people are called; wired by the portal. The record itself holds no names: a chain cannot forget.
pub trait KnowsNames: Send + Sync + 'static {
    /// The names of these people as they are today, of one ministry or of all; nothing for those unknown.
    fn names(
        &self,
        people: BTreeSet<PersonId>,
        ministry: Option<MinistryId>,
    ) -> BoxFuture<'_, Result<BTreeMap<PersonId, String>, naru_store::Error>>;
}

/// The record's readers.
pub struct Audit {
    db: Db,
    clock: Arc<dyn Clock>,
    ministries: Arc<dyn KnowsMinistries>,
    people: Arc<dyn KnowsNames>,
    verifications: Semaphore,
}

/// Which chains somebody may read.
enum Sight {
    One(String),
    All,
}

impl Sight {
    fn stream(&self) -> Option<&str> {
        match self {
            Self::One(stream) => Some(stream),
            Self::All => None,
        }
    }
}

impl Audit {
    /// Readers of this database's record.
    #[must_use]
    pub fn new(
        db: Db,
        clock: Arc<dyn Clock>,
        ministries: Arc<dyn KnowsMinistries>,
        people: Arc<dyn KnowsNames>,
    ) -> Self {
        Self {
            db,
            clock,
            ministries,
            people,
            verifications: Semaphore::new(VERIFICATIONS_MAX),
        }
    }

    async fn sight(&self, actor: &Actor) -> Result<Sight, Error> {
        actor.may(Action::ReadRecord, Scope::Ministry(actor.ministry))?;
        if self.ministries.is_platform(actor.ministry).await? {
            Ok(Sight::All)
        } else {
            Ok(Sight::One(actor.ministry.to_string()))
        }
    }

    /// A page of the record, newest first, with the names of those the auditor may know of.
    ///
    /// # Errors
    /// When the actor may not, or the store fails.
    pub async fn list(&self, actor: &Actor, filter: &Filter) -> Result<Page<AuditRow>, Error> {
        let sight = self.sight(actor).await?;
        let wanted = filter.rows.saturating_add(1);
        let entries = store::entries(&self.db, sight.stream(), filter, wanted).await?;
        let mut items: Vec<AuditRow> = entries.into_iter().map(AuditRow::from).collect();
        let rows = usize::try_from(filter.rows).unwrap_or(usize::MAX);
        let has_more = items.len() > rows;
        items.truncate(rows);
        let next = items
            .last()
            .filter(|_| has_more)
            .map(|row| Cursor::of(row).text());
        let total = store::count(&self.db, sight.stream(), filter).await?;
        let known = match sight {
            Sight::One(_) => Some(actor.ministry),
            Sight::All => None,
        };
        let people = items.iter().flat_map(AuditRow::people).flatten().collect();
        let names = self.people.names(people, known).await?;
        for row in &mut items {
            row.name(&names);
        }
        Ok(Page { items, next, total })
    }

    /// Verifies what the actor may read.
    ///
    /// # Errors
    /// When the actor may not, somebody else is verifying, or the store fails.
    pub async fn verify(&self, actor: &Actor) -> Result<Verification, Error> {
        let sight = self.sight(actor).await?;
        let _turn = self.verifications.try_acquire().map_err(|_| Error::Busy)?;
        match sight {
            Sight::One(stream) => verify_streams(&self.db, vec![stream]).await,
            Sight::All => Self::verify_all(&self.db).await,
        }
    }

    /// Verifies every chain; for `naru audit verify`.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn verify_all(db: &Db) -> Result<Verification, Error> {
        let streams = store::streams(db).await?;
        verify_streams(db, streams).await
    }

    /// The record as CSV, in pieces, newest first, at most 500,000 rows. That it was exported is recorded.
    ///
    /// # Errors
    /// When the actor may not, or the store fails before the first piece. A later failure breaks the file off.
    pub async fn export(
        &self,
        actor: &Actor,
        filter: Filter,
        client: &Client,
    ) -> Result<impl Stream<Item = Result<String, Error>> + Send + use<>, Error> {
        let sight = self.sight(actor).await?;
        let act = Act {
            at: self.clock.now(),
            action: "audit.export",
            by: By::Person(actor.person, actor.logon),
            ministry: Some(actor.ministry),
            subject: sight.stream().unwrap_or("all").to_owned(),
            address: Some(client.address.clone()),
        };
        self.db
            .record(act, Outcome::Done, serde_json::Value::Null)
            .await?;
        let export = Export {
            db: self.db.clone(),
            sight,
            filter,
            rows: 0,
            state: Progress::Head,
        };
        Ok(stream::try_unfold(export, Export::piece))
    }
}

enum Progress {
    Head,
    Rows,
    Done,
}

struct Export {
    db: Db,
    sight: Sight,
    filter: Filter,
    rows: usize,
    state: Progress,
}

impl Export {
    async fn piece(mut self) -> Result<Option<(String, Self)>, Error> {
        match self.state {
            Progress::Done => return Ok(None),
            Progress::Head => {
                self.state = Progress::Rows;
                return Ok(Some((CSV_HEAD.to_owned(), self)));
            }
            Progress::Rows => {}
        }
        let entries = store::entries(&self.db, self.sight.stream(), &self.filter, EXPORT_PAGE_ROWS).await?;
        let rows: Vec<AuditRow> = entries.into_iter().map(AuditRow::from).collect();
        let Some(last) = rows.last() else { return Ok(None) };
        self.filter.after = Some(Cursor::of(last));
        self.rows = self.rows.saturating_add(rows.len());
        let mut text: String = rows.iter().map(csv_line).collect();
        if self.rows >= EXPORT_ROWS_MAX {
            text.push_str("\"there are more rows: ask for a shorter time\"\r\n");
            self.state = Progress::Done;
        }
        Ok(Some((text, self)))
    }
}

async fn verify_streams(db: &Db, names: Vec<String>) -> Result<Verification, Error> {
    let mut streams = Vec::with_capacity(names.len());
    for stream in names {
        let head = store::head(db, &stream).await?.map(|head| hex::encode(head.hash));
        let (entries, broken) = match verify_stream(db, &stream).await? {
            Ok(entries) => (entries, None),
            Err(found) => (
                found.sequence.saturating_sub(1),
                Some(Broken {
                    stream: stream.clone(),
                    sequence: found.sequence,
                    why: found.why.to_owned(),
                }),
            ),
        };
        streams.push(StreamVerdict {
            stream,
            entries,
            head: head.unwrap_or_default(),
            broken,
        });
    }
    let broken = streams.iter().find_map(|stream| stream.broken.clone());
    Ok(Verification {
        ok: broken.is_none(),
        entries: streams.iter().map(|stream| stream.entries).sum(),
        head: head_of(&streams),
        broken,
        streams,
    })
}

fn head_of(streams: &[StreamVerdict]) -> String {
    if let [only] = streams {
        return only.head.clone();
    }
    let mut context = digest::Context::new(&digest::SHA256);
    for stream in streams {
        context.update(format!("{} {} {}\n", stream.stream, stream.entries, stream.head).as_bytes());
    }
    hex::encode(context.finish())
}
