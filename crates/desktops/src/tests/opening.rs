//! Opening, taking over, ending, restarting; hosts that are lost or come back.

use naru_kernel::{
    Seconds, Zone,
    fleet::{HostDesktopState, NodeRole, Protocol},
};
use naru_runtime::{Fails as _, NodeCaller};

use super::{
    World, load, person,
    world::{ADDRESS, actor, host_report, operator},
};
use crate::{DesktopState, Error, OpeningState};

#[tokio::test]
async fn a_ticket_says_who_where_and_what() {
    let (world, _, hosts) = World::fleet(1).await;
    let me = person(1);
    let opening = world.open(&me).await.unwrap();
    let claims = world.claims(&opening);
    assert_eq!(claims.desktop, opening.desktop);
    assert_eq!(
        (claims.person, claims.ministry, claims.logon),
        (me.person, me.ministry, me.logon)
    );
    assert_eq!(
        (claims.host, claims.host_address.as_str()),
        (hosts.first().unwrap().node, "127.0.0.1:8446")
    );
    assert_eq!(claims.expires_at, claims.issued_at + Seconds(60));
    assert_eq!(opening.gateway_url.as_deref(), Some("wss://localhost:8444"));
    assert_eq!(opening.watermark, "홍길동 · 085");
    assert!(!opening.existing && opening.clipboard.paste_in && !opening.clipboard.copy_out);
    let list = world.desktops.list(&me).await.unwrap();
    let offers: Vec<_> = list
        .offers
        .iter()
        .map(|offer| (offer.zone.clone(), offer.protocol))
        .collect();
    assert_eq!(offers, [(Zone::business(), Protocol::Rfb)]);
    assert_eq!(
        list.items.first().map(|row| row.state),
        Some(DesktopState::Starting)
    );
}

#[tokio::test]
async fn the_running_desktop_wins_even_on_a_draining_host() {
    let (world, _, _) = World::fleet(3).await;
    let me = person(1);
    let (first, host) = world.running(&me).await;
    world
        .desktops
        .drain(&operator(), ADDRESS, host.node)
        .await
        .unwrap();
    let mut elsewhere = me.clone();
    elsewhere.logon = naru_kernel::LogonId::from_bits(77);
    let second = world.open(&elsewhere).await.unwrap();
    assert_eq!((second.desktop, second.existing), (first.desktop, true));
    assert_eq!(world.host_of(&second), host.node);
    assert_eq!(world.claims(&second).logon, elsewhere.logon);
    let again = world.desktops.ticket(&me, ADDRESS, first.desktop).await.unwrap();
    assert_ne!(world.claims(&again).id, world.claims(&first).id);
    let opening = world.desktops.opening(&me, ADDRESS, first.desktop).await.unwrap();
    assert_eq!(opening.state, OpeningState::Ready);
    // Another person's goes to one of the other two.
    assert_ne!(world.host_of(&world.open(&person(2)).await.unwrap()), host.node);
}

#[tokio::test]
async fn a_lost_hosts_desktop_is_given_up_late_and_only_on_asking() {
    let (world, gateway, hosts) = World::fleet(2).await;
    let me = person(1);
    let (first, host) = world.running(&me).await;
    let others: Vec<NodeCaller> = hosts
        .into_iter()
        .filter(|one| one.node != host.node)
        .chain([gateway])
        .collect();
    world.advance(11);
    world.beat(&others).await;
    let lost = world.open(&me).await.unwrap_err();
    assert!(matches!(lost, Error::HostLost(49)), "{lost:?}");
    world.advance(49);
    world.beat(&others).await;
    world.desktops.tidy().await.unwrap();
    assert_eq!(
        world
            .desktops
            .list(&me)
            .await
            .unwrap()
            .items
            .first()
            .map(|row| row.id),
        Some(first.desktop)
    );
    let ticket = world
        .desktops
        .ticket(&me, ADDRESS, first.desktop)
        .await
        .unwrap_err();
    assert_eq!(ticket.code(), "desktops.host-lost");
    let second = world.open(&me).await.unwrap();
    assert_ne!(second.desktop, first.desktop);
    assert_ne!(world.host_of(&second), host.node);
    // When it comes back it is told to end what was given up.
    let running = [(first.desktop, HostDesktopState::Running, true)];
    assert_eq!(world.report(host, &running).await.end_desktops, [first.desktop]);
}

