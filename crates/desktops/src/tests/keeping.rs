//! What relays, time and keys do.

use naru_kernel::fleet::{CloseReason, ClosureTarget, HostDesktopState, NodeRole, Report};
use naru_runtime::{Fails as _, NodeCaller};

use super::{World, person, world::ADDRESS};
use crate::DesktopState;

#[tokio::test]
async fn who_works_in_a_desktop_is_kept_signed_in() {
    let (world, gateway, _) = World::fleet(1).await;
    let me = person(1);
    let opening = world.open(&me).await.unwrap();
    world.relays(gateway, vec![world.relay(&opening, 100)]).await;
    assert_eq!(world.active(), [me.logon]);
    // The page goes on asking for pictures, so bytes move, but nobody is there.
    let mut idle = world.relay(&opening, 150);
    idle.idle_seconds = Some(11);
    idle.bytes_out = 900_000;
    world.advance(6);
    world.relays(gateway, vec![idle.clone()]).await;
    assert!(world.active().is_empty(), "pictures are not work");
    world.advance(6);
    idle.bytes_in = 160;
    idle.idle_seconds = Some(2);
    world.relays(gateway, vec![idle.clone()]).await;
    assert_eq!(world.active(), [me.logon]);
    idle.bytes_in = 500;
    idle.closed = Some(CloseReason::Left);
    world.relays(gateway, vec![idle.clone()]).await;
    assert!(world.active().is_empty(), "who left does not work");
    let row = world.desktops.list(&me).await.unwrap().items.remove(0);
    assert_eq!((row.counters.bytes_in, row.counters.bytes_out), (500, 900_000));
    // A ticket nobody issued counts for nothing.
    idle.ticket = "0".repeat(32);
    world.relays(gateway, vec![idle]).await;
    assert_eq!(
        world
            .desktops
            .list(&me)
            .await
            .unwrap()
            .items
            .remove(0)
            .counters
            .bytes_in,
        500
    );
}

#[tokio::test]
async fn a_relay_on_another_gateway_takes_the_older_one_over() {
    let (world, gateway, _) = World::fleet(1).await;
    let other = world.gateway().await;
    let me = person(1);
    let first = world.open(&me).await.unwrap();
    world.relays(gateway, vec![world.relay(&first, 10)]).await;
    world.advance(1);
    let second = world.desktops.ticket(&me, ADDRESS, first.desktop).await.unwrap();
    world.relays(other, vec![world.relay(&second, 10)]).await;
    let orders = world.sync(gateway, Report::default()).await.unwrap();
    let [closure] = orders.closures.as_slice() else {
        panic!("one closure: {orders:?}")
    };
    assert_eq!(
        (closure.target, closure.reason),
        (ClosureTarget::Desktop(first.desktop), CloseReason::TakenOver)
    );
    assert!(world.claims(&first).is_closed_by(closure));
    assert!(!world.claims(&second).is_closed_by(closure));
    // The new relay is reported again and again; the closure is written once.
    world.advance(6);
    world.relays(other, vec![world.relay(&second, 20)]).await;
    assert_eq!(
        world
            .sync(gateway, Report::default())
            .await
            .unwrap()
            .closures
            .len(),
        1
    );
}

#[tokio::test]
async fn tickets_spread_over_gateways_before_their_reports_say_so() {
    let (world, _, _) = World::fleet(2).await;
    // All gateways of the test have one address: their rows tell who was chosen.
    world.gateway().await;
    for number in 1..=6 {
        world.open(&person(number)).await.unwrap();
    }
    let sql = "SELECT COUNT(*) AS n FROM relays GROUP BY gateway ORDER BY gateway";
    let counts: Vec<i64> = world.db().all(sql, vec![]).await.unwrap();
    assert_eq!(counts, [3, 3]);
}

