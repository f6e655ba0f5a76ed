//! Logs to standard error and metrics for Prometheus.

use std::io::IsTerminal as _;

use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::{EnvFilter, layer::SubscriberExt as _, util::SubscriberInitExt as _};

/// Starts logging: JSON lines, or plain lines when a person watches. `NARU_LOG` sets the filter, `info` by default.
pub fn start_logging() {
    let filter = EnvFilter::try_from_env("NARU_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    let registry = tracing_subscriber::registry().with(filter);
    let started = if std::io::stderr().is_terminal() {
        registry
            .with(
                tracing_subscriber::fmt::layer()
                    .with_writer(std::io::stderr)
                    .with_target(false),
            )
            .try_init()
    } else {
        registry
            .with(
                tracing_subscriber::fmt::layer()
                    .json()
                    .flatten_event(true)
                    .with_writer(std::io::stderr),
            )
            .try_init()
    };
    // Already started (tests): keep the first.
    drop(started);
}

/// Starts collecting metrics; the handle renders them. `None` when they were started before.
#[must_use]
pub fn start_metrics() -> Option<PrometheusHandle> {
    PrometheusBuilder::new()
        .set_buckets(&[0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0])
        .ok()?
        .install_recorder()
        .ok()
}
