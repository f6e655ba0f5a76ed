//! What happens between the first byte and the last.

use std::{sync::atomic::Ordering, time::Duration};

use naru_kernel::{
    DesktopId, PersonId,
    fleet::{CloseReason, ClosureTarget, Report},
};
use naru_runtime::fleet::Node as _;

use crate::{
    browser::{Browser, Heard, goodbye},
    host::{Desk, Host, RFB_ANSWER, rfb_greeting},
    stage::{PATIENCE, Stage, until},
};

const PIXEL_FORMAT: &[u8] = &[
    0, 0, 0, 0, 32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 0, 8, 16, 0, 0, 0,
];

#[tokio::test]
async fn bytes_flow_both_ways_and_are_counted() {
    let stage = Stage::new().await;
    let host = Host::start(&stage, Desk::Say(vec![2, 150])).await;
    let claims = host.claims(&stage, 1);
    let mut browser = Browser::rfb(&stage, &stage.sign(&claims)).await;
    for step in ["connecting", "opening_session", "starting_desktop"] {
        assert_eq!(
            browser.next().await,
            Heard::Text(serde_json::json!({ "step": step }))
        );
    }
    assert_eq!(
        browser.next().await,
        Heard::Text(serde_json::json!({ "ready": true }))
    );
    let greeting = [rfb_greeting(), vec![2, 150]].concat();
    assert_eq!(browser.exactly(greeting.len()).await, greeting);
    let key = [4, 1, 0, 0, 1, 0, 0xd5, 0x5c];
    browser
        .bytes(&[RFB_ANSWER, PIXEL_FORMAT, &key[..3]].concat())
        .await;
    browser.bytes(&key[3..]).await;
    let expected = [RFB_ANSWER, PIXEL_FORMAT, &key].concat();
    until("the host has everything", || host.seen.received() == expected).await;

    let request = host.seen.requests.lock().unwrap()[0].clone();
    assert_eq!((request.width, request.height), (1440, 900));
    // Pings go out at once; whoever reads answers them.
    let reading = browser.next();
    let measured = stage.reported(|relay| relay.round_trip_us.is_some());
    let report = tokio::select! {
        report = measured => report,
        heard = reading => panic!("{heard:?}"),
    };
    assert_eq!(report.bytes_in, i64::try_from(expected.len()).unwrap());
    assert_eq!(report.bytes_out, i64::try_from(greeting.len()).unwrap());
    assert!(
        report
            .round_trip_us
            .is_some_and(|micros| (1..10_000_000).contains(&micros))
    );
    assert_eq!((report.ticket, report.closed), (claims.id, None));

    browser.leave().await;
    let report = stage.reported(|relay| relay.closed.is_some()).await;
    assert_eq!(report.closed, Some(CloseReason::Left));
    until("the host is let go", || host.seen.closed() == 1).await;
    let Report { relays, .. } = stage.gateway.report();
    assert_eq!(relays, Vec::new(), "a closed relay is reported once");
}

#[tokio::test]
async fn a_newer_seat_takes_the_desktop_over() {
    let stage = Stage::new().await;
    let host = Host::start(&stage, Desk::Say(Vec::new())).await;
    let mut first = Browser::desktop(&stage, &host.claims(&stage, 1)).await;
    let mut other = Browser::desktop(&stage, &host.claims(&stage, 2)).await;
    let mut second = Browser::desktop(&stage, &host.claims(&stage, 1)).await;
    assert_eq!(first.end().await, goodbye(CloseReason::TakenOver));
    let report = stage.reported(|relay| relay.closed.is_some()).await;
    assert_eq!(report.closed, Some(CloseReason::TakenOver));
    assert_eq!(second.exactly(12).await, b"RFB 003.008\n");
    assert_eq!(other.exactly(12).await, b"RFB 003.008\n");
    until("relays are forgotten", || stage.gateway.relays() == 2).await;
}

#[tokio::test]
async fn a_closure_closes_at_once_what_it_names_and_nothing_else() {
    let stage = Stage::new().await;
    let host = Host::start(&stage, Desk::Pictures).await;
    let mut named = Browser::desktop(&stage, &host.claims(&stage, 1)).await;
    let mut claims = host.claims(&stage, 2);
    claims.person = PersonId::from_bits(99);
    let mut other = Browser::desktop(&stage, &claims).await;
    named.exactly(100_000).await;
    stage.close(
        ClosureTarget::Person(PersonId::from_bits(3)),
        CloseReason::Revoked,
    );
    let end = tokio::time::timeout(Duration::from_secs(5), named.end())
        .await
        .unwrap();
    assert_eq!(
        end,
        goodbye(CloseReason::Revoked),
        "the goodbye follows a whole frame"
    );
    other.exactly(1_000_000).await;
    until("relays are forgotten", || stage.gateway.relays() == 1).await;
}

