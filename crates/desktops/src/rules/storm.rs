//! 09:00 on a Monday: everyone opens a desktop within minutes. Compares placement with throwing dice.

use std::collections::VecDeque;

use naru_kernel::{
    Entropy as _, HostId, Timestamp, Zone,
    fleet::{HostLoad, Protocol},
};
use naru_testkit::SeededEntropy;

use super::{Decision, HostView, LOGONS_AT_ONCE_MAX, Wanted, place};
use crate::NodeState;

const HOSTS: usize = 24;
const PEOPLE: i64 = 1_000;
const ARRIVALS_PER_SECOND: i64 = 20;
const REPORT_MS: i64 = 2_000;

/// A host as it really is; its view is as old as its last report.
struct Host {
    view: HostView,
    sessions: i64,
    /// When each log-in under way is done.
    starting: Vec<i64>,
    logons_most: i64,
}

impl Host {
    fn new(number: usize) -> Self {
        let load = HostLoad {
            processors: 16,
            memory_total_mib: 256_000,
            memory_available_mib: 200_000,
            sessions_max: 100,
            ..HostLoad::default()
        };
        let view = HostView {
            id: HostId::from_bits(u128::try_from(number).unwrap()),
            zone: Zone::business(),
            protocols: vec![Protocol::Rfb],
            state: NodeState::Ready,
            last_seen_at: None,
            load,
            pending: 0,
        };
        Self {
            view,
            sessions: 0,
            starting: Vec::new(),
            logons_most: 0,
        }
    }

    fn step(&mut self, now_ms: i64, number: usize) {
        let before = self.starting.len();
        self.starting.retain(|done| *done > now_ms);
        self.sessions += i64::try_from(before - self.starting.len()).unwrap();
        // Hosts report in turn, not all at once.
        if (now_ms + i64::try_from(number).unwrap() * 80) % REPORT_MS == 0 {
            self.view.last_seen_at = Some(Timestamp::from_micros(now_ms * 1_000));
            self.view.load.sessions = self.sessions + i64::try_from(self.starting.len()).unwrap();
            self.view.load.logons_in_progress = i64::try_from(self.starting.len()).unwrap();
            self.view.load.cpu_pressure_percent =
                f64::from(u32::try_from(self.starting.len()).unwrap()) * 9.0;
            self.view.pending = 0;
        }
    }

    fn take(&mut self, now_ms: i64, takes_ms: i64) {
        self.view.pending += 1;
        self.starting.push(now_ms + takes_ms);
        self.logons_most = self.logons_most.max(i64::try_from(self.starting.len()).unwrap());
    }
}

struct Outcome {
    /// Sessions of the fullest host above the mean.
    excess: i64,
    logons_most: i64,
    placed: i64,
    longest_wait_ms: i64,
}

/// Runs the storm; `choose` says where a desktop goes, given the views, those in front and dice.
fn storm(seed: u64, choose: impl Fn(&[HostView], i64, Timestamp, [u64; 2]) -> Option<HostId>) -> Outcome {
    let entropy = SeededEntropy::new(seed);
    let dice = || {
        let mut bytes = [0_u8; 16];
        entropy.fill(&mut bytes);
        let (one, two) = bytes.split_at(8);
        [
            u64::from_le_bytes(one.try_into().unwrap()),
            u64::from_le_bytes(two.try_into().unwrap()),
        ]
    };
    let mut hosts: Vec<Host> = (0..HOSTS).map(Host::new).collect();
    let mut queue: VecDeque<i64> = VecDeque::new();
    let (mut arrived, mut placed, mut longest_wait_ms) = (0, 0, 0);
    for now_ms in (0..600_000).step_by(10) {
        for (number, host) in hosts.iter_mut().enumerate() {
            host.step(now_ms, number);
        }
        // The first seconds fill the views.
        if now_ms >= 4_000 && arrived < PEOPLE && now_ms % (1_000 / ARRIVALS_PER_SECOND) == 0 {
            arrived += 1;
            queue.push_back(now_ms);
        }
        while let Some(since) = queue.front().copied() {
            let views: Vec<HostView> = hosts.iter().map(|host| host.view.clone()).collect();
            let now = Timestamp::from_micros(now_ms * 1_000);
            let Some(chosen) = choose(&views, 0, now, dice()) else {
                break;
            };
            let host = hosts.iter_mut().find(|host| host.view.id == chosen).unwrap();
            let [die, _] = dice();
            host.take(now_ms, 1_500 + i64::try_from(die % 2_500).unwrap());
            queue.pop_front();
            placed += 1;
            longest_wait_ms = longest_wait_ms.max(now_ms - since);
        }
        if placed == PEOPLE {
            break;
        }
    }
    let totals: Vec<i64> = hosts
        .iter()
        .map(|host| host.sessions + i64::try_from(host.starting.len()).unwrap())
        .collect();
    let mean = totals.iter().sum::<i64>() / i64::try_from(HOSTS).unwrap();
    Outcome {
        excess: totals.iter().max().unwrap() - mean,
        logons_most: hosts.iter().map(|host| host.logons_most).max().unwrap(),
        placed,
        longest_wait_ms,
    }
}

fn ours(views: &[HostView], ahead: i64, now: Timestamp, dice: [u64; 2]) -> Option<HostId> {
    let zone = Zone::business();
    match place(
        Wanted {
            zone: &zone,
            protocol: Protocol::Rfb,
            ahead,
        },
        views,
        now,
        dice,
    ) {
        Decision::Host(host) => Some(host),
        Decision::Wait { .. } | Decision::NoHost(_) => None,
    }
}

fn random(views: &[HostView], _: i64, _: Timestamp, [die, _]: [u64; 2]) -> Option<HostId> {
    let place = usize::try_from(die % u64::try_from(views.len()).unwrap()).unwrap();
    views.get(place).map(|view| view.id)
}

#[test]
fn a_storm_is_spread_evenly_and_no_host_is_overrun() {
    let (mut ours_excess, mut random_excess) = (0, 0);
    for seed in 1..=8 {
        let placed = storm(seed, ours);
        let thrown = storm(seed, random);
        assert_eq!(placed.placed, PEOPLE, "seed {seed}: everyone has a desktop");
        assert!(
            placed.logons_most <= LOGONS_AT_ONCE_MAX,
            "seed {seed}: {} at once",
            placed.logons_most
        );
        assert!(
            placed.excess <= 6,
            "seed {seed}: the fullest host has {} above the mean",
            placed.excess
        );
        assert!(
            placed.longest_wait_ms <= 10_000,
            "seed {seed}: waited {} ms",
            placed.longest_wait_ms
        );
        assert!(
            thrown.logons_most > LOGONS_AT_ONCE_MAX,
            "seed {seed}: dice alone overrun a host"
        );
        ours_excess += placed.excess;
        random_excess += thrown.excess;
    }
    assert!(
        ours_excess * 2 <= random_excess,
        "two choices {ours_excess} against dice {random_excess}, summed over 8 storms"
    );
}
