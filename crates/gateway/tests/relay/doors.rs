//! Who is let in, and what everyone else is told.

use naru_kernel::{
    Clock as _, DesktopId, LogonId, PersonId, Seconds,
    fleet::{CloseReason, ClosureTarget, Orders, Protocol},
};
use naru_relay::ticket::PublicKey;
use naru_runtime::{clock::SystemClock, fleet::Node as _};

use crate::{
    browser::{Browser, Heard, goodbye},
    host::{Desk, Host},
    stage::{Authority, ORIGIN, Stage, free_address, until},
};

#[tokio::test]
async fn only_the_portals_pages_may_open_a_relay() {
    let stage = Stage::new().await;
    for path in ["/relay/v1/rfb", "/relay/v1/rdp"] {
        for origin in [
            None,
            Some("https://evil.example"),
            Some("null"),
            Some("https://localhost:8443.evil.example"),
        ] {
            assert_eq!(
                Browser::connect(&stage, path, origin).await.err(),
                Some(403),
                "{path} {origin:?}"
            );
        }
    }
    assert_eq!(
        Browser::connect(&stage, "/relay/v1/other", Some(ORIGIN))
            .await
            .err(),
        Some(404)
    );
}

#[tokio::test]
async fn a_ticket_opens_its_own_desktop_once_and_now() {
    let stage = Stage::new().await;
    let host = Host::start(&stage, Desk::Say(Vec::new())).await;
    let good = host.claims(&stage, 1);
    let now = SystemClock.now();
    let mut expired = host.claims(&stage, 1);
    (expired.issued_at, expired.expires_at) = (now - Seconds(61), now - Seconds(1));
    let mut early = host.claims(&stage, 1);
    (early.issued_at, early.expires_at) = (now + Seconds(30), now + Seconds(60));
    let mut rdp = host.claims(&stage, 1);
    rdp.protocol = Protocol::Rdp;
    let mut altered = stage.sign(&host.claims(&stage, 1)).into_bytes();
    altered[10] ^= 1;

    let mut first = Browser::desktop(&stage, &good).await;
    let refused = [
        stage.sign(&good),
        stage.sign(&expired),
        stage.sign(&early),
        stage.sign(&rdp),
        String::from_utf8(altered).unwrap(),
        "a.b".to_owned(),
        String::new(),
    ];
    for ticket in refused {
        let heard = Browser::rfb(&stage, &ticket).await.next().await;
        assert_eq!(heard, goodbye(CloseReason::TicketRefused), "{ticket}");
    }
    until("relays are forgotten", || stage.gateway.relays() == 1).await;
    assert_eq!(first.exactly(12).await, b"RFB 003.008\n");

    // Keys change: what the old one signed is not taken any more.
    let other = PublicKey::from_bytes([9; 32]).to_hex();
    stage.gateway.apply(&Orders {
        ticket_keys: vec![other],
        ..Orders::default()
    });
    let ticket = stage.sign(&host.claims(&stage, 2));
    assert_eq!(
        Browser::rfb(&stage, &ticket).await.next().await,
        goodbye(CloseReason::TicketRefused)
    );
}

#[tokio::test]
async fn what_is_no_first_message_is_told_so() {
    let stage = Stage::new().await;
    for first in [
        "",
        "{}",
        "{\"ticket\":1}",
        "RFB 003.008",
        "{\"ticket\":\"a\",\"width\":70000,\"height\":1}",
    ] {
        let mut browser = Browser::connect(&stage, "/relay/v1/rfb", Some(ORIGIN))
            .await
            .unwrap();
        browser.text(first).await;
        assert_eq!(
            browser.next().await,
            goodbye(CloseReason::ProtocolError),
            "{first}"
        );
    }
    let mut browser = Browser::connect(&stage, "/relay/v1/rfb", Some(ORIGIN))
        .await
        .unwrap();
    browser.bytes(b"RFB 003.008\n").await;
    assert_eq!(browser.next().await, goodbye(CloseReason::ProtocolError));
    // Longer than any ticket: not even read.
    let mut browser = Browser::connect(&stage, "/relay/v1/rfb", Some(ORIGIN))
        .await
        .unwrap();
    browser.text(&"a".repeat(64 * 1024)).await;
    assert!(matches!(browser.next().await, Heard::Closed(_)));
    until("relays are forgotten", || stage.gateway.relays() == 0).await;
}

