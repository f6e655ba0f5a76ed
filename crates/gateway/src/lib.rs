//! Shell: moves desktops' bytes between browsers and hosts.
//!
//! It trusts nothing but signed tickets and the platform's authority, holds no database and no secret but its own
//! key, and remembers only what is open. Protocols are the relay engine's; here are sockets, tasks and time.

mod ahead;
mod config;
mod door;
mod host;
mod pipe;
mod rdp;
mod rfb;
mod seat;
mod state;

use std::sync::Arc;

use naru_kernel::Clock;
use naru_runtime::{
    Tasks,
    fleet::{FleetError, NodeIdentity, sync_loop},
    tls,
};

pub use config::GatewayConfig;
pub use state::Gateway;

/// Why a gateway cannot run.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Its identity or key is unusable.
    #[error(transparent)]
    Fleet(#[from] FleetError),
    /// Its TLS material is unusable.
    #[error(transparent)]
    Tls(#[from] tls::TlsError),
    /// The door cannot be opened.
    #[error("{address} cannot be listened on: {source}")]
    Listen {
        /// Where.
        address: std::net::SocketAddr,
        /// Why.
        source: std::io::Error,
    },
}

/// Opens the door for browsers and joins the fleet; both go on until shutdown.
///
/// # Errors
/// When the door cannot be opened or the identity is damaged.
pub async fn start(
    config: &GatewayConfig,
    identity: NodeIdentity,
    clock: Arc<dyn Clock>,
    boot: String,
    tasks: &Tasks,
) -> Result<Arc<Gateway>, Error> {
    let server = tls::server(identity.credentials()?, None, &["http/1.1"])?;
    let gateway = Arc::new(Gateway::new(config.clone(), &identity, clock, tasks.clone())?);
    let listener = tokio::net::TcpListener::bind(config.listen)
        .await
        .map_err(|source| Error::Listen {
            address: config.listen,
            source,
        })?;
    let router = door::router(Arc::clone(&gateway));
    tasks.spawn(tls::serve(
        listener,
        Arc::new(move |_| Arc::clone(&server)),
        router,
        tasks.shutdown(),
    ));
    let (node, shutdown) = (Arc::clone(&gateway), tasks.shutdown());
    tasks.spawn(async move {
        if let Err(error) = sync_loop(node, &identity, boot, shutdown).await {
            tracing::error!(%error, "the gateway left the fleet");
        }
    });
    let (gateway_at_end, shutdown) = (Arc::clone(&gateway), tasks.shutdown());
    tasks.spawn(async move {
        shutdown.requested().await;
        gateway_at_end.close_all(naru_kernel::fleet::CloseReason::Draining);
    });
    Ok(gateway)
}
