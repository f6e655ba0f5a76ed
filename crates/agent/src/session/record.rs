//! What the agent writes down about each session, so that the next agent finds it again.

use std::fs;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use naru_kernel::{DesktopId, fleet::Protocol};
use serde::{Deserialize, Serialize};

use super::process::ProcessId;
use crate::{Error, account::Account};

/// Records read at start; more than any host runs.
const RECORDS_MAX: usize = 10_000;
/// A record's length, in bytes; ours have about 300.
const RECORD_BYTES_MAX: u64 = 4_096;

/// One session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Record {
    pub(crate) desktop: DesktopId,
    pub(crate) protocol: Protocol,
    pub(crate) account: Account,
    pub(crate) leader: Option<ProcessId>,
    /// The kernel's boot identifier: after a restart of the machine no pid means anything.
    pub(crate) boot: String,
}

/// The directory of records.
#[derive(Clone, Debug)]
pub(crate) struct Records(PathBuf);

impl Records {
    /// Opens it, made if missing.
    pub(crate) fn open(state_directory: &Path) -> Result<Self, Error> {
        let directory = state_directory.join("sessions");
        super::make_directory(&directory, 0o700)?;
        Ok(Self(directory))
    }

    fn path(&self, desktop: DesktopId) -> PathBuf {
        self.0.join(format!("{desktop}.json"))
    }

    /// Keeps a record; the old one or the new one is there, never half of one.
    pub(crate) fn keep(&self, record: &Record) -> Result<(), Error> {
        use std::io::Write as _;
        let what = "write down the session";
        let path = self.path(record.desktop);
        let aside = path.with_extension("new");
        let text = serde_json::to_vec(record).map_err(|error| Error::io(what)(error.into()))?;
        let mut options = fs::OpenOptions::new();
        let file = options
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&aside);
        file.and_then(|mut file| file.write_all(&text))
            .and_then(|()| fs::rename(&aside, &path))
            .map_err(Error::io(what))
    }

    /// Forgets a record.
    pub(crate) fn forget(&self, desktop: DesktopId) {
        if let Err(error) = fs::remove_file(self.path(desktop))
            && error.kind() != std::io::ErrorKind::NotFound
        {
            tracing::warn!(%desktop, %error, "a session's record could not be removed");
        }
    }

    /// All records; what cannot be read is reported and passed over.
    pub(crate) fn all(&self) -> Result<Vec<Record>, Error> {
        let entries = fs::read_dir(&self.0).map_err(Error::io("read the session records"))?;
        let mut records = Vec::new();
        for entry in entries.filter_map(Result::ok).take(RECORDS_MAX) {
            let path = entry.path();
            if path.extension().is_none_or(|extension| extension != "json") {
                continue;
            }
            match read(&path) {
                Ok(record) => records.push(record),
                Err(error) => {
                    tracing::warn!(path = %path.display(), %error, "a session's record cannot be read");
                }
            }
        }
        Ok(records)
    }
}

fn read(path: &Path) -> std::io::Result<Record> {
    use std::io::Read as _;
    let mut text = Vec::new();
    fs::File::open(path)?
        .take(RECORD_BYTES_MAX)
        .read_to_end(&mut text)?;
    Ok(serde_json::from_slice(&text)?)
}

/// Held while an agent lives: two on the same records would end each other's sessions.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: fs::File,
}

impl Lock {
    /// Takes it; the kernel gives it back when the agent ends, however that is.
    pub(crate) fn take(state_directory: &Path) -> Result<Self, Error> {
        super::make_directory(state_directory, 0o700)?;
        let mut options = fs::OpenOptions::new();
        let file = options
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(state_directory.join("lock"));
        let file = file.map_err(Error::io("open the agent's lock"))?;
        file.try_lock().map_err(|_| Error::Configuration {
            why: "another agent uses the same state_directory",
        })?;
        Ok(Self { _file: file })
    }
}

/// The kernel's boot identifier (`random(4)`).
pub(crate) fn boot() -> String {
    fs::read_to_string("/proc/sys/kernel/random/boot_id")
        .unwrap_or_default()
        .trim()
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_kept_replaced_and_forgotten_and_a_torn_one_harms_no_other() {
        let place = tempfile::tempdir().unwrap();
        let records = Records::open(place.path()).unwrap();
        let account = Account {
            name: "naru-a".into(),
            uid: 1001,
            gid: 1001,
            home: "/home/naru-a".into(),
        };
        let mut record = Record {
            desktop: DesktopId::from_bits(7),
            protocol: Protocol::Rfb,
            account,
            leader: None,
            boot: boot(),
        };
        records.keep(&record).unwrap();
        record.leader = Some(ProcessId { pid: 3, start: 4 });
        records.keep(&record).unwrap();
        fs::write(place.path().join("sessions/torn.json"), "{\"desktop\":").unwrap();
        assert_eq!(records.all().unwrap(), [record.clone()]);
        records.forget(record.desktop);
        records.forget(record.desktop);
        assert_eq!(records.all().unwrap(), []);
    }
}
