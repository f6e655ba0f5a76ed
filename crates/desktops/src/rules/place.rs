//! Where a new desktop goes.
//!
//! Of the hosts with room, two are drawn and the better one gets it (Mitzenmacher, "The power of two choices in
//! randomized load balancing"): nearly as even as asking all, and reports that are two seconds old do not send a
//! whole storm to one host. What was placed since the last report is counted as if it were there already.
//! At most [`LOGONS_AT_ONCE_MAX`] log-ins run on a host at a time: more would make all of them slower.

use core::cmp::Ordering;

use naru_kernel::{
    HostId, Timestamp, Zone,
    fleet::{HostLoad, Protocol},
};

use crate::{NodeState, rules::is_fresh};

/// Log-ins that may be in progress on one host.
pub const LOGONS_AT_ONCE_MAX: i64 = 4;
/// Memory that must be there for each session that is not up yet.
pub const SESSION_MEMORY_MIB: i64 = 400;
/// Differences in processor pressure below this are noise: the next criterion decides.
const PRESSURE_STEP_PERCENT: f64 = 5.0;

/// What is to be placed.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// In which zone.
    pub zone: &'a Zone,
    /// Carried how.
    pub protocol: Protocol,
    /// How many people wait in front.
    pub ahead: i64,
}

/// A host as far as placement looks.
#[derive(Clone, Debug)]
pub struct HostView {
    /// Which.
    pub id: HostId,
    /// Its zone.
    pub zone: Zone,
    /// What it speaks.
    pub protocols: Vec<Protocol>,
    /// What the operator wants of it.
    pub state: NodeState,
    /// When it last reported.
    pub last_seen_at: Option<Timestamp>,
    /// What it reported.
    pub load: HostLoad,
    /// Desktops placed there that it has not reported yet.
    pub pending: i64,
}

/// Why no host can take it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoHost {
    /// No host of the zone speaks the protocol.
    #[error("there is no server for this kind of desktop")]
    None,
    /// There are some; all are draining or lost.
    #[error("no server for this kind of desktop is in service now")]
    NoneInService,
    /// All in service are full.
    #[error("all servers for this kind of desktop are full")]
    NoRoom,
}

/// Where it goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Here.
    Host(HostId),
    /// Nowhere yet: all with room are busy with log-ins, or others wait in front.
    Wait {
        /// Place in the queue, from 1.
        position: i64,
    },
    /// Nowhere.
    NoHost(NoHost),
}

impl HostView {
    /// Log-ins under way, with those it does not know of yet.
    fn logons(&self) -> i64 {
        self.load.logons_in_progress.max(0).saturating_add(self.pending)
    }

    /// How many more sessions fit. Those being started are sessions already, but their memory is still to be taken.
    fn room(&self) -> i64 {
        let by_count = self
            .load
            .sessions_max
            .saturating_sub(self.load.sessions)
            .saturating_sub(self.pending);
        let by_memory = self
            .load
            .memory_available_mib
            .div_euclid(SESSION_MEMORY_MIB)
            .saturating_sub(self.logons());
        by_count.min(by_memory).max(0)
    }

    /// How many may be placed on it now.
    fn slots(&self) -> i64 {
        LOGONS_AT_ONCE_MAX
            .saturating_sub(self.logons())
            .clamp(0, self.room())
    }

    /// Lesser is better.
    fn compare(&self, other: &Self) -> Ordering {
        let pressure = |host: &Self| (host.load.cpu_pressure_percent / PRESSURE_STEP_PERCENT).floor();
        // sessions / processors, compared without dividing
        let crowd = |host: &Self, by: &Self| {
            host.load
                .sessions
                .saturating_add(host.pending)
                .saturating_mul(by.load.processors.max(1))
        };
        self.logons()
            .cmp(&other.logons())
            .then_with(|| pressure(self).total_cmp(&pressure(other)))
            .then_with(|| crowd(self, other).cmp(&crowd(other, self)))
    }
}

/// Places one desktop; `dice` are two uniform random numbers.
#[must_use]
pub fn place(wanted: Wanted<'_>, hosts: &[HostView], now: Timestamp, dice: [u64; 2]) -> Decision {
    let fits = |host: &&HostView| host.zone == *wanted.zone && host.protocols.contains(&wanted.protocol);
    let fitting: Vec<&HostView> = hosts.iter().filter(fits).collect();
    if fitting.iter().all(|host| host.state == NodeState::Removed) {
        return Decision::NoHost(NoHost::None);
    }
    let in_service: Vec<&HostView> = fitting
        .into_iter()
        .filter(|host| host.state == NodeState::Ready && is_fresh(host.last_seen_at, now))
        .collect();
    if in_service.is_empty() {
        return Decision::NoHost(NoHost::NoneInService);
    }
    if in_service.iter().all(|host| host.room() == 0) {
        return Decision::NoHost(NoHost::NoRoom);
    }
    let open: Vec<&HostView> = in_service.into_iter().filter(|host| host.slots() > 0).collect();
    let slots: i64 = open.iter().map(|host| host.slots()).sum();
    match better_of_two(&open, dice) {
        // Whoever is in front has a slot of their own, whether or not they ask first.
        Some(host) if slots > wanted.ahead => Decision::Host(host.id),
        Some(_) | None => Decision::Wait {
            position: wanted.ahead.saturating_add(1),
        },
    }
}

fn better_of_two<'a>(hosts: &[&'a HostView], dice: [u64; 2]) -> Option<&'a HostView> {
    let [one, other] = dice;
    let first = draw(one, hosts.len())?;
    let one = hosts.get(first)?;
    let Some(second) = draw(other, hosts.len().saturating_sub(1)) else {
        return Some(one);
    };
    // Skipping over the first makes the two distinct and each pair equally likely.
    let other = hosts.get(if second >= first {
        second.saturating_add(1)
    } else {
        second
    })?;
    Some(if other.compare(one) == Ordering::Less {
        other
    } else {
        one
    })
}

