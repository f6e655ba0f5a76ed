//! Opening a desktop: the one there is, else a place for a new one, else a place in the queue.

use std::sync::Arc;

use naru_kernel::{
    Action, Actor, DesktopId, Id, Scope, Zone,
    fleet::{CloseReason, Protocol},
};
use naru_store::Tx;

use super::{
    Desktops,
    access::ruled,
    queue::{Place, queued},
    settle,
    ticket::Case,
};
use crate::{
    Counters, DesktopList, DesktopState, EndReason, Error, Offer, Opening, OpeningState,
    rules::{self, Existing},
    store::{self, desktops::Desktop},
};

/// People waiting for one kind of desktop in one zone.
const QUEUE_PLACES_MAX: i64 = 1_000;

impl Desktops {
    /// What the person can open, and has.
    ///
    /// # Errors
    /// When the actor may not, or the store fails.
    pub async fn list(&self, actor: &Actor) -> Result<DesktopList, Error> {
        actor.may(Action::OpenDesktop, Scope::Person(actor.person))?;
        let served = store::nodes::served(&self.parts.db).await?;
        let mut offers = Vec::new();
        for (zone, config) in &self.parts.config.zones {
            for protocol in [Protocol::Rfb, Protocol::Rdp] {
                let is_served =
                    |one: &store::nodes::Served| one.zone == *zone && one.protocols.contains(&protocol);
                if served.iter().any(is_served) {
                    let (zone, label) = (zone.clone(), config.label.clone());
                    offers.push(Offer {
                        zone,
                        protocol,
                        label,
                        clipboard: config.clipboard,
                    });
                }
            }
        }
        let items = store::desktops::live_of_person(&self.parts.db, actor.person, actor.ministry).await?;
        Ok(DesktopList {
            offers,
            items: items.into_iter().map(Desktop::into_row).collect(),
        })
    }

    /// Opens the person's desktop of this kind.
    ///
    /// # Errors
    /// When there is no host, room or gateway for it, its host is lost, or the queue is full.
    pub async fn open(
        self: &Arc<Self>,
        actor: &Actor,
        address: &str,
        zone: Zone,
        protocol: Protocol,
    ) -> Result<Opening, Error> {
        actor.may(Action::OpenDesktop, Scope::Person(actor.person))?;
        let case = self.case(actor, &zone).await?;
        let ruling = self.ruling(actor, address, &zone).await?;
        let kind = format!("{zone}/{}", protocol.as_str());
        let act = self.act(actor, address, "desktops.open", kind, Some(actor.ministry));
        let this = Arc::clone(self);
        let opened = self.parts.db.change(act, move |tx| {
            Box::pin(async move {
                let opened = match ruled(tx, ruling) {
                    Ok(()) => this.open_in(tx, &case, &zone, protocol).await,
                    Err(refusal) => Err(refusal),
                };
                settle(tx, opened)
            })
        });
        let opened = opened.await?;
        self.wake();
        count(&opened);
        opened
    }

    pub(super) async fn open_in(
        &self,
        tx: &mut Tx,
        case: &Case,
        zone: &Zone,
        protocol: Protocol,
    ) -> Result<Opening, Error> {
        let turn = store::desktops::take_turn(tx, zone).await?;
        let owner = (case.actor.person, case.actor.ministry);
        let found = store::desktops::live_of(tx, owner, zone, protocol).await?;
        match found {
            Some(desktop) if desktop.host.is_some() => {
                match self.existing_in(tx, case, &desktop).await {
                    Err(Gone::GivenUp) => {}
                    Err(Gone::Error(error)) => return Err(error),
                    Ok(opening) => return Ok(opening),
                }
                let (reason, closed) = (EndReason::HostLost, CloseReason::HostLost);
                Self::end_in(tx, desktop.id, case.now, reason, closed).await?;
                tx.note("given_up", desktop.id.to_string());
                self.new_in(tx, case, (zone, protocol, turn)).await
            }
            Some(queued) => self.place_in(tx, case, queued, false).await,
            None => self.new_in(tx, case, (zone, protocol, turn)).await,
        }
    }

