//! Use cases of the record.

mod checkpoints;
mod export;
mod forgetting;
mod proofs;
mod retire;
mod reviews;
mod telling;
mod witness;

use std::{
    collections::{BTreeMap, BTreeSet},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
    sync::Arc,
};

use naru_kernel::{Action, Actor, Clock, Entropy, MinistryId, Page, PersonId, Scope, Tenant};
use naru_runtime::{Client, Tasks};
use naru_store::{Act, BoxFuture, By, Db};
use tokio::sync::{Mutex, Semaphore};

pub use retire::Retirement;
pub use witness::WitnessAnswer;

use crate::{
    AuditConfig, AuditRow, Error, Filter, Measure, NoteKey, Signer, Verification, drivers::Driver,
    rules::Cursor, store, verify,
};

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

/// What the domain is made of.
pub struct Parts {
    /// `[audit]`, with its name filled in.
    pub config: AuditConfig,
    /// The database.
    pub db: Db,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// For the signing key, the first time.
    pub entropy: Arc<dyn Entropy>,
    /// Which ministry runs the platform.
    pub ministries: Arc<dyn KnowsMinistries>,
    /// What people are called.
    pub people: Arc<dyn KnowsNames>,
}

/// The record.
pub struct Audit {
    config: AuditConfig,
    db: Db,
    clock: Arc<dyn Clock>,
    ministries: Arc<dyn KnowsMinistries>,
    people: Arc<dyn KnowsNames>,
    signer: Signer,
    witnesses: Vec<Driver>,
    witnessed: Vec<NoteKey>,
    verifications: Semaphore,
    /// Held while a tree grows: one at a time is enough.
    growing: Mutex<()>,
}

/// Which chains somebody may read.
struct Sight {
    /// Rows of this ministry only; all if absent.
    tenant: Option<Tenant>,
}

impl Sight {
    /// The chain to read: the one asked for, if it may be read; else the only one that may.
    fn stream(&self, wanted: Option<&str>) -> Result<Option<String>, Error> {
        let own = self.tenant.map(|tenant| tenant.to_string());
        match (own, wanted) {
            (None, wanted) => Ok(wanted.map(str::to_owned)),
            (Some(own), None) => Ok(Some(own)),
            (Some(own), Some(wanted)) if own == wanted => Ok(Some(own)),
            // What one may not know of is not there.
            (Some(_), Some(_)) => Err(Error::NoSuchEntry),
        }
    }
}

/// The seed of the signing key: from its file, which is made if it is not there, or from the database.
async fn seed(
    config: &AuditConfig,
    db: &Db,
    clock: &dyn Clock,
    entropy: &dyn Entropy,
) -> Result<[u8; 32], Error> {
    let mut fresh = [0_u8; 32];
    entropy.fill(&mut fresh);
    let wrong = || Error::Key(crate::NoteError::Key);
    if let Some(path) = &config.key_file {
        return seed_in_file(path, &fresh);
    }
    let now = clock.now();
    let kept = match store::kept_key(db).await? {
        Some(kept) => kept,
        None => {
            db.housekeep("runtime.secrets", move |tx| {
                Box::pin(async move { store::keep_key(tx, &fresh, now).await })
            })
            .await?
        }
    };
    kept.try_into().map_err(|_| wrong())
}

fn seed_in_file(path: &Path, fresh: &[u8; 32]) -> Result<[u8; 32], Error> {
    let failed = |source| Error::File {
        what: path.display().to_string(),
        source,
    };
    let made = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .and_then(|mut file| std::io::Write::write_all(&mut file, hex::encode(fresh).as_bytes()));
    match made {
        Ok(()) => return Ok(*fresh),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(failed(error)),
    }
    let text = std::fs::read_to_string(path).map_err(failed)?;
    let bytes = hex::decode(text.trim())
        .ok()
        .and_then(|bytes| bytes.try_into().ok());
    bytes.ok_or(Error::Key(crate::NoteError::Key))
}

