//! What a gateway and a host do with tickets that are not quite right, and when the other side is gone or changed.

use aws_lc_rs::signature::Ed25519KeyPair;
use naru_kernel::{HostId, Seconds, fleet::CloseReason};
use naru_relay::ticket;
use naru_testkit::Browser;
use serde_json::json;

use crate::{
    fleet::{Fleet, Opened, can_run, display_server_of},
    seat::{Heard, Seat, goodbye},
    stage::now,
};

/// A fresh ticket for the same desktop.
async fn another(browser: &mut Browser, opened: &Opened) -> Opened {
    let path = format!("/api/v1/desktops/{}/ticket", opened.claims.desktop);
    let answer = browser.post(&path, &json!({})).await;
    assert_eq!(answer.body["state"], "ready", "{:?}", answer.body);
    let again = Opened::read(&answer.body);
    assert_ne!(again.claims.id, opened.claims.id);
    again
}

async fn heard(fleet: &Fleet, ticket: &str) -> Heard {
    Seat::take(&fleet.stage, ticket).await.end().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_a_fresh_ticket_of_the_portal_opens_and_what_breaks_is_named() {
    if !can_run("only_a_fresh_ticket_of_the_portal_opens_and_what_breaks_is_named") {
        return;
    }
    let mut fleet = Fleet::start().await;
    let person = fleet.stage.person(&["worker"]);
    let mut browser = fleet.stage.sign_in(&person).await;
    let first = fleet.open(&mut browser).await;
    let mut seat = Seat::with_desktop(&fleet.stage, &first.ticket).await;
    let display_server = display_server_of(&first.claims.account);
    assert!(display_server.is_some());

    let refused = || goodbye(CloseReason::TicketRefused);
    assert_eq!(heard(&fleet, &first.ticket).await, refused(), "reused");
    let fresh = another(&mut browser, &first).await;
    for (case, ticket) in forgeries(&fresh) {
        assert_eq!(heard(&fleet, &ticket).await, refused(), "{case}");
    }
    // None of these took the desktop away from who has it.
    let mut second = Seat::with_desktop(&fleet.stage, &fresh.ticket).await;
    assert_eq!(seat.end().await, goodbye(CloseReason::TakenOver));

    fleet.gateway.kill().await;
    assert_eq!(second.end().await, Heard::Closed(None));
    assert_eq!(
        display_server_of(&first.claims.account),
        display_server,
        "the desktop goes on"
    );
    let operation = fleet.stage.ports.gateway_operation;
    fleet.gateway = fleet.stage.start("gateway", &["gateway"], operation).await;
    let back = fleet.open(&mut browser).await;
    assert_eq!(back.claims.desktop, first.claims.desktop);
    let mut third = Seat::with_desktop(&fleet.stage, &back.ticket).await;
    assert_eq!(
        display_server_of(&first.claims.account),
        display_server,
        "the same desktop"
    );

    // Tickets made while the host was well.
    let (for_dead, for_other) = (
        another(&mut browser, &first).await,
        another(&mut browser, &first).await,
    );
    fleet.host.kill().await;
    assert_eq!(third.end().await, goodbye(CloseReason::HostLost));
    assert_eq!(
        heard(&fleet, &for_dead.ticket).await,
        goodbye(CloseReason::HostLost),
        "host down"
    );

    let token = fleet.stage.must(&["admin", "token", "host"]);
    let operation = fleet.stage.ports.host_operation;
    let wishes = ["agent", "host", "--token", &token];
    fleet.host = fleet.stage.start("other-host", &wishes, operation).await;
    let changed = heard(&fleet, &for_other.ticket).await;
    assert_eq!(
        changed,
        goodbye(CloseReason::HostCertificateChanged),
        "another machine at that address"
    );
}

/// Tickets that look right and are not.
fn forgeries(genuine: &Opened) -> Vec<(&'static str, String)> {
    let own_key = Ed25519KeyPair::generate().unwrap();
    let sign = |claims: &ticket::Claims| ticket::sign(claims, &own_key).unwrap();
    let mut expired = genuine.claims.clone();
    expired.issued_at = now() + Seconds(-120);
    expired.expires_at = now() + Seconds(-61);
    let mut other_host = genuine.claims.clone();
    other_host.host = HostId::from_bits(1);
    // The genuine signature over claims that name another host, and over a later end.
    let swapped = |claims: &ticket::Claims| {
        let (signed, _) = sign(claims)
            .split_once('.')
            .map(|(a, b)| (a.to_owned(), b.to_owned()))
            .unwrap();
        let (_, signature) = genuine.ticket.split_once('.').unwrap();
        format!("{signed}.{signature}")
    };
    let mut longer = genuine.claims.clone();
    longer.expires_at = longer.issued_at + Seconds(60);
    longer.issued_at = longer.issued_at + Seconds(1);
    let mut cut = genuine.ticket.clone();
    cut.pop();
    vec![
        ("signed by somebody else", sign(&genuine.claims)),
        ("signed by somebody else, expired", sign(&expired)),
        ("signed by somebody else, for another host", sign(&other_host)),
        ("altered to another host", swapped(&other_host)),
        ("altered to last longer", swapped(&longer)),
        ("cut short", cut),
        ("empty", String::new()),
        ("nonsense", "a.b".to_owned()),
        ("too long", "a".repeat(ticket::TICKET_BYTES_MAX + 1)),
    ]
}
