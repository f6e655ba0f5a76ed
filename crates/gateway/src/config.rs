//! The gateway's section of the configuration.

use std::net::{Ipv4Addr, SocketAddr};

use serde::{Deserialize, Serialize};

/// What an operator may set (`[gateway]`).
#[derive(Clone, Debug, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct GatewayConfig {
    /// Where browsers reach it.
    pub listen: SocketAddr,
    /// How browsers name it; its certificate is made for this host.
    pub public_url: String,
    /// Pages of these origins may open relays.
    pub portal_origins: Vec<String>,
    /// Open relays in all.
    pub relays_max: usize,
    /// Open relays of one person.
    pub relays_per_person_max: usize,
}

impl Default for GatewayConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8444)),
            public_url: "wss://localhost:8444".to_owned(),
            portal_origins: vec!["https://localhost:8443".to_owned()],
            relays_max: 4_000,
            relays_per_person_max: 8,
        }
    }
}
