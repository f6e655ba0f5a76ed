//! What portal, gateways and host agents tell each other (JSON over mutual TLS, `docs/fleet.md`).
//!
//! A node enrols once with a one-time token and from then on only *syncs*: it reports what it sees
//! and is answered with what should be. Orders are states, not steps: obeying twice is harmless.

use core::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::{DesktopId, HostId, LogonId, PersonId, Timestamp, Zone};

/// What a node of the fleet is.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum NodeRole {
    /// Relays desktops between browsers and hosts.
    Gateway,
    /// Runs desktops.
    Host,
}

impl NodeRole {
    /// Its name in tables, certificates and messages.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Gateway => "gateway",
            Self::Host => "host",
        }
    }
}

impl fmt::Display for NodeRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for NodeRole {
    type Err = &'static str;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "gateway" => Ok(Self::Gateway),
            "host" => Ok(Self::Host),
            _ => Err("a node is a gateway or a host"),
        }
    }
}

/// How a desktop is carried.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Protocol {
    /// Remote framebuffer (RFC 6143): Linux desktops.
    Rfb,
    /// Remote desktop protocol: xrdp and Windows hosts.
    Rdp,
}

impl Protocol {
    /// Its name in tables and messages.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rfb => "rfb",
            Self::Rdp => "rdp",
        }
    }
}

impl FromStr for Protocol {
    type Err = &'static str;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "rfb" => Ok(Self::Rfb),
            "rdp" => Ok(Self::Rdp),
            _ => Err("a protocol is rfb or rdp"),
        }
    }
}

/// What may cross the clipboard, per direction; enforced in the gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct ClipboardPolicy {
    /// Text copied in the desktop reaches the person's own device.
    pub copy_out: bool,
    /// Text of the person's own device can be pasted into the desktop.
    pub paste_in: bool,
}

/// The first message of a node: `POST /fleet/v1/enrol`.
#[derive(Clone, Debug, Serialize, Deserialize, schemars::JsonSchema)]
pub struct EnrolRequest {
    /// The one-time token.
    pub token: String,
    /// Must be the role the token was made for.
    pub role: NodeRole,
    /// What people call it.
    pub name: String,
    /// Hosts: `address:port` where gateways reach it. Gateways: the URL where browsers reach it.
    pub address: String,
    /// Zone whose desktops it runs or relays.
    pub zone: Zone,
    /// Hosts: which protocols it can serve.
    pub protocols: Vec<Protocol>,
    /// Certificate signing request (PKCS #10, PEM) for the node's own key.
    pub certificate_request_pem: String,
}

/// The answer to [`EnrolRequest`].
#[derive(Clone, Debug, Serialize, Deserialize, schemars::JsonSchema)]
pub struct EnrolAnswer {
    /// Its identifier from now on.
    pub node: HostId,
    /// Its certificate (PEM): proves `node` and role to the portal and to other nodes.
    pub certificate_pem: String,
    /// The platform's own authority (PEM).
    pub authority_pem: String,
}

/// What a node sees: `POST /fleet/v1/sync`. Who reports is told by its certificate.
#[derive(Clone, Debug, Default, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Report {
    /// The `cursor` of the last [`Orders`]; 0 at first.
    pub cursor: i64,
    /// Changes at every start of the node's process.
    pub boot: String,
    /// Hosts: load now.
    pub load: Option<HostLoad>,
    /// Hosts: every desktop session there is now.
    #[serde(default)]
    pub desktops: Vec<HostDesktop>,
    /// Gateways: every open relay, and those closed since the last report.
    #[serde(default)]
    pub relays: Vec<RelayReport>,
}

/// How busy a host is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct HostLoad {
    /// Share of the last 10 s in which some task waited for a processor, 0–100 (Linux PSI `cpu some avg10`).
    pub cpu_pressure_percent: f64,
    /// Processors.
    pub processors: i64,
    /// Memory in all.
    pub memory_total_mib: i64,
    /// Memory that can be had without swapping.
    pub memory_available_mib: i64,
    /// Desktop sessions running.
    pub sessions: i64,
    /// The most it will run.
    pub sessions_max: i64,
    /// Sessions being started now.
    pub logons_in_progress: i64,
}

/// Where a desktop session stands on its host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum HostDesktopState {
    /// Being started.
    Starting,
    /// Running.
    Running,
    /// It has ended (the person logged off in it, or it died); reported once.
    Ended,
}

/// One desktop session on a host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct HostDesktop {
    /// Which.
    pub desktop: DesktopId,
    /// How it stands.
    pub state: HostDesktopState,
    /// Whether a gateway is connected to it.
    pub attached: bool,
}

/// One relay of a gateway.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct RelayReport {
    /// Which desktop.
    pub desktop: DesktopId,
    /// By which ticket.
    pub ticket: String,
    /// When it opened.
    pub opened_at: Timestamp,
    /// Bytes from the host to the browser.
    pub bytes_out: i64,
    /// Bytes from the browser to the host.
    pub bytes_in: i64,
    /// Browser to gateway and back, in microseconds; absent until measured.
    pub round_trip_us: Option<i64>,
    /// Seconds since the person last typed, pointed or pasted; absent until they do. A page that only looks at
    /// the picture keeps asking for it, so bytes alone do not tell that somebody is there.
    #[serde(default)]
    pub idle_seconds: Option<i64>,
    /// Set once it is closed.
    pub closed: Option<CloseReason>,
}

