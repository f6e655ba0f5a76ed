//! Who may log on, what the next step is, and when failures lock.

use naru_kernel::{Seconds, Timestamp};

use crate::{
    Refusal,
    model::{FactorKind, Failures, LogonState, Person, PersonState},
};

/// So many failures within [`FAILURE_WINDOW`] lock the person.
pub const FAILURES_MAX: i64 = 5;
/// The window begins with the first failure.
pub const FAILURE_WINDOW: Seconds = Seconds::minutes(15);
/// A lock ends by itself after this; an administrator can end it sooner. Open sessions are not touched by it: who is
/// in and working stays in.
pub const LOCK_LENGTH: Seconds = Seconds::minutes(30);

/// What a failure leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AfterFailure {
    /// It is counted.
    Counted(Failures),
    /// The person is locked.
    Locked {
        /// Until when.
        until: Timestamp,
    },
}

/// Counts a failure.
#[must_use]
pub fn after_failure(before: Failures, now: Timestamp) -> AfterFailure {
    let counted = if before.count == 0 || now > before.since + FAILURE_WINDOW {
        Failures { count: 1, since: now }
    } else {
        Failures {
            count: before.count.saturating_add(1),
            since: before.since,
        }
    };
    if counted.count >= FAILURES_MAX {
        AfterFailure::Locked {
            until: now + LOCK_LENGTH,
        }
    } else {
        AfterFailure::Counted(counted)
    }
}

/// The state that counts: a lock whose time is over is none.
#[must_use]
pub fn effective_state(state: PersonState, locked_until: Option<Timestamp>, now: Timestamp) -> PersonState {
    match state {
        PersonState::Locked if locked_until.is_none_or(|until| until <= now) => PersonState::Active,
        PersonState::Active | PersonState::Locked | PersonState::Revoked => state,
    }
}

/// Whether the person may take the next step of a log-on.
///
/// # Errors
/// [`Refusal::PersonRevoked`] or [`Refusal::Locked`].
pub fn may_log_on(person: &Person, now: Timestamp) -> Result<(), Refusal> {
    match effective_state(person.state, person.locked_until, now) {
        PersonState::Active => Ok(()),
        PersonState::Revoked => Err(Refusal::PersonRevoked),
        PersonState::Locked => {
            let until = person.locked_until.unwrap_or(now);
            Err(Refusal::Locked {
                until,
                seconds: until.seconds_since(now).saturating_add(1),
            })
        }
    }
}

/// The same in a browser the person is known by, which has a lock of its own: that of failures elsewhere does not count.
///
/// # Errors
/// [`Refusal::PersonRevoked`] or [`Refusal::Locked`].
pub fn may_log_on_known(
    person: &Person,
    locked_until: Option<Timestamp>,
    now: Timestamp,
) -> Result<(), Refusal> {
    match (person.state, locked_until) {
        (PersonState::Revoked, _) => Err(Refusal::PersonRevoked),
        (_, Some(until)) if now < until => Err(Refusal::Locked {
            until,
            seconds: until.seconds_since(now).saturating_add(1),
        }),
        (PersonState::Active | PersonState::Locked, _) => Ok(()),
    }
}

/// The step a log-on is at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Next {
    /// Show a certificate.
    Certificate,
    /// Enter the activation code.
    Activate,
    /// Enrol a second factor.
    Enrol,
    /// Use the second factor.
    SecondFactor,
    /// Signed in.
    Done,
}

/// What comes next. A certificate alone leads to `Activate` or `SecondFactor`, never to `Done`.
#[must_use]
pub fn next_step(state: LogonState, is_activated: bool, factors: &[FactorKind]) -> Next {
    match state {
        LogonState::Ended => Next::Certificate,
        LogonState::SignedIn => Next::Done,
        LogonState::FirstFactor if !factors.is_empty() => Next::SecondFactor,
        LogonState::FirstFactor if is_activated => Next::Enrol,
        LogonState::FirstFactor => Next::Activate,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_000_000);

    #[test]
    fn the_fifth_failure_locks_and_the_lock_ends() {
        let mut failures = Failures { count: 0, since: NOW };
        for expected in 1..FAILURES_MAX {
            match after_failure(failures, NOW + Seconds(expected)) {
                AfterFailure::Counted(counted) => failures = counted,
                AfterFailure::Locked { .. } => panic!("locked after {expected}"),
            }
            assert_eq!(failures.count, expected);
        }
        let until = NOW + Seconds(5) + LOCK_LENGTH;
        assert_eq!(
            after_failure(failures, NOW + Seconds(5)),
            AfterFailure::Locked { until }
        );
        assert_eq!(
            effective_state(PersonState::Locked, Some(until), NOW),
            PersonState::Locked
        );
        assert_eq!(
            effective_state(PersonState::Locked, Some(until), until),
            PersonState::Active
        );
        assert_eq!(
            effective_state(PersonState::Revoked, Some(NOW), until),
            PersonState::Revoked
        );
    }

    #[test]
    fn failures_of_long_ago_do_not_count() {
        let before = Failures { count: 4, since: NOW };
        let later = NOW + FAILURE_WINDOW + Seconds(1);
        assert_eq!(
            after_failure(before, later),
            AfterFailure::Counted(Failures {
                count: 1,
                since: later
            })
        );
    }

    #[test]
    fn a_certificate_alone_never_reaches_done() {
        for is_activated in [false, true] {
            for factors in [
                &[][..],
                &[FactorKind::Totp],
                &[FactorKind::Passkey, FactorKind::Totp],
            ] {
                assert_ne!(
                    next_step(LogonState::FirstFactor, is_activated, factors),
                    Next::Done
                );
            }
        }
        // An activation code does not open a second way round a factor that is there.
        assert_eq!(
            next_step(LogonState::FirstFactor, true, &[FactorKind::Totp]),
            Next::SecondFactor
        );
    }
}
