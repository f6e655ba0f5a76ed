//! Which processes belong to a session, and how they are ended: by pid and start time, never by name.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::ffi::OsStrExt as _;
use std::time::Duration;

use naru_kernel::DesktopId;
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use serde::{Deserialize, Serialize};

/// How long the programs of a session have to save what they hold after they were asked to end.
const GRACE: Duration = Duration::from_millis(1_500);
/// How often it is looked whether they are gone.
const LOOK: Duration = Duration::from_millis(50);
/// How often it is looked whether a session's first process is still there.
const GONE_LOOK: Duration = Duration::from_millis(250);
/// Rounds of killing before the rest is reported; more than one, since a program may start another meanwhile.
const KILL_ROUNDS_MAX: u32 = 20;
/// A program's environment is read up to here, in bytes.
const ENVIRONMENT_BYTES_MAX: u64 = 256 * 1024;
/// The variable every program of a session inherits.
pub(crate) const MARK: &str = "NARU_DESKTOP";

/// One process, told from a later one with the same pid by its start time (clock ticks since boot).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct ProcessId {
    pub(crate) pid: i32,
    pub(crate) start: u64,
}

impl ProcessId {
    /// The process that has this pid now, unless it is a zombie.
    pub(crate) fn of(pid: i32) -> Option<Self> {
        let stat = Stat::read(pid)?;
        stat.alive.then_some(Self {
            pid,
            start: stat.start,
        })
    }

    pub(crate) fn is_alive(self) -> bool {
        Self::of(self.pid) == Some(self)
    }

    /// Sends a signal to this very process; whether it was there.
    fn signal(self, signal: Signal) -> bool {
        // The descriptor pins the process: the pid cannot be given to another between check and signal.
        let Some(handle) = Pid::from_raw(self.pid).and_then(|pid| pidfd_open(pid, PidfdFlags::empty()).ok())
        else {
            return false;
        };
        self.is_alive() && pidfd_send_signal(&handle, signal).is_ok()
    }

    /// Asks this process to end, then ends it.
    pub(crate) async fn terminate(self) {
        if self.signal(Signal::TERM) && tokio::time::timeout(GRACE, self.gone()).await.is_err() {
            self.signal(Signal::KILL);
        }
    }

    /// Waits until this process is gone; for those that are not children of the agent.
    pub(crate) async fn gone(self) {
        while self.is_alive() {
            tokio::time::sleep(GONE_LOOK).await;
        }
    }
}

/// What of `/proc/<pid>/stat` matters (`proc_pid_stat(5)`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stat {
    alive: bool,
    parent: i32,
    start: u64,
}

impl Stat {
    fn read(pid: i32) -> Option<Self> {
        Self::parse(&std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
    }

    fn parse(text: &str) -> Option<Self> {
        // The name stands in parentheses and may itself hold any character, so count from the last one.
        let (_, rest) = text.rsplit_once(')')?;
        let mut fields = rest.split_ascii_whitespace();
        let state = fields.next()?;
        let parent = fields.next()?.parse().ok()?;
        let start = fields.nth(17)?.parse().ok()?;
        Some(Self {
            alive: !matches!(state, "Z" | "X"),
            parent,
            start,
        })
    }
}

/// What makes a process part of a session.
#[derive(Clone, Debug)]
pub(crate) struct Membership {
    pub(crate) desktop: DesktopId,
    pub(crate) leader: Option<ProcessId>,
    pub(crate) uid: u32,
    /// The account has no other session here and is ours alone, so everything it runs is of this one.
    pub(crate) whole_account: bool,
}

/// One process of a look at `/proc`.
struct Seen {
    id: ProcessId,
    parent: i32,
    uid: u32,
    marked: bool,
}

/// Every living process of the session now: the leader and what descends from it, what carries its mark
/// and, where the account is ours alone, what the account runs.
pub(crate) fn members(membership: &Membership) -> BTreeSet<ProcessId> {
    select(&look(membership), membership)
}

fn look(membership: &Membership) -> Vec<Seen> {
    let mark = format!("{MARK}={}", membership.desktop);
    let own = std::process::id();
    let Ok(entries) = std::fs::read_dir("/proc") else {
        return Vec::new();
    };
    let pids = entries.filter_map(Result::ok).filter_map(|entry| {
        str::from_utf8(entry.file_name().as_bytes())
            .ok()?
            .parse::<i32>()
            .ok()
    });
    pids.filter(|pid| u32::try_from(*pid) != Ok(own))
        .filter_map(|pid| {
            let stat = Stat::read(pid).filter(|stat| stat.alive)?;
            let uid = real_uid(pid)?;
            let id = ProcessId {
                pid,
                start: stat.start,
            };
            Some(Seen {
                id,
                parent: stat.parent,
                uid,
                marked: uid == membership.uid && is_marked(pid, &mark),
            })
        })
        .collect()
}

fn select(seen: &[Seen], membership: &Membership) -> BTreeSet<ProcessId> {
    let mut children: BTreeMap<i32, Vec<ProcessId>> = BTreeMap::new();
    for process in seen {
        children.entry(process.parent).or_default().push(process.id);
    }
    let mut members: BTreeSet<ProcessId> = seen
        .iter()
        .filter(|process| {
            Some(process.id) == membership.leader
                || process.marked
                || (membership.whole_account && process.uid == membership.uid)
        })
        .map(|process| process.id)
        .collect();
    let mut open: Vec<i32> = members.iter().map(|id| id.pid).collect();
    while let Some(parent) = open.pop() {
        for child in children.get(&parent).into_iter().flatten() {
            if members.insert(*child) {
                open.push(child.pid);
            }
        }
    }
    members
}

fn real_uid(pid: i32) -> Option<u32> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    status
        .lines()
        .find_map(|line| line.strip_prefix("Uid:"))?
        .split_ascii_whitespace()
        .next()?
        .parse()
        .ok()
}

