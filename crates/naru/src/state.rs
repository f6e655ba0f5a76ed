//! Where an installation keeps what must survive a restart.

use std::{
    fs,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    os::unix::fs::{DirBuilderExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use anyhow::Context as _;

/// Root's.
const SYSTEM_STATE: &str = "/var/lib/naru";

/// The directory for keys, database and sessions; readable by its owner alone.
#[derive(Clone, Debug)]
pub(crate) struct StateDirectory(PathBuf);

impl StateDirectory {
    /// The given one, or `/var/lib/naru` for root, or `~/.local/state/naru`.
    pub(crate) fn open(given: Option<PathBuf>) -> anyhow::Result<Self> {
        let path = match given {
            Some(path) => path,
            None if rustix::process::geteuid().is_root() => PathBuf::from(SYSTEM_STATE),
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

    /// Where sockets of running desktops lie: short enough for a socket's name, one for each state directory.
    pub(crate) fn run_directory(&self) -> PathBuf {
        let is_root = rustix::process::geteuid().is_root();
        if is_root && self.0 == Path::new(SYSTEM_STATE) {
            return PathBuf::from("/run/naru/agent");
        }
        let mut hasher = DefaultHasher::new();
        self.0.hash(&mut hasher);
        let name = format!("naru-{:08x}", hasher.finish() & 0xffff_ffff);
        if is_root {
            return Path::new("/run").join(name);
        }
        std::env::var_os("XDG_RUNTIME_DIR")
            .map_or_else(std::env::temp_dir, PathBuf::from)
            .join(name)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    pub(crate) fn join(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}
