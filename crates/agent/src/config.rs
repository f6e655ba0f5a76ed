//! The agent's section of the configuration.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

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
    /// What outlives the agent: which sessions there are. `/var/lib/naru/agent-<port>` if absent
    /// (without root: `~/.local/state/naru/agent-<port>`).
    pub state_directory: Option<PathBuf>,
    /// Sockets and files of running sessions; the people must be able to pass through every directory
    /// above it. Absolute; letters, digits and `/ . _ -` only. `/run/naru/agent-<port>` if absent
    /// (without root: `/tmp/naru-<user id>/agent-<port>`).
    pub run_directory: Option<PathBuf>,
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
            state_directory: None,
            run_directory: None,
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

/// The directories in use: configured, or the usual ones of who runs the agent.
pub(crate) struct Places {
    pub(crate) state: PathBuf,
    pub(crate) run: PathBuf,
}

impl Places {
    /// `home` is that of the account the agent runs as; `uid` 0 is root.
    pub(crate) fn of(config: &AgentConfig, uid: u32, home: &Path) -> Self {
        let own = format!("agent-{}", config.listen.port());
        let (state, run) = if uid == 0 {
            (PathBuf::from("/var/lib/naru"), PathBuf::from("/run/naru"))
        } else {
            (
                home.join(".local/state/naru"),
                PathBuf::from(format!("/tmp/naru-{uid}")),
            )
        };
        Self {
            state: config.state_directory.clone().unwrap_or_else(|| state.join(&own)),
            run: config.run_directory.clone().unwrap_or_else(|| run.join(&own)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_agents_on_one_machine_do_not_share_directories() {
        let mut config = AgentConfig::default();
        let root = Places::of(&config, 0, Path::new("/root"));
        assert_eq!(root.run, Path::new("/run/naru/agent-8446"));
        assert_eq!(root.state, Path::new("/var/lib/naru/agent-8446"));
        config.listen.set_port(9000);
        let person = Places::of(&config, 1000, Path::new("/home/a"));
        assert_eq!(person.run, Path::new("/tmp/naru-1000/agent-9000"));
        assert_eq!(person.state, Path::new("/home/a/.local/state/naru/agent-9000"));
        config.run_directory = Some("/x".into());
        assert_eq!(Places::of(&config, 0, Path::new("/")).run, Path::new("/x"));
    }
}