fn draw(die: u64, sides: usize) -> Option<usize> {
    let sides = u64::try_from(sides).ok()?;
    usize::try_from(die.checked_rem(sides)?).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_000);

    fn host(number: u128) -> HostView {
        HostView {
            id: HostId::from_bits(number),
            zone: Zone::business(),
            protocols: vec![Protocol::Rfb],
            state: NodeState::Ready,
            last_seen_at: Some(NOW),
            load: HostLoad {
                cpu_pressure_percent: 0.0,
                processors: 8,
                memory_total_mib: 32_000,
                memory_available_mib: 20_000,
                sessions: 0,
                sessions_max: 50,
                logons_in_progress: 0,
            },
            pending: 0,
        }
    }

    fn placed(hosts: &[HostView], ahead: i64) -> Decision {
        let zone = Zone::business();
        let wanted = Wanted {
            zone: &zone,
            protocol: Protocol::Rfb,
            ahead,
        };
        place(wanted, hosts, NOW, [0, 0])
    }

    #[test]
    fn the_reason_for_no_host_is_told() {
        assert_eq!(placed(&[], 0), Decision::NoHost(NoHost::None));
        let mut other = host(1);
        other.protocols = vec![Protocol::Rdp];
        assert_eq!(placed(&[other], 0), Decision::NoHost(NoHost::None));
        let mut draining = host(1);
        draining.state = NodeState::Draining;
        let mut lost = host(2);
        lost.last_seen_at = Some(NOW - naru_kernel::Seconds(11));
        assert_eq!(
            placed(&[draining, lost], 0),
            Decision::NoHost(NoHost::NoneInService)
        );
        let mut full = host(1);
        full.load.sessions = 50;
        let mut poor = host(2);
        poor.load.memory_available_mib = SESSION_MEMORY_MIB - 1;
        assert_eq!(placed(&[full, poor], 0), Decision::NoHost(NoHost::NoRoom));
    }

    #[test]
    fn fewer_log_ins_win_then_pressure_then_crowd() {
        let mut one = host(1);
        one.pending = 1;
        assert_eq!(
            placed(&[one.clone(), host(2)], 0),
            Decision::Host(HostId::from_bits(2))
        );
        one.pending = 0;
        one.load.cpu_pressure_percent = 12.0;
        assert_eq!(
            placed(&[one.clone(), host(2)], 0),
            Decision::Host(HostId::from_bits(2))
        );
        one.load.cpu_pressure_percent = 4.9;
        one.load.sessions = 3;
        assert_eq!(
            placed(&[one.clone(), host(2)], 0),
            Decision::Host(HostId::from_bits(2))
        );
        let mut small = host(2);
        small.load.sessions = 2;
        small.load.processors = 2;
        assert_eq!(placed(&[small, one], 0), Decision::Host(HostId::from_bits(1)));
    }

    #[test]
    fn a_slot_is_kept_for_everyone_in_front() {
        let mut busy = host(1);
        busy.load.logons_in_progress = 1;
        busy.pending = 1;
        assert_eq!(placed(&[busy.clone()], 1), Decision::Host(HostId::from_bits(1)));
        assert_eq!(placed(&[busy.clone()], 2), Decision::Wait { position: 3 });
        busy.pending = 3;
        assert_eq!(placed(&[busy], 0), Decision::Wait { position: 1 });
    }

    prop_compose! {
        fn any_host()(
            number in 0_u128..1_000, ready in 0..4_u8, age in 0_i64..20, sessions in 0_i64..60, maximum in 0_i64..60,
            memory in 0_i64..10_000, logons in 0_i64..6, pending in 0_i64..6, pressure in 0.0..100.0_f64,
        ) -> HostView {
            let mut view = host(number);
            view.state = if ready == 0 { NodeState::Draining } else { NodeState::Ready };
            view.last_seen_at = Some(NOW - naru_kernel::Seconds(age));
            view.load.sessions = sessions;
            view.load.sessions_max = maximum;
            view.load.memory_available_mib = memory;
            view.load.logons_in_progress = logons;
            view.load.cpu_pressure_percent = pressure;
            view.pending = pending;
            view
        }
    }

    proptest! {
        #[test]
        fn never_on_a_host_that_is_stale_draining_full_or_busy(
            hosts in proptest::collection::vec(any_host(), 0..12), ahead in 0_i64..10, dice in any::<[u64; 2]>(),
        ) {
            let zone = Zone::business();
            let wanted = Wanted { zone: &zone, protocol: Protocol::Rfb, ahead };
            match place(wanted, &hosts, NOW, dice) {
                Decision::Host(id) => {
                    let fits = |host: &&HostView| {
                        host.id == id
                            && host.state == NodeState::Ready
                            && host.last_seen_at >= Some(NOW - naru_kernel::Seconds(10))
                            && host.load.logons_in_progress + host.pending < LOGONS_AT_ONCE_MAX
                            && host.load.sessions + host.pending
                                < host.load.sessions_max
                            && host.load.memory_available_mib
                                >= SESSION_MEMORY_MIB * (host.load.logons_in_progress + host.pending + 1)
                    };
                    prop_assert!(hosts.iter().any(|host| fits(&host)));
                }
                Decision::Wait { position } => prop_assert_eq!(position, ahead + 1),
                Decision::NoHost(why) => {
                    let usable = |host: &HostView| host.state == NodeState::Ready
                        && host.last_seen_at >= Some(NOW - naru_kernel::Seconds(10));
                    prop_assert_eq!(why == NoHost::NoRoom, hosts.iter().any(usable));
                }
            }
        }
    }
}
