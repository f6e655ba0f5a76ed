//! Enrolment, syncing, closures, removal.

use naru_kernel::{
    HostId, PersonId, Zone,
    fleet::{CloseReason, ClosureTarget, HostDesktopState, NodeRole, Report},
};
use naru_runtime::{Fails as _, NodeCaller};
use naru_store::{Act, By, PLATFORM_STREAM};

use naru_kernel::Clock as _;

use super::{
    World, person,
    world::{ADDRESS, host_report, operator},
};
use crate::{Error, NodeView};

#[tokio::test]
async fn a_token_enrols_once_for_its_role_within_its_hour() {
    let world = World::new().await;
    let made = world
        .desktops
        .make_token(&operator(), ADDRESS, NodeRole::Host, "rack 7".to_owned())
        .await;
    let made = made.unwrap();
    let (secret, authority) = made.token.split_once('.').unwrap();
    assert_eq!((secret.len(), authority), (43, "a".repeat(64).as_str()));
    assert_eq!(
        made.command,
        format!("naru agent host --portal 127.0.0.1:8445 --token {}", made.token)
    );

    let enrol = |role| {
        world
            .desktops
            .enrol(ADDRESS, World::enrolment(role, made.token.clone()))
    };
    assert_eq!(
        enrol(NodeRole::Gateway).await.unwrap_err().code(),
        "desktops.token-refused"
    );
    let mut broken = World::enrolment(NodeRole::Host, made.token.clone());
    broken.certificate_request_pem = "nonsense".to_owned();
    let refused = world.desktops.enrol(ADDRESS, broken).await.unwrap_err();
    assert_eq!(refused.code(), "desktops.malformed-certificate-request");
    let answer = enrol(NodeRole::Host).await.unwrap();
    assert_eq!(answer.certificate_pem, format!("certificate of {}", answer.node));
    assert_eq!(
        enrol(NodeRole::Host).await.unwrap_err().code(),
        "desktops.token-refused"
    );

    let hosts = world.desktops.hosts(&operator()).await.unwrap();
    let row = hosts.items.first().unwrap();
    // The name is the operator's, whatever the node says.
    assert_eq!(
        (row.id, row.name.as_str(), row.state),
        (answer.node, "rack 7", NodeView::Lost)
    );

    let late = world.token(NodeRole::Host).await;
    world.advance(3_600);
    let refused = world
        .desktops
        .enrol(ADDRESS, World::enrolment(NodeRole::Host, late))
        .await;
    assert_eq!(refused.unwrap_err().code(), "desktops.token-refused");
    let record = world.record(PLATFORM_STREAM).await;
    let enrolments: Vec<&str> = record
        .iter()
        .filter(|entry| entry.0 == "desktops.enrol-node")
        .map(|entry| entry.1.as_str())
        .collect();
    assert_eq!(enrolments, ["refused", "done", "refused", "refused"]);
}

#[tokio::test]
async fn what_a_node_says_of_itself_is_checked_before_its_token_is_used() {
    let world = World::new().await;
    let token = world.token(NodeRole::Host).await;
    let refused = async |change: &dyn Fn(&mut naru_kernel::fleet::EnrolRequest)| {
        let mut request = World::enrolment(NodeRole::Host, token.clone());
        change(&mut request);
        world.desktops.enrol(ADDRESS, request).await.unwrap_err().code()
    };
    assert_eq!(
        refused(&|request| request.address = "no port".to_owned()).await,
        "desktops.malformed-field"
    );
    assert_eq!(
        refused(&|request| request.protocols.clear()).await,
        "desktops.malformed-field"
    );
    assert_eq!(
        refused(&|request| request.zone = "moon".parse().unwrap()).await,
        "desktops.unknown-zone"
    );
    assert_eq!(
        refused(&|request| request.token = "x.y".to_owned()).await,
        "desktops.token-refused"
    );
    assert!(
        world
            .desktops
            .enrol(ADDRESS, World::enrolment(NodeRole::Host, token.clone()))
            .await
            .is_ok()
    );
    for name in ["", " rack", "two\nlines", &"x".repeat(65)] {
        let made = world
            .desktops
            .make_token(&operator(), ADDRESS, NodeRole::Host, name.to_owned())
            .await;
        assert!(
            matches!(made, Err(Error::Field { field: "name", .. })),
            "{name:?}"
        );
    }
}

