//! Use cases.

mod access;
mod address;
mod end;
mod enrol;
mod jobs;
mod keys;
mod nodes;
mod open;
mod orders;
mod queue;
mod report;
mod ticket;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, RwLock},
};

use naru_kernel::{Actor, Clock, Entropy, HostId, MinistryId, Timestamp};
use naru_runtime::Fails as _;
use naru_store::{Act, By, Db, Tx};
use tokio::sync::watch;

use crate::{
    DecidesAccess, DesktopsConfig, Error, IssuesNodeCertificates, KeepsSessionsAlive, KnowsPeople, ZoneConfig,
};
use keys::TicketKeys;

/// What the domain is made of.
pub struct Parts {
    /// The `[desktops]` section.
    pub config: DesktopsConfig,
    /// The database.
    pub db: Db,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
    /// Who certifies nodes.
    pub certificates: Arc<dyn IssuesNodeCertificates>,
    /// Who knows people.
    pub people: Arc<dyn KnowsPeople>,
    /// Who is told of activity.
    pub sessions: Arc<dyn KeepsSessionsAlive>,
    /// What the site's rules say.
    pub rules: Arc<dyn DecidesAccess>,
}

/// Hosts, gateways and the desktops on them.
pub struct Desktops {
    parts: Parts,
    keys: RwLock<Arc<TicketKeys>>,
    /// Moved when a held sync may have something to say.
    news: watch::Sender<u64>,
    /// What each node was last told, so that the same order is not repeated without pause.
    told: Mutex<BTreeMap<HostId, orders::Told>>,
    started_at: Timestamp,
}

impl Desktops {
    /// Starts: makes the first ticket key if there is none.
    ///
    /// # Errors
    /// When the store cannot be read or written.
    pub async fn start(parts: Parts) -> Result<Arc<Self>, Error> {
        let keys = keys::load_or_make(&parts).await?;
        Ok(Arc::new(Self {
            started_at: parts.clock.now(),
            parts,
            keys: RwLock::new(Arc::new(keys)),
            news: watch::Sender::new(0),
            told: Mutex::default(),
        }))
    }

    /// Lets held syncs look again: call it after the commit of what [`Desktops::close_in`] wrote.
    pub fn wake(&self) {
        self.news.send_modify(|count| *count = count.wrapping_add(1));
    }

    fn now(&self) -> Timestamp {
        self.parts.clock.now()
    }

    fn dice(&self) -> [u64; 2] {
        let (mut one, mut other) = ([0; 8], [0; 8]);
        self.parts.entropy.fill(&mut one);
        self.parts.entropy.fill(&mut other);
        [u64::from_le_bytes(one), u64::from_le_bytes(other)]
    }

    fn zone(&self, zone: &naru_kernel::Zone) -> Result<&ZoneConfig, Error> {
        self.parts.config.zones.get(zone).ok_or(Error::UnknownZone)
    }

    /// An act of a person; `ministry` says in whose record, the platform's if absent.
    fn act(
        &self,
        actor: &Actor,
        address: &str,
        action: &'static str,
        subject: String,
        ministry: Option<MinistryId>,
    ) -> Act {
        Act {
            at: self.now(),
            action,
            by: By::Person(actor.person, actor.logon),
            ministry,
            subject,
            address: Some(address.to_owned()).filter(|address| !address.is_empty()),
        }
    }
}

/// Ends a change: a refusal is kept in the record with what was written, a failure undoes all.
fn settle<T>(tx: &mut Tx, result: Result<T, Error>) -> Result<Result<T, Error>, Error> {
    match result {
        Err(error) if error.is_refusal() => {
            tx.refused(error.code());
            Ok(Err(error))
        }
        Err(error) => Err(error),
        Ok(value) => Ok(Ok(value)),
    }
}
