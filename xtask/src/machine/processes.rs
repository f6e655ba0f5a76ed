//! Other processes, by their number.

use std::{fs, process::Command};

/// Every process below this one.
pub(crate) fn descendants(ancestor: u32) -> Vec<u32> {
    let pairs = parents();
    let mut found = vec![ancestor];
    let mut next = 0;
    while let Some(&parent) = found.get(next) {
        found.extend(pairs.iter().filter(|(_, of)| *of == parent).map(|(pid, _)| *pid));
        next += 1;
    }
    found.remove(0);
    found
}

/// Asks a process to end.
pub(crate) fn terminate(pid: u32) {
    // It may be gone already.
    drop(Command::new("kill").arg(pid.to_string()).output());
}

/// (process, its parent) of everything that runs.
fn parents() -> Vec<(u32, u32)> {
    let Ok(entries) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    entries
        .filter_map(Result::ok)
        .filter_map(|entry| {
            let pid: u32 = entry.file_name().to_str()?.parse().ok()?;
            let stat = fs::read_to_string(entry.path().join("stat")).ok()?;
            Some((pid, parent_of(&stat)?))
        })
        .collect()
}

/// The parent in a line of `/proc/PID/stat` (proc(5)): the name may itself hold spaces and brackets.
fn parent_of(stat: &str) -> Option<u32> {
    let (_, rest) = stat.rsplit_once(')')?;
    rest.split_whitespace().nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_brackets_does_not_confuse() {
        assert_eq!(parent_of("41 (a) b) S 7 41 41"), Some(7));
    }

    #[test]
    fn a_child_is_found_below_its_parent() {
        let mut child = Command::new("sleep").arg("30").spawn().unwrap();
        assert!(descendants(std::process::id()).contains(&child.id()));
        child.kill().unwrap();
        child.wait().unwrap();
    }
}