#[tokio::test]
async fn a_removed_node_is_out_at_once_and_its_desktops_are_over() {
    let (world, _, _) = World::fleet(1).await;
    let me = person(1);
    let (opening, host) = world.running(&me).await;
    let row = world
        .desktops
        .remove(&operator(), ADDRESS, host.node)
        .await
        .unwrap();
    assert_eq!(row.state, NodeView::Removed);

    let refused = world.sync(host, host_report("boot-1", &[])).await.unwrap_err();
    assert_eq!(refused.code(), "desktops.node-removed");
    assert_eq!(refused.kind(), naru_kernel::Kind::Forbidden);
    assert_eq!(
        world
            .desktops
            .ticket(&me, ADDRESS, opening.desktop)
            .await
            .unwrap_err()
            .code(),
        "desktops.ended"
    );
    assert_eq!(world.open(&me).await.unwrap_err().code(), "desktops.no-host");
    let again = world.desktops.resume(&operator(), ADDRESS, host.node).await;
    assert_eq!(again.unwrap_err().code(), "desktops.node-removed");

    // Enrolling again is a new node.
    let anew = world.host().await;
    assert_ne!(anew.node, host.node);
    assert_eq!(world.host_of(&world.open(&me).await.unwrap()), anew.node);
}

#[tokio::test]
async fn a_node_is_only_what_its_certificate_says() {
    let (world, gateway, hosts) = World::fleet(1).await;
    let host = hosts.first().unwrap();
    let posing = NodeCaller {
        node: gateway.node,
        role: NodeRole::Host,
    };
    assert!(world.sync(posing, host_report("boot-1", &[])).await.is_err());
    let stranger = NodeCaller {
        node: HostId::from_bits(77),
        role: NodeRole::Host,
    };
    assert!(world.sync(stranger, host_report("boot-1", &[])).await.is_err());
    let mut long = host_report("boot-1", &[]);
    long.boot = "x".repeat(65);
    assert!(matches!(
        world.sync(*host, long).await,
        Err(Error::Field { field: "boot", .. })
    ));
}

#[tokio::test]
async fn the_same_report_twice_changes_nothing_twice() {
    let (world, gateway, _) = World::fleet(1).await;
    let me = person(1);
    let (opening, host) = world.running(&me).await;
    let relay = world.relay(&opening, 100);
    for _ in 0..2 {
        world
            .report(host, &[(opening.desktop, HostDesktopState::Running, true)])
            .await;
        world.relays(gateway, vec![relay.clone()]).await;
    }
    world.advance(6);
    world.relays(gateway, vec![relay]).await;
    let list = world.desktops.list(&me).await.unwrap();
    let [row] = list.items.as_slice() else {
        panic!("one desktop")
    };
    assert_eq!((row.counters.bytes_in, row.counters.bytes_out), (100, 1_000));
    assert_eq!(row.counters.round_trip_us, Some(900));
    let ends = async || {
        world
            .record(&me.ministry.to_string())
            .await
            .iter()
            .filter(|e| e.0 == "desktops.end")
            .count()
    };
    for _ in 0..2 {
        world
            .report(host, &[(opening.desktop, HostDesktopState::Ended, false)])
            .await;
        assert_eq!(ends().await, 1);
    }
    assert!(world.desktops.list(&me).await.unwrap().items.is_empty());
}

async fn close(world: &World, target: ClosureTarget) {
    let desktops = std::sync::Arc::clone(&world.desktops);
    let now = world.clock.now();
    let act = Act {
        at: now,
        action: "test.close",
        by: By::Platform("test"),
        ministry: None,
        subject: String::new(),
        address: None,
    };
    let closed = world.db().change(act, move |tx| {
        Box::pin(async move {
            desktops.close_in(tx, target, CloseReason::Revoked, now).await?;
            Ok::<_, Error>(())
        })
    });
    closed.await.unwrap();
    world.desktops.wake();
}

#[tokio::test]
async fn a_revoked_persons_desktops_are_ended_on_their_hosts() {
    let (world, _, hosts) = World::fleet(1).await;
    let me = person(1);
    let opening = world.open(&me).await.unwrap();
    world
        .report(hosts[0], &[(opening.desktop, HostDesktopState::Running, true)])
        .await;
    let (desktops, now, who) = (
        std::sync::Arc::clone(&world.desktops),
        world.clock.now(),
        me.person,
    );
    let act = Act {
        at: now,
        action: "test.revoke",
        by: By::Platform("test"),
        ministry: None,
        subject: String::new(),
        address: None,
    };
    let ended = world.db().change(act, move |tx| {
        Box::pin(async move { desktops.end_all_in(tx, who, now).await.map_err(Error::from) })
    });
    ended.await.unwrap();
    let orders = world
        .report(hosts[0], &[(opening.desktop, HostDesktopState::Running, true)])
        .await;
    assert_eq!(orders.end_desktops, [opening.desktop]);
    assert!(world.desktops.list(&me).await.unwrap().items.is_empty());
}

