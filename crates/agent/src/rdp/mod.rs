//! The RDP back end: the agent's own xrdp on loopback, kept running, and the socket on which PAM asks.

mod config;
mod supervise;

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::Semaphore;

use crate::agent::Agent;
use crate::session::{files, make_directory};
use crate::{Error, account, otp};

pub(crate) use supervise::Supervised;

/// Questions of PAM answered at once.
const QUESTIONS_AT_ONCE_MAX: usize = 16;
/// A question that takes longer is not answered.
const QUESTION_WAIT: Duration = Duration::from_secs(2);
/// The system account Debian's xrdp runs as.
const XRDP_ACCOUNT: &str = "xrdp";

/// Writes what xrdp needs, answers PAM from now on and keeps both programs running until shutdown.
///
/// # Errors
/// xrdp is not installed, or a file cannot be written.
pub(crate) async fn start(agent: &Arc<Agent>) -> Result<Supervised, Error> {
    let directory = agent.places.run.join("xrdp");
    let changed = write(agent, &directory).await?;
    answer_pam(agent)?;
    tracing::info!(
        directory = %directory.display(),
        port = agent.config.rdp.port,
        "own xrdp: sesman.ini, the PAM service xrdp-sesman and /run/xrdp are laid over Debian's in a mount \
         namespace of its own; no file of Debian's is changed"
    );
    Supervised::start(agent, &directory, changed).await
}

/// Whether the session manager must be started anew because its settings changed.
async fn write(agent: &Arc<Agent>, directory: &Path) -> Result<bool, Error> {
    let what = "write xrdp's settings";
    make_directory(directory, 0o755)?;
    let xrdp = account::system(XRDP_ACCOUNT).await?;
    for (path, mode) in [
        (directory.join("run"), 0o2775),
        (directory.join("run/sockdir"), 0o3777),
    ] {
        make_directory(&path, mode)?;
        // Changing the owner clears the special bits, so the mode is set again.
        chown(&path, Some(0), Some(xrdp.gid)).map_err(Error::io(what))?;
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).map_err(Error::io(what))?;
    }
    make_directory(Path::new("/run/xrdp"), 0o755)?;
    certificate(directory, xrdp.uid)?;
    let script = agent.layout.files().join(files::RDP_SCRIPT);
    let check = match &agent.config.rdp.otp_check {
        Some(check) => check.clone(),
        None => {
            let own = std::env::current_exe().map_err(Error::io("find the own program"))?;
            vec![
                own.display().to_string(),
                "agent".to_owned(),
                "otp-check".to_owned(),
                "--socket".to_owned(),
            ]
        }
    };
    let sesman = config::sesman_ini(&agent.config.rdp, directory, &script)?;
    let changed = fs::read_to_string(directory.join("sesman.ini")).is_ok_and(|older| older != sesman);
    // Written in place: a session manager that goes on running sees the file through its bind mount.
    for (name, text) in [
        ("xrdp.ini", config::xrdp_ini(&agent.config.rdp, directory)?),
        ("sesman.ini", sesman),
        ("pam", config::pam(&check, &agent.layout.otp_socket())?),
    ] {
        fs::write(directory.join(name), text).map_err(Error::io(what))?;
    }
    Ok(changed)
}

/// A key of its own for the TLS that ends in the gateway; inside, mutual TLS already protects it.
fn certificate(directory: &Path, owner: u32) -> Result<(), Error> {
    let (certificate, key) = (directory.join("certificate.pem"), directory.join("key.pem"));
    if certificate.exists() && key.exists() {
        return Ok(());
    }
    let what = "make xrdp's key";
    let made = rcgen::generate_simple_self_signed(vec!["xrdp.naru.invalid".to_owned()])
        .map_err(|error| Error::io(what)(std::io::Error::other(error)))?;
    drop(fs::remove_file(&key));
    crate::session::write_private(&key, made.signing_key.serialize_pem().as_bytes())
        .and_then(|()| chown(&key, Some(owner), None))
        .and_then(|()| fs::write(&certificate, made.cert.pem()))
        .map_err(Error::io(what))
}

fn answer_pam(agent: &Arc<Agent>) -> Result<(), Error> {
    let what = "listen for PAM";
    let path: PathBuf = agent.layout.otp_socket();
    drop(fs::remove_file(&path));
    let listener = UnixListener::bind(&path).map_err(Error::io(what))?;
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).map_err(Error::io(what))?;
    let (agent, shutdown) = (Arc::clone(agent), agent.tasks.shutdown());
    let room = Arc::new(Semaphore::new(QUESTIONS_AT_ONCE_MAX));
    let tasks = agent.tasks.clone();
    drop(tasks.clone().spawn(async move {
        loop {
            let Ok(place) = Arc::clone(&room).acquire_owned().await else {
                return;
            };
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                () = shutdown.requested() => return,
            };
            let Ok((stream, _)) = accepted else {
                shutdown.sleep(Duration::from_millis(100)).await;
                continue;
            };
            let agent = Arc::clone(&agent);
            drop(tasks.spawn(async move {
                if tokio::time::timeout(QUESTION_WAIT, answer_one(&agent, stream))
                    .await
                    .is_err()
                {
                    tracing::warn!("a question of PAM took too long");
                }
                drop(place);
            }));
        }
    }));
    Ok(())
}

async fn answer_one(agent: &Agent, mut stream: UnixStream) {
    // The socket's mode says the same; a wrong umask or mount must not open it.
    if !stream.peer_cred().is_ok_and(|peer| peer.uid() == 0) {
        return;
    }
    let mut question = Vec::new();
    if (&mut stream)
        .take(otp::QUESTION_BYTES_MAX)
        .read_to_end(&mut question)
        .await
        .is_err()
    {
        return;
    }
    let now = agent.now();
    let answer = agent.state().passwords.answer(&question, now);
    if let Err(error) = stream.write_all(answer).await {
        tracing::debug!(%error, "PAM did not wait for its answer");
    }
}
