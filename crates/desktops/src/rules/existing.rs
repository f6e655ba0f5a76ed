//! A person's running desktop always wins, unless its host is gone.
//!
//! A lost host may come back with unsaved work on it. So nothing is given up by time alone: only when the
//! person asks again after [`GIVE_UP_SECONDS`] of silence does a new desktop replace the old one, which the host
//! is then told to end. Silence counts from the portal's own start: while it was down nobody could be heard.

use naru_kernel::{Seconds, Timestamp};

use crate::{NodeState, rules::is_fresh};

/// Silence of a host after which its desktops may be replaced.
pub const GIVE_UP_SECONDS: i64 = 60;

/// What becomes of the desktop a person has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Existing {
    /// It is the one.
    Wins,
    /// Its host does not answer; in so many seconds it may be replaced.
    Lost(i64),
    /// It is replaced.
    GivenUp,
}

/// Judges the desktop a person has by its host.
#[must_use]
pub fn existing(
    host: NodeState,
    last_seen_at: Option<Timestamp>,
    portal_started_at: Timestamp,
    now: Timestamp,
) -> Existing {
    if host == NodeState::Removed {
        return Existing::GivenUp;
    }
    if is_fresh(last_seen_at, now) {
        return Existing::Wins;
    }
    let silent_since = last_seen_at.map_or(portal_started_at, |seen| seen.max(portal_started_at));
    let until = silent_since + Seconds(GIVE_UP_SECONDS);
    if until <= now {
        Existing::GivenUp
    } else {
        Existing::Lost(until.seconds_since(now).max(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_seconds(seconds)
    }

    #[test]
    fn a_draining_host_keeps_its_people_and_a_lost_one_is_given_up_late() {
        let judge = |state, seen, now| existing(state, Some(at(seen)), at(0), at(now));
        assert_eq!(judge(NodeState::Ready, 100, 110), Existing::Wins);
        assert_eq!(judge(NodeState::Draining, 100, 110), Existing::Wins);
        assert_eq!(judge(NodeState::Ready, 100, 111), Existing::Lost(49));
        assert_eq!(judge(NodeState::Ready, 100, 160), Existing::GivenUp);
        assert_eq!(judge(NodeState::Removed, 100, 100), Existing::GivenUp);
    }

    #[test]
    fn the_portals_own_absence_is_not_the_hosts() {
        assert_eq!(
            existing(NodeState::Ready, Some(at(100)), at(1_000), at(1_001)),
            Existing::Lost(59)
        );
        assert_eq!(
            existing(NodeState::Ready, Some(at(100)), at(1_000), at(1_060)),
            Existing::GivenUp
        );
    }
}
