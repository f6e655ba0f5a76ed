//! Keeps xrdp and its session manager running, and hands the manager on to the next agent: its end would
//! end every session.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use naru_runtime::Shutdown;
use serde::{Deserialize, Serialize};
use tokio::process::{Child, Command};

use super::{XRDP_ACCOUNT, config::OVERLAY};
use crate::Error;
use crate::agent::Agent;
use crate::session::{process::ProcessId, record};

/// A program that fails at once is started again after this long, then after twice as long …
const PAUSE_FIRST: Duration = Duration::from_secs(1);
/// … up to this.
const PAUSE_MAX: Duration = Duration::from_secs(30);

/// The two programs of the back end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Program {
    /// Authenticates and starts sessions.
    Sesman,
    /// Speaks RDP.
    Xrdp,
}

impl Program {
    const fn name(self) -> &'static str {
        match self {
            Self::Sesman => "xrdp-sesman",
            Self::Xrdp => "xrdp",
        }
    }

    fn command(self, directory: &Path) -> Command {
        let mut command = Command::new("setsid");
        command.env_clear().env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
        command.args([
            "unshare",
            "--mount",
            "--propagation",
            "private",
            "/bin/sh",
            "-c",
            OVERLAY,
            "sh",
        ]);
        command.arg(directory);
        match self {
            Self::Sesman => command
                .args(["xrdp-sesman", "--nodaemon", "--config"])
                .arg(directory.join("sesman.ini")),
            Self::Xrdp => command
                .args([
                    "setpriv",
                    "--reuid",
                    XRDP_ACCOUNT,
                    "--regid",
                    XRDP_ACCOUNT,
                    "--clear-groups",
                ])
                .args(["xrdp", "--nodaemon", "--config"])
                .arg(directory.join("xrdp.ini")),
        };
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .current_dir("/");
        command
    }
}

/// What the next agent must know of the programs.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Running {
    sesman: Option<ProcessId>,
    xrdp: Option<ProcessId>,
    boot: String,
}

/// The supervised programs.
pub(crate) struct Supervised {
    running: Arc<std::sync::Mutex<Running>>,
    kept: PathBuf,
    keepers: Vec<tokio::task::JoinHandle<()>>,
}

impl Supervised {
    /// Starts both, or takes the session manager up that an earlier agent left.
    pub(super) async fn start(agent: &Arc<Agent>, directory: &Path, changed: bool) -> Result<Self, Error> {
        for program in ["xrdp", "xrdp-sesman"] {
            if !Path::new("/usr/sbin").join(program).exists() {
                return Err(Error::Configuration {
                    why: "the protocol rdp needs the packages xrdp and xorgxrdp",
                });
            }
        }
        let kept = agent.places.state.join("xrdp.json");
        let boot = record::boot();
        let older = fs::read(&kept)
            .ok()
            .and_then(|text| serde_json::from_slice::<Running>(&text).ok());
        let older = older.filter(|older| older.boot == boot).unwrap_or_default();
        if let Some(xrdp) = older.xrdp {
            xrdp.terminate().await;
        }
        let sesman = match older.sesman.filter(|sesman| sesman.is_alive()) {
            Some(sesman) if changed => {
                sesman.terminate().await;
                None
            }
            other => other,
        };
        let supervised = Self {
            running: Arc::new(std::sync::Mutex::new(Running {
                sesman,
                xrdp: None,
                boot,
            })),
            kept,
            keepers: Vec::new(),
        };
        let keepers = [(Program::Sesman, sesman), (Program::Xrdp, None)].map(|(program, there)| {
            let keep = Keeper {
                program,
                directory: directory.to_owned(),
                running: Arc::clone(&supervised.running),
                kept: supervised.kept.clone(),
                shutdown: agent.tasks.shutdown(),
            };
            agent.tasks.spawn(keep.run(there))
        });
        Ok(Self {
            keepers: keepers.into(),
            ..supervised
        })
    }

    /// Ends xrdp, and the session manager too unless its sessions are to go on.
    pub(crate) async fn stop(self, keep_sessions: bool) {
        for keeper in self.keepers {
            drop(keeper.await);
        }
        let running = lock(&self.running).clone();
        if let Some(xrdp) = running.xrdp {
            xrdp.terminate().await;
        }
        if let Some(sesman) = running.sesman.filter(|_| !keep_sessions) {
            sesman.terminate().await;
        }
    }
}

fn lock(running: &std::sync::Mutex<Running>) -> std::sync::MutexGuard<'_, Running> {
    running.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// Keeps one program running.
struct Keeper {
    program: Program,
    directory: PathBuf,
    running: Arc<std::sync::Mutex<Running>>,
    kept: PathBuf,
    shutdown: Shutdown,
}

impl Keeper {
    async fn run(self, there: Option<ProcessId>) {
        let mut pause = PAUSE_FIRST;
        let mut adopted = there;
        loop {
            let over = match adopted.take() {
                Some(process) => {
                    tokio::select! {
                        () = process.gone() => false,
                        () = self.shutdown.requested() => true,
                    }
                }
                None => match self.spawn() {
                    Ok(mut child) => tokio::select! {
                        _ = child.wait() => false,
                        () = self.shutdown.requested() => true,
                    },
                    Err(error) => {
                        tracing::error!(error = error.chain(), "xrdp cannot be started");
                        false
                    }
                },
            };
            if over || self.shutdown.is_requested() {
                return;
            }
            tracing::error!(program = self.program.name(), "it ended and is started again");
            if !self.shutdown.sleep(pause).await {
                return;
            }
            pause = (pause * 2).min(PAUSE_MAX);
        }
    }

    fn spawn(&self) -> Result<Child, Error> {
        let child = self
            .program
            .command(&self.directory)
            .spawn()
            .map_err(Error::io("start xrdp"))?;
        let process = child
            .id()
            .and_then(|pid| i32::try_from(pid).ok())
            .and_then(ProcessId::of);
        let mut running = lock(&self.running);
        match self.program {
            Program::Sesman => running.sesman = process,
            Program::Xrdp => running.xrdp = process,
        }
        let text =
            serde_json::to_vec(&*running).map_err(|error| Error::io("note xrdp's pid")(error.into()))?;
        fs::write(&self.kept, text).map_err(Error::io("note xrdp's pid"))?;
        Ok(child)
    }
}