impl Audit {
    /// Opens the record: reads or makes the key that signs checkpoints.
    ///
    /// # Errors
    /// When the key, a witness or the configuration cannot be used, or the store fails.
    pub async fn open(parts: Parts) -> Result<Self, Error> {
        let Parts {
            config,
            db,
            clock,
            entropy,
            ministries,
            people,
        } = parts;
        let seed = seed(&config, &db, clock.as_ref(), entropy.as_ref()).await?;
        let signer = Signer::new(&config.name, &seed)?;
        let witnesses = config
            .witnesses
            .iter()
            .map(Driver::new)
            .collect::<Result<_, _>>()?;
        let witnessed = config
            .witnessed
            .iter()
            .map(|key| NoteKey::read(key))
            .collect::<Result<_, _>>()?;
        Ok(Self {
            config,
            db,
            clock,
            ministries,
            people,
            signer,
            witnesses,
            witnessed,
            verifications: Semaphore::new(VERIFICATIONS_MAX),
            growing: Mutex::new(()),
        })
    }

    /// Starts what runs by itself: checkpoints, and telling witnesses.
    pub fn start_jobs(self: &Arc<Self>, tasks: &Tasks) {
        self.start_checkpoints(tasks);
        self.start_telling(tasks);
    }

    /// The key that checks this installation's checkpoints; to be kept outside of it.
    #[must_use]
    pub fn log_key(&self) -> NoteKey {
        self.signer.log_key()
    }

    /// The key that checks what this installation says as a witness of others.
    #[must_use]
    pub fn witness_key(&self) -> NoteKey {
        self.signer.witness_key()
    }

    async fn sight(&self, actor: &Actor) -> Result<Sight, Error> {
        actor.may(Action::ReadRecord, Scope::Ministry(actor.ministry))?;
        let sees_all = self.ministries.is_platform(actor.ministry).await?;
        Ok(Sight {
            tenant: (!sees_all).then(|| actor.tenant()),
        })
    }

    /// The one chain somebody asks about: their own ministry's if they say nothing.
    async fn one_stream(&self, actor: &Actor, wanted: Option<&str>) -> Result<String, Error> {
        let stream = self.sight(actor).await?.stream(wanted)?;
        Ok(stream.unwrap_or_else(|| actor.ministry.to_string()))
    }

    fn act(&self, action: &'static str, actor: &Actor, subject: String, client: &Client) -> Act {
        Act {
            at: self.clock.now(),
            action,
            by: By::Person(actor.person, actor.logon),
            ministry: Some(actor.ministry),
            subject,
            address: Some(client.address.clone()),
        }
    }

    /// A page of the record, with the names of those the auditor may know of.
    ///
    /// # Errors
    /// When the actor may not, or the store fails.
    pub async fn list(&self, actor: &Actor, filter: &Filter) -> Result<Page<AuditRow>, Error> {
        let sight = self.sight(actor).await?;
        let stream = sight.stream(filter.stream.as_deref())?;
        let wanted = filter.rows.saturating_add(1);
        let entries = store::entries(&self.db, sight.tenant, stream.as_deref(), filter, wanted).await?;
        let mut items = forgetting::rows(&self.db, sight.tenant, entries).await?;
        let rows = usize::try_from(filter.rows).unwrap_or(usize::MAX);
        let has_more = items.len() > rows;
        items.truncate(rows);
        let next = items
            .last()
            .filter(|_| has_more)
            .map(|row| Cursor::of(row).text());
        let total = store::count(&self.db, sight.tenant, stream.as_deref(), filter).await?;
        let known = sight.tenant.map(Tenant::ministry);
        let people = items.iter().flat_map(AuditRow::people).flatten().collect();
        let names = self.people.names(people, known).await?;
        for row in &mut items {
            row.name(&names);
        }
        Ok(Page { items, next, total })
    }

    /// What a verification in this installation goes by.
    #[must_use]
    pub fn measure(&self) -> Measure {
        Measure {
            log: self.config.name.clone(),
            keys: vec![self.signer.log_key()],
            outside: Vec::new(),
        }
    }

    /// Verifies what the actor may read.
    ///
    /// # Errors
    /// When the actor may not, somebody else is verifying, or the store fails.
    pub async fn verify(&self, actor: &Actor) -> Result<Verification, Error> {
        let sight = self.sight(actor).await?;
        let stream = sight.stream(None)?;
        let _turn = self.verifications.try_acquire().map_err(|_| Error::Busy)?;
        verify(&self.db, &self.measure(), stream.as_deref()).await
    }

    /// Verifies every chain, or one, also against checkpoints kept outside; for `naru audit verify`.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn verify_against(&self, measure: &Measure, only: Option<&str>) -> Result<Verification, Error> {
        verify(&self.db, measure, only).await
    }
}
