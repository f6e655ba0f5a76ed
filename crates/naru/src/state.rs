//! Where an installation keeps what must survive a restart.

use std::{
    fs,
    os::unix::fs::{DirBuilderExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use anyhow::Context as _;

/// The directory for keys, database and sessions; readable by its owner alone.
#[derive(Clone, Debug)]
pub(crate) struct StateDirectory(PathBuf);

impl StateDirectory {
    /// The given one, or `/var/lib/naru` for root, or `~/.local/state/naru`.
    pub(crate) fn open(given: Option<PathBuf>) -> anyhow::Result<Self> {
        let path = match given {
            Some(path) => path,
            None if rustix::process::geteuid().is_root() => PathBuf::from("/var/lib/naru"),
            None => {
                let home =
                    std::env::var_os("HOME").context("no state directory: give --state or set HOME")?;
                PathBuf::from(home).join(".local/state/naru")
            }
        };
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&path)
            .with_context(|| format!("state directory {}", path.display()))?;
        let path = path
            .canonicalize()
            .with_context(|| format!("state directory {}", path.display()))?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o700))
            .with_context(|| format!("state directory {}", path.display()))?;
        Ok(Self(path))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    pub(crate) fn join(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}
