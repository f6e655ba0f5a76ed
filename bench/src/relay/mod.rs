//! `relay`: CPU-seconds per gigabyte and memory per idle connection, against websockify and haproxy.
//!
//! The same bytes take the same way through each: a browser's stand-in, TLS, the relay in a process of its own, TLS, a
//! host's stand-in that sends a desktop's picture as fast as it is taken. Only the relay's process is counted. All
//! three end TLS on both sides, with the same certificates and the suite that the two ends agree on by default. Ours
//! does more than that: it shows the host a certificate of its own, checks a ticket, frames every RFB message and
//! keeps the clipboard policy meanwhile; haproxy only copies. All of it in a network of its own ([`apart`]).

mod apart;
mod browser;
mod host;
mod lab;
mod portal;

use std::{sync::Arc, time::Duration};

use anyhow::{Context as _, Result};
use serde_json::json;

use crate::{out, process};
use browser::Browser;
use host::PACED_SHARE;
use lab::{Lab, Product};

/// Connections that move bytes at once.
const BUSY_CONNECTIONS: u32 = 8;
const ROUNDS: usize = 3;
const GIGABYTE: f64 = 1e9;
/// After the last connection opened, until memory is read.
const SETTLE: Duration = Duration::from_secs(2);

/// What was measured of one product.
struct Figures {
    product: Product,
    /// CPU-seconds per gigabyte of each round, everything taken as fast as it comes.
    bulk: Vec<f64>,
    /// The same with small updates at a steady pace.
    paced: Vec<f64>,
    idle_kib: f64,
}

/// Runs the bench; an argument gives the megabytes each round moves (default 1,000).
pub(crate) fn bench(arguments: &[&str]) -> Result<()> {
    let megabytes: u64 = match arguments.first() {
        Some(text) => text.parse().context("the argument is a number of megabytes")?,
        None => 1_000,
    };
    if apart::run(arguments)? {
        return Ok(());
    }
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
    let mut all: Vec<Figures> = Product::ALL
        .into_iter()
        .map(|product| Figures {
            product,
            bulk: Vec::new(),
            paced: Vec::new(),
            idle_kib: 0.0,
        })
        .collect();
    for round in 1..=ROUNDS {
        for figures in &mut all {
            out::line(&format!("round {round}: {}", figures.product.name()));
            lab.load.set_paced(false);
            let bulk = busy(&lab, figures.product, lab.bytes_each).await?;
            lab.load.set_paced(true);
            let paced = busy(&lab, figures.product, lab.bytes_each / PACED_SHARE).await?;
            out::line(&format!("  {bulk:.2} CPU s/GB, small updates {paced:.2}"));
            figures.bulk.push(bulk);
            figures.paced.push(paced);
        }
    }
    for figures in &mut all {
        let product = figures.product;
        out::line(&format!(
            "{} idle connections: {}",
            product.idle_connections(),
            product.name()
        ));
        figures.idle_kib = idle(&lab, product).await?;
    }
    report(&all);
    Ok(())
}

fn report(all: &[Figures]) {
    let head = [
        "",
        "CPU s/GB",
        "each round",
        "small updates",
        "each round",
        "idle KiB",
    ];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    let each = |values: &[f64]| {
        let texts: Vec<String> = values.iter().map(|value| format!("{value:.2}")).collect();
        texts.join(" ")
    };
    for figures in all {
        rows.push(vec![
            figures.product.name().to_owned(),
            format!("{:.2}", out::median(&figures.bulk)),
            each(&figures.bulk),
            format!("{:.2}", out::median(&figures.paced)),
            each(&figures.paced),
            format!("{:.0}", figures.idle_kib),
        ]);
    }
    out::line("");
    out::table(&rows);
    out::line("");
    let [ours, websockify, haproxy] = all else { return };
    let ratio = |ours: &[f64], theirs: &[f64]| out::round(out::median(ours) / out::median(theirs), 3);
    let line = json!({
        "vs_websockify": ratio(&ours.bulk, &websockify.bulk),
        "vs_haproxy": ratio(&ours.bulk, &haproxy.bulk),
        "idle_kib": out::round(ours.idle_kib, 1),
        "cpu_s_per_gb": out::round(out::median(&ours.bulk), 3),
        "small_vs_websockify": ratio(&ours.paced, &websockify.paced),
        "small_vs_haproxy": ratio(&ours.paced, &haproxy.paced),
    });
    out::line(&line.to_string());
}

/// Moves bytes through a product on all connections at once; gives its CPU-seconds per gigabyte.
async fn busy(lab: &Arc<Lab>, product: Product, bytes: u64) -> Result<f64> {
    let relay = lab.start(product).await?;
    let before = relay.process.cpu();
    let mut browsers = tokio::task::JoinSet::new();
    for number in 0..BUSY_CONNECTIONS {
        let (lab, port) = (Arc::clone(lab), relay.port);
        browsers.spawn(async move {
            let mut browser = Browser::open(&lab, product, port, number)
                .await
                .context("a connection opens")?;
            browser.take_pictures(bytes).await.context("pictures come")
        });
    }
    let mut moved = 0_u64;
    while let Some(taken) = browsers.join_next().await {
        moved += taken??;
    }
    let after = relay.process.cpu();
    relay.process.stop();
    let gigabytes = f64::from(u32::try_from(moved / 1_000_000)?) * 1e6 / GIGABYTE;
    Ok((after.0 - before.0) / gigabytes)
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
    for number in 0..product.idle_connections() {
        open.push(Browser::open(lab, product, relay.port, BUSY_CONNECTIONS + number).await?);
    }
    tokio::time::sleep(SETTLE).await;
    let after = relay.process.memory_kib();
    relay.process.stop();
    drop(open);
    Ok((after - before) / f64::from(product.idle_connections()))
}
