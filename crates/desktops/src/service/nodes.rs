//! What operators do with hosts and gateways.

use std::sync::Arc;

use naru_kernel::{
    Action, Actor, HostId, Scope,
    fleet::{CloseReason, ClosureTarget, NodeRole},
};
use naru_store::Tx;

use super::{Desktops, settle};
use crate::{
    EndReason, Error, HostList, HostRow, NodeState,
    store::{self, nodes::Node},
};

impl Desktops {
    /// All hosts and gateways that were not removed.
    ///
    /// # Errors
    /// When the actor is no operator, or the store fails.
    pub async fn hosts(&self, actor: &Actor) -> Result<HostList, Error> {
        actor.may(Action::ManageHosts, Scope::Platform)?;
        let now = self.now();
        let rows = store::nodes::in_fleet(&self.parts.db).await?;
        let items = rows
            .into_iter()
            .map(|row| row.node.into_row(row.desktops, now))
            .collect();
        Ok(HostList { items })
    }

    /// Takes no new desktops or relays; those there go on.
    ///
    /// # Errors
    /// When the actor is no operator, there is no such node or it was removed.
    pub async fn drain(self: &Arc<Self>, actor: &Actor, address: &str, id: HostId) -> Result<HostRow, Error> {
        self.set_state(actor, address, id, NodeState::Draining, "desktops.drain-node")
            .await
    }

    /// Back in service.
    ///
    /// # Errors
    /// As [`Desktops::drain`].
    pub async fn resume(
        self: &Arc<Self>,
        actor: &Actor,
        address: &str,
        id: HostId,
    ) -> Result<HostRow, Error> {
        self.set_state(actor, address, id, NodeState::Ready, "desktops.resume-node")
            .await
    }

    /// Out of the fleet for good: its certificate is worth nothing from now on, its desktops have ended, its
    /// relays are cut.
    ///
    /// # Errors
    /// As [`Desktops::drain`].
    pub async fn remove(
        self: &Arc<Self>,
        actor: &Actor,
        address: &str,
        id: HostId,
    ) -> Result<HostRow, Error> {
        self.set_state(actor, address, id, NodeState::Removed, "desktops.remove-node")
            .await
    }

    async fn set_state(
        self: &Arc<Self>,
        actor: &Actor,
        address: &str,
        id: HostId,
        state: NodeState,
        action: &'static str,
    ) -> Result<HostRow, Error> {
        actor.may(Action::ManageHosts, Scope::Platform)?;
        let act = self.act(actor, address, action, id.to_string(), None);
        let this = Arc::clone(self);
        let row = self.parts.db.change(act, move |tx| {
            Box::pin(async move {
                let row = this.set_state_in(tx, id, state).await;
                settle(tx, row)
            })
        });
        let row = row.await?;
        self.wake();
        row
    }

    async fn set_state_in(&self, tx: &mut Tx, id: HostId, state: NodeState) -> Result<HostRow, Error> {
        let mut node = store::nodes::by_id(tx, id).await?.ok_or(Error::NoSuchNode)?;
        if node.state == NodeState::Removed {
            return Err(Error::NodeRemoved);
        }
        tx.note("name", node.name.as_str());
        tx.note("before", node.state.as_str());
        store::nodes::set_state(tx, id, state).await?;
        node.state = state;
        if state == NodeState::Removed {
            self.cut_off(tx, &node).await?;
        }
        let desktops = store::desktops::of_host(tx, id).await?;
        let live = desktops
            .iter()
            .filter(|one| one.state != crate::DesktopState::Ended)
            .count();
        Ok(node.into_row(i64::try_from(live).unwrap_or(i64::MAX), self.now()))
    }

    /// Takes down what a removed node carries. Hosts obey closures too, so a gateway that does not listen is cut
    /// off at the other end.
    async fn cut_off(&self, tx: &mut Tx, node: &Node) -> Result<(), Error> {
        let now = self.now();
        match node.role {
            NodeRole::Host => {
                for desktop in store::desktops::of_host(tx, node.id).await? {
                    let (reason, closed) = (EndReason::HostRemoved, CloseReason::HostLost);
                    Self::end_in(tx, desktop.id, now, reason, closed).await?;
                    store::desktops::gone(tx, desktop.id).await?;
                }
            }
            NodeRole::Gateway => {
                for desktop in store::relays::open_on(tx, node.id).await? {
                    let target = ClosureTarget::Desktop(desktop);
                    store::closures::add(tx, target, CloseReason::Draining, now).await?;
                }
            }
        }
        Ok(())
    }
}