    /// A ticket for the desktop there is, if its host is in contact.
    pub(super) async fn existing_in(
        &self,
        tx: &mut Tx,
        case: &Case,
        desktop: &Desktop,
    ) -> Result<Opening, Gone> {
        let host = desktop.host.ok_or(Error::Ended)?;
        let host = store::nodes::by_id(tx, host)
            .await
            .map_err(Error::from)?
            .ok_or(Error::NoSuchNode)?;
        match rules::existing(host.state, host.last_seen_at, self.started_at, case.now) {
            Existing::Wins => {
                let gateway = self.gateway(tx, &desktop.zone, case.now).await?;
                Ok(self.ready(tx, case, desktop, &host, gateway).await?)
            }
            Existing::Lost(seconds) => Err(Gone::Error(Error::HostLost(seconds))),
            Existing::GivenUp => Err(Gone::GivenUp),
        }
    }

    async fn new_in(
        &self,
        tx: &mut Tx,
        case: &Case,
        (zone, protocol, turn): (&Zone, Protocol, i64),
    ) -> Result<Opening, Error> {
        let desktop = Desktop {
            id: Id::new(case.now, &*self.parts.entropy),
            person: case.actor.person,
            ministry: case.actor.ministry,
            zone: zone.clone(),
            protocol,
            state: DesktopState::Queued,
            host: None,
            host_name: None,
            turn,
            opened_at: case.now,
            last_seen_at: None,
            missing_since: None,
            counters: Counters::default(),
        };
        self.place_in(tx, case, desktop, true).await
    }

    /// Gives a queued or new desktop its host, or its place in the queue. Under the zone's turn.
    pub(super) async fn place_in(
        &self,
        tx: &mut Tx,
        case: &Case,
        mut desktop: Desktop,
        is_new: bool,
    ) -> Result<Opening, Error> {
        let gateway = self.gateway(tx, &desktop.zone, case.now).await?;
        let place = self.find_place(tx, &desktop, case).await?;
        if is_new {
            if matches!(place, Place::Queue { waiting, .. } if waiting > QUEUE_PLACES_MAX) {
                return Err(Error::QueueFull);
            }
            store::desktops::add(tx, &desktop).await?;
        } else {
            store::desktops::polled(tx, desktop.id, case.now).await?;
        }
        tx.about(desktop.id);
        match place {
            Place::Queue { position, waiting } => {
                tx.note("position", position);
                Ok(queued(case, &desktop, position, waiting))
            }
            Place::Host(id) => {
                store::desktops::place(tx, desktop.id, id, case.now).await?;
                desktop.host = Some(id);
                let host = store::nodes::by_id(tx, id).await?.ok_or(Error::NoSuchNode)?;
                self.ready(tx, case, &desktop, &host, gateway).await
            }
        }
    }

    /// The zone of the person's own desktop in the ministry they serve now; another's is not told from none.
    pub(super) async fn own_zone(&self, actor: &Actor, id: DesktopId) -> Result<Zone, Error> {
        let desktop = store::desktops::read(&self.parts.db, id).await?;
        desktop
            .filter(|desktop| desktop.person == actor.person && desktop.ministry == actor.ministry)
            .map(|desktop| desktop.zone)
            .ok_or(Error::NoSuchDesktop)
    }
}

/// Why the desktop there is cannot be had.
pub(super) enum Gone {
    GivenUp,
    Error(Error),
}

impl From<Error> for Gone {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

/// Counts how it came out.
pub(super) fn count(opened: &Result<Opening, Error>) {
    use naru_runtime::Fails as _;
    let outcome = match opened {
        Ok(opening) if opening.state == OpeningState::Queued => "queued",
        Ok(opening) if opening.existing => "existing",
        Ok(_) => "placed",
        Err(error) => error.code().strip_prefix("desktops.").unwrap_or("failed"),
    };
    metrics::counter!("naru_placement_total", "outcome" => outcome).increment(1);
}
