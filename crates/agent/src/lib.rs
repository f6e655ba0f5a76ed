//! Shell: the host agent, which opens people's desktops and reports load.
//!
//! A gateway connects over mutual TLS and shows a person's ticket ([`attach`]); the agent verifies it for
//! itself, finds or starts the person's session and hands over its socket. What it knows of its sessions
//! is a table ([`Agent`]); what it does to them is a life ([`lifecycle`]); both are reported to the portal
//! and changed by its orders through [`HostNode`].

pub mod account;
mod agent;
mod attach;
mod config;
mod error;
mod lifecycle;
mod load;
mod otp;
mod rdp;
mod session;
mod table;

use std::sync::Arc;

use naru_kernel::fleet::Protocol;
use rustls::ServerConfig;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

pub use agent::{Agent, HostNode, LOGONS_AT_ONCE_MAX, Machine};
pub use config::{AgentConfig, RdpConfig};
pub use error::Error;
pub use otp::otp_check;

/// Runs a host until shutdown: clears away what an earlier agent left dead, then serves gateways on `listener`.
///
/// `tls` must demand a client certificate of the platform's authority
/// ([`naru_runtime::tls::demand_client`]); that it is a gateway's is checked here. Reporting and obeying
/// are the caller's: [`naru_runtime::fleet::sync_loop`] with [`HostNode`].
///
/// # Errors
/// The session records cannot be read, or xrdp cannot be started.
pub async fn serve(agent: Arc<Agent>, listener: TcpListener, tls: Arc<ServerConfig>) -> Result<(), Error> {
    agent.clear_dead().await?;
    let rdp = if agent.config.protocols.contains(&Protocol::Rdp) {
        Some(rdp::start(&agent).await?)
    } else {
        None
    };
    attach::listen(Arc::clone(&agent), listener, TlsAcceptor::from(tls)).await;
    if !agent.config.keep_sessions {
        agent.end_all().await;
    }
    if let Some(rdp) = rdp {
        rdp.stop(agent.config.keep_sessions).await;
    }
    Ok(())
}