#[tokio::test]
async fn a_portal_that_was_down_gives_nothing_up() {
    let (world, _, _) = World::fleet(1).await;
    let me = person(1);
    let (first, host) = world.running(&me).await;
    world.advance(3_600);
    let portal = world.another_portal(2).await;
    let opened = portal.open(&me, ADDRESS, Zone::business(), Protocol::Rfb).await;
    assert!(matches!(opened, Err(Error::HostLost(60))), "{opened:?}");
    let running = [(first.desktop, HostDesktopState::Running, true)];
    world.report(host, &running).await;
    // The gateway has not been heard yet.
    let opened = portal.open(&me, ADDRESS, Zone::business(), Protocol::Rfb).await;
    assert_eq!(opened.unwrap_err().code(), "desktops.no-gateway");
    world.gateway().await;
    let opened = portal
        .open(&me, ADDRESS, Zone::business(), Protocol::Rfb)
        .await
        .unwrap();
    assert_eq!(opened.desktop, first.desktop);
}

#[tokio::test]
async fn a_host_that_restarted_without_a_desktop_has_ended_it() {
    let (world, _, _) = World::fleet(1).await;
    let (me, other) = (person(1), person(2));
    let (kept, host) = world.running(&me).await;
    let lost = world.open(&other).await.unwrap();
    let both = [
        (kept.desktop, HostDesktopState::Running, true),
        (lost.desktop, HostDesktopState::Running, true),
    ];
    world.report(host, &both).await;
    let only = [(kept.desktop, HostDesktopState::Running, false)];
    world.sync(host, host_report("boot-2", &only)).await.unwrap();
    let mine = world.desktops.list(&me).await.unwrap();
    assert_eq!(
        mine.items.first().map(|row| row.state),
        Some(DesktopState::Disconnected)
    );
    assert!(world.desktops.list(&other).await.unwrap().items.is_empty());
    let opening = world.desktops.opening(&other, ADDRESS, lost.desktop).await;
    assert_eq!(opening.unwrap_err().code(), "desktops.ended");
}

#[tokio::test]
async fn a_desktop_missing_from_reports_is_over_after_a_while() {
    let (world, _, _) = World::fleet(1).await;
    let me = person(1);
    let (opening, host) = world.running(&me).await;
    world.report(host, &[]).await;
    assert_eq!(world.desktops.list(&me).await.unwrap().items.len(), 1);
    // It was there after all.
    world.advance(5);
    world
        .report(host, &[(opening.desktop, HostDesktopState::Running, true)])
        .await;
    world.advance(5);
    world.report(host, &[]).await;
    assert_eq!(world.desktops.list(&me).await.unwrap().items.len(), 1);
    world.advance(6);
    world.report(host, &[]).await;
    assert!(world.desktops.list(&me).await.unwrap().items.is_empty());
}

#[tokio::test]
async fn restarting_waits_for_the_host_but_not_for_ever() {
    let (world, gateway, _) = World::fleet(1).await;
    let me = person(1);
    let (first, host) = world.running(&me).await;
    let second = world.desktops.restart(&me, ADDRESS, first.desktop).await.unwrap();
    assert_eq!((second.state, second.position), (OpeningState::Queued, Some(1)));
    assert_ne!(second.desktop, first.desktop);
    let poll = async || {
        world
            .desktops
            .opening(&me, ADDRESS, second.desktop)
            .await
            .unwrap()
            .state
    };
    assert_eq!(poll().await, OpeningState::Queued);
    let ended = [(first.desktop, HostDesktopState::Ended, false)];
    world.report(host, &ended).await;
    assert_eq!(poll().await, OpeningState::Ready);

    world
        .report(host, &[(second.desktop, HostDesktopState::Running, true)])
        .await;
    let third = world
        .desktops
        .restart(&me, ADDRESS, second.desktop)
        .await
        .unwrap();
    world.advance(11);
    world.beat(&[gateway]).await;
    world
        .report(host, &[(second.desktop, HostDesktopState::Running, true)])
        .await;
    let third = world.desktops.opening(&me, ADDRESS, third.desktop).await.unwrap();
    assert_eq!(third.state, OpeningState::Ready);
}