#[tokio::test]
async fn what_never_started_is_ended_and_its_slot_is_free() {
    let (world, gateway, hosts) = World::fleet(1).await;
    let me = person(1);
    let opening = world.open(&me).await.unwrap();
    world.advance(61);
    world.desktops.tidy().await.unwrap();
    // Nobody heard the host: it may well be up there.
    assert_eq!(world.desktops.list(&me).await.unwrap().items.len(), 1);
    world.beat(&hosts).await;
    world.beat(&[gateway]).await;
    world.desktops.tidy().await.unwrap();
    assert!(world.desktops.list(&me).await.unwrap().items.is_empty());
    let ticket = world.desktops.ticket(&me, ADDRESS, opening.desktop).await;
    assert_eq!(ticket.unwrap_err().code(), "desktops.ended");
    // Should the host have started it after all, it is told to end it.
    let host = *hosts.first().unwrap();
    let orders = world
        .report(host, &[(opening.desktop, HostDesktopState::Running, false)])
        .await;
    assert_eq!(orders.end_desktops, [opening.desktop]);
}

#[tokio::test]
async fn a_desktop_that_is_up_is_left_alone_by_time() {
    let (world, gateway, _) = World::fleet(1).await;
    let me = person(1);
    let (opening, host) = world.running(&me).await;
    for _ in 0..30 {
        world.advance(600);
        world.beat(&[gateway]).await;
        world
            .report(host, &[(opening.desktop, HostDesktopState::Running, false)])
            .await;
        world.desktops.tidy().await.unwrap();
    }
    let row = world.desktops.list(&me).await.unwrap().items.remove(0);
    assert_eq!((row.id, row.state), (opening.desktop, DesktopState::Disconnected));
    assert_eq!(row.last_seen_at, Some(naru_kernel::Clock::now(&*world.clock)));
}

#[tokio::test]
async fn a_new_ticket_key_takes_over_without_a_broken_ticket() {
    let (world, gateway, hosts) = World::fleet(1).await;
    let me = person(1);
    let keys = async || world.sync(gateway, Report::default()).await.unwrap().ticket_keys;
    let old = keys().await;
    assert_eq!(old.len(), 1);
    world.advance(1_000);
    world.desktops.rotate_ticket_key().await.unwrap();
    let both = keys().await;
    assert_eq!((both.len(), both.last()), (2, old.last()));
    let everyone: Vec<NodeCaller> = hosts.iter().copied().chain([gateway]).collect();
    world.beat(&everyone).await;
    // Another portal and every node know the new key before anything is signed with it.
    let other = world.another_portal(3).await;
    assert_eq!(other.ticket_keys().unwrap(), both);
    let signed_by = |opening: &crate::Opening, key: &str| {
        let key = naru_relay::ticket::PublicKey::from_hex(key).unwrap();
        let now = naru_kernel::Clock::now(&*world.clock);
        naru_relay::ticket::verify(opening.ticket.as_deref().unwrap(), &[key], now).is_ok()
    };
    let (new, old) = (both.first().unwrap(), both.last().unwrap());
    let opening = world.open(&me).await.unwrap();
    assert!(signed_by(&opening, old) && !signed_by(&opening, new));
    world.advance(120);
    world.beat(&everyone).await;
    let opening = world
        .desktops
        .ticket(&me, ADDRESS, opening.desktop)
        .await
        .unwrap();
    assert!(signed_by(&opening, new) && !signed_by(&opening, old));
    world.advance(600);
    world.desktops.tidy().await.unwrap();
    assert_eq!(keys().await, std::slice::from_ref(new));
}

#[tokio::test]
async fn a_removed_gateway_gets_no_tickets_and_its_relays_are_cut_at_the_hosts() {
    let (world, gateway, hosts) = World::fleet(1).await;
    let me = person(1);
    let opening = world.open(&me).await.unwrap();
    world.relays(gateway, vec![world.relay(&opening, 10)]).await;
    let host = *hosts.first().unwrap();
    world
        .desktops
        .remove(&super::world::operator(), ADDRESS, gateway.node)
        .await
        .unwrap();
    let orders = world
        .report(host, &[(opening.desktop, HostDesktopState::Running, true)])
        .await;
    let targets: Vec<_> = orders.closures.iter().map(|closure| closure.target).collect();
    assert_eq!(targets, [ClosureTarget::Desktop(opening.desktop)]);
    let ticket = world.desktops.ticket(&me, ADDRESS, opening.desktop).await;
    assert_eq!(ticket.unwrap_err().code(), "desktops.no-gateway");
    assert_eq!(gateway.role, NodeRole::Gateway);
}
