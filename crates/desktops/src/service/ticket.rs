//! Making the ticket for a desktop that has its host.

use naru_kernel::{Actor, Seconds, Timestamp, fleet::ClipboardPolicy};
use naru_relay::ticket::{Claims, VERSION};
use naru_store::Tx;

use super::Desktops;
use crate::{
    Error, Opening, OpeningState, Seat, rules,
    store::{self, desktops::Desktop, nodes::Gateway, nodes::Node},
};

/// How long a ticket is good.
const TICKET_SECONDS: i64 = 60;

/// What stays the same through one opening.
pub(super) struct Case {
    pub(super) actor: Actor,
    pub(super) seat: Seat,
    pub(super) clipboard: ClipboardPolicy,
    pub(super) now: Timestamp,
}

impl Case {
    pub(super) fn opening(&self, desktop: &Desktop, state: OpeningState) -> Opening {
        Opening {
            desktop: desktop.id,
            zone: desktop.zone.clone(),
            protocol: desktop.protocol,
            state,
            position: None,
            waiting: None,
            ticket: None,
            gateway_url: None,
            clipboard: self.clipboard,
            watermark: format!("{} · {}", self.seat.display_name, self.seat.agency_code),
            existing: desktop.last_seen_at.is_some(),
        }
    }
}

impl Desktops {
    /// Account and name of the caller.
    pub(super) async fn case(&self, actor: &Actor, zone: &naru_kernel::Zone) -> Result<Case, Error> {
        let clipboard = self.zone(zone)?.clipboard;
        let seat = self.parts.people.seat(actor.person, actor.ministry).await;
        let seat = seat.ok_or(Error::NoSeat)?;
        Ok(Case {
            actor: actor.clone(),
            seat,
            clipboard,
            now: self.now(),
        })
    }

    /// The gateway to use; looked up before anything is placed, for a desktop nobody can reach helps nobody.
    pub(super) async fn gateway(
        &self,
        tx: &mut Tx,
        zone: &naru_kernel::Zone,
        now: Timestamp,
    ) -> Result<Gateway, Error> {
        let seen_since = now - Seconds(rules::FRESH_SECONDS_MAX);
        let issued_since = now - Seconds(TICKET_SECONDS);
        store::nodes::gateway(tx, zone, seen_since, issued_since)
            .await?
            .ok_or(Error::NoGateway)
    }

    /// Signs the ticket and remembers whose it is.
    pub(super) async fn ready(
        &self,
        tx: &mut Tx,
        case: &Case,
        desktop: &Desktop,
        host: &Node,
        gateway: Gateway,
    ) -> Result<Opening, Error> {
        let mut id = [0; 16];
        self.parts.entropy.fill(&mut id);
        let claims = Claims {
            version: VERSION,
            id: hex::encode(id),
            desktop: desktop.id,
            logon: case.actor.logon,
            person: case.actor.person,
            ministry: case.actor.ministry,
            account: case.seat.account.clone(),
            display_name: case.seat.display_name.clone(),
            host: host.id,
            host_address: host.address.clone(),
            host_certificate: host.certificate_sha256.clone(),
            protocol: desktop.protocol,
            zone: desktop.zone.clone(),
            clipboard: case.clipboard,
            issued_at: case.now,
            expires_at: case.now + Seconds(TICKET_SECONDS),
        };
        let ticket = self.keys()?.sign(&claims)?;
        store::relays::issued(tx, &claims.id, desktop.id, claims.logon, gateway.id, case.now).await?;
        tx.about(desktop.id);
        tx.note("host", host.id.to_string());
        tx.note("ticket", claims.id);
        Ok(Opening {
            ticket: Some(ticket),
            gateway_url: Some(gateway.url),
            ..case.opening(desktop, OpeningState::Ready)
        })
    }
}