#[tokio::test]
async fn nobody_reaches_a_foreign_desktop() {
    let (world, _, _) = World::fleet(1).await;
    let (opening, _) = world.running(&person(1)).await;
    // Number 3 is of the same ministry, number 2 of another.
    for stranger in [person(3), person(2)] {
        let id = opening.desktop;
        let codes = [
            world.desktops.opening(&stranger, ADDRESS, id).await.map(drop),
            world.desktops.ticket(&stranger, ADDRESS, id).await.map(drop),
            world.desktops.restart(&stranger, ADDRESS, id).await.map(drop),
            world.desktops.end(&stranger, ADDRESS, id).await,
        ];
        for refused in codes {
            assert_eq!(refused.unwrap_err().code(), "desktops.no-such-desktop");
        }
        assert!(world.desktops.list(&stranger).await.unwrap().items.is_empty());
    }
    let operator = operator();
    assert!(matches!(world.open(&operator).await, Err(Error::Denied(_))));
    assert!(matches!(
        world
            .desktops
            .running(&person(1), &naru_kernel::PageRequest::default())
            .await,
        Err(Error::Denied(_))
    ));
    let auditor = actor(8, naru_kernel::Role::Auditor);
    assert!(matches!(
        world
            .desktops
            .end_as_operator(&auditor, ADDRESS, opening.desktop)
            .await,
        Err(Error::Denied(_))
    ));

    let running = world
        .desktops
        .running(&operator, &naru_kernel::PageRequest::default())
        .await
        .unwrap();
    assert_eq!((running.total, running.items.len(), running.next), (1, 1, None));
    world
        .desktops
        .end_as_operator(&operator, ADDRESS, opening.desktop)
        .await
        .unwrap();
    let record = world.record(&person(1).ministry.to_string()).await;
    assert!(record.contains(&("desktops.end-as-operator".to_owned(), "done".to_owned())));
}

#[tokio::test]
async fn without_host_room_or_gateway_the_reason_is_told_and_nothing_is_left() {
    let world = World::new().await;
    let me = person(1);
    let why = async || world.open(&me).await.unwrap_err().code();
    assert_eq!(why().await, "desktops.no-gateway");
    world.gateway().await;
    assert_eq!(why().await, "desktops.no-host");
    let host = world.node(NodeRole::Host).await;
    assert_eq!(why().await, "desktops.no-host");
    let mut full = host_report("boot-1", &[]);
    full.load = Some(naru_kernel::fleet::HostLoad {
        sessions: 100,
        ..load()
    });
    world.sync(host, full).await.unwrap();
    assert_eq!(why().await, "desktops.no-room");
    let elsewhere = world
        .desktops
        .open(&me, ADDRESS, Zone::internet(), Protocol::Rfb)
        .await;
    assert_eq!(elsewhere.unwrap_err().code(), "desktops.no-gateway");
    let nowhere = world
        .desktops
        .open(&me, ADDRESS, "moon".parse().unwrap(), Protocol::Rfb)
        .await;
    assert_eq!(nowhere.unwrap_err().code(), "desktops.unknown-zone");
    assert!(world.desktops.list(&me).await.unwrap().items.is_empty());
    let record = world.record(&me.ministry.to_string()).await;
    assert!(
        record
            .iter()
            .filter(|entry| entry.0 == "desktops.open")
            .all(|entry| entry.1 == "refused")
    );
    assert_eq!(record.len(), 5);
}
