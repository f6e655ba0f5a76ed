//! Debian packages: the list is `deploy/debian-packages.txt`, one name a line, `#` comments.
//!
//! A second word says when it is needed: `test` for the tests only, `bench` for the benches only; without one, always.

use std::{collections::BTreeSet, fs, path::Path, process::Command};

use super::is_root;
use crate::{
    failure::{Failure, While as _},
    place, run, say,
};

/// Minutes an installation may take on a slow line.
const INSTALL_SECONDS_MAX: u64 = 30 * 60;

/// What the packages are for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum For {
    /// Running.
    Running,
    /// Running and testing.
    Tests,
    /// Running and benching.
    Benches,
}

/// The listed packages that are not installed.
pub(crate) fn missing(purpose: For) -> Result<Vec<String>, Failure> {
    let path = place::root().join("deploy/debian-packages.txt");
    let text = fs::read_to_string(&path).or_could_not(&format!("read {}", path.display()))?;
    let installed = installed()?;
    Ok(wanted(&text, purpose)
        .into_iter()
        .filter(|name| !installed.contains(name))
        .collect())
}

fn wanted(text: &str, purpose: For) -> Vec<String> {
    text.lines()
        .filter_map(|line| {
            let mut words = line.split('#').next()?.split_whitespace();
            let name = words.next()?;
            let fits = match words.next() {
                None => true,
                Some("test") => purpose == For::Tests,
                Some("bench") => purpose == For::Benches,
                Some(_) => false,
            };
            fits.then(|| name.to_owned())
        })
        .collect()
}

fn installed() -> Result<BTreeSet<String>, Failure> {
    let list =
        run::text_of(Command::new("dpkg-query").args(["-W", "-f", "${db:Status-Status} ${Package}\\n"]))
            .ok_or_else(|| {
                Failure::new("dpkg-query does not answer: these commands set up Debian 12 machines only")
            })?;
    Ok(list
        .lines()
        .filter_map(|line| line.strip_prefix("installed "))
        .map(str::to_owned)
        .collect())
}

/// Installs what is missing; says nothing when nothing is.
pub(crate) fn ensure(purpose: For) -> Result<(), Failure> {
    install(&missing(purpose)?)
}

/// Installs these packages.
pub(crate) fn install(names: &[String]) -> Result<(), Failure> {
    if names.is_empty() {
        return Ok(());
    }
    let list = names.join(" ");
    say::line(&format!("· Debian packages: {list}"));
    let mut update = as_root(&list)?;
    update.args(["apt-get", "update", "-q"]);
    run::must("apt-get update", INSTALL_SECONDS_MAX, &mut update)?;
    let mut install = as_root(&list)?;
    install
        .args(["apt-get", "install", "-q", "-y", "--no-install-recommends"])
        .args(names);
    run::must("apt-get install", INSTALL_SECONDS_MAX, &mut install).map(drop)
}

/// `env DEBIAN_FRONTEND=noninteractive`, with root's rights.
fn as_root(list: &str) -> Result<Command, Failure> {
    let mut command = if is_root() {
        Command::new("env")
    } else if Path::new("/usr/bin/sudo").exists() {
        let mut sudo = Command::new("sudo");
        sudo.args(["--non-interactive", "env"]);
        sudo
    } else {
        return Err(Failure::new(format!(
            "these Debian packages are missing and installing them needs root: run this as root once, or\n  \
             apt-get install --no-install-recommends {list}"
        )));
    };
    command.arg("DEBIAN_FRONTEND=noninteractive");
    Ok(command)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_read_by_purpose() {
        let text = "# desktops\nopenbox\nchromium test # browser\nhaproxy bench\n\n";
        assert_eq!(wanted(text, For::Running), ["openbox"]);
        assert_eq!(wanted(text, For::Tests), ["openbox", "chromium"]);
        assert_eq!(wanted(text, For::Benches), ["openbox", "haproxy"]);
    }
}
