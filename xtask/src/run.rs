//! Runs other programs: shows that something happens, keeps the whole output in a log, and never waits for ever.

use std::{
    fs::{self, File},
    io::{BufRead as _, BufReader, Read, Write as _},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::mpsc::{self, RecvTimeoutError, Sender},
    thread,
    time::{Duration, Instant},
};

use crate::{
    failure::{Failure, While as _},
    machine::processes,
    place, say,
};

/// Lines of a failed program shown at once; the log has them all.
const TAIL_LINES_MAX: usize = 120;
/// Lines kept in memory for counting.
const KEPT_LINES_MAX: usize = 200_000;
/// Without a terminal, a sign of life this often.
const SIGN_OF_LIFE_SECONDS: u64 = 60;
/// After a program ended, how long its output may still be held open by a child it left behind.
const LEFTOVER_SECONDS_MAX: u64 = 3;

/// How a program ended.
pub(crate) struct Outcome {
    /// Whether it ended well and in time.
    pub(crate) good: bool,
    /// What it wrote, in order of arrival.
    pub(crate) lines: Vec<String>,
    /// Where everything it wrote stands.
    pub(crate) log: PathBuf,
}

impl Outcome {
    /// Shows the end of what it wrote.
    pub(crate) fn show_tail(&self) {
        let skipped = self.lines.len().saturating_sub(TAIL_LINES_MAX);
        if skipped > 0 {
            say::line(&format!(
                "  … {skipped} lines before, all in {}",
                self.log.display()
            ));
        }
        for line in self.lines.iter().skip(skipped) {
            say::line(&format!("  {line}"));
        }
    }
}

/// The time now: these commands measure their own steps, nothing of the product's.
pub(crate) fn instant() -> Instant {
    #[expect(clippy::disallowed_methods, reason = "a development command's own stopwatch")]
    Instant::now()
}

/// Runs a step that must succeed; on failure shows the end of its output.
pub(crate) fn must(title: &str, seconds_max: u64, command: &mut Command) -> Result<Outcome, Failure> {
    let outcome = observed(title, seconds_max, command)?;
    if outcome.good {
        Ok(outcome)
    } else {
        outcome.show_tail();
        Err(Failure::new(format!(
            "{title} failed; everything it wrote: {}",
            outcome.log.display()
        )))
    }
}

/// Runs a step and tells how it ended.
pub(crate) fn observed(title: &str, seconds_max: u64, command: &mut Command) -> Result<Outcome, Failure> {
    let started = instant();
    let log = log_path(title)?;
    let mut file = File::create(&log).or_could_not("write a log")?;
    let mut child = command
        .current_dir(
            command
                .get_current_dir()
                .map_or_else(|| place::root().to_owned(), Path::to_owned),
        )
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .or_could_not(&format!("start {}", command.get_program().display()))?;
    let (sender, lines) = mpsc::channel();
    forward(child.stdout.take(), sender.clone());
    forward(child.stderr.take(), sender);

    let mut kept = Vec::new();
    let mut life = started;
    let mut ended: Option<Instant> = None;
    let mut in_time = true;
    loop {
        match lines.recv_timeout(Duration::from_millis(500)) {
            Ok(line) => {
                drop(writeln!(file, "{line}"));
                say::status(&format!(
                    "{title} · {}s · {}",
                    started.elapsed().as_secs(),
                    line.trim()
                ));
                if kept.len() < KEPT_LINES_MAX {
                    kept.push(line);
                }
            }
            Err(RecvTimeoutError::Disconnected) => break,
            Err(RecvTimeoutError::Timeout) => {}
        }
        if ended.is_none() && child.try_wait().or_could_not("wait for a program")?.is_some() {
            ended = Some(instant());
        }
        if ended.is_some_and(|at| at.elapsed().as_secs() >= LEFTOVER_SECONDS_MAX) {
            break;
        }
        if in_time && started.elapsed().as_secs() > seconds_max {
            in_time = false;
            kept.push(format!("stopped: it took more than {seconds_max} s"));
            stop(&mut child);
        }
        if life.elapsed().as_secs() >= SIGN_OF_LIFE_SECONDS {
            life = instant();
            say_still_running(title, started);
        }
    }
    let status = child.wait().or_could_not("wait for a program")?;
    Ok(Outcome {
        good: in_time && status.success(),
        lines: kept,
        log,
    })
}

/// What a program writes to its standard output, if it ends well.
pub(crate) fn text_of(command: &mut Command) -> Option<String> {
    let output = command.stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    output
        .status
        .success()
        .then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Stops a program and everything it started.
pub(crate) fn stop(child: &mut Child) {
    for pid in processes::descendants(child.id()) {
        processes::terminate(pid);
    }
    processes::terminate(child.id());
    thread::sleep(Duration::from_secs(2));
    // It has ended already, most likely.
    drop(child.kill());
}

fn forward(stream: Option<impl Read + Send + 'static>, to: Sender<String>) {
    let Some(stream) = stream else { return };
    thread::spawn(move || {
        let mut reader = BufReader::new(stream);
        let mut bytes = Vec::new();
        while reader.read_until(b'\n', &mut bytes).is_ok_and(|read| read > 0) {
            let line = String::from_utf8_lossy(&bytes).trim_end().to_owned();
            if to.send(line).is_err() {
                break;
            }
            bytes.clear();
        }
    });
}

fn say_still_running(title: &str, started: Instant) {
    use std::io::IsTerminal as _;
    if !std::io::stderr().is_terminal() {
        say::line(&format!("  … {title}: {} s", started.elapsed().as_secs()));
    }
}

fn log_path(title: &str) -> Result<PathBuf, Failure> {
    let directory = place::own().join("logs");
    fs::create_dir_all(&directory).or_could_not("make a directory for logs")?;
    let name: String = title
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
        .collect();
    Ok(directory.join(format!("{name}.log")))
}
