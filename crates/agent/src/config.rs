//! The agent's section of the configuration.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use naru_kernel::fleet::Protocol;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a host's operator may set (`[agent]`).
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AgentConfig {
    /// Where gateways reach this host.
    pub listen: SocketAddr,
    /// What it serves; `rdp` needs root, xrdp and xorgxrdp.
    pub protocols: Vec<Protocol>,
    /// What outlives the agent: which sessions there are. Absolute; letters, digits and `/ . _ -` only.
    pub state_directory: PathBuf,
    /// Sockets and files of running sessions; must be traversable by the people (mode 0711). Same letters.
    pub run_directory: PathBuf,
    /// The most sessions at once; by memory (400 MiB each) if absent.
    pub sessions_max: Option<u32>,
    /// Wallpaper colour `#rrggbb`; the zone's own if absent.
    pub colour: Option<String>,
    /// Whether sessions go on when the agent stops, to be taken up again by the next one.
    pub keep_sessions: bool,
    /// The RDP server behind the agent.
    pub rdp: RdpConfig,
}

impl Default for AgentConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8446)),
            protocols: vec![Protocol::Rfb],
            state_directory: PathBuf::from("/var/lib/naru/agent"),
            run_directory: PathBuf::from("/run/naru/agent"),
            sessions_max: None,
            colour: None,
            keep_sessions: true,
            rdp: RdpConfig::default(),
        }
    }
}

/// Ports of the agent's own xrdp, on loopback only (`[agent.rdp]`).
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RdpConfig {
    /// Of xrdp; another than Debian's own instance has (3389).
    pub port: u16,
    /// Of its session manager; another than Debian's own (3350).
    pub sesman_port: u16,
    /// Program and words with which PAM asks for a one-time password; the socket is added. This very
    /// program with `agent otp-check` if absent.
    pub otp_check: Option<Vec<String>>,
}

impl Default for RdpConfig {
    fn default() -> Self {
        Self {
            port: 3390,
            sesman_port: 3351,
            otp_check: None,
        }
    }
}