#[tokio::test]
async fn a_slow_browser_stalls_its_host_and_is_closed_all_the_same() {
    let stage = Stage::new().await;
    let host = Host::start(&stage, Desk::Pictures).await;
    let browser = Browser::desktop(&stage, &host.claims(&stage, 1)).await;
    let sent = || host.seen.sent_bytes.load(Ordering::Relaxed);
    let stalled = async {
        loop {
            let before = sent();
            tokio::time::sleep(Duration::from_millis(500)).await;
            if before > 0 && sent() == before {
                return before;
            }
        }
    };
    // What the two systems' sockets hold; the gateway itself holds a record or two.
    let stalled_at = tokio::time::timeout(PATIENCE, stalled).await.unwrap();
    assert!(stalled_at < 32 * 1024 * 1024, "{stalled_at} bytes");
    stage.close(
        ClosureTarget::Desktop(DesktopId::from_bits(1)),
        CloseReason::Revoked,
    );
    tokio::time::timeout(
        Duration::from_secs(5),
        until("the host is let go", || host.seen.closed() == 1),
    )
    .await
    .unwrap();
    let report = stage.reported(|relay| relay.closed.is_some()).await;
    assert_eq!(report.closed, Some(CloseReason::Revoked));
    drop(browser);
}

#[tokio::test]
async fn a_host_that_goes_is_lost_unless_a_closure_tells_why() {
    let stage = Stage::new().await;
    let host = Host::start(&stage, Desk::HangUp).await;
    let mut browser = Browser::desktop(&stage, &host.claims(&stage, 1)).await;
    assert_eq!(browser.end().await, goodbye(CloseReason::HostLost));

    let mut browser = Browser::desktop(&stage, &host.claims(&stage, 2)).await;
    browser.exactly(rfb_greeting().len()).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    stage.close(
        ClosureTarget::Desktop(DesktopId::from_bits(2)),
        CloseReason::Ended,
    );
    assert_eq!(browser.end().await, goodbye(CloseReason::Ended));
}

#[tokio::test]
async fn what_cannot_be_framed_ends_the_relay() {
    let stage = Stage::new().await;
    let host = Host::start(&stage, Desk::Say(Vec::new())).await;
    let wrong: [&[u8]; 4] = [
        b"GET / HTTP/1.1\r\n\r\n",
        &[0; 64],
        b"RFB 003.008\n\x02",
        b"RFB 003.008\n\x01\x01\x07",
    ];
    for (desktop, bytes) in (1..).zip(wrong) {
        let mut browser = Browser::desktop(&stage, &host.claims(&stage, desktop)).await;
        browser.bytes(bytes).await;
        assert_eq!(browser.end().await, goodbye(CloseReason::ProtocolError));
    }
    let mut browser = Browser::desktop(&stage, &host.claims(&stage, 9)).await;
    browser.text("{}").await;
    assert_eq!(browser.end().await, goodbye(CloseReason::ProtocolError));
    assert!(!host.seen.received().contains(&7));

    let wrong = Host::start(&stage, Desk::Say(vec![77; 40])).await;
    let mut browser = Browser::desktop(&stage, &wrong.claims(&stage, 20)).await;
    assert_eq!(browser.exactly(rfb_greeting().len()).await, rfb_greeting());
    assert_eq!(browser.end().await, goodbye(CloseReason::ProtocolError));
}

#[tokio::test]
async fn going_down_tells_every_browser() {
    let stage = Stage::new().await;
    let host = Host::start(&stage, Desk::Say(Vec::new())).await;
    let mut first = Browser::desktop(&stage, &host.claims(&stage, 1)).await;
    let mut second = Browser::desktop(&stage, &host.claims(&stage, 2)).await;
    stage.tasks.shutdown().request();
    assert_eq!(first.end().await, goodbye(CloseReason::Draining));
    assert_eq!(second.end().await, goodbye(CloseReason::Draining));
}
