//! Real desktops: TigerVNC, openbox and the rest, as accounts of this machine. Needs root.

use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::process::Command;

use crate::common::{PATIENCE, TestAccount, TestHost, Wire, can_run, run, until};
use naru_kernel::fleet::{
    AttachAnswer, AttachReady, CloseReason, Closure, ClosureTarget, HostDesktopState, NodeRole, Orders,
    Protocol,
};
use naru_kernel::{Clock as _, DesktopId, Seconds};
use naru_runtime::clock::SystemClock;
use tokio::io::AsyncReadExt as _;

const PROGRAMS: &[&str] = &[
    "Xtigervnc",
    "openbox",
    "runuser",
    "tint2",
    "pcmanfm",
    "dbus-run-session",
];

/// A program on the desktop's display.
fn in_desktop(host: &TestHost, desktop: DesktopId, program: &str) -> Command {
    let personal = host.personal(desktop);
    let display = std::fs::read_to_string(personal.join("display")).unwrap_or_default();
    let mut command = Command::new(program);
    command.env("DISPLAY", format!(":{}", display.trim()));
    command.env("XAUTHORITY", personal.join("xauthority"));
    command
}

/// Types into the desktop as a person at its keyboard does.
fn xdotool(host: &TestHost, desktop: DesktopId, arguments: &[&str]) -> bool {
    let mut command = in_desktop(host, desktop, "xdotool");
    command.args(arguments).output().unwrap().status.success()
}

fn log_off(host: &TestHost, desktop: DesktopId) {
    let mut command = in_desktop(host, desktop, "openbox");
    // Fails once the desktop is gone, which is what is waited for.
    drop(command.arg("--exit").output());
}

async fn banner(wire: &mut Wire) -> Vec<u8> {
    let mut banner = vec![0; 12];
    tokio::time::timeout(PATIENCE, wire.read_exact(&mut banner))
        .await
        .unwrap()
        .unwrap();
    banner
}

