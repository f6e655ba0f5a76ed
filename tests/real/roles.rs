//! Every role as its own process: enrolment, readiness, a desktop through all three, a graceful end.

use std::process::Command;

use naru_kernel::fleet::CloseReason;

use crate::{
    fleet::{Fleet, can_run, processes_of},
    process::readiness,
    seat::{Seat, goodbye},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_processes_make_a_desktop() {
    if !can_run("three_processes_make_a_desktop") {
        return;
    }
    let mut fleet = Fleet::start().await;
    let ports = &fleet.stage.ports;
    for port in [
        ports.portal_operation,
        ports.gateway_operation,
        ports.host_operation,
    ] {
        assert_eq!(readiness(port).await, Some(200));
    }

    let person = fleet.stage.person(&["worker"]);
    let mut browser = fleet.stage.sign_in(&person).await;
    let opened = fleet.open(&mut browser).await;
    let mut seat = Seat::with_desktop(&fleet.stage, &opened.ticket).await;
    assert!(!processes_of(&opened.claims.account).is_empty());

    // A page reads all the time: who does not answer a goodbye within a second may lose it.
    let (status, heard) = tokio::join!(fleet.gateway.stop(), seat.end());
    assert_eq!(status.code(), Some(0), "{}", fleet.gateway.log());
    assert_eq!(heard, goodbye(CloseReason::Draining));
    let status = fleet.host.stop().await;
    assert_eq!(status.code(), Some(0), "{}", fleet.host.log());
    assert!(
        processes_of(&opened.claims.account).is_empty(),
        "the host was told not to keep sessions"
    );
    let status = fleet.portal.stop().await;
    assert_eq!(status.code(), Some(0), "{}", fleet.portal.log());
    assert!(fleet.stage.record_is_whole());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_enrolment_token_is_good_once_and_for_one_role() {
    let stage = crate::stage::Stage::new();
    let mut portal = stage.portal().await;
    let gateway = |token: &str, state: &str| -> Command {
        let mut command = stage.command(&stage.path(state), stage.ports.gateway_operation);
        command.args(["gateway", "--token", token]);
        command
    };
    let token = stage.must(&["admin", "token", "gateway"]);
    let first = stage
        .start(
            "gateway",
            &["gateway", "--token", &token],
            stage.ports.gateway_operation,
        )
        .await;
    drop(first);
    let for_hosts = stage.must(&["admin", "token", "host"]);
    let (secret, _) = for_hosts.split_once('.').unwrap();
    let strange_portal = format!("{secret}.{}", "0".repeat(64));
    for (case, token) in [
        ("used", token.as_str()),
        ("for another role", for_hosts.as_str()),
        ("of another portal", strange_portal.as_str()),
        ("no token", "nonsense"),
    ] {
        let output = gateway(token, "again").output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{case}: {said}");
        assert!(said.contains("could not be enrolled"), "{case}: {said}");
        assert!(!stage.path("again/gateway.json").exists(), "{case}");
    }
    // Who is enrolled needs no token again.
    let mut again = stage
        .start("gateway", &["gateway"], stage.ports.gateway_operation)
        .await;
    assert_eq!(again.stop().await.code(), Some(0));
    assert_eq!(portal.stop().await.code(), Some(0));
}
