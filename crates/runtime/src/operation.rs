//! The operation door: liveness, readiness and metrics, on loopback, in every role.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use axum::{Router, extract::State, http::StatusCode, routing::get};
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::net::TcpListener;

use crate::{Shutdown, Tasks};

type Check = Arc<dyn Fn() -> futures_util::future::BoxFuture<'static, bool> + Send + Sync>;

/// Whether the process is ready for work: its checks pass and it is not going down.
#[derive(Clone, Default)]
pub struct Readiness {
    started: Arc<AtomicBool>,
    checks: Arc<std::sync::Mutex<Vec<(&'static str, Check)>>>,
}

impl Readiness {
    /// Checks asked at each question; named in the answer when they fail.
    pub fn check<F>(&self, name: &'static str, check: F)
    where
        F: Fn() -> futures_util::future::BoxFuture<'static, bool> + Send + Sync + 'static,
    {
        if let Ok(mut checks) = self.checks.lock() {
            checks.push((name, Arc::new(check)));
        }
    }

    /// Says that all doors are open.
    pub fn started(&self) {
        self.started.store(true, Ordering::Release);
    }

    async fn failing(&self) -> Option<&'static str> {
        if !self.started.load(Ordering::Acquire) {
            return Some("starting");
        }
        let checks = self
            .checks
            .lock()
            .map(|checks| checks.clone())
            .unwrap_or_default();
        for (name, check) in checks {
            if !check().await {
                return Some(name);
            }
        }
        None
    }
}

#[derive(Clone)]
struct Operation {
    readiness: Readiness,
    metrics: Option<PrometheusHandle>,
    shutdown: Shutdown,
}

/// Opens the door on `address`; gives the address it got.
///
/// # Errors
/// When the address cannot be listened on.
pub async fn open(
    address: SocketAddr,
    readiness: Readiness,
    metrics: Option<PrometheusHandle>,
    tasks: &Tasks,
) -> std::io::Result<SocketAddr> {
    let listener = TcpListener::bind(address).await?;
    let bound = listener.local_addr()?;
    let shutdown = tasks.shutdown();
    let router = Router::new()
        .route("/livez", get(|| async { "alive\n" }))
        .route("/healthz", get(|| async { "alive\n" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(render))
        .with_state(Operation {
            readiness,
            metrics,
            shutdown: shutdown.clone(),
        });
    tasks.spawn(async move {
        let served = axum::serve(listener, router)
            .with_graceful_shutdown(async move { shutdown.requested().await })
            .await;
        if let Err(error) = served {
            tracing::error!(%error, "the operation door closed");
        }
    });
    Ok(bound)
}

async fn ready(State(operation): State<Operation>) -> (StatusCode, String) {
    if operation.shutdown.is_requested() {
        return (StatusCode::SERVICE_UNAVAILABLE, "going down\n".to_owned());
    }
    match operation.readiness.failing().await {
        None => (StatusCode::OK, "ready\n".to_owned()),
        Some(check) => (StatusCode::SERVICE_UNAVAILABLE, format!("not ready: {check}\n")),
    }
}

async fn render(State(operation): State<Operation>) -> String {
    operation
        .metrics
        .as_ref()
        .map(PrometheusHandle::render)
        .unwrap_or_default()
}