async fn closed(wire: &mut Wire) -> bool {
    let drain = async {
        let mut rest = [0; 4096];
        while !matches!(wire.read(&mut rest).await, Ok(0) | Err(_)) {}
    };
    tokio::time::timeout(PATIENCE, drain).await.is_ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_gets_a_desktop_of_their_own_and_nobody_else_reaches_it() {
    if !can_run(
        "a_person_gets_a_desktop_of_their_own_and_nobody_else_reaches_it",
        PROGRAMS,
    ) {
        return;
    }
    let account = TestAccount::new("a");
    let host = TestHost::start(|_| {}).await;
    let desktop = DesktopId::from_bits(1);
    let (answer, mut wire) = host.attach(desktop, &account.0, Protocol::Rfb).await;
    assert!(
        matches!(answer, AttachAnswer::Ready(AttachReady::Rfb)),
        "{answer:?}"
    );
    assert_eq!(banner(&mut wire).await, b"RFB 003.008\n");

    let socket = std::fs::symlink_metadata(host.personal(desktop).join("rfb.sock")).unwrap();
    assert_eq!(
        (socket.permissions().mode() & 0o777, socket.uid()),
        (0o600, account.uid())
    );
    let personal = std::fs::metadata(host.personal(desktop)).unwrap();
    assert_eq!(
        (personal.permissions().mode() & 0o777, personal.uid()),
        (0o700, account.uid())
    );
    let shadow = run("getent", &["shadow", &account.0]);
    assert_eq!(shadow.split(':').nth(1), Some("!"));
    let listening = run("ss", &["-Hltnp"]);
    assert!(!listening.contains("tigervnc"), "{listening}");
    assert_eq!(host.state_of(desktop), Some(HostDesktopState::Running));
    assert!(host.report().desktops.iter().all(|told| told.attached));
    assert_eq!(host.report().load.map(|load| load.sessions), Some(1));

    host.order_end(desktop);
    assert!(closed(&mut wire).await);
    until("the desktop has ended", || {
        host.state_of(desktop) == Some(HostDesktopState::Ended)
    })
    .await;
    assert_eq!(account.processes(), Vec::<String>::new());
    assert!(!host.personal(desktop).exists());
    host.apply(&Orders::default());
    assert_eq!(host.state_of(desktop), None);
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn korean_is_typed_with_the_desktops_own_input_and_saved() {
    let programs = [PROGRAMS, &["xdotool", "mousepad", "ibus-daemon"]].concat();
    if !can_run("korean_is_typed_with_the_desktops_own_input_and_saved", &programs) {
        return;
    }
    let account = TestAccount::new("b");
    let host = TestHost::start(|_| {}).await;
    let desktop = DesktopId::from_bits(2);
    let (answer, _wire) = host.attach(desktop, &account.0, Protocol::Rfb).await;
    assert!(matches!(answer, AttachAnswer::Ready(_)), "{answer:?}");
    let runs = |program: &str| account.processes().iter().any(|line| line.contains(program));
    until("the input method runs", || runs("ibus-engine-hangul")).await;
    until("the panel runs", || runs("tint2")).await;

    // The panel's fourth launcher is the editor.
    let opened = || {
        xdotool(
            &host,
            desktop,
            &["search", "--onlyvisible", "--class", "mousepad"],
        ) || {
            xdotool(&host, desktop, &["mousemove", "121", "780", "click", "1"]);
            std::thread::sleep(std::time::Duration::from_secs(2));
            false
        }
    };
    until("the editor is open", opened).await;
    assert!(xdotool(
        &host,
        desktop,
        &["search", "--onlyvisible", "--class", "mousepad", "windowfocus"]
    ));
    std::thread::sleep(std::time::Duration::from_secs(1));
    for step in [
        &["type", "--delay", "60", "seat 7 "][..],
        &["key", "shift+space"],
        &["type", "--delay", "60", "dkssudgktpdy"],
        &["key", "shift+space"],
        &["type", "--delay", "60", " "],
        &["key", "ctrl+s"],
    ] {
        assert!(xdotool(&host, desktop, step), "{step:?}");
    }
    std::thread::sleep(std::time::Duration::from_secs(2));
    let file = format!("/home/{}/note.txt", account.0);
    assert!(xdotool(&host, desktop, &["type", "--delay", "60", &file]));
    until("the text is saved", || {
        // The first one only closes the list of completions.
        assert!(xdotool(&host, desktop, &["key", "Return"]));
        std::thread::sleep(std::time::Duration::from_millis(500));
        std::fs::read_to_string(&file).is_ok_and(|text| text.trim() == "seat 7 안녕하세요")
    })
    .await;
    host.stop().await;
    assert_eq!(account.processes(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_session_outlives_the_seat_and_the_agent_and_a_newer_seat_cuts_the_older() {
    if !can_run(
        "the_session_outlives_the_seat_and_the_agent_and_a_newer_seat_cuts_the_older",
        PROGRAMS,
    ) {
        return;
    }
    let account = TestAccount::new("c");
    let host = TestHost::start(|config| config.keep_sessions = true).await;
    let desktop = DesktopId::from_bits(3);
    let (_, mut first) = host.attach(desktop, &account.0, Protocol::Rfb).await;
    banner(&mut first).await;
    let server = || {
        account
            .processes()
            .into_iter()
            .find(|line| line.contains("Xtigervnc"))
    };
    let before = server().unwrap();
    let (_, mut second) = host.attach(desktop, &account.0, Protocol::Rfb).await;
    assert!(closed(&mut first).await);
    assert_eq!(banner(&mut second).await, b"RFB 003.008\n");
    drop(second);
    until("nobody is attached", || {
        !host.report().desktops.iter().any(|told| told.attached)
    })
    .await;

    let host = host.restart().await;
    // In the very first report: the portal would else hold it to be over.
    assert_eq!(host.state_of(desktop), Some(HostDesktopState::Running));
    let (answer, mut third) = host.attach(desktop, &account.0, Protocol::Rfb).await;
    assert!(matches!(answer, AttachAnswer::Ready(_)), "{answer:?}");
    assert_eq!(banner(&mut third).await, b"RFB 003.008\n");
    assert_eq!(server(), Some(before));

    // A closure of the person cuts the seat but leaves the desktop running.
    let at = SystemClock.now();
    let target = ClosureTarget::Desktop(desktop);
    let closure = Closure {
        sequence: 1,
        target,
        reason: CloseReason::Revoked,
        at,
    };
    let old = host.sign(&{
        let mut claims = host.claims(desktop, &account.0, Protocol::Rfb);
        claims.issued_at = at - Seconds(1);
        claims.expires_at = at + Seconds(30);
        claims
    });
    host.apply(&Orders {
        closures: vec![closure],
        ..Orders::default()
    });
    assert!(closed(&mut third).await);
    let (refused, _) = host.attach_with(old).await;
    assert!(
        matches!(
            refused,
            AttachAnswer::Refused {
                reason: CloseReason::TicketRefused,
                ..
            }
        ),
        "{refused:?}"
    );
    assert_eq!(host.state_of(desktop), Some(HostDesktopState::Running));

    // What the log-off icon does; asked again, since a window manager that is only starting does not hear it.
    until("logged off", || {
        log_off(&host, desktop);
        host.state_of(desktop) == Some(HostDesktopState::Ended)
    })
    .await;
    assert_eq!(account.processes(), Vec::<String>::new());
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_server_ends_the_session_and_leftovers_of_a_dead_agent_are_cleared() {
    if !can_run(
        "a_dead_server_ends_the_session_and_leftovers_of_a_dead_agent_are_cleared",
        PROGRAMS,
    ) {
        return;
    }
    let account = TestAccount::new("d");
    let host = TestHost::start(|config| config.keep_sessions = true).await;
    let (dead, orphan) = (DesktopId::from_bits(4), DesktopId::from_bits(5));
    drop(host.attach(dead, &account.0, Protocol::Rfb).await);
    let pid_of = |name: &str| {
        let line = account
            .processes()
            .into_iter()
            .find(|line| line.contains(name))
            .unwrap();
        line.split_ascii_whitespace().next().unwrap().to_owned()
    };
    // Something the person detached from everything must not stay either.
    let hidden = [
        "--login",
        &account.0,
        "--command",
        "env -i setsid sleep 300 >/dev/null 2>&1 &",
    ];
    run("runuser", &hidden);
    run("kill", &["-9", &pid_of("Xtigervnc")]);
    until("ended", || host.state_of(dead) == Some(HostDesktopState::Ended)).await;
    assert_eq!(account.processes(), Vec::<String>::new());

    drop(host.attach(orphan, &account.0, Protocol::Rfb).await);
    let record = host.state_directory().join(format!("sessions/{orphan}.json"));
    let mut torn: serde_json::Value = serde_json::from_slice(&std::fs::read(&record).unwrap()).unwrap();
    // As if the first process had died while no agent was there to see it.
    torn["leader"]["start"] = 1.into();
    let text = torn.to_string();
    let host = {
        std::fs::write(&record, &text).unwrap();
        host.restart().await
    };
    until("told as ended", || {
        host.state_of(orphan) == Some(HostDesktopState::Ended)
    })
    .await;
    until("swept", || account.processes().is_empty()).await;
    assert!(!record.exists() && !host.personal(orphan).exists());
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_good_ticket_from_a_gateway_opens() {
    if !can_run("only_a_good_ticket_from_a_gateway_opens", PROGRAMS) {
        return;
    }
    let host = TestHost::start(|config| config.sessions_max = Some(0)).await;
    let desktop = DesktopId::from_bits(6);
    let good = host.claims(desktop, "naru-nobody", Protocol::Rfb);
    let mut expired = good.clone();
    expired.issued_at = good.issued_at - Seconds(120);
    expired.expires_at = good.issued_at - Seconds(60);
    let mut elsewhere = host.claims(desktop, "naru-nobody", Protocol::Rfb);
    elsewhere.host = naru_kernel::HostId::from_bits(43);
    let mut altered = host.sign(&host.claims(desktop, "naru-nobody", Protocol::Rfb));
    altered.insert(3, 'x');
    let text = host.sign(&good);
    let refused = async |ticket: String| match host.attach_with(ticket).await.0 {
        AttachAnswer::Refused { reason, detail } => (reason, detail),
        other @ (AttachAnswer::Progress(_) | AttachAnswer::Ready(_)) => panic!("{other:?}"),
    };
    // The good one is accepted, and only then is there no room.
    assert_eq!(refused(text.clone()).await.0, CloseReason::HostFull);
    assert_eq!(refused(text).await.0, CloseReason::TicketRefused);
    assert_eq!(refused(host.sign(&expired)).await.0, CloseReason::TicketRefused);
    assert_eq!(refused(host.sign(&elsewhere)).await.0, CloseReason::TicketRefused);
    assert_eq!(refused(altered).await.0, CloseReason::TicketRefused);
    assert_eq!(refused("x".repeat(6_000)).await.0, CloseReason::TicketRefused);
    let rdp = host.sign(&host.claims(desktop, "naru-nobody", Protocol::Rdp));
    assert_eq!(refused(rdp).await.0, CloseReason::TicketRefused);
    let root = host.sign(&host.claims(desktop, "root", Protocol::Rfb));
    assert!(refused(root).await.1.contains("account"));
    assert!(!run("getent", &["passwd"]).contains("naru-nobody"));

    // Another host of the fleet has a good certificate and is still no gateway.
    let mut wire = host.dial(NodeRole::Host).await.unwrap();
    assert!(closed(&mut wire).await);
    host.stop().await;
}

/// The same binary, run again as an ordinary account by the test below.
#[tokio::test(flavor = "multi_thread")]
async fn without_root_one_person_is_served_as_the_account_that_runs_the_agent() {
    let test = "without_root_one_person_is_served_as_the_account_that_runs_the_agent";
    if rustix::process::geteuid().is_root() {
        if can_run(test, PROGRAMS) {
            as_an_ordinary_account(test);
        }
        return;
    }
    let host = TestHost::start(|_| {}).await;
    let desktop = DesktopId::from_bits(7);
    assert_eq!(host.report().load.map(|load| load.sessions_max), Some(2));
    let (answer, mut wire) = host.attach(desktop, "naru-first", Protocol::Rfb).await;
    assert!(
        matches!(answer, AttachAnswer::Ready(AttachReady::Rfb)),
        "{answer:?}"
    );
    assert_eq!(banner(&mut wire).await, b"RFB 003.008\n");
    let socket = std::fs::metadata(host.personal(desktop).join("rfb.sock")).unwrap();
    assert_eq!(socket.uid(), rustix::process::geteuid().as_raw());
    let (second, _) = host
        .attach(DesktopId::from_bits(8), "naru-second", Protocol::Rfb)
        .await;
    assert!(
        matches!(
            second,
            AttachAnswer::Refused {
                reason: CloseReason::HostFull,
                ..
            }
        ),
        "{second:?}"
    );
    host.order_end(desktop);
    assert!(closed(&mut wire).await);
    until("ended", || {
        host.state_of(desktop) == Some(HostDesktopState::Ended)
    })
    .await;
    assert!(!host.personal(desktop).exists());
    host.stop().await;
}

fn as_an_ordinary_account(test: &str) {
    let account = TestAccount::new("e");
    run("useradd", &["--create-home", "--shell", "/bin/bash", &account.0]);
    // Where this binary lies the account may not be able to go.
    let place = tempfile::Builder::new()
        .prefix("naru-agent-")
        .tempdir_in("/tmp")
        .unwrap();
    std::fs::set_permissions(place.path(), std::fs::Permissions::from_mode(0o711)).unwrap();
    let copy = place.path().join("real_host");
    std::fs::copy(std::env::current_exe().unwrap(), &copy).unwrap();
    let line = format!("{} --exact rfb::{test} --nocapture", copy.display());
    let output = run("runuser", &["--login", &account.0, "--command", &line]);
    assert!(output.contains("1 passed"), "{output}");
    // All but what the login itself may leave for a moment.
    let left: Vec<String> = account
        .processes()
        .into_iter()
        .filter(|line| !line.contains("runuser"))
        .collect();
    assert_eq!(left, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crowd_gets_its_desktops_and_two_seats_at_once_get_one_desktop() {
    if !can_run(
        "a_crowd_gets_its_desktops_and_two_seats_at_once_get_one_desktop",
        PROGRAMS,
    ) {
        return;
    }
    const PEOPLE: u128 = 6;
    let accounts: Vec<TestAccount> = (0..PEOPLE)
        .map(|number| TestAccount::new(&format!("f{number}")))
        .collect();
    let host = std::sync::Arc::new(TestHost::start(|_| {}).await);
    let mut seats = tokio::task::JoinSet::new();
    for (number, account) in accounts.iter().enumerate() {
        for _seat in 0..2 {
            let (host, account) = (std::sync::Arc::clone(&host), account.0.clone());
            let desktop = DesktopId::from_bits(100 + u128::try_from(number).unwrap());
            seats.spawn(async move { host.attach(desktop, &account, Protocol::Rfb).await.0 });
        }
    }
    let watched = async {
        loop {
            let load = host.report().load.unwrap();
            assert!(load.logons_in_progress <= 4, "{load:?}");
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    };
    let seated = async {
        while let Some(answer) = seats.join_next().await {
            assert!(
                matches!(answer, Ok(AttachAnswer::Ready(AttachReady::Rfb))),
                "{answer:?}"
            );
        }
    };
    tokio::select! {
        () = watched => {}
        () = seated => {}
    }
    for account in &accounts {
        let servers = account
            .processes()
            .iter()
            .filter(|line| line.contains("Xtigervnc"))
            .count();
        assert_eq!(servers, 1, "{}", account.0);
    }
    assert_eq!(
        host.report().load.map(|load| load.sessions),
        Some(i64::try_from(PEOPLE).unwrap())
    );
    std::sync::Arc::into_inner(host).unwrap().stop().await;
    for account in &accounts {
        assert_eq!(account.processes(), Vec::<String>::new());
    }
}