#[tokio::test]
async fn closures_reach_each_node_once_by_its_cursor() {
    let (world, gateway, _) = World::fleet(0).await;
    let target = ClosureTarget::Person(PersonId::from_bits(5));
    close(&world, target).await;
    let ask = async |cursor| {
        world
            .sync(
                gateway,
                Report {
                    cursor,
                    ..Report::default()
                },
            )
            .await
            .unwrap()
    };
    let first = ask(0).await;
    let [closure] = first.closures.as_slice() else {
        panic!("one closure: {first:?}")
    };
    assert_eq!(
        (closure.target, closure.reason, closure.sequence),
        (target, CloseReason::Revoked, 1)
    );
    assert!(ask(first.cursor).await.closures.is_empty());
    // A lost answer costs nothing.
    assert_eq!(ask(0).await.closures.len(), 1);

    close(&world, target).await;
    let next = ask(first.cursor).await;
    assert_eq!(
        next.closures.iter().map(|one| one.sequence).collect::<Vec<_>>(),
        [2]
    );
    // A node that starts anew hears the last ten minutes; one that was away hears all it missed.
    world.advance(601);
    world.beat(&[gateway]).await;
    assert!(ask(0).await.closures.is_empty());
    assert_eq!(ask(0).await.cursor, 2);
    assert_eq!(ask(first.cursor).await.closures.len(), 1);
    // A cursor of another history begins anew.
    close(&world, target).await;
    assert_eq!(ask(1_000).await.closures.len(), 1);
    world.advance(24 * 3_600 + 1);
    world.desktops.tidy().await.unwrap();
    assert!(ask(1).await.closures.is_empty());
}

#[tokio::test]
async fn a_held_sync_is_woken_by_a_closure() {
    let world = World::new().await;
    let gateway = world.gateway().await;
    let cursor = world.sync(gateway, Report::default()).await.unwrap().cursor;
    let (orders, ()) = tokio::join!(
        world.sync(
            gateway,
            Report {
                cursor,
                ..Report::default()
            }
        ),
        close(&world, ClosureTarget::Person(PersonId::from_bits(5))),
    );
    // It was held for 20 ms at most here: the closure may have come a moment later, but then it comes next.
    let orders = orders.unwrap();
    let later = world
        .sync(
            gateway,
            Report {
                cursor: orders.cursor,
                ..Report::default()
            },
        )
        .await
        .unwrap();
    assert_eq!(orders.closures.len() + later.closures.len(), 1);
}

#[tokio::test]
async fn an_order_to_end_stands_until_obeyed() {
    let (world, _, _) = World::fleet(1).await;
    let me = person(1);
    let (opening, host) = world.running(&me).await;
    world.desktops.end(&me, ADDRESS, opening.desktop).await.unwrap();
    let running = [(opening.desktop, HostDesktopState::Running, true)];
    for _ in 0..2 {
        assert_eq!(world.report(host, &running).await.end_desktops, [opening.desktop]);
    }
    let ended = [(opening.desktop, HostDesktopState::Ended, false)];
    assert!(world.report(host, &ended).await.end_desktops.is_empty());
    // Nobody here knows of this one.
    let unknown = naru_kernel::DesktopId::from_bits(4);
    let orders = world
        .report(host, &[(unknown, HostDesktopState::Running, false)])
        .await;
    assert_eq!(orders.end_desktops, [unknown]);
}

#[tokio::test]
async fn draining_is_seen_and_undone() {
    let (world, _, hosts) = World::fleet(1).await;
    let host = hosts.first().unwrap().node;
    let row = world.desktops.drain(&operator(), ADDRESS, host).await.unwrap();
    assert_eq!((row.state, row.zone), (NodeView::Draining, Zone::business()));
    assert_eq!(
        world.open(&person(1)).await.unwrap_err().code(),
        "desktops.no-host"
    );
    assert_eq!(
        world
            .desktops
            .resume(&operator(), ADDRESS, host)
            .await
            .unwrap()
            .state,
        NodeView::Ready
    );
    assert!(world.open(&person(1)).await.is_ok());
    let missing = world
        .desktops
        .drain(&operator(), ADDRESS, HostId::from_bits(3))
        .await;
    assert_eq!(missing.unwrap_err().code(), "desktops.no-such-node");
}