#[tokio::test]
async fn a_host_must_be_the_one_the_ticket_names() {
    let stage = Stage::new().await;
    let host = Host::start(&stage, Desk::Say(Vec::new())).await;
    let ends = async |claims| Browser::rfb(&stage, &stage.sign(&claims)).await.end().await;

    let mut other_pin = host.claims(&stage, 1);
    other_pin.host_certificate = "00".repeat(32);
    assert_eq!(
        ends(other_pin).await,
        goodbye(CloseReason::HostCertificateChanged)
    );

    let stranger = Host::of(&stage, &Authority::new(), Desk::Say(Vec::new())).await;
    assert_eq!(
        ends(stranger.claims(&stage, 2)).await,
        goodbye(CloseReason::HostLost)
    );

    let nobody = stage.claims(3, free_address(), &host.certificate);
    assert_eq!(ends(nobody).await, goodbye(CloseReason::HostLost));

    for reason in [
        CloseReason::HostFull,
        CloseReason::TicketRefused,
        CloseReason::Ended,
    ] {
        let refusing = Host::start(&stage, Desk::Refuse(reason)).await;
        assert_eq!(ends(refusing.claims(&stage, 4)).await, goodbye(reason));
        let report = stage
            .reported(|relay| relay.desktop == DesktopId::from_bits(4) && relay.closed.is_some())
            .await;
        assert_eq!(report.closed, Some(reason));
    }
    assert!(host.seen.requests.lock().unwrap().is_empty());
    until("relays are forgotten", || stage.gateway.relays() == 0).await;
}

#[tokio::test]
async fn relays_are_bounded_in_all_and_for_each_person() {
    let stage = Stage::with(|config| (config.relays_max, config.relays_per_person_max) = (3, 2)).await;
    let host = Host::start(&stage, Desk::Say(Vec::new())).await;
    let mut open = Vec::new();
    for desktop in 1..=2 {
        open.push(Browser::desktop(&stage, &host.claims(&stage, desktop)).await);
    }
    let ticket = stage.sign(&host.claims(&stage, 3));
    assert_eq!(
        Browser::rfb(&stage, &ticket).await.end().await,
        goodbye(CloseReason::TicketRefused)
    );
    let of_another = |desktop| {
        let mut claims = host.claims(&stage, desktop);
        claims.person = PersonId::from_bits(99);
        claims
    };
    open.push(Browser::desktop(&stage, &of_another(4)).await);
    let ticket = stage.sign(&of_another(5));
    assert_eq!(
        Browser::rfb(&stage, &ticket).await.end().await,
        goodbye(CloseReason::TicketRefused)
    );
    // Taking one's own desktop over needs no more room.
    open.push(Browser::desktop(&stage, &host.claims(&stage, 1)).await);
    until("relays are forgotten", || stage.gateway.relays() == 3).await;
}

#[tokio::test]
async fn a_ticket_from_before_a_closure_is_refused_after_it() {
    let stage = Stage::new().await;
    let host = Host::start(&stage, Desk::Say(Vec::new())).await;
    let before = host.claims(&stage, 1);
    stage.close(ClosureTarget::Logon(LogonId::from_bits(2)), CloseReason::Revoked);
    let heard = Browser::rfb(&stage, &stage.sign(&before)).await.end().await;
    assert_eq!(heard, goodbye(CloseReason::TicketRefused));
    drop(Browser::desktop(&stage, &host.claims(&stage, 1)).await);
}