/// Why a relay or a session was closed; the same word on every wire and in every page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CloseReason {
    /// The person left; the desktop goes on running.
    Left,
    /// Another seat took the desktop over.
    TakenOver,
    /// The person's session, certificate or account was ended or revoked.
    Revoked,
    /// The log-on session idled out.
    Idle,
    /// The desktop ended (log off in it, or from the portal).
    Ended,
    /// The host closed the connection or cannot be reached.
    HostLost,
    /// The host refuses: no more room.
    HostFull,
    /// The host's certificate is not the one the ticket names.
    HostCertificateChanged,
    /// The ticket is malformed, altered, expired, used or for something else.
    TicketRefused,
    /// The browser sent what the protocol does not allow.
    ProtocolError,
    /// The gateway is going down.
    Draining,
    /// The browser did not take its bytes for too long.
    TooSlow,
}

impl CloseReason {
    /// The WebSocket close code for it (RFC 6455 §7.4.2: 4000–4999 are for applications).
    #[must_use]
    pub const fn close_code(self) -> u16 {
        match self {
            Self::Left => 4000,
            Self::TakenOver => 4001,
            Self::Revoked => 4002,
            Self::Idle => 4003,
            Self::Ended => 4004,
            Self::HostLost => 4005,
            Self::HostFull => 4006,
            Self::HostCertificateChanged => 4007,
            Self::TicketRefused => 4008,
            Self::ProtocolError => 4009,
            Self::Draining => 4010,
            Self::TooSlow => 4011,
        }
    }

    /// Its word on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Left => "left",
            Self::TakenOver => "taken-over",
            Self::Revoked => "revoked",
            Self::Idle => "idle",
            Self::Ended => "ended",
            Self::HostLost => "host-lost",
            Self::HostFull => "host-full",
            Self::HostCertificateChanged => "host-certificate-changed",
            Self::TicketRefused => "ticket-refused",
            Self::ProtocolError => "protocol-error",
            Self::Draining => "draining",
            Self::TooSlow => "too-slow",
        }
    }
}

/// What should be: the answer to [`Report`]. Answered at once when there is something new, else held
/// for at most [`Orders::HOLD_SECONDS_MAX`].
#[derive(Clone, Debug, Default, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Orders {
    /// To be sent back with the next report.
    pub cursor: i64,
    /// Keys that sign tickets now (Ed25519 public keys, hexadecimal); the newest first.
    pub ticket_keys: Vec<String>,
    /// Closures since the reported cursor: relays of these must be closed, their tickets refused.
    pub closures: Vec<Closure>,
    /// Hosts: every desktop of this host that should no longer run.
    pub end_desktops: Vec<DesktopId>,
}

impl Orders {
    /// The longest a sync is held open.
    pub const HOLD_SECONDS_MAX: i64 = 2;
}

/// What a closure takes down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ClosureTarget {
    /// Every relay opened by this log-on session.
    Logon(LogonId),
    /// Every relay of this person.
    Person(PersonId),
    /// Every relay of this desktop.
    Desktop(DesktopId),
}

/// One closure: relays opened before `at` that fit the target are to be closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Closure {
    /// Grows by one.
    pub sequence: i64,
    /// What is closed.
    pub target: ClosureTarget,
    /// Why.
    pub reason: CloseReason,
    /// When; tickets issued later are not touched.
    pub at: Timestamp,
}

/// The first message a gateway sends to a host on a new connection.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AttachRequest {
    /// The person's ticket, as the browser gave it: the host checks it again for itself.
    pub ticket: String,
    /// Wanted picture width in pixels.
    pub width: u16,
    /// Wanted picture height in pixels.
    pub height: u16,
}

impl AttachRequest {
    /// Messages before the desktop's own bytes are JSON after a 4-byte big-endian length, at most this long.
    pub const MESSAGE_BYTES_MAX: usize = 8 * 1024;
}

/// What the host answers: any number of `Progress`, then `Ready` or `Refused`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AttachAnswer {
    /// It takes a moment; what is happening.
    Progress(AttachStep),
    /// From the next byte on, the desktop's own protocol follows.
    Ready(AttachReady),
    /// It cannot be; the connection closes.
    Refused {
        /// Why, for the person.
        reason: CloseReason,
        /// More, for the log.
        detail: String,
    },
}

/// What a person waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AttachStep {
    /// The gateway reaches the host.
    Connecting,
    /// The login session is opened.
    OpeningSession,
    /// The desktop starts.
    StartingDesktop,
}

/// How the desktop's bytes begin.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AttachReady {
    /// Remote framebuffer from its first byte, security type None.
    Rfb,
    /// X.224 from its first byte; the gateway injects these credentials.
    Rdp {
        /// The account.
        account: String,
        /// Good once, for 30 s.
        one_time_password: String,
    },
}
