//! The words of this domain: states, rows as people see them, requests.

use core::str::FromStr;

use naru_kernel::{
    DesktopId, HostId, MinistryId, PersonId, Timestamp, Zone,
    fleet::{ClipboardPolicy, HostLoad, NodeRole, Protocol},
};
use serde::{Deserialize, Serialize};

/// An enumeration whose words are the same in tables and messages.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema)]
        pub enum $name {$(
            $(#[$variant_doc])*
            #[serde(rename = $word)]
            $variant,
        )+}

        impl $name {
            /// Its word in tables and messages.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }
        }

        impl FromStr for $name {
            type Err = &'static str;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                match text {
                    $($word => Ok(Self::$variant),)+
                    _ => Err("not a word this program knows"),
                }
            }
        }
    };
}

words! {
    /// What an operator wants of a node.
    NodeState {
        /// Takes desktops or relays.
        Ready = "ready",
        /// Takes no new ones; those there go on.
        Draining = "draining",
        /// Out of the fleet for good; its certificate is worth nothing.
        Removed = "removed",
    }
}

words! {
    /// A node as an operator sees it.
    NodeView {
        /// In service.
        Ready = "ready",
        /// Takes no new desktops or relays.
        Draining = "draining",
        /// Has not synced for 10 s.
        Lost = "lost",
        /// Out of the fleet.
        Removed = "removed",
    }
}

words! {
    /// Where a desktop stands.
    DesktopState {
        /// Waits for a place on a host.
        Queued = "queued",
        /// Has a host; not up yet.
        Starting = "starting",
        /// Up, with somebody looking.
        Running = "running",
        /// Up, with nobody looking.
        Disconnected = "disconnected",
        /// Over.
        Ended = "ended",
    }
}

words! {
    /// Why a desktop ended.
    EndReason {
        /// The person ended it in the portal.
        Person = "person",
        /// The person restarted it.
        Restart = "restart",
        /// An operator ended it.
        Operator = "operator",
        /// The person was revoked.
        Revoked = "revoked",
        /// It ended on its host: logged off in it, or it died.
        HostEnded = "host-ended",
        /// The host's agent restarted without it.
        HostRestarted = "host-restarted",
        /// The host no longer reports it.
        Vanished = "vanished",
        /// The host was lost and the person went on with a new one.
        HostLost = "host-lost",
        /// The host was removed from the fleet.
        HostRemoved = "host-removed",
        /// It was not up within 60 s.
        NeverStarted = "never-started",
        /// The person stopped asking while in the queue.
        PlaceLost = "place-lost",
    }
}

/// What a host needs to know of a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seat {
    /// POSIX login name.
    pub account: String,
    /// The person's name.
    pub display_name: String,
    /// The ministry's code, for the watermark.
    pub agency_code: String,
}

/// What has gone through a desktop's relays.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Counters {
    /// Bytes from browsers.
    pub bytes_in: i64,
    /// Bytes to browsers.
    pub bytes_out: i64,
    /// Browser to gateway and back, as last measured.
    pub round_trip_us: Option<i64>,
}

/// A desktop as its person sees it.
#[derive(Clone, Debug, Serialize, schemars::JsonSchema)]
pub struct DesktopRow {
    /// Which.
    pub id: DesktopId,
    /// Its zone.
    pub zone: Zone,
    /// How it is carried.
    pub protocol: Protocol,
    /// Where it stands.
    pub state: DesktopState,
    /// The host it runs on, once placed.
    pub host_name: Option<String>,
    /// When it was asked for.
    pub opened_at: Timestamp,
    /// When its host last reported it.
    pub last_seen_at: Option<Timestamp>,
    /// What has gone through.
    pub counters: Counters,
}

/// A desktop one may open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Offer {
    /// Its zone.
    pub zone: Zone,
    /// How it is carried.
    pub protocol: Protocol,
    /// What the zone is called.
    pub label: String,
    /// What may cross the clipboard.
    pub clipboard: ClipboardPolicy,
}

/// What a person can open and what they have.
#[derive(Clone, Debug, Serialize, schemars::JsonSchema)]
pub struct DesktopList {
    /// What there is to open.
    pub offers: Vec<Offer>,
    /// What has not ended.
    pub items: Vec<DesktopRow>,
}

/// What a person asks for.
#[derive(Clone, Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OpenRequest {
    /// In which zone.
    pub zone: Zone,
    /// How it is to be carried.
    pub protocol: Protocol,
}

words! {
    /// Whether the page may connect.
    OpeningState {
        /// Ask again in a second.
        Queued = "queued",
        /// There is a ticket.
        Ready = "ready",
    }
}

/// The way to a desktop.
#[derive(Clone, Debug, Serialize, schemars::JsonSchema)]
pub struct Opening {
    /// Which.
    pub desktop: DesktopId,
    /// Its zone.
    pub zone: Zone,
    /// How it is carried.
    pub protocol: Protocol,
    /// Whether the page may connect.
    pub state: OpeningState,
    /// Place in the queue, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub position: Option<i64>,
    /// How many wait in all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waiting: Option<i64>,
    /// Good once, for 60 s.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ticket: Option<String>,
    /// The gateway to show it to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gateway_url: Option<String>,
    /// What may cross the clipboard; enforced in the gateway.
    pub clipboard: ClipboardPolicy,
    /// Who is looking: the page adds the time.
    pub watermark: String,
    /// Whether the desktop was up already.
    pub existing: bool,
}

/// A host or gateway as an operator sees it.
#[derive(Clone, Debug, Serialize, schemars::JsonSchema)]
pub struct HostRow {
    /// Which.
    pub id: HostId,
    /// Gateway or host.
    pub role: NodeRole,
    /// What people call it.
    pub name: String,
    /// Where others reach it.
    pub address: String,
    /// Its zone.
    pub zone: Zone,
    /// What it serves; empty for gateways.
    pub protocols: Vec<Protocol>,
    /// How it stands.
    pub state: NodeView,
    /// Its load, once reported; hosts only.
    pub load: Option<HostLoad>,
    /// Hosts: desktops that have not ended. Gateways: open relays.
    pub desktops: i64,
    /// When it last synced.
    pub last_seen_at: Option<Timestamp>,
    /// SHA-256 of its certificate.
    pub certificate_sha256: String,
}

/// All hosts and gateways.
#[derive(Clone, Debug, Serialize, schemars::JsonSchema)]
pub struct HostList {
    /// The rows.
    pub items: Vec<HostRow>,
}

/// A token is wanted.
#[derive(Clone, Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TokenRequest {
    /// For a gateway or a host.
    pub role: NodeRole,
    /// What people will call it.
    pub name: String,
}

/// A one-time token; shown once.
#[derive(Clone, Debug, Serialize, schemars::JsonSchema)]
pub struct EnrolmentToken {
    /// Its text.
    pub token: String,
    /// Good until then.
    pub expires_at: Timestamp,
    /// What to run on the node.
    pub command: String,
}

/// A desktop as an operator sees it: whose, by identifier only.
#[derive(Clone, Debug, Serialize, schemars::JsonSchema)]
pub struct RunningDesktop {
    /// The desktop.
    #[serde(flatten)]
    pub desktop: DesktopRow,
    /// Whose.
    pub person: PersonId,
    /// Of which ministry.
    pub ministry: MinistryId,
    /// On which host, once placed.
    pub host: Option<HostId>,
}
