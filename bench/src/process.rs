//! Another process: started, measured by `/proc` (proc(5)), and always stopped.

use std::{
    collections::BTreeMap,
    fs,
    process::{Child, Command, Stdio},
    time::Duration,
};

use anyhow::{Context as _, Result};

/// Length of a clock tick in `/proc/PID/stat`: 100 a second on every Linux.
const TICK_SECONDS: f64 = 0.01;

/// A process with everything below it.
pub(crate) struct Measured {
    child: Child,
}

/// CPU time of a process and its children, dead ones included.
#[derive(Clone, Copy)]
pub(crate) struct CpuSeconds(pub(crate) f64);

impl Measured {
    /// Starts it with its output going nowhere, unless `NARU_BENCH_SHOW` is set.
    pub(crate) fn start(command: &mut Command) -> Result<Self> {
        let name = command.get_program().display().to_string();
        let child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(if std::env::var_os("NARU_BENCH_SHOW").is_some() {
                Stdio::inherit()
            } else {
                Stdio::null()
            })
            .spawn()
            .with_context(|| format!("{name} could not be started"))?;
        Ok(Self { child })
    }

    /// Whether it still runs.
    pub(crate) fn runs(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// CPU time used so far.
    pub(crate) fn cpu(&self) -> CpuSeconds {
        let all = processes();
        let ticks: u64 = family(&all, self.child.id())
            .iter()
            .filter_map(|pid| all.get(pid))
            .map(|stat| stat.ticks)
            .sum();
        CpuSeconds(f64::from(u32::try_from(ticks).unwrap_or(u32::MAX)) * TICK_SECONDS)
    }

    /// Memory that is its own, and its share of what it shares: PSS in KiB.
    pub(crate) fn memory_kib(&self) -> f64 {
        let all = processes();
        family(&all, self.child.id()).into_iter().map(pss_kib).sum()
    }

    /// The most memory it and those below it ever had resident, in MiB.
    pub(crate) fn peak_mib(&self) -> f64 {
        let all = processes();
        let kib: f64 = family(&all, self.child.id()).into_iter().map(peak_kib).sum();
        kib / 1_024.0
    }

    /// Asks it to end, and waits.
    pub(crate) fn stop(mut self) {
        self.end();
    }

    fn end(&mut self) {
        let all = processes();
        for pid in family(&all, self.child.id()) {
            drop(
                Command::new("kill")
                    .arg(pid.to_string())
                    .stderr(Stdio::null())
                    .status(),
            );
        }
        for _ in 0..50 {
            if !self.runs() {
                return;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Drop for Measured {
    fn drop(&mut self) {
        self.end();
    }
}

/// CPU time this very process has used.
pub(crate) fn own_cpu() -> CpuSeconds {
    let ticks = processes().get(&std::process::id()).map_or(0, |stat| stat.ticks);
    CpuSeconds(f64::from(u32::try_from(ticks).unwrap_or(u32::MAX)) * TICK_SECONDS)
}

/// One line of `/proc/PID/stat`.
struct Stat {
    parent: u32,
    /// User and system, its own and of children it has waited for.
    ticks: u64,
}

fn processes() -> BTreeMap<u32, Stat> {
    let Ok(entries) = fs::read_dir("/proc") else {
        return BTreeMap::new();
    };
    entries
        .filter_map(Result::ok)
        .filter_map(|entry| {
            let pid: u32 = entry.file_name().to_str()?.parse().ok()?;
            let text = fs::read_to_string(entry.path().join("stat")).ok()?;
            // The name may hold spaces and brackets; what follows the last bracket does not.
            let (_, rest) = text.rsplit_once(')')?;
            let fields: Vec<&str> = rest.split_whitespace().collect();
            let number = |index: usize| fields.get(index)?.parse::<u64>().ok();
            let ticks = [11, 12, 13, 14].into_iter().filter_map(number).sum();
            let parent = fields.get(1)?.parse().ok()?;
            Some((pid, Stat { parent, ticks }))
        })
        .collect()
}

fn family(all: &BTreeMap<u32, Stat>, ancestor: u32) -> Vec<u32> {
    let mut found = vec![ancestor];
    let mut next = 0;
    while let Some(&parent) = found.get(next) {
        found.extend(
            all.iter()
                .filter(|(_, stat)| stat.parent == parent)
                .map(|(pid, _)| *pid),
        );
        next += 1;
    }
    found
}

fn pss_kib(pid: u32) -> f64 {
    let rollup = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap_or_default();
    rollup
        .lines()
        .find_map(|line| line.strip_prefix("Pss:"))
        .and_then(|rest| rest.trim().trim_end_matches(" kB").parse().ok())
        .unwrap_or(0.0)
}

fn peak_kib(pid: u32) -> f64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .and_then(|rest| rest.trim().trim_end_matches(" kB").parse().ok())
        .unwrap_or(0.0)
}

/// Lets this process and those it starts hold many connections.
pub(crate) fn raise_open_files() -> Result<()> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    setrlimit(Resource::Nofile, raised).context("the limit of open files could not be raised")
}
