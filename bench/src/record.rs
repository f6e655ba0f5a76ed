//! `record`: a record of a million entries is gathered in its tree and verified; then an entry is changed, one taken out and
//! the newest cut off, and each must be named.

use std::{
    collections::BTreeMap, collections::BTreeSet, path::Path, process::Command, sync::Arc, time::Duration,
};

use anyhow::{Context as _, Result, bail};
use futures_util::{StreamExt as _, stream};
use naru_audit::{Audit, AuditConfig, KnowsMinistries, KnowsNames, Parts, Verification};
use naru_kernel::{LogonId, MinistryId, PersonId, Timestamp};
use naru_runtime::clock::{SystemClock, SystemEntropy, instant};
use naru_store::{Act, BoxFuture, By, Db, Outcome, testing};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::out;

const ENTRIES: u64 = 1_000_000;
/// Changes under way at once while the record is filled.
const AT_ONCE: usize = 512;

struct Nobody;

impl KnowsMinistries for Nobody {
    fn is_platform(&self, _: MinistryId) -> BoxFuture<'_, Result<bool, naru_store::Error>> {
        Box::pin(async { Ok(true) })
    }
}

impl KnowsNames for Nobody {
    fn names(
        &self,
        _: BTreeSet<PersonId>,
        _: Option<MinistryId>,
    ) -> BoxFuture<'_, Result<BTreeMap<PersonId, String>, naru_store::Error>> {
        Box::pin(async { Ok(BTreeMap::new()) })
    }
}

async fn open(db: &Db) -> Result<Audit> {
    let parts = Parts {
        config: AuditConfig {
            name: "bench.example".to_owned(),
            ..AuditConfig::default()
        },
        db: db.clone(),
        clock: Arc::new(SystemClock),
        entropy: Arc::new(SystemEntropy),
        ministries: Arc::new(Nobody),
        people: Arc::new(Nobody),
    };
    Ok(Audit::open(parts).await?)
}

fn act(number: u64) -> Act {
    let bits = u128::from(number % 5_000) << 64 | 7;
    Act {
        at: Timestamp::from_micros(1_795_478_400_000_000 + i64::try_from(number).unwrap_or(0) * 1_000),
        action: "identity.sign-in",
        by: By::Person(PersonId::from_bits(bits), LogonId::from_bits(bits + 1)),
        ministry: None,
        subject: LogonId::from_bits(bits + 1).to_string(),
        address: Some("192.0.2.77".to_owned()),
    }
}

/// What one verification cost, in a process of its own.
#[derive(Debug, Serialize, Deserialize)]
struct Cost {
    seconds: f64,
    cpu_seconds: f64,
    peak_mib: f64,
    entries: i64,
    broken: Option<(i64, i64, String)>,
}

/// Runs the bench.
pub(crate) fn bench(rest: &[&str]) -> Result<()> {
    let entries = match rest.first() {
        Some(text) => text.parse()?,
        None => ENTRIES,
    };
    let directory = tempfile::tempdir()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let (filled, gathered) = runtime.block_on(fill(directory.path(), entries))?;
    let whole = verify_elsewhere(directory.path())?;
    if whole.broken.is_some() || u64::try_from(whole.entries)? != entries {
        bail!("the whole record does not verify: {whole:?}");
    }
    let named = runtime.block_on(vandalise(directory.path(), i64::try_from(entries)?))?;
    let count = f64::from(u32::try_from(entries)?);
    out::table(&[
        vec!["a record on SQLite".to_owned(), format!("{entries} entries")],
        vec!["written".to_owned(), format!("{:.1} s", filled.as_secs_f64())],
        vec![
            "gathered in its tree, one checkpoint".to_owned(),
            format!("{:.2} s", gathered.as_secs_f64()),
        ],
        vec!["verified".to_owned(), format!("{:.2} s", whole.seconds)],
        vec![
            "processor time of that".to_owned(),
            format!("{:.2} s", whole.cpu_seconds),
        ],
        vec![
            "entries a second".to_owned(),
            format!("{:.0}", count / whole.seconds),
        ],
        vec!["memory, at most".to_owned(), format!("{:.1} MiB", whole.peak_mib)],
        vec!["deeds named".to_owned(), format!("{named} of 3")],
    ]);
    out::line("");
    let line = json!({
        "entries": entries,
        "verify_s": out::round(whole.seconds, 2),
        "verify_cpu_s": out::round(whole.cpu_seconds, 2),
        "entries_per_s": out::round(count / whole.seconds, 0),
        "peak_mib": out::round(whole.peak_mib, 1),
        "gather_s": out::round(gathered.as_secs_f64(), 2),
        "write_s": out::round(filled.as_secs_f64(), 1),
        "deeds_named": named,
    });
    out::line(&line.to_string());
    Ok(())
}

