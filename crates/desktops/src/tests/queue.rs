//! The queue: in order, kept by asking, never more than four log-ins on a host.

use naru_kernel::{DesktopId, fleet::HostDesktopState};
use naru_runtime::Fails as _;

use super::{World, person, world::ADDRESS};
use crate::OpeningState;

#[tokio::test]
async fn the_fifth_waits_and_moves_up_in_order() {
    let (world, _, hosts) = World::fleet(1).await;
    let host = *hosts.first().unwrap();
    let mut up: Vec<DesktopId> = Vec::new();
    for number in 1..=4 {
        let opening = world.open(&person(number)).await.unwrap();
        assert_eq!(opening.state, OpeningState::Ready);
        up.push(opening.desktop);
    }
    let mut waiting = Vec::new();
    for number in 5..=7 {
        let opening = world.open(&person(number)).await.unwrap();
        assert_eq!(opening.state, OpeningState::Queued);
        let position = i64::try_from(number - 4).unwrap();
        assert_eq!(
            (opening.position, opening.waiting),
            (Some(position), Some(position))
        );
        assert_eq!(opening.ticket, None);
        waiting.push(opening.desktop);
    }
    // Asking to open again is asking for the same place.
    let again = world.open(&person(6)).await.unwrap();
    assert_eq!((Some(&again.desktop), again.position), (waiting.get(1), Some(2)));

    let poll = async |number: u128| {
        let desktop = waiting[usize::try_from(number - 5).unwrap()];
        world
            .desktops
            .opening(&person(number), ADDRESS, desktop)
            .await
            .unwrap()
    };
    assert_eq!(poll(7).await.position, Some(3));
    // One log-in is done: its slot is the first one's, whoever asks first.
    let first = *up.first().unwrap();
    world
        .report(host, &[(first, HostDesktopState::Running, true)])
        .await;
    assert_eq!(poll(6).await.state, OpeningState::Queued);
    assert_eq!(poll(5).await.state, OpeningState::Ready);
    assert_eq!(
        (poll(6).await.position, poll(7).await.position),
        (Some(1), Some(2))
    );
    let newcomer = world.open(&person(8)).await.unwrap();
    assert_eq!(newcomer.position, Some(3));
}

#[tokio::test]
async fn a_place_nobody_asks_for_is_given_up() {
    let (world, gateway, hosts) = World::fleet(1).await;
    for number in 1..=4 {
        world.open(&person(number)).await.unwrap();
    }
    let gone = world.open(&person(5)).await.unwrap();
    let stays = world.open(&person(6)).await.unwrap();
    assert_eq!(stays.position, Some(2));
    let poll = async || {
        world
            .desktops
            .opening(&person(6), ADDRESS, stays.desktop)
            .await
            .unwrap()
    };
    world.advance(29);
    world.beat(&[gateway]).await;
    world.beat(&hosts).await;
    assert_eq!(poll().await.position, Some(2));
    world.advance(2);
    world.beat(&[gateway]).await;
    world.beat(&hosts).await;
    assert_eq!(poll().await.position, Some(1));
    world.desktops.tidy().await.unwrap();
    let refused = world.desktops.opening(&person(5), ADDRESS, gone.desktop).await;
    assert_eq!(refused.unwrap_err().code(), "desktops.ended");
    assert_eq!(poll().await.state, OpeningState::Queued);
}

#[tokio::test]
async fn when_hosts_go_while_one_waits_the_place_is_kept() {
    let (world, gateway, hosts) = World::fleet(1).await;
    for number in 1..=4 {
        world.open(&person(number)).await.unwrap();
    }
    let waiting = world.open(&person(5)).await.unwrap();
    world.advance(11);
    world.beat(&[gateway]).await;
    let poll = async || world.desktops.opening(&person(5), ADDRESS, waiting.desktop).await;
    assert_eq!(poll().await.unwrap_err().code(), "desktops.no-host");
    world.beat(&hosts).await;
    assert_eq!(poll().await.unwrap().position, Some(1));
}

#[tokio::test]
async fn two_portals_together_never_put_five_on_a_host() {
    let (world, _, hosts) = World::fleet(3).await;
    let other = world.another_portal(2).await;
    let open = async |number: u128| {
        let portal = if number.is_multiple_of(2) {
            &world.desktops
        } else {
            &other
        };
        let (zone, protocol) = (naru_kernel::Zone::business(), naru_kernel::fleet::Protocol::Rfb);
        portal
            .open(&person(number), ADDRESS, zone, protocol)
            .await
            .unwrap()
    };
    let mut all = Vec::new();
    for batch in [[1, 2, 3, 4], [5, 6, 7, 8], [9, 10, 11, 12], [13, 14, 15, 16]] {
        let [one, two, three, four] = batch;
        let (one, two, three, four) = tokio::join!(open(one), open(two), open(three), open(four));
        all.extend([one, two, three, four]);
    }
    let ready: Vec<_> = all
        .iter()
        .filter(|one| one.state == OpeningState::Ready)
        .collect();
    assert_eq!(ready.len(), 12);
    for host in hosts {
        let here = ready.iter().filter(|one| world.host_of(one) == host.node).count();
        assert_eq!(here, 4);
    }
    let mut positions: Vec<_> = all.iter().filter_map(|one| one.position).collect();
    positions.sort_unstable();
    assert_eq!(positions, [1, 2, 3, 4]);
}

#[tokio::test]
async fn one_person_at_two_seats_at_once_has_one_desktop() {
    let (world, _, _) = World::fleet(2).await;
    let me = person(1);
    let (one, other) = tokio::join!(world.open(&me), world.open(&me));
    assert_eq!(one.unwrap().desktop, other.unwrap().desktop);
    assert_eq!(world.desktops.list(&me).await.unwrap().items.len(), 1);
}