fn is_marked(pid: i32, mark: &str) -> bool {
    use std::io::Read as _;
    let mut environment = Vec::new();
    std::fs::File::open(format!("/proc/{pid}/environ"))
        .and_then(|file| file.take(ENVIRONMENT_BYTES_MAX).read_to_end(&mut environment))
        .is_ok_and(|_| {
            environment
                .split(|byte| *byte == 0)
                .any(|entry| entry == mark.as_bytes())
        })
}

/// The first process of the account that runs this script (`bash <script> …`).
pub(crate) fn script_of(uid: u32, script: &std::path::Path, desktop: DesktopId) -> Option<ProcessId> {
    let membership = Membership {
        desktop,
        leader: None,
        uid,
        whole_account: false,
    };
    look(&membership)
        .into_iter()
        .filter(|process| process.uid == uid)
        .find(|process| {
            std::fs::read(format!("/proc/{}/cmdline", process.id.pid))
                .is_ok_and(|line| line.split(|byte| *byte == 0).nth(1) == Some(script.as_os_str().as_bytes()))
        })
        .map(|process| process.id)
}

/// Asks every process of the session to end, then ends those that have not. Returns how many are left
/// (0 unless the kernel cannot end them).
pub(crate) async fn end(membership: Membership) -> usize {
    let asked = signal_members(&membership, Signal::TERM).await;
    if asked > 0 {
        let looks = GRACE.as_millis() / LOOK.as_millis();
        for _ in 0..looks {
            tokio::time::sleep(LOOK).await;
            if count(&membership).await == 0 {
                return 0;
            }
        }
    }
    for _ in 0..KILL_ROUNDS_MAX {
        if signal_members(&membership, Signal::KILL).await == 0 {
            return 0;
        }
        tokio::time::sleep(LOOK).await;
    }
    count(&membership).await
}

async fn signal_members(membership: &Membership, signal: Signal) -> usize {
    let membership = membership.clone();
    let signalled = move || {
        members(&membership)
            .into_iter()
            .filter(|id| id.signal(signal))
            .count()
    };
    tokio::task::spawn_blocking(signalled).await.unwrap_or(0)
}

async fn count(membership: &Membership) -> usize {
    let membership = membership.clone();
    tokio::task::spawn_blocking(move || members(&membership).len())
        .await
        .unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const fn seen(pid: i32, parent: i32, uid: u32, marked: bool) -> Seen {
        Seen {
            id: ProcessId { pid, start: 1 },
            parent,
            uid,
            marked,
        }
    }

    fn selected(membership: &Membership) -> Vec<i32> {
        let table = [
            seen(1, 0, 0, false),
            seen(10, 1, 0, false),
            seen(11, 10, 1001, false),
            seen(12, 11, 1001, true),
            seen(20, 1, 1001, true),
            seen(21, 20, 1001, false),
            seen(30, 1, 1001, false),
            seen(40, 1, 1002, false),
        ];
        select(&table, membership).into_iter().map(|id| id.pid).collect()
    }

    #[test]
    fn a_session_is_its_leader_its_marked_and_what_descends_from_them() {
        let leader = Some(ProcessId { pid: 10, start: 1 });
        let desktop = DesktopId::from_bits(1);
        let mut membership = Membership {
            desktop,
            leader,
            uid: 1001,
            whole_account: false,
        };
        assert_eq!(selected(&membership), [10, 11, 12, 20, 21]);
        membership.whole_account = true;
        assert_eq!(selected(&membership), [10, 11, 12, 20, 21, 30]);
        // A pid that was given to another process since is not the leader.
        membership.leader = Some(ProcessId { pid: 10, start: 2 });
        assert_eq!(selected(&membership), [11, 12, 20, 21, 30]);
    }

    #[test]
    fn a_name_with_parentheses_does_not_shift_the_fields() {
        let text = "12 (a) R 1 (b) S 7 1 1 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 4242 1 1";
        assert_eq!(
            Stat::parse(text),
            Some(Stat {
                alive: true,
                parent: 7,
                start: 4242
            })
        );
        assert_eq!(Stat::parse("12 (a) Z 7"), None);
    }

    #[test]
    fn this_process_is_alive_and_a_later_one_is_not_it() {
        let own = ProcessId::of(i32::try_from(std::process::id()).unwrap()).unwrap();
        assert!(own.is_alive());
        assert!(
            !ProcessId {
                start: own.start + 1,
                ..own
            }
            .is_alive()
        );
    }

    proptest! {
        #[test]
        fn any_stat_line_is_read_without_panic(text in ".{0,300}") {
            let read = Stat::parse(&text);
            prop_assert!(read.is_none() || text.contains(')'));
        }
    }
}
