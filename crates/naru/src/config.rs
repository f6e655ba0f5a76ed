//! The configuration: one section per part, each defined where it is used.

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::Path,
};

use naru_kernel::Zone;
use serde::Deserialize;

use crate::state::StateDirectory;

/// Everything an operator may set.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Config {
    pub(crate) store: Store,
    pub(crate) portal: naru_portal::PortalConfig,
    pub(crate) identity: naru_identity::IdentityConfig,
    pub(crate) desktops: naru_desktops::DesktopsConfig,
    pub(crate) audit: naru_audit::AuditConfig,
    pub(crate) gateway: naru_gateway::GatewayConfig,
    pub(crate) agent: naru_agent::AgentConfig,
    pub(crate) node: Node,
    pub(crate) operation: Operation,
}

/// `[store]`: where the portal keeps its state.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Store {
    /// `sqlite:PATH` or `postgres://…`; a file in the state directory if empty.
    pub(crate) url: String,
}

/// `[node]`: what a gateway or host says of itself when it enrols.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Node {
    /// The portal's fleet door.
    pub(crate) portal: String,
    /// What people call it; the machine's name if empty.
    pub(crate) name: String,
    /// Hosts: `address:port` where gateways reach it; `agent.listen` if empty.
    pub(crate) address: String,
    /// Its zone.
    pub(crate) zone: Zone,
}

impl Default for Node {
    fn default() -> Self {
        Self {
            portal: "localhost:8445".to_owned(),
            name: String::new(),
            address: String::new(),
            zone: Zone::business(),
        }
    }
}

/// `[operation]`: the door for monitoring.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Operation {
    /// The role's own port on loopback if absent, so that all roles fit on one machine.
    listen: Option<SocketAddr>,
}

/// Which process this is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Process {
    /// The portal, alone or with all other roles.
    Portal,
    Gateway,
    Host,
}

impl Operation {
    pub(crate) fn listen(&self, process: Process) -> SocketAddr {
        let port = match process {
            Process::Portal => 9_443,
            Process::Gateway => 9_444,
            Process::Host => 9_446,
        };
        self.listen
            .unwrap_or_else(|| SocketAddr::from((Ipv4Addr::LOCALHOST, port)))
    }
}

impl Config {
    /// Defaults, then the file, then the environment; paths that were not set lie in the state directory.
    pub(crate) fn load(file: Option<&Path>, state: &StateDirectory) -> anyhow::Result<Self> {
        let mut config: Self = naru_runtime::config::load(file)?;
        if config.store.url.is_empty() {
            config.store.url = format!("sqlite:{}", state.join("naru.db").display());
        }
        if config.node.name.is_empty() {
            config.node.name = rustix::system::uname().nodename().to_string_lossy().into_owned();
        }
        if config.node.address.is_empty() {
            config.node.address = match config.agent.listen {
                listen if listen.ip().is_loopback() => format!("localhost:{}", listen.port()),
                listen => listen.to_string(),
            };
        }
        config
            .agent
            .state_directory
            .get_or_insert_with(|| state.join("agent"));
        if config.audit.name.is_empty() {
            config.audit.name.clone_from(&config.portal.host);
        }
        config.desktops.fleet_address = config.portal.fleet_address();
        // One place says how browsers name the portal and the gateway; the other sections follow.
        config.identity.origin = config.portal.origin();
        config.identity.certificate_door = config.portal.certificate_door();
        config.identity.gateway_url.clone_from(&config.gateway.public_url);
        config.gateway.portal_origins = vec![config.portal.origin()];
        Ok(config)
    }

    /// Every door this configuration would open.
    pub(crate) fn doors(&self) -> [(&'static str, SocketAddr); 5] {
        [
            ("portal", self.portal.listen),
            ("fleet", self.portal.fleet_listen),
            ("gateway", self.gateway.listen),
            ("host agent", self.agent.listen),
            ("operation", self.operation.listen(Process::Portal)),
        ]
    }
}
