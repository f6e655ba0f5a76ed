//! `naru doctor`: looks at the installation and says what is wrong and how to mend it. Changes nothing.

use std::{net::TcpListener, path::Path, process::ExitCode};

use crate::{config::Config, say::say, state::StateDirectory};

/// Less free space than this is a warning.
const FREE_MIB_MIN: u64 = 1_024;

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Good,
    /// Works, but less well.
    Warning,
    /// Does not work.
    Bad,
}

struct Finding {
    verdict: Verdict,
    what: String,
    mend: &'static str,
}

fn good(what: impl Into<String>) -> Finding {
    Finding {
        verdict: Verdict::Good,
        what: what.into(),
        mend: "",
    }
}

fn warning(what: impl Into<String>, mend: &'static str) -> Finding {
    Finding {
        verdict: Verdict::Warning,
        what: what.into(),
        mend,
    }
}

fn bad(what: impl Into<String>, mend: &'static str) -> Finding {
    Finding {
        verdict: Verdict::Bad,
        what: what.into(),
        mend,
    }
}

pub(crate) async fn run(config: &Config, state: &StateDirectory) -> anyhow::Result<ExitCode> {
    let mut findings = vec![disk(state.path()), pages(), privileges()];
    findings.extend(database(config).await);
    for (name, listen) in config.doors() {
        findings.push(door(name, listen));
    }
    findings.extend(PROGRAMS.iter().map(program));
    findings.push(korean_font());
    findings.push(pressure());
    print(&findings);
    let broken = findings.iter().any(|finding| finding.verdict == Verdict::Bad);
    Ok(if broken {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

fn print(findings: &[Finding]) {
    for Finding { verdict, what, mend } in findings {
        match verdict {
            Verdict::Good => say(format_args!("  ok       {what}")),
            Verdict::Warning => say(format_args!("  warning  {what}\n           → {mend}")),
            Verdict::Bad => say(format_args!("  wrong    {what}\n           → {mend}")),
        }
    }
}

fn disk(path: &Path) -> Finding {
    let place = path.display();
    let Ok(space) = rustix::fs::statvfs(path) else {
        return bad(
            format!("{place} cannot be looked at"),
            "check the state directory's owner and mode",
        );
    };
    let free_mib = space.f_bavail.saturating_mul(space.f_frsize) / 1_048_576;
    if free_mib < FREE_MIB_MIN {
        return warning(
            format!("{free_mib} MiB free in {place}"),
            "free space, or move the state directory",
        );
    }
    good(format!("{free_mib} MiB free in {place}"))
}

fn pages() -> Finding {
    if naru_portal::pages_are_there() {
        good("the web pages are in the program")
    } else {
        bad(
            "the web pages are missing",
            "build them first: `npm ci && npm run build` in web/, then build again",
        )
    }
}

fn privileges() -> Finding {
    if rustix::process::geteuid().is_root() {
        good("root: desktops of other people can be opened")
    } else {
        warning(
            "not root: the host agent serves the current user only",
            "run `naru agent host` as root (its systemd unit does)",
        )
    }
}

async fn database(config: &Config) -> Vec<Finding> {
    let db = match naru_store::Db::open(&config.store.url).await {
        Ok(db) => db,
        Err(error) => {
            return vec![bad(
                format!("the database cannot be opened: {error}"),
                "check `store.url`, the server, and the rights of this user",
            )];
        }
    };
    let mut findings = vec![match db.ping().await {
        Ok(()) => good("the database answers and its schema is current"),
        Err(error) => bad(
            format!("the database does not answer: {error}"),
            "check `store.url`",
        ),
    }];
    if db.engine() == naru_store::Engine::Postgres {
        findings.push(match db.keeps_ministries_apart().await {
            Ok(true) => good("the database's user is held by row security"),
            Ok(false) => bad(
                "the database's user is a superuser or may bypass row security: the portal does not start",
                MEND_POWERFUL_USER,
            ),
            Err(error) => bad(
                format!("the database does not say what its user may: {error}"),
                "check `store.url`",
            ),
        });
    }
    db.close().await;
    findings
}

/// What to do about a user whom row security does not hold.
pub(crate) const MEND_POWERFUL_USER: &str = "make a plain user that owns the database: \
     CREATE ROLE naru LOGIN NOSUPERUSER NOBYPASSRLS; ALTER DATABASE … OWNER TO naru; and REASSIGN OWNED where tables exist";

fn door(name: &str, listen: std::net::SocketAddr) -> Finding {
    match TcpListener::bind(listen) {
        Ok(_) => good(format!("{name}: {listen} is free")),
        Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => warning(
            format!("{name}: {listen} is in use"),
            "fine if Naru is running; else choose another port",
        ),
        Err(error) => bad(
            format!("{name}: {listen}: {error}"),
            "choose an address of this machine",
        ),
    }
}

/// Programs a desktop host needs: name, whether without it nothing works, Debian's package.
const PROGRAMS: &[(&str, bool, &str)] = &[
    (
        "Xtigervnc",
        true,
        "install the package tigervnc-standalone-server",
    ),
    ("openbox", true, "install the package openbox"),
    ("runuser", true, "install the package util-linux"),
    (
        "ibus-daemon",
        false,
        "install ibus and ibus-hangul: Hangul can be typed on the server then",
    ),
    ("soffice", false, "install libreoffice-writer"),
    ("xrdp", false, "install xrdp and xorgxrdp to serve RDP"),
];

fn program(&(name, needed, mend): &(&str, bool, &'static str)) -> Finding {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path)
        .chain(["/usr/sbin", "/usr/bin"].map(Into::into))
        .any(|directory| directory.join(name).is_file());
    match (found, needed) {
        (true, _) => good(format!("{name} is installed")),
        (false, true) => bad(format!("{name} is not installed: no desktops here"), mend),
        (false, false) => warning(format!("{name} is not installed"), mend),
    }
}

fn korean_font() -> Finding {
    let nanum = Path::new("/usr/share/fonts/truetype/nanum").is_dir();
    let noto = Path::new("/usr/share/fonts/opentype/noto").is_dir();
    if nanum || noto {
        good("a Korean font is installed")
    } else {
        warning("no Korean font", "install fonts-nanum or fonts-noto-cjk")
    }
}

fn pressure() -> Finding {
    if Path::new("/proc/pressure/cpu").is_file() {
        good("the kernel tells processor pressure")
    } else {
        warning(
            "the kernel tells no processor pressure: placement uses the load average",
            "boot with psi=1, or a kernel with CONFIG_PSI",
        )
    }
}
