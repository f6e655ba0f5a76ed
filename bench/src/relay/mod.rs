//! `relay`: CPU-seconds per gigabyte and memory per idle connection, against websockify and haproxy.
//!
//! The same bytes take the same way through each: a browser's stand-in, TLS, the relay in a process of its own, TLS, a
//! host's stand-in that sends a desktop's picture as fast as it is taken. Only the relay's process is counted. Ours
//! checks a ticket, frames every RFB message and keeps the clipboard policy meanwhile; haproxy only copies.

mod browser;
mod host;
mod lab;
mod portal;

use std::{sync::Arc, time::Duration};

use anyhow::{Context as _, Result};
use serde_json::json;

use crate::{out, process};
use browser::Browser;
use lab::{Lab, Product};

/// Connections that move bytes at once.
const BUSY_CONNECTIONS: u32 = 8;
/// Connections that are open and silent.
const IDLE_CONNECTIONS: u32 = 500;
const ROUNDS: usize = 3;
const GIGABYTE: f64 = 1e9;
/// After the last connection opened, until memory is read.
const SETTLE: Duration = Duration::from_secs(2);

/// What one round of one product gave.
struct Round {
    cpu_seconds_per_gigabyte: f64,
}

/// Runs the bench; an argument gives the megabytes each round moves (default 1,000).
pub(crate) fn bench(arguments: &[&str]) -> Result<()> {
    let megabytes: u64 = match arguments.first() {
        Some(text) => text.parse().context("the argument is a number of megabytes")?,
        None => 1_000,
    };
    process::raise_open_files()?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    runtime.block_on(run(megabytes))
}

/// The process under test: the product's own gateway.
pub(crate) fn gateway(directory: &str) -> Result<()> {
    process::raise_open_files()?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    runtime.block_on(lab::run_gateway(directory.as_ref()))
}

async fn run(megabytes: u64) -> Result<()> {
    let lab = Arc::new(Lab::open(megabytes * 1_000_000 / u64::from(BUSY_CONNECTIONS)).await?);
    let mut figures = Vec::new();
    for product in Product::ALL {
        figures.push((product, Vec::new(), 0.0));
    }
    for round in 1..=ROUNDS {
        for (product, rounds, _) in &mut figures {
            out::line(&format!("round {round}: {}", product.name()));
            rounds.push(busy(&lab, *product).await?);
        }
    }
    for (product, _, idle_kib) in &mut figures {
        out::line(&format!(
            "{IDLE_CONNECTIONS} idle connections: {}",
            product.name()
        ));
        *idle_kib = idle(&lab, *product).await?;
    }
    report(&figures);
    Ok(())
}

fn report(figures: &[(Product, Vec<Round>, f64)]) {
    let mut rows = vec![vec![
        "".to_owned(),
        "CPU s/GB".to_owned(),
        "each round".to_owned(),
        "idle KiB".to_owned(),
    ]];
    let mut cpu = Vec::new();
    for (product, rounds, idle_kib) in figures {
        let values: Vec<f64> = rounds
            .iter()
            .map(|round| round.cpu_seconds_per_gigabyte)
            .collect();
        let each: Vec<String> = values.iter().map(|value| format!("{value:.2}")).collect();
        let median = out::median(&values);
        cpu.push(median);
        rows.push(vec![
            product.name().to_owned(),
            format!("{median:.2}"),
            each.join(" "),
            format!("{idle_kib:.0}"),
        ]);
    }
    out::line("");
    out::table(&rows);
    out::line("");
    let ratio = |ours: usize, theirs: usize| match (cpu.get(ours), cpu.get(theirs)) {
        (Some(ours), Some(theirs)) if *theirs > 0.0 => out::round(ours / theirs, 3),
        _ => f64::NAN,
    };
    let idle_kib = figures
        .first()
        .map_or(f64::NAN, |(_, _, idle)| out::round(*idle, 1));
    let line = json!({
        "vs_websockify": ratio(0, 1),
        "vs_haproxy": ratio(0, 2),
        "idle_kib": idle_kib,
        "cpu_seconds_per_gigabyte": cpu.first().map(|value| out::round(*value, 3)),
    });
    out::line(&line.to_string());
}

async fn busy(lab: &Arc<Lab>, product: Product) -> Result<Round> {
    let relay = lab.start(product).await?;
    let before = relay.process.cpu();
    let mut browsers = tokio::task::JoinSet::new();
    for number in 0..BUSY_CONNECTIONS {
        let (lab, port) = (Arc::clone(lab), relay.port);
        browsers.spawn(async move {
            let mut browser = Browser::open(&lab, product, port, number)
                .await
                .context("a connection opens")?;
            browser
                .take_pictures(lab.bytes_each)
                .await
                .context("pictures come")
        });
    }
    let mut moved = 0_u64;
    while let Some(taken) = browsers.join_next().await {
        moved += taken??;
    }
    let after = relay.process.cpu();
    relay.process.stop();
    let gigabytes = f64::from(u32::try_from(moved / 1_000_000)?) * 1e6 / GIGABYTE;
    Ok(Round {
        cpu_seconds_per_gigabyte: (after.0 - before.0) / gigabytes,
    })
}

async fn idle(lab: &Arc<Lab>, product: Product) -> Result<f64> {
    let relay = lab.start(product).await?;
    // The first connections pay for what all share.
    let mut open = Vec::new();
    for number in 0..BUSY_CONNECTIONS {
        open.push(Browser::open(lab, product, relay.port, number).await?);
    }
    tokio::time::sleep(SETTLE).await;
    let before = relay.process.memory_kib();
    for number in 0..IDLE_CONNECTIONS {
        open.push(Browser::open(lab, product, relay.port, BUSY_CONNECTIONS + number).await?);
    }
    tokio::time::sleep(SETTLE).await;
    let after = relay.process.memory_kib();
    relay.process.stop();
    drop(open);
    Ok((after - before) / f64::from(IDLE_CONNECTIONS))
}