fn url(directory: &Path) -> String {
    format!("sqlite:{}", directory.join("record.db").display())
}

async fn fill(directory: &Path, entries: u64) -> Result<(Duration, Duration)> {
    let db = Db::open(&url(directory)).await?;
    let audit = open(&db).await?;
    let begun = instant();
    let mut writes = stream::iter(0..entries)
        .map(|number| {
            let detail = json!({ "factor": "passkey", "logon": number });
            db.record(act(number), Outcome::Done, detail)
        })
        .buffer_unordered(AT_ONCE);
    while let Some(written) = writes.next().await {
        written?;
    }
    drop(writes);
    let filled = begun.elapsed();
    let begun = instant();
    audit.checkpoint_grown().await?;
    let gathered = begun.elapsed();
    db.close().await;
    Ok((filled, gathered))
}

/// Verifies in a process of its own, so that memory and time are its own.
fn verify_elsewhere(directory: &Path) -> Result<Cost> {
    let output = Command::new(std::env::current_exe()?)
        .args(["record-verify", &url(directory)])
        .output()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let line = text.lines().last().context("the verification said nothing")?;
    serde_json::from_str(line).with_context(|| String::from_utf8_lossy(&output.stderr).into_owned())
}

/// The process that is measured.
pub(crate) fn verify(url: &str) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let cost = runtime.block_on(async {
        let db = Db::open(url).await?;
        let audit = open(&db).await?;
        let begun = instant();
        let found: Verification = audit.verify_against(&audit.measure(), None).await?;
        let seconds = begun.elapsed().as_secs_f64();
        db.close().await;
        anyhow::Ok(Cost {
            seconds,
            cpu_seconds: cpu_seconds()?,
            peak_mib: peak_mib()?,
            entries: found.entries,
            broken: found
                .broken
                .map(|broken| (broken.sequence, broken.last, broken.why)),
        })
    })?;
    out::line(&serde_json::to_string(&cost)?);
    Ok(())
}

/// This process's own, proc(5).
fn cpu_seconds() -> Result<f64> {
    let text = std::fs::read_to_string("/proc/self/stat")?;
    let (_, rest) = text.rsplit_once(')').context("no such line")?;
    let ticks = |place| -> Result<f64> {
        Ok(rest
            .split_whitespace()
            .nth(place)
            .context("no such column")?
            .parse()?)
    };
    Ok((ticks(11)? + ticks(12)?) / 100.0)
}

fn peak_mib() -> Result<f64> {
    let text = std::fs::read_to_string("/proc/self/status")?;
    let line = text
        .lines()
        .find(|line| line.starts_with("VmHWM:"))
        .context("no peak")?;
    let kib: f64 = line.split_whitespace().nth(1).context("no number")?.parse()?;
    Ok(kib / 1024.0)
}

/// Changes an entry in the middle, takes one out, cuts the tail with its head; gives how many deeds were named.
async fn vandalise(directory: &Path, entries: i64) -> Result<u32> {
    let url = url(directory);
    testing::raw(&url, "DROP TRIGGER audit_no_update; DROP TRIGGER audit_no_delete").await?;
    let middle = entries / 2 + 17;
    let tail = entries - 5;
    let deeds = [
        (
            format!(
                "UPDATE audit SET actor = actor || ' ' WHERE stream = 'platform' AND sequence = {middle}"
            ),
            format!("UPDATE audit SET actor = trim(actor) WHERE stream = 'platform' AND sequence = {middle}"),
            (middle, middle),
        ),
        (
            format!(
                "CREATE TABLE kept AS SELECT * FROM audit WHERE sequence = {middle}; DELETE FROM audit WHERE sequence = {middle}"
            ),
            "INSERT INTO audit SELECT * FROM kept".to_owned(),
            (middle, middle),
        ),
        (
            format!(
                "DELETE FROM audit WHERE sequence > {tail}; UPDATE audit_heads SET sequence = {tail}, \
                 hash = (SELECT hash FROM audit WHERE stream = 'platform' AND sequence = {tail})"
            ),
            String::new(),
            (tail + 1, entries),
        ),
    ];
    let mut named = 0;
    for (deed, mend, expected) in deeds {
        testing::raw(&url, &deed).await?;
        let cost = verify_elsewhere(directory)?;
        match cost.broken {
            Some((first, last, why)) if (first, last) == expected => {
                out::line(&format!(
                    "entries {first} to {last}: {why} (in {:.2} s)",
                    cost.seconds
                ));
                named += 1;
            }
            other => out::line(&format!("not named: {other:?} instead of {expected:?}")),
        }
        testing::raw(&url, &mend).await?;
    }
    Ok(named)
}
