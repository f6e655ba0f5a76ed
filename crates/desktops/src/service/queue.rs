//! Waiting for a place, and asking again.

use std::sync::Arc;

use naru_kernel::{Action, Actor, DesktopId, Scope, Seconds, Zone};
use naru_store::Tx;

use super::{
    Desktops,
    access::ruled,
    open::{Gone, count},
    settle,
    ticket::Case,
};
use crate::{
    DesktopState, Error, Opening, OpeningState,
    rules::{self, Decision, Wanted},
    store::{self, desktops::Desktop},
};

/// A place in the queue is kept for so long without being asked for.
pub(super) const POLL_SECONDS_MAX: i64 = 30;
/// How long a new desktop waits for the host to be rid of the person's old one.
const LEAVING_SECONDS_MAX: i64 = 10;

/// A place found for the desktop, or the place in the queue.
pub(super) enum Place {
    Host(naru_kernel::HostId),
    Queue { position: i64, waiting: i64 },
}

impl Desktops {
    /// Looks for a place; changes nothing.
    pub(super) async fn find_place(
        &self,
        tx: &mut Tx,
        desktop: &Desktop,
        case: &Case,
    ) -> Result<Place, Error> {
        let (zone, protocol, now) = (&desktop.zone, desktop.protocol, case.now);
        let polled_since = now - Seconds(POLL_SECONDS_MAX);
        let ahead = store::desktops::ahead(tx, desktop, polled_since).await?;
        let leaving = store::desktops::is_leaving(
            tx,
            desktop,
            now - Seconds(LEAVING_SECONDS_MAX),
            now - Seconds(rules::FRESH_SECONDS_MAX),
        );
        let hosts = if leaving.await? {
            None
        } else {
            Some(store::nodes::views(tx, zone).await?)
        };
        let decision = match hosts {
            // Two sessions of one account at once would share a home: the old one goes first.
            None => Decision::Wait {
                position: ahead.saturating_add(1),
            },
            Some(hosts) => rules::place(
                Wanted {
                    zone,
                    protocol,
                    ahead,
                },
                &hosts,
                now,
                self.dice(),
            ),
        };
        match decision {
            Decision::Host(host) => Ok(Place::Host(host)),
            Decision::NoHost(why) => Err(Error::NoHost(why)),
            Decision::Wait { position } => {
                let waiting = store::desktops::waiting(tx, zone, protocol, polled_since).await?;
                let waiting = waiting.max(position);
                Ok(Place::Queue { position, waiting })
            }
        }
    }

    /// How the opening stands: asked each second while queued, and this keeps the place.
    ///
    /// # Errors
    /// As [`Desktops::open`]; and when the desktop is another's or has ended.
    pub async fn opening(
        self: &Arc<Self>,
        actor: &Actor,
        address: &str,
        id: DesktopId,
    ) -> Result<Opening, Error> {
        actor.may(Action::OpenDesktop, Scope::Person(actor.person))?;
        let zone = self.own_zone(actor, id).await?;
        let case = self.case(actor, &zone).await?;
        let this = Arc::clone(self);
        let polled = self.parts.db.housekeep("desktops.poll-queue", move |tx| {
            Box::pin(async move {
                let polled = this.poll_in(tx, &case, id).await;
                match polled {
                    Err(error) if error.is_refusal() => Ok(Err(error)),
                    Err(error) => Err(error),
                    Ok(value) => Ok(Ok(value)),
                }
            })
        });
        match polled.await?? {
            Some(opening) => Ok(opening),
            None => self.again(actor, address, id, "desktops.place").await,
        }
    }

    /// The place in the queue; `None` when it is time to place it, or it has its host already.
    async fn poll_in(&self, tx: &mut Tx, case: &Case, id: DesktopId) -> Result<Option<Opening>, Error> {
        let desktop = store::desktops::by_id(tx, id)
            .await?
            .ok_or(Error::NoSuchDesktop)?;
        if desktop.state != DesktopState::Queued {
            return Ok(None);
        }
        store::desktops::polled(tx, id, case.now).await?;
        match self.find_place(tx, &desktop, case).await? {
            Place::Host(_) => Ok(None),
            Place::Queue { position, waiting } => Ok(Some(queued(case, &desktop, position, waiting))),
        }
    }

    /// A ticket again: for a reconnect or another seat.
    ///
    /// # Errors
    /// As [`Desktops::opening`].
    pub async fn ticket(
        self: &Arc<Self>,
        actor: &Actor,
        address: &str,
        id: DesktopId,
    ) -> Result<Opening, Error> {
        self.again(actor, address, id, "desktops.issue-ticket").await
    }

    async fn again(
        self: &Arc<Self>,
        actor: &Actor,
        address: &str,
        id: DesktopId,
        action: &'static str,
    ) -> Result<Opening, Error> {
        actor.may(Action::OpenDesktop, Scope::Person(actor.person))?;
        let zone = self.own_zone(actor, id).await?;
        let case = self.case(actor, &zone).await?;
        let ruling = self.ruling(actor, address, &zone).await?;
        let act = self.act(actor, address, action, id.to_string(), Some(actor.ministry));
        let this = Arc::clone(self);
        let opened = self.parts.db.change(act, move |tx| {
            Box::pin(async move {
                let opened = match ruled(tx, ruling) {
                    Ok(()) => this.again_in(tx, &case, &zone, id).await,
                    Err(refusal) => Err(refusal),
                };
                settle(tx, opened)
            })
        });
        let opened = opened.await?;
        count(&opened);
        opened
    }

    async fn again_in(&self, tx: &mut Tx, case: &Case, zone: &Zone, id: DesktopId) -> Result<Opening, Error> {
        store::desktops::take_turn(tx, zone).await?;
        let desktop = store::desktops::by_id(tx, id)
            .await?
            .ok_or(Error::NoSuchDesktop)?;
        match desktop.state {
            DesktopState::Ended => Err(Error::Ended),
            DesktopState::Queued => self.place_in(tx, case, desktop, false).await,
            DesktopState::Starting | DesktopState::Running | DesktopState::Disconnected => {
                match self.existing_in(tx, case, &desktop).await {
                    Ok(opening) => Ok(opening),
                    Err(Gone::Error(error)) => Err(error),
                    // Only opening anew gives a desktop up.
                    Err(Gone::GivenUp) => Err(Error::HostLost(0)),
                }
            }
        }
    }
}

/// The answer to one who waits.
pub(super) fn queued(case: &Case, desktop: &Desktop, position: i64, waiting: i64) -> Opening {
    Opening {
        position: Some(position),
        waiting: Some(waiting),
        ..case.opening(desktop, OpeningState::Queued)
    }
}
