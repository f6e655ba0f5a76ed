//! What a host reports against what the portal knows.

use std::collections::{BTreeMap, BTreeSet};

use naru_kernel::{
    DesktopId, Seconds, Timestamp,
    fleet::{HostDesktop, HostDesktopState},
};

use crate::{DesktopState, EndReason};

/// A desktop that its host stops reporting, without saying that it ended, is over after so long. One report alone
/// does not end it: a late report must not kill what a newer one had.
pub const MISSING_SECONDS_MAX: i64 = 6;

/// A desktop of the host, as the portal knows it: not ended, or ended and still there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known {
    /// Which.
    pub desktop: DesktopId,
    /// Where it stands.
    pub state: DesktopState,
    /// Whether the host ever reported it.
    pub seen: bool,
    /// Since when reports lack it.
    pub missing_since: Option<Timestamp>,
}

/// What follows for one desktop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finding {
    /// It stands like this now.
    Stands(DesktopState),
    /// Reports lack it from now on.
    Missing,
    /// It is over.
    Over(EndReason),
    /// It had ended before; now the host is rid of it too.
    Gone,
}

/// What follows from a report.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reconciled {
    /// Per desktop, in order; those without change are left out.
    pub findings: Vec<(DesktopId, Finding)>,
    /// Running there although they should not, or not known at all.
    pub unwanted: BTreeSet<DesktopId>,
}

/// Compares a host's report with what is known.
#[must_use]
pub fn reconcile(known: &[Known], reported: &[HostDesktop], new_boot: bool, now: Timestamp) -> Reconciled {
    let by_id: BTreeMap<DesktopId, &Known> = known.iter().map(|known| (known.desktop, known)).collect();
    let reports: BTreeMap<DesktopId, &HostDesktop> = reported.iter().map(|one| (one.desktop, one)).collect();
    let mut result = Reconciled::default();
    for (desktop, known) in &by_id {
        let finding = match reports.get(desktop) {
            Some(report) => reported_finding(known, report),
            None => absent_finding(known, new_boot, now),
        };
        result.findings.extend(finding.map(|finding| (*desktop, finding)));
    }
    for (desktop, report) in &reports {
        let wanted = by_id
            .get(desktop)
            .is_some_and(|known| known.state != DesktopState::Ended);
        if !wanted && report.state != HostDesktopState::Ended {
            result.unwanted.insert(*desktop);
        }
    }
    result
}

fn reported_finding(known: &Known, report: &HostDesktop) -> Option<Finding> {
    let stands = match (report.state, known.state) {
        (HostDesktopState::Ended, DesktopState::Ended) => return Some(Finding::Gone),
        (HostDesktopState::Ended, _) => return Some(Finding::Over(EndReason::HostEnded)),
        (_, DesktopState::Ended) => return None,
        (HostDesktopState::Starting, _) => DesktopState::Starting,
        (HostDesktopState::Running, _) if report.attached => DesktopState::Running,
        (HostDesktopState::Running, _) => DesktopState::Disconnected,
    };
    let is_news = stands != known.state || !known.seen || known.missing_since.is_some();
    is_news.then_some(Finding::Stands(stands))
}

fn absent_finding(known: &Known, new_boot: bool, now: Timestamp) -> Option<Finding> {
    match known.missing_since {
        _ if known.state == DesktopState::Ended => Some(Finding::Gone),
        // Placed there, and nobody has knocked yet: the host cannot know of it.
        _ if !known.seen => None,
        _ if new_boot => Some(Finding::Over(EndReason::HostRestarted)),
        None => Some(Finding::Missing),
        Some(since) if since + Seconds(MISSING_SECONDS_MAX) <= now => {
            Some(Finding::Over(EndReason::Vanished))
        }
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_000);

    fn known(state: DesktopState, seen: bool, missing: Option<i64>) -> Known {
        Known {
            desktop: DesktopId::from_bits(1),
            state,
            seen,
            missing_since: missing.map(Timestamp::from_seconds),
        }
    }

    fn report(state: HostDesktopState, attached: bool) -> HostDesktop {
        HostDesktop {
            desktop: DesktopId::from_bits(1),
            state,
            attached,
        }
    }

    #[test]
    fn each_case_has_its_finding() {
        use DesktopState::{Disconnected, Ended, Running, Starting};
        use HostDesktopState as Host;
        let cases = [
            (
                known(Starting, false, None),
                Some(report(Host::Starting, false)),
                false,
                Some(Finding::Stands(Starting)),
            ),
            (
                known(Starting, true, None),
                Some(report(Host::Starting, false)),
                false,
                None,
            ),
            (
                known(Starting, true, None),
                Some(report(Host::Running, true)),
                false,
                Some(Finding::Stands(Running)),
            ),
            (
                known(Running, true, None),
                Some(report(Host::Running, true)),
                false,
                None,
            ),
            (
                known(Running, true, None),
                Some(report(Host::Running, false)),
                false,
                Some(Finding::Stands(Disconnected)),
            ),
            (
                known(Running, true, Some(990)),
                Some(report(Host::Running, true)),
                false,
                Some(Finding::Stands(Running)),
            ),
            (
                known(Running, true, None),
                Some(report(Host::Ended, false)),
                false,
                Some(Finding::Over(EndReason::HostEnded)),
            ),
            (
                known(Ended, true, None),
                Some(report(Host::Ended, false)),
                false,
                Some(Finding::Gone),
            ),
            (
                known(Ended, true, None),
                Some(report(Host::Running, false)),
                false,
                None,
            ),
            (known(Ended, true, None), None, false, Some(Finding::Gone)),
            (known(Starting, false, None), None, false, None),
            (known(Starting, false, None), None, true, None),
            (
                known(Starting, true, None),
                None,
                true,
                Some(Finding::Over(EndReason::HostRestarted)),
            ),
            (
                known(Running, true, None),
                None,
                true,
                Some(Finding::Over(EndReason::HostRestarted)),
            ),
            (known(Running, true, None), None, false, Some(Finding::Missing)),
            (known(Running, true, Some(995)), None, false, None),
            (
                known(Running, true, Some(994)),
                None,
                false,
                Some(Finding::Over(EndReason::Vanished)),
            ),
        ];
        for (known, report, new_boot, expected) in cases {
            let reports: Vec<HostDesktop> = report.into_iter().collect();
            let result = reconcile(&[known], &reports, new_boot, NOW);
            let finding = result.findings.first().map(|(_, finding)| *finding);
            assert_eq!(finding, expected, "{known:?} {reports:?} new boot: {new_boot}");
        }
    }

    #[test]
    fn what_should_not_run_is_named_every_time() {
        let running = report(HostDesktopState::Running, true);
        let id = DesktopId::from_bits(1);
        let ended = known(DesktopState::Ended, true, None);
        assert_eq!(
            reconcile(&[ended], std::slice::from_ref(&running), false, NOW).unwanted,
            BTreeSet::from([id])
        );
        assert_eq!(
            reconcile(&[], std::slice::from_ref(&running), false, NOW).unwanted,
            BTreeSet::from([id])
        );
        let alive = known(DesktopState::Running, true, None);
        assert!(reconcile(&[alive], &[running], false, NOW).unwanted.is_empty());
        let over = report(HostDesktopState::Ended, false);
        assert!(reconcile(&[], &[over], false, NOW).unwanted.is_empty());
    }
}
