//! Processes of the program.

use std::{
    fs::{self, File},
    io::Write as _,
    path::PathBuf,
    process::{Child, Command, ExitStatus, Stdio},
    time::Duration,
};

use naru_runtime::clock::instant;
use rustix::process::{Pid, Signal, kill_process};

/// How long a process may take to be ready, or to end when told to.
pub(crate) const PATIENCE: Duration = Duration::from_secs(40);
const PAUSE: Duration = Duration::from_millis(50);

/// The program under test: named by `NARU_PROGRAM`, else built beside this test.
pub(crate) fn program() -> PathBuf {
    let beside = || {
        let own = std::env::current_exe().unwrap();
        own.parent().unwrap().parent().unwrap().join("naru")
    };
    let path = std::env::var_os("NARU_PROGRAM").map_or_else(beside, PathBuf::from);
    assert!(
        path.is_file(),
        "{} is not there: cargo build -p naru",
        path.display()
    );
    path
}

/// Says a measured figure, past the test runner's capture: `cargo xtask test` shows these lines.
pub(crate) fn figure(text: &str) {
    drop(writeln!(std::io::stderr(), "figure: {text}"));
}

/// A running process; killed when dropped.
pub(crate) struct Running {
    child: Child,
    log: PathBuf,
}

impl Running {
    /// Starts it; what it says goes to `log`.
    pub(crate) fn start(command: &mut Command, log: PathBuf) -> Self {
        let out = File::options().append(true).create(true).open(&log).unwrap();
        let child = command
            .stdin(Stdio::null())
            .stdout(out.try_clone().unwrap())
            .stderr(out)
            .spawn()
            .unwrap();
        Self { child, log }
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    pub(crate) fn runs(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.child.id())
            .ok()
            .and_then(Pid::from_raw)
            .unwrap();
        kill_process(pid, signal).unwrap();
    }

    /// Asks it to end, as an init system does, and waits.
    pub(crate) async fn stop(&mut self) -> ExitStatus {
        self.signal(Signal::TERM);
        self.ended().await
    }

    /// Ends it without a warning.
    pub(crate) async fn kill(&mut self) {
        self.signal(Signal::KILL);
        self.ended().await;
    }

    pub(crate) async fn ended(&mut self) -> ExitStatus {
        let started = instant();
        while started.elapsed() < PATIENCE {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            tokio::time::sleep(PAUSE).await;
        }
        panic!("it does not end:\n{}", self.log());
    }

    /// Waits until its operation door says that it is ready.
    pub(crate) async fn ready(&mut self, operation: u16) {
        let started = instant();
        while started.elapsed() < PATIENCE {
            assert!(self.runs(), "it ended at once:\n{}", self.log());
            if readiness(operation).await == Some(200) {
                return;
            }
            tokio::time::sleep(PAUSE).await;
        }
        panic!("it does not get ready:\n{}", self.log());
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
        if std::thread::panicking() {
            let log = self.log();
            let lines: Vec<&str> = log.lines().collect();
            let tail = lines.iter().skip(lines.len().saturating_sub(40));
            eprintln!("--- {}", self.log.display());
            tail.for_each(|line| eprintln!("{line}"));
        }
    }
}

/// The status of `/readyz`; `None` while nobody listens.
pub(crate) async fn readiness(operation: u16) -> Option<u16> {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let mut stream = tokio::net::TcpStream::connect(("127.0.0.1", operation))
        .await
        .ok()?;
    let request = b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    stream.write_all(request).await.ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.ok()?;
    answer.split(' ').nth(1)?.parse().ok()
}
