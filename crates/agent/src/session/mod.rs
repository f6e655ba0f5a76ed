//! One desktop session as processes and files: where its things lie, how it is started, how it is ended.

pub(crate) mod files;
pub(crate) mod process;
pub(crate) mod record;

use std::fs;
use std::os::unix::fs::{
    DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _, lchown,
};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use naru_kernel::{DesktopId, Entropy};
use tokio::process::{Child, Command};

use crate::{Error, account::Account};

/// A desktop that has no X server after this long has failed.
pub(crate) const START_SECONDS_MAX: u64 = 15;
/// How often it is looked whether the X server is ready.
const READY_LOOK: Duration = Duration::from_millis(15);
/// How much of a failed session's log goes into ours, in bytes.
const LOG_TAIL_BYTES_MAX: usize = 1_024;
/// The longest path of a Unix socket, in bytes (`unix(7)`: 108 with the zero byte).
const SOCKET_PATH_BYTES_MAX: usize = 107;
/// Smaller and larger pictures are not asked for, in pixels.
const WIDTHS: (u16, u16) = (320, 7_680);
/// Same for the height.
const HEIGHTS: (u16, u16) = (240, 4_320);

/// Where the things of all sessions lie.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    run: PathBuf,
}

impl Layout {
    /// Makes the directories.
    pub(crate) fn prepare(run: &Path) -> Result<Self, Error> {
        files::plain(run)?;
        let layout = Self { run: run.to_owned() };
        // Others may pass through but not look around; what is a person's is in a directory of theirs.
        for (directory, mode) in [
            (run.to_owned(), 0o711),
            (run.join("d"), 0o711),
            (layout.files(), 0o755),
            (layout.rdp(), 0o711),
        ] {
            make_directory(&directory, mode)?;
        }
        check_parent(run)?;
        let longest = layout.socket(DesktopId::from_bits(0));
        if longest.as_os_str().len() > SOCKET_PATH_BYTES_MAX {
            return Err(Error::Configuration {
                why: "run_directory is too long a path for a Unix socket",
            });
        }
        Ok(layout)
    }

    pub(crate) fn files(&self) -> PathBuf {
        self.run.join("files")
    }

    /// One file per account that may log on by RDP: which desktop it is and where its directory lies.
    pub(crate) fn rdp(&self) -> PathBuf {
        self.run.join("rdp")
    }

    pub(crate) fn otp_socket(&self) -> PathBuf {
        self.run.join("otp.sock")
    }

    /// The agent's own directory of the session.
    fn session(&self, desktop: DesktopId) -> PathBuf {
        self.run.join("d").join(desktop.to_string())
    }

    /// The person's directory of the session, mode 0700.
    pub(crate) fn personal(&self, desktop: DesktopId) -> PathBuf {
        self.session(desktop).join("p")
    }

    pub(crate) fn socket(&self, desktop: DesktopId) -> PathBuf {
        self.personal(desktop).join("rfb.sock")
    }

    fn log(&self, desktop: DesktopId) -> PathBuf {
        self.session(desktop).join("log")
    }

    /// Removes what a session left.
    pub(crate) fn clear(&self, desktop: DesktopId) {
        if let Err(error) = fs::remove_dir_all(self.session(desktop))
            && error.kind() != std::io::ErrorKind::NotFound
        {
            tracing::warn!(%desktop, %error, "a session's directory could not be removed");
        }
    }

    /// Makes the session's directories anew, with an X authority that only the person can read.
    pub(crate) fn make(
        &self,
        desktop: DesktopId,
        owner: &Account,
        entropy: &dyn Entropy,
    ) -> Result<(), Error> {
        let what = "make the session's directory";
        self.clear(desktop);
        make_directory(&self.session(desktop), 0o711)?;
        let personal = self.personal(desktop);
        make_directory(&personal, 0o700)?;
        let mut cookie = [0_u8; 16];
        entropy.fill(&mut cookie);
        let authority = personal.join("xauthority");
        write_private(&authority, &x_authority(cookie)).map_err(Error::io(what))?;
        if rustix::process::geteuid().is_root() {
            // The directory is given away last, so that nothing of the agent's is written into it after.
            lchown(&authority, Some(owner.uid), Some(owner.gid))
                .and_then(|()| lchown(&personal, Some(owner.uid), Some(owner.gid)))
                .map_err(Error::io(what))?;
        }
        Ok(())
    }
}

