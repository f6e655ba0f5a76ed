//! The files of the working copy: those in git, and those about to be.

use std::{fs, path::PathBuf, process::Command};

use crate::{failure::Failure, place, run};

/// One file.
pub(crate) struct File {
    /// Its path from the root, with `/`.
    pub(crate) path: String,
    /// Its size.
    pub(crate) bytes: u64,
    /// Its text, if it is one.
    pub(crate) text: Option<String>,
}

impl File {
    /// Whether it is Rust.
    pub(crate) fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }

    /// Its text; empty if it is none.
    pub(crate) fn text(&self) -> &str {
        self.text.as_deref().unwrap_or_default()
    }

    /// Its lines before the tests in it begin.
    pub(crate) fn product_lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text()
            .lines()
            .enumerate()
            .map(|(index, line)| (index + 1, line))
            .take_while(|(_, line)| line.trim() != "#[cfg(test)]")
    }
}

/// Every file git knows or would take.
pub(crate) fn read() -> Result<Vec<File>, Failure> {
    let mut git = Command::new("git");
    git.current_dir(place::root())
        .args(["ls-files", "--cached", "--others", "--exclude-standard"]);
    let list =
        run::text_of(&mut git).ok_or_else(|| Failure::new("`git ls-files` failed: is this a clone?"))?;
    let mut paths: Vec<&str> = list.lines().collect();
    paths.sort_unstable();
    paths.dedup();
    Ok(paths.into_iter().filter_map(file).collect())
}

fn file(path: &str) -> Option<File> {
    let full: PathBuf = place::root().join(path);
    // Deleted but not yet committed, or a link: not ours to judge.
    let metadata = fs::symlink_metadata(&full).ok().filter(fs::Metadata::is_file)?;
    Some(File {
        path: path.to_owned(),
        bytes: metadata.len(),
        text: fs::read_to_string(&full).ok(),
    })
}

#[cfg(test)]
pub(crate) fn example(path: &str, text: &str) -> File {
    File {
        path: path.to_owned(),
        bytes: u64::try_from(text.len()).unwrap(),
        text: Some(text.to_owned()),
    }
}
