//! The RDP back end with the real xrdp, its session manager, Xorg and PAM. Needs root.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::common::{PATIENCE, TestAccount, TestHost, can_run, until};
use naru_kernel::DesktopId;
use naru_kernel::fleet::{AttachAnswer, AttachReady, HostDesktopState, Protocol};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

const PROGRAMS: &[&str] = &[
    "xrdp",
    "xrdp-sesman",
    "xrdp-sesrun",
    "pamtester",
    "nsenter",
    "unshare",
    "setpriv",
    "openbox",
    "Xorg",
];

/// The helper that PAM runs, built beside this test.
fn otp_check() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let helper = test
        .parent()
        .unwrap()
        .parent()
        .unwrap()
        .join("examples/otp_check");
    assert!(
        helper.exists(),
        "build it first: cargo build -p naru-agent --examples"
    );
    helper
}

/// A free port of this machine; xrdp has no way to tell which one it was given.
fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
}

async fn rdp_host(keep_sessions: bool) -> TestHost {
    TestHost::start(|config| {
        config.protocols = vec![Protocol::Rfb, Protocol::Rdp];
        config.keep_sessions = keep_sessions;
        config.rdp.port = free_port();
        config.rdp.sesman_port = free_port();
        config.rdp.otp_check = Some(vec![otp_check().display().to_string()]);
    })
    .await
}

fn with_input(mut command: Command, input: &str) -> (bool, String) {
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    (
        output.status.success(),
        String::from_utf8_lossy(&text).into_owned(),
    )
}

/// Asks PAM as the session manager does, in its own view of the files.
fn pam(host: &TestHost, account: &str, password: &str) -> bool {
    let state = std::fs::read_to_string(host.state_directory().join("xrdp.json")).unwrap();
    let state: serde_json::Value = serde_json::from_str(&state).unwrap();
    let mut command = Command::new("nsenter");
    command
        .arg("--mount")
        .args(["--target", &state["sesman"]["pid"].to_string()]);
    command.args(["pamtester", "xrdp-sesman", account, "authenticate", "acct_mgmt"]);
    with_input(command, &format!("{password}\n")).0
}

/// Logs on through the session manager, as xrdp does with what the gateway injects.
fn sesrun(host: &TestHost, account: &str, password: &str) -> (bool, String) {
    let mut command = Command::new("xrdp-sesrun");
    command
        .arg("-c")
        .arg(host.run_directory().join("xrdp/sesman.ini"));
    command.args(["-s", "127.0.0.1", "-F", "0", account]);
    let (_, text) = with_input(command, password);
    (text.contains("ok data=1"), text)
}

fn one_time_password(answer: AttachAnswer, expected: &str) -> String {
    let AttachAnswer::Ready(AttachReady::Rdp {
        account,
        one_time_password,
    }) = answer
    else {
        panic!("{answer:?}");
    };
    assert_eq!(account, expected);
    one_time_password
}

#[tokio::test(flavor = "multi_thread")]
async fn a_one_time_password_opens_once_and_only_its_account() {
    if !can_run("a_one_time_password_opens_once_and_only_its_account", PROGRAMS) {
        return;
    }
    let account = TestAccount::new("r");
    let host = rdp_host(false).await;
    let (answer, _wire) = host
        .attach(DesktopId::from_bits(1), &account.0, Protocol::Rdp)
        .await;
    let password = one_time_password(answer, &account.0);
    assert!(!pam(&host, &account.0, "wrong"));
    assert!(!pam(&host, &account.0, ""));
    assert!(!pam(&host, "naru-unknown", &password));
    assert!(!pam(&host, "root", &password));
    assert!(pam(&host, &account.0, &password));
    assert!(!pam(&host, &account.0, &password));
    let debian = std::fs::read_to_string("/etc/pam.d/xrdp-sesman").unwrap();
    assert!(!debian.contains("otp"), "Debian's own service was changed");
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn xrdp_is_reached_and_the_session_it_starts_is_known_kept_and_ended() {
    if !can_run(
        "xrdp_is_reached_and_the_session_it_starts_is_known_kept_and_ended",
        PROGRAMS,
    ) {
        return;
    }
    let account = TestAccount::new("s");
    let host = rdp_host(true).await;
    let desktop = DesktopId::from_bits(2);
    let (answer, mut wire) = host.attach(desktop, &account.0, Protocol::Rdp).await;
    let password = one_time_password(answer, &account.0);

    // X.224 connection request that asks for TLS (MS-RDPBCGR 2.2.1.1), answered with TLS chosen.
    let request = [3, 0, 0, 19, 14, 0xE0, 0, 0, 0, 0, 0, 1, 0, 8, 0, 1, 0, 0, 0];
    wire.write_all(&request).await.unwrap();
    let mut confirm = [0; 19];
    tokio::time::timeout(PATIENCE, wire.read_exact(&mut confirm))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (confirm[5], confirm[11], confirm[15]),
        (0xD0, 2, 1),
        "{confirm:?}"
    );

    let (opened, text) = sesrun(&host, &account.0, &password);
    assert!(opened, "{text}");
    until("it runs", || {
        host.state_of(desktop) == Some(HostDesktopState::Running)
    })
    .await;
    assert!(!sesrun(&host, &account.0, &password).0);
    let manager = || {
        account
            .processes()
            .into_iter()
            .find(|line| line.contains("openbox --config"))
    };
    until("the desktop is there", || manager().is_some()).await;
    let before = manager();

    // An upgrade of the agent: the session manager and the session go on.
    drop(wire);
    let host = host.restart().await;
    // In the very first report: the portal would else hold it to be over.
    assert_eq!(host.state_of(desktop), Some(HostDesktopState::Running));
    let (answer, wire) = host.attach(desktop, &account.0, Protocol::Rdp).await;
    let (opened, text) = sesrun(&host, &account.0, &one_time_password(answer, &account.0));
    assert!(opened, "{text}");
    assert_eq!(manager(), before);
    drop(wire);

    host.order_end(desktop);
    until("it has ended", || {
        host.state_of(desktop) == Some(HostDesktopState::Ended)
    })
    .await;
    assert_eq!(account.processes(), Vec::<String>::new());
    host.stop().await;
}
