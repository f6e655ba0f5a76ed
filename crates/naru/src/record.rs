//! `naru audit`: checks, proves and retires the record, on the database directly; the portal may be running.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
};

use anyhow::{Context as _, bail};
use clap::Subcommand;
use naru_audit::{Audit, EntryProof, KnowsMinistries, KnowsNames, Note, NoteKey, Parts, StreamVerdict};
use naru_kernel::{MinistryId, PersonId, Timestamp};
use naru_runtime::clock::{SystemClock, SystemEntropy};
use naru_store::{BoxFuture, Db};

use crate::{config::Config, say::say};

/// Files of checkpoints and proofs that are larger are not read.
const FILE_BYTES_MAX: u64 = 64 * 1024 * 1024;

#[derive(Subcommand, Debug)]
pub(crate) enum Record {
    /// Walk every chain and its tree; name any entry that was changed, taken away, put in or moved
    Verify {
        /// A file of signed checkpoints that was kept elsewhere (a witness's file, or syslog); repeatable
        #[arg(long = "checkpoint", value_name = "FILE")]
        checkpoints: Vec<PathBuf>,
        /// A key that signed them, as `naru audit key` prints it; the installation's own if absent; repeatable
        #[arg(long = "key", value_name = "KEY")]
        keys: Vec<String>,
        /// One chain only: a ministry's identifier, or `platform`
        #[arg(long)]
        stream: Option<String>,
    },
    /// Check one entry with the proof an auditor downloaded; needs neither database nor portal
    VerifyEntry {
        /// The proof (JSON)
        file: PathBuf,
        /// The key that signs the installation's checkpoints, got from elsewhere than the proof
        #[arg(long)]
        key: Option<String>,
    },
    /// Sign how every chain stands now, and print it
    Checkpoint,
    /// Print the keys that check this installation's checkpoints and cosignatures
    Key,
    /// Forget what entries say of a person beside their identifier; entries and proofs stay
    Forget {
        /// The person's identifier
        person: PersonId,
    },
    /// Take away entries older than a date, each chain up to a checkpoint, by a recorded act
    Retire {
        /// `2024-11-01`, midnight in Korea; as old as entries are kept if absent
        #[arg(long, value_parser = date)]
        before: Option<Timestamp>,
    },
}

fn date(text: &str) -> Result<Timestamp, String> {
    naru_audit::day(text).ok_or_else(|| "a date is written like 2024-11-01".to_owned())
}

/// At the command line nobody's name is looked up.
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

pub(crate) async fn run(command: Record, config: Config) -> anyhow::Result<ExitCode> {
    let db = Db::open(&config.store.url)
        .await
        .context("the database cannot be opened")?;
    let audit = Audit::open(Parts {
        config: config.audit,
        db: db.clone(),
        clock: Arc::new(SystemClock),
        entropy: Arc::new(SystemEntropy),
        ministries: Arc::new(Nobody),
        people: Arc::new(Nobody),
    })
    .await?;
    let code = obey(command, &audit).await;
    db.close().await;
    code
}

async fn obey(command: Record, audit: &Audit) -> anyhow::Result<ExitCode> {
    match command {
        Record::Verify {
            checkpoints,
            keys,
            stream,
        } => verify(audit, &checkpoints, &keys, stream.as_deref()).await,
        // Answered before there was a database.
        Record::VerifyEntry { file, key } => verify_entry(&file, key.as_deref()),
        Record::Checkpoint => {
            say(audit.checkpoint_all().await?.trim_end());
            Ok(ExitCode::SUCCESS)
        }
        Record::Key => {
            say(format!("log      {}", audit.log_key()));
            say(format!("witness  {}", audit.witness_key()));
            Ok(ExitCode::SUCCESS)
        }
        Record::Forget { person } => {
            say(format!(
                "{} texts about {person} forgotten",
                audit.forget(person).await?
            ));
            Ok(ExitCode::SUCCESS)
        }
        Record::Retire { before } => {
            let before = before.unwrap_or_else(|| audit.retention_ends());
            for retired in audit.retire(before).await? {
                say(format!(
                    "retired  {}  up to entry {}, {} entries now",
                    retired.stream, retired.size, retired.removed
                ));
            }
            Ok(ExitCode::SUCCESS)
        }
    }
}

fn read(path: &Path) -> anyhow::Result<String> {
    let name = path.display();
    let length = std::fs::metadata(path)
        .with_context(|| format!("{name} cannot be read"))?
        .len();
    if length > FILE_BYTES_MAX {
        bail!("{name} is larger than {FILE_BYTES_MAX} bytes");
    }
    let bytes = std::fs::read(path).with_context(|| format!("{name} cannot be read"))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn keys(texts: &[String]) -> anyhow::Result<Vec<NoteKey>> {
    let read = |text: &String| NoteKey::read(text).with_context(|| format!("{text} is no key"));
    texts.iter().map(read).collect()
}

async fn verify(
    audit: &Audit,
    checkpoints: &[PathBuf],
    given: &[String],
    stream: Option<&str>,
) -> anyhow::Result<ExitCode> {
    let mut measure = audit.measure();
    if !given.is_empty() {
        measure.keys = keys(given)?;
    }
    for path in checkpoints {
        let notes = Note::all_in(&read(path)?);
        if notes.is_empty() {
            bail!("{} holds no checkpoint", path.display());
        }
        measure.outside.extend(notes);
    }
    let verification = audit.verify_against(&measure, stream).await?;
    for chain in &verification.streams {
        say_chain(chain);
    }
    if verification.strange_checkpoints > 0 {
        say(format!(
            "{} checkpoints count for nothing: of another log, or signed by no known key",
            verification.strange_checkpoints
        ));
    }
    Ok(if verification.ok && verification.strange_checkpoints == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn say_chain(chain: &StreamVerdict) {
    let word = if chain.broken.is_none() {
        "whole "
    } else {
        "BROKEN"
    };
    let retired = match chain.retired {
        0 => String::new(),
        retired => format!(" after {retired} retired"),
    };
    say(format!(
        "{word}  {}  {} entries{retired}, {} checkpoints  {}",
        chain.stream, chain.entries, chain.checkpoints, chain.head
    ));
    for found in &chain.findings {
        let place = if found.sequence == found.last {
            format!("entry {}", found.sequence)
        } else {
            format!("entries {} to {}", found.sequence, found.last)
        };
        say(format!("        {place}: {}", found.why));
    }
}

pub(crate) fn verify_entry(file: &Path, key: Option<&str>) -> anyhow::Result<ExitCode> {
    let proof: EntryProof = serde_json::from_str(&read(file)?).context("this is no proof of an entry")?;
    let key = NoteKey::read(key.unwrap_or(&proof.key)).context("this is no key")?;
    let entries = naru_audit::verify_entry(&proof, &key)?;
    let entry = &proof.entry;
    say(format!(
        "proven   {}  entry {} of {entries}: {} {} {} at {}",
        entry.stream, entry.sequence, entry.actor, entry.action, entry.outcome, entry.at
    ));
    if proof.key == key.to_string() {
        say(format!(
            "signed by {key}: compare it with the key you have from elsewhere"
        ));
    }
    Ok(ExitCode::SUCCESS)
}
