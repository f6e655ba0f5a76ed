//! The portal's section of the configuration.

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
};

use serde::{Deserialize, Serialize};

/// What an operator may set (`[portal]`).
#[derive(Clone, Debug, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PortalConfig {
    /// The name browsers use, such as `portal.example.go.kr`. Certificate log-on is `cert.` before it.
    pub host: String,
    /// The port browsers use; differs from `listen` behind a forwarder.
    pub port: u16,
    /// Where browsers reach it.
    pub listen: SocketAddr,
    /// Where gateways and hosts reach it.
    pub fleet_listen: SocketAddr,
    /// Names under which gateways and hosts may reach it, besides `localhost` and the loopback addresses.
    pub fleet_names: Vec<String>,
    /// An own certificate for browsers; the local authority makes one if absent.
    pub certificate: Option<CertificateFiles>,
    /// PEM files of authorities to trust, besides the system's, when applications are told of log-outs.
    pub trusted_roots: Vec<PathBuf>,
}

/// PEM files of a server certificate; it must name the host and `cert.` before it.
#[derive(Clone, Debug, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CertificateFiles {
    /// The certificate, then its issuers.
    pub chain: PathBuf,
    /// The private key.
    pub key: PathBuf,
}

impl Default for PortalConfig {
    fn default() -> Self {
        Self {
            host: "localhost".to_owned(),
            port: 8443,
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8443)),
            fleet_listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8445)),
            fleet_names: Vec::new(),
            certificate: None,
            trusted_roots: Vec::new(),
        }
    }
}

impl PortalConfig {
    /// The origin of its pages.
    #[must_use]
    pub fn origin(&self) -> String {
        origin(&self.host, self.port)
    }

    /// The name of the door that asks for client certificates.
    #[must_use]
    pub fn certificate_host(&self) -> String {
        format!("cert.{}", self.host)
    }

    /// The origin of the door that asks for client certificates.
    #[must_use]
    pub fn certificate_door(&self) -> String {
        origin(&self.certificate_host(), self.port)
    }
}

impl PortalConfig {
    /// Where nodes reach the fleet door, as an operator is shown it.
    #[must_use]
    pub fn fleet_address(&self) -> String {
        let name = self.fleet_names.first().map_or("localhost", String::as_str);
        format!("{name}:{}", self.fleet_listen.port())
    }
}

fn origin(host: &str, port: u16) -> String {
    if port == 443 {
        format!("https://{host}")
    } else {
        format!("https://{host}:{port}")
    }
}
