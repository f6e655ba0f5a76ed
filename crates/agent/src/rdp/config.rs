//! The texts xrdp, its session manager and PAM are given. Nothing of Debian's own xrdp is changed: these
//! files are laid over its own in a mount namespace that only our instance sees.

use std::path::Path;

use crate::{Error, RdpConfig, session::files::plain};

/// Sessions the manager allows; the agent's own limit is lower and comes first.
const SESSIONS_MAX: u32 = 1_000;

/// `xrdp.ini(5)`: loopback only, TLS only, credentials from the gateway or the connection is closed.
pub(super) fn xrdp_ini(config: &RdpConfig, directory: &Path) -> Result<String, Error> {
    let (directory, port) = (plain(directory)?, config.port);
    Ok(format!(
        "[Globals]
ini_version=1
fork=true
port=tcp://127.0.0.1:{port}
use_vsock=false
tcp_nodelay=true
tcp_keepalive=true
security_layer=tls
crypt_level=high
certificate={directory}/certificate.pem
key_file={directory}/key.pem
ssl_protocols=TLSv1.2, TLSv1.3
autorun=Xorg
require_credentials=true
hidelogwindow=true
allow_channels=true
allow_multimon=true
bitmap_cache=true
bitmap_compression=true
bulk_compression=true
max_bpp=32
new_cursors=true
use_fastpath=both

[Logging]
LogFile={directory}/run/xrdp.log
LogLevel=WARNING
EnableSyslog=false

[Channels]
rdpdr=false
rdpsnd=false
drdynvc=true
cliprdr=true
rail=false
xrdpvr=false
tcutils=false

[Xorg]
name=Xorg
lib=libxup.so
username=ask
password=ask
ip=127.0.0.1
port=-1
code=20
"
    ))
}

/// `sesman.ini(5)`: `Policy=Default` finds a person's session again at any size, which makes it roam.
pub(super) fn sesman_ini(config: &RdpConfig, directory: &Path, script: &Path) -> Result<String, Error> {
    let (directory, script, port) = (plain(directory)?, plain(script)?, config.sesman_port);
    Ok(format!(
        "[Globals]
ListenAddress=127.0.0.1
ListenPort={port}
EnableUserWindowManager=false
UserWindowManager=startwm.sh
DefaultWindowManager={script}
ReconnectScript=/bin/true

[Security]
AllowRootLogin=false
MaxLoginRetry=1
TerminalServerUsers=
TerminalServerAdmins=
AlwaysGroupCheck=false
RestrictOutboundClipboard=none
RestrictInboundClipboard=none

[Sessions]
X11DisplayOffset=10
MaxSessions={SESSIONS_MAX}
KillDisconnected=false
DisconnectedTimeLimit=0
IdleTimeLimit=0
Policy=Default

[Logging]
LogFile={directory}/run/sesman.log
LogLevel=WARNING
EnableSyslog=false

[Xorg]
param=/usr/lib/xorg/Xorg
param=-config
param=xrdp/xorg.conf
param=-noreset
param=-nolisten
param=tcp
param=-logfile
param=/dev/null

[Chansrv]
FuseMountName=thinclient_drives
FileUmask=077
EnableFuseMount=false

[ChansrvLogging]
LogLevel=ERROR
EnableSyslog=false

[SessionVariables]
"
    ))
}

/// The PAM service of the session manager: the agent says whether a one-time password is good, the
/// account's own (locked) password is never asked for.
///
/// `pam_permit` at the end is needed: `pam_exec` says nothing to `pam_setcred`, and a stack in which no
/// module does fails it.
pub(super) fn pam(check: &[String], socket: &Path) -> Result<String, Error> {
    let words: Result<Vec<&str>, Error> = check
        .iter()
        .enumerate()
        .map(|(index, word)| {
            if index == 0 {
                plain(Path::new(word))
            } else {
                argument(word)
            }
        })
        .collect();
    let (words, socket) = (words?.join(" "), plain(socket)?);
    if words.is_empty() {
        return Err(Error::Configuration {
            why: "otp_check names no program",
        });
    }
    Ok(format!(
        "#%PAM-1.0
auth requisite pam_exec.so quiet expose_authtok type=auth {words} {socket}
auth required pam_permit.so
@include common-account
@include common-session
"
    ))
}

fn argument(word: &str) -> Result<&str, Error> {
    let fits = !word.is_empty()
        && word
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"/._-=".contains(&byte));
    if fits {
        Ok(word)
    } else {
        Err(Error::Configuration {
            why: "otp_check has a word that needs quoting",
        })
    }
}

/// Lays our files over Debian's, then becomes the program: `sh -c OVERLAY sh <directory> <program> …`.
pub(super) const OVERLAY: &str = "set -e
mount --bind \"$1/run\" /run/xrdp
mount --bind \"$1/sesman.ini\" /etc/xrdp/sesman.ini
mount --bind \"$1/pam\" /etc/pam.d/xrdp-sesman
shift
exec \"$@\"";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_keeps_strangers_out_is_in_the_texts() {
        let (config, directory) = (RdpConfig::default(), Path::new("/run/naru/xrdp"));
        let xrdp = xrdp_ini(&config, directory).unwrap();
        for line in [
            "port=tcp://127.0.0.1:3390",
            "security_layer=tls",
            "require_credentials=true",
            "hidelogwindow=true",
            "autorun=Xorg",
            "key_file=/run/naru/xrdp/key.pem",
        ] {
            assert!(xrdp.lines().any(|there| there == line), "{line}");
        }
        let sesman = sesman_ini(&config, directory, Path::new("/run/naru/files/rdp-session.sh")).unwrap();
        for line in [
            "ListenAddress=127.0.0.1",
            "ListenPort=3351",
            "AllowRootLogin=false",
            "EnableUserWindowManager=false",
            "DefaultWindowManager=/run/naru/files/rdp-session.sh",
            "Policy=Default",
        ] {
            assert!(sesman.lines().any(|there| there == line), "{line}");
        }
    }

    #[test]
    fn pam_runs_the_check_and_nothing_that_needs_quoting() {
        let socket = Path::new("/run/naru/otp.sock");
        let check = |words: &[&str]| {
            pam(
                &words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>(),
                socket,
            )
        };
        let text = check(&["/usr/bin/naru", "agent", "otp-check"]).unwrap();
        assert!(text.contains("type=auth /usr/bin/naru agent otp-check /run/naru/otp.sock\n"));
        assert!(!text.contains("common-auth"));
        for wrong in [
            &[][..],
            &["naru"],
            &["/a b"],
            &["/a", "b c"],
            &["/a", "]"],
            &["/a", ""],
        ] {
            assert!(check(wrong).is_err(), "{wrong:?}");
        }
    }
}
