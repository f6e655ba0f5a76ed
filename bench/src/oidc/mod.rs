//! `oidc`: sign-ons of an application (authorization code with PKCE, tokens, claims) for people who are logged on, against
//! the npm package `oidc-provider`, which the `OpenID` Foundation has certified.
//!
//! Both run in a process of their own behind TLS and are asked over as many connections kept open; only that process's
//! CPU time is counted. Ours writes every grant and token, with its entry in the record, to disk before it answers
//! (`SQLite`, synchronous FULL) and asks the site's rules; the peer keeps all in memory. `vs_peer` is our CPU time for
//! a sign-on by theirs. What Keycloak and Rauthy publish stands beside it as published, not measured here.

mod portal;
mod provider;

use std::{
    path::Path,
    process::Command,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, pem::PemObject as _},
};
use serde_json::json;

pub(crate) use portal::run as portal;

use crate::{
    out,
    process::{self, Measured},
};
use portal::{READY, Ready};
use provider::{Caller, Provider};

/// Browsers at once.
const BROWSERS: usize = 16;
const ROUNDS: usize = 3;
const ROUND: Duration = Duration::from_secs(6);
const WARM_UP: Duration = Duration::from_secs(2);
const READY_WITHIN: Duration = Duration::from_secs(60);
const REDIRECT: &str = "https://app.example.go.kr/callback";

/// What was measured of one provider.
#[derive(Default)]
struct Figures {
    per_second: Vec<f64>,
    cpu_ms: Vec<f64>,
    peak_mib: f64,
}

/// Runs the bench; an argument gives the seconds of each round (default 6).
pub(crate) fn bench(arguments: &[&str]) -> Result<()> {
    let round = match arguments.first() {
        Some(text) => Duration::from_secs(text.parse().context("the argument is a number of seconds")?),
        None => ROUND,
    };
    process::raise_open_files()?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    runtime.block_on(run(round))
}

async fn run(round: Duration) -> Result<()> {
    let directory = tempfile::tempdir()?;
    let (ours, cookies, our_process) = start_ours(directory.path()).await?;
    let (peer, peer_process) = start_peer(directory.path()).await?;
    let mut our_browsers = Vec::new();
    let mut peer_browsers = Vec::new();
    for cookie in &cookies {
        our_browsers.push(Caller::open(ours.clone(), Some(cookie)).await?);
        peer_browsers.push(Caller::open(peer.clone(), None).await?);
    }
    our_browsers = busy(our_browsers, WARM_UP).await?.0;
    peer_browsers = busy(peer_browsers, WARM_UP).await?.0;
    let (mut us, mut them) = (Figures::default(), Figures::default());
    for number in 1..=ROUNDS {
        our_browsers = measure(our_browsers, round, &our_process, &mut us).await?;
        peer_browsers = measure(peer_browsers, round, &peer_process, &mut them).await?;
        out::line(&format!("round {number} of {ROUNDS}"));
    }
    us.peak_mib = our_process.peak_mib();
    them.peak_mib = peer_process.peak_mib();
    our_process.stop();
    peer_process.stop();
    report(&us, &them);
    Ok(())
}

fn report(us: &Figures, them: &Figures) {
    let row = |name: &str, figures: &Figures| {
        vec![
            name.to_owned(),
            format!("{:.0}", out::median(&figures.per_second)),
            format!("{:.2}", out::median(&figures.cpu_ms)),
            format!("{:.0}", figures.peak_mib),
        ]
    };
    let published = |name: &str, per_second: &str, memory: &str| {
        vec![
            name.to_owned(),
            per_second.to_owned(),
            String::new(),
            memory.to_owned(),
        ]
    };
    out::line("");
    out::table(&[
        ["", "sign-ons per second", "CPU ms each", "peak MiB"]
            .map(str::to_owned)
            .to_vec(),
        row("naru (durable, TLS)", us),
        row("oidc-provider (memory, TLS)", them),
        published(
            "Keycloak, as published",
            "15 log-ons per vCPU",
            "1250 (base, a pod)",
        ),
        published("Rauthy, as published", "not published", "57"),
    ]);
    out::line("");
    let line = json!({
        "flows_per_s": out::round(out::median(&us.per_second), 0),
        "vs_peer": out::round(out::median(&us.cpu_ms) / out::median(&them.cpu_ms), 3),
        "peak_mib": out::round(us.peak_mib, 1),
        "cpu_ms": out::round(out::median(&us.cpu_ms), 3),
        "peer_flows_per_s": out::round(out::median(&them.per_second), 0),
        "peer_peak_mib": out::round(them.peak_mib, 1),
    });
    out::line(&line.to_string());
}