/// Where X servers put their sockets. It must be root's and sticky: whoever owns it could put their own
/// socket in the place of somebody else's. The first server makes it, and on a desktop host that runs as a person.
pub(crate) fn prepare_x11_directory() -> Result<(), Error> {
    let directory = Path::new("/tmp/.X11-unix");
    match fs::symlink_metadata(directory) {
        Ok(there) if there.is_dir() && there.uid() == 0 && there.mode() & 0o1000 != 0 => Ok(()),
        Ok(there) if there.is_dir() => {
            lchown(directory, Some(0), Some(0)).map_err(Error::io("take over /tmp/.X11-unix"))?;
            make_directory(directory, 0o1777)
        }
        Ok(_) => Err(Error::Configuration {
            why: "/tmp/.X11-unix is not a directory",
        }),
        Err(_) => make_directory(directory, 0o1777),
    }
}

/// Whoever owns the directory above could put another in the place of ours.
fn check_parent(path: &Path) -> Result<(), Error> {
    let parent = fs::metadata(path.parent().unwrap_or(path)).map_err(Error::io("look at a directory"))?;
    if parent.uid() == 0 || parent.uid() == rustix::process::geteuid().as_raw() {
        Ok(())
    } else {
        Err(Error::Configuration {
            why: "run_directory lies in somebody else's directory",
        })
    }
}

/// A directory with exactly this mode.
pub(crate) fn make_directory(path: &Path, mode: u32) -> Result<(), Error> {
    let made = fs::DirBuilder::new().recursive(true).mode(mode).create(path);
    made.and_then(|()| fs::set_permissions(path, fs::Permissions::from_mode(mode)))
        .map_err(Error::io("make a directory"))
}

pub(crate) fn write_private(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    use std::io::Write as _;
    fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?
        .write_all(bytes)
}

/// An X authority file (`Xauth(3)`) whose one entry holds for every display: the number is not known yet.
fn x_authority(cookie: [u8; 16]) -> Vec<u8> {
    const FAMILY_WILD: u16 = 0xFFFF;
    const NAME: &[u8] = b"MIT-MAGIC-COOKIE-1";
    let mut bytes = FAMILY_WILD.to_be_bytes().to_vec();
    bytes.extend_from_slice(&[0; 4]); // no address, no display number
    bytes.extend_from_slice(&[0, 18]);
    bytes.extend_from_slice(NAME);
    bytes.extend_from_slice(&[0, 16]);
    bytes.extend_from_slice(&cookie);
    bytes
}

/// A wanted picture size, brought within what is possible.
pub(crate) fn geometry(width: u16, height: u16) -> (u16, u16) {
    (
        width.clamp(WIDTHS.0, WIDTHS.1),
        height.clamp(HEIGHTS.0, HEIGHTS.1),
    )
}

