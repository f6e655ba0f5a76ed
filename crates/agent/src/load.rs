//! How busy the host is, from `/proc` (Linux pressure stall information, `proc(5)`).

use naru_kernel::fleet::HostLoad;

/// Memory one desktop session is reckoned at, in MiB (measured: 169 with an editor and a terminal; a
/// writer with a document and a browser tab more than double it).
pub(crate) const SESSION_MEMORY_MIB: i64 = 400;

/// What the agent itself knows about its sessions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sessions {
    pub(crate) running: i64,
    pub(crate) max: Option<i64>,
    pub(crate) logons_in_progress: i64,
}

/// Reads the load now. What cannot be read counts as nothing free, so that a blind host is not chosen.
pub(crate) fn read(sessions: Sessions) -> HostLoad {
    let file = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let processors = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    compose(
        &file("/proc/pressure/cpu"),
        &file("/proc/loadavg"),
        &file("/proc/meminfo"),
        i64::try_from(processors).unwrap_or(1),
        sessions,
    )
}

fn compose(pressure: &str, loadavg: &str, meminfo: &str, processors: i64, sessions: Sessions) -> HostLoad {
    let memory_total_mib = memory_mib(meminfo, "MemTotal:");
    let by_memory = (memory_total_mib / SESSION_MEMORY_MIB).max(1);
    HostLoad {
        cpu_pressure_percent: cpu_pressure(pressure)
            .or_else(|| load_percent(loadavg, processors))
            .unwrap_or(100.0),
        processors,
        memory_total_mib,
        memory_available_mib: memory_mib(meminfo, "MemAvailable:"),
        sessions: sessions.running,
        sessions_max: sessions.max.unwrap_or(by_memory),
        logons_in_progress: sessions.logons_in_progress,
    }
}

/// `some avg10=0.84 avg60=…` of `/proc/pressure/cpu`, in percent.
fn cpu_pressure(text: &str) -> Option<f64> {
    let line = text.lines().find_map(|line| line.strip_prefix("some "))?;
    let value = line
        .split_ascii_whitespace()
        .find_map(|word| word.strip_prefix("avg10="))?;
    percent(value.parse().ok()?)
}

/// Without pressure information: how far the runnable tasks of the last minute exceed the processors.
fn load_percent(loadavg: &str, processors: i64) -> Option<f64> {
    let runnable: f64 = loadavg.split_ascii_whitespace().next()?.parse().ok()?;
    let processors = f64::from(i32::try_from(processors.max(1)).ok()?);
    percent((runnable / processors * 100.0).min(100.0))
}

fn percent(value: f64) -> Option<f64> {
    value.is_finite().then(|| value.clamp(0.0, 100.0))
}

fn memory_mib(meminfo: &str, field: &str) -> i64 {
    meminfo
        .lines()
        .find_map(|line| line.strip_prefix(field))
        .and_then(|rest| rest.split_ascii_whitespace().next())
        .and_then(|kib| kib.parse::<i64>().ok())
        .map_or(0, |kib| kib / 1_024)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PRESSURE: &str = "some avg10=12.50 avg60=2.90 avg300=3.73 total=41964695\nfull avg10=0.00\n";
    const MEMINFO: &str = "MemTotal:       24576000 kB\nMemFree: 1 kB\nMemAvailable:   12288000 kB\n";

    #[test]
    fn pressure_and_memory_are_read() {
        let sessions = Sessions {
            running: 3,
            max: None,
            logons_in_progress: 1,
        };
        let load = compose(PRESSURE, "9.0 1 1", MEMINFO, 4, sessions);
        assert!((load.cpu_pressure_percent - 12.5).abs() < 1e-9);
        assert_eq!(
            (load.memory_total_mib, load.memory_available_mib),
            (24_000, 12_000)
        );
        assert_eq!(
            (load.sessions, load.sessions_max, load.logons_in_progress),
            (3, 60, 1)
        );
    }

    #[test]
    fn without_pressure_information_the_load_average_stands_in() {
        let load = compose("", "1.00 2 3 1/2 3", MEMINFO, 4, Sessions::default());
        assert!((load.cpu_pressure_percent - 25.0).abs() < 1e-9);
        let blind = compose(
            "",
            "",
            "",
            1,
            Sessions {
                max: Some(7),
                ..Sessions::default()
            },
        );
        assert!((blind.cpu_pressure_percent - 100.0).abs() < 1e-9);
        assert_eq!((blind.memory_available_mib, blind.sessions_max), (0, 7));
    }

    proptest! {
        #[test]
        fn any_text_gives_a_load_in_range(text in ".{0,200}", number in any::<f64>()) {
            for pressure in [text.clone(), format!("some avg10={number} x")] {
                let load = compose(&pressure, &text, &text, 1, Sessions::default());
                prop_assert!((0.0..=100.0).contains(&load.cpu_pressure_percent));
            }
        }
    }

    #[test]
    fn this_machine_has_a_load() {
        let load = read(Sessions::default());
        assert!(load.memory_total_mib > 0 && load.processors > 0 && load.sessions_max > 0);
    }
}