async fn measure(
    browsers: Vec<Caller>,
    length: Duration,
    process: &Measured,
    figures: &mut Figures,
) -> Result<Vec<Caller>> {
    let before = process.cpu();
    let began = naru_runtime::clock::instant();
    let (browsers, count) = busy(browsers, length).await?;
    let seconds = began.elapsed().as_secs_f64();
    let cpu = process.cpu().0 - before.0;
    let count = f64::from(count);
    figures.per_second.push(count / seconds);
    figures.cpu_ms.push(cpu * 1_000.0 / count);
    Ok(browsers)
}

/// All browsers sign on, again and again, for this long; gives them back, and how often they did.
async fn busy(browsers: Vec<Caller>, length: Duration) -> Result<(Vec<Caller>, u32)> {
    let end: Instant = naru_runtime::clock::instant() + length;
    let mut tasks = tokio::task::JoinSet::new();
    for mut browser in browsers {
        tasks.spawn(async move {
            let mut count = 0_u32;
            while naru_runtime::clock::instant() < end {
                browser.sign_on().await?;
                count += 1;
            }
            Ok::<_, anyhow::Error>((browser, count))
        });
    }
    let (mut browsers, mut all) = (Vec::new(), 0);
    while let Some(done) = tasks.join_next().await {
        let (browser, count) = done??;
        browsers.push(browser);
        all += count;
    }
    ensure!(all > 0, "nobody signed on");
    Ok((browsers, all))
}

async fn start_ours(directory: &Path) -> Result<(Provider, Vec<String>, Measured)> {
    let mut command = Command::new(std::env::current_exe()?);
    command
        .arg("oidc-portal")
        .arg(directory)
        .args([&BROWSERS.to_string(), REDIRECT]);
    let mut process = Measured::start(&mut command)?;
    let ready = wait(&directory.join(READY), &mut process).await?;
    let ready: Ready = serde_json::from_slice(&ready)?;
    let provider = Provider {
        is_ours: true,
        port: ready.port,
        tls: trusting(ready.authority.as_bytes())?,
        client: ready.client,
        secret: ready.secret,
        redirect: REDIRECT.to_owned(),
    };
    Ok((provider, ready.cookies, process))
}

async fn start_peer(directory: &Path) -> Result<(Provider, Measured)> {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()])?;
    std::fs::write(directory.join("peer.pem"), made.cert.pem())?;
    std::fs::write(directory.join("peer.key"), made.signing_key.serialize_pem())?;
    let port = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    let mut command = Command::new("node");
    command
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/peers/oidc.mjs"))
        .arg(directory)
        .args([&port.to_string(), REDIRECT])
        .env("NODE_ENV", "production");
    let mut process = Measured::start(&mut command)?;
    wait(&directory.join("peer.ready"), &mut process).await?;
    let provider = Provider {
        is_ours: false,
        port,
        tls: trusting(made.cert.pem().as_bytes())?,
        client: "bench".to_owned(),
        secret: "a-secret-of-the-bench".to_owned(),
        redirect: REDIRECT.to_owned(),
    };
    Ok((provider, process))
}

async fn wait(file: &Path, process: &mut Measured) -> Result<Vec<u8>> {
    let end = naru_runtime::clock::instant() + READY_WITHIN;
    while naru_runtime::clock::instant() < end {
        if let Ok(text) = std::fs::read(file) {
            return Ok(text);
        }
        ensure!(process.runs(), "it ended; NARU_BENCH_SHOW=1 shows why");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    anyhow::bail!("{} did not come in time", file.display())
}

fn trusting(pem: &[u8]) -> Result<Arc<ClientConfig>> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        roots.add(certificate?)?;
    }
    let provider = naru_runtime::tls::provider();
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}