/// Starts the session's first process: as root a whole login session of the person through PAM
/// (`runuser --login`, PAM service `runuser-l`), else only the desktop, as the one who runs the agent.
pub(crate) fn launch(
    layout: &Layout,
    desktop: DesktopId,
    owner: &Account,
    (width, height): (u16, u16),
) -> Result<Child, Error> {
    let (script, personal, files) = (
        layout.files().join(files::SESSION_SCRIPT),
        layout.personal(desktop),
        layout.files(),
    );
    let script = files::plain(&script)?;
    let arguments = [
        desktop.to_string(),
        files::plain(&personal)?.to_owned(),
        format!("{width}x{height}"),
        files::plain(&files)?.to_owned(),
    ];
    // A session of its own (setsid): what ends the agent's terminal or process group ends no desktop.
    let mut command = Command::new("setsid");
    command.env_clear().env(
        "PATH",
        "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    );
    if rustix::process::geteuid().is_root() {
        // None of the words needs quoting: `plain` and the form of an identifier see to it.
        let line = format!("exec {script} {}", arguments.join(" "));
        command.args(["runuser", "--login", &owner.name, "--command", &line]);
    } else {
        command
            .env("HOME", &owner.home)
            .env("USER", &owner.name)
            .env("LOGNAME", &owner.name);
        command.env("SHELL", "/bin/bash").arg(script).args(&arguments);
    }
    let what = "open the session's log";
    let log = fs::OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(layout.log(desktop));
    let log = log.map_err(Error::io(what))?;
    let again = log.try_clone().map_err(Error::io(what))?;
    command
        .stdin(Stdio::null())
        .stdout(log)
        .stderr(again)
        .current_dir("/");
    command.spawn().map_err(Error::io("start the session"))
}

/// Waits until the X server takes connections on its socket.
pub(crate) async fn ready(layout: &Layout, desktop: DesktopId, child: &mut Child) -> Result<(), Error> {
    let display = layout.personal(desktop).join("display");
    let socket = layout.socket(desktop);
    let wait = async {
        // The server writes its display number when it is ready; lengths only, the directory is the person's.
        while tokio::fs::symlink_metadata(&display)
            .await
            .map_or(0, |file| file.len())
            == 0
            || tokio::fs::symlink_metadata(&socket).await.is_err()
        {
            tokio::select! {
                _ = child.wait() => return Err(Error::StartFailed { detail: log_tail(layout, desktop) }),
                () = tokio::time::sleep(READY_LOOK) => {}
            }
        }
        Ok(())
    };
    let limit = Duration::from_secs(START_SECONDS_MAX);
    tokio::time::timeout(limit, wait).await.unwrap_or_else(|_| {
        Err(Error::StartTimedOut {
            seconds: START_SECONDS_MAX,
            detail: log_tail(layout, desktop),
        })
    })
}

fn log_tail(layout: &Layout, desktop: DesktopId) -> String {
    let bytes = fs::read(layout.log(desktop)).unwrap_or_default();
    let tail = bytes
        .get(bytes.len().saturating_sub(LOG_TAIL_BYTES_MAX)..)
        .unwrap_or_default();
    String::from_utf8_lossy(tail).trim().replace('\n', " | ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_brought_within_what_is_possible() {
        assert_eq!(geometry(1440, 900), (1440, 900));
        assert_eq!(geometry(0, 0), (320, 240));
        assert_eq!(geometry(u16::MAX, u16::MAX), (7_680, 4_320));
    }

    #[test]
    fn the_authority_has_the_form_of_xauth() {
        let bytes = x_authority([7; 16]);
        assert_eq!(bytes.len(), 2 + 2 + 2 + 2 + 18 + 2 + 16);
        assert_eq!(bytes.get(..8), Some(&[0xFF, 0xFF, 0, 0, 0, 0, 0, 18][..]));
    }

    #[test]
    fn directories_have_the_modes_that_keep_people_apart() {
        struct Zeros;
        impl Entropy for Zeros {
            fn fill(&self, bytes: &mut [u8]) {
                bytes.fill(0);
            }
        }
        let place = tempfile::tempdir().unwrap();
        let layout = Layout::prepare(&place.path().join("run")).unwrap();
        let uid = rustix::process::getuid().as_raw();
        let gid = rustix::process::getgid().as_raw();
        let owner = Account {
            name: "x".into(),
            uid,
            gid,
            home: "/".into(),
        };
        let desktop = DesktopId::from_bits(1);
        layout.make(desktop, &owner, &Zeros).unwrap();
        let mode = |path: PathBuf| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(layout.session(desktop)), 0o711);
        assert_eq!(mode(layout.personal(desktop)), 0o700);
        assert_eq!(mode(layout.personal(desktop).join("xauthority")), 0o600);
        layout.clear(desktop);
        assert!(!layout.session(desktop).exists());
        assert!(Layout::prepare(&place.path().join("a".repeat(100))).is_err());
    }
}
