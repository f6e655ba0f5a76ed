//! Whether a token is good, when it is replaced, and when a session ends by time.

use naru_kernel::{Seconds, Timestamp};

use crate::model::{LogonState, PersonState};

/// How long a replaced token is still taken: requests that were under way when it was replaced.
pub const TOKEN_GRACE: Seconds = Seconds(30);
/// Use of a session is written down at most this often, so a session ends up to so much before its idle time is full.
pub const TOUCH_EVERY: Seconds = Seconds(30);

/// How long sessions and tokens live.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lifetimes {
    /// Without use.
    pub idle: Seconds,
    /// In any case.
    pub longest: Seconds,
    /// A token, in use.
    pub rotation: Seconds,
}

/// What a request's token leads to in the tables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Presented {
    /// When the token was made.
    pub token_created_at: Timestamp,
    /// When it was replaced, if it was.
    pub replaced_at: Option<Timestamp>,
    /// How far the session is.
    pub state: LogonState,
    /// Whether the person may be here.
    pub person_state: PersonState,
    /// Hash of the browser's name at log-on.
    pub user_agent_hash: Vec<u8>,
    /// Last use that was written down.
    pub last_seen_at: Timestamp,
    /// When the session ends without use.
    pub idle_expires_at: Timestamp,
}

/// What to do with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Judgement {
    /// Let it in.
    Good {
        /// Write down that the session was used.
        touch: bool,
        /// Replace the token.
        rotate: bool,
    },
    /// Treat it as anyone's.
    Unknown,
    /// End the session: a replaced token came back, somebody has a copy.
    Reused,
    /// End the session: the token came from another browser.
    Moved,
}

/// Judges a token. `is_active`: the request is a person's doing, not a page's polling.
#[must_use]
pub fn judge(
    presented: &Presented,
    user_agent_hash: &[u8],
    is_active: bool,
    lifetimes: Lifetimes,
    now: Timestamp,
) -> Judgement {
    let is_open = matches!(presented.state, LogonState::FirstFactor | LogonState::SignedIn);
    if !is_open || now >= presented.idle_expires_at || presented.person_state == PersonState::Revoked {
        return Judgement::Unknown;
    }
    if presented.replaced_at.is_some_and(|at| now > at + TOKEN_GRACE) {
        return Judgement::Reused;
    }
    if presented.user_agent_hash != user_agent_hash {
        return Judgement::Moved;
    }
    // A log-on under way has a fixed, short life: nothing to touch, nothing to replace.
    let counts = is_active && presented.state == LogonState::SignedIn;
    Judgement::Good {
        touch: counts && now >= presented.last_seen_at + TOUCH_EVERY,
        rotate: counts
            && presented.replaced_at.is_none()
            && now >= presented.token_created_at + lifetimes.rotation,
    }
}

/// When a session that is used now ends without further use.
#[must_use]
pub fn idle_deadline(now: Timestamp, expires_at: Timestamp, lifetimes: Lifetimes) -> Timestamp {
    (now + lifetimes.idle).min(expires_at)
}

/// A browser and system in two words, from what the browser says it is. For people to recognise, not for decisions.
#[must_use]
pub fn device(user_agent: &str) -> String {
    let first = |pairs: &[(&str, &'static str)]| {
        pairs
            .iter()
            .find(|(mark, _)| user_agent.contains(mark))
            .map(|(_, name)| *name)
    };
    let browser = first(&[
        ("Whale/", "Whale"),
        ("Edg/", "Edge"),
        ("OPR/", "Opera"),
        ("SamsungBrowser/", "Samsung Internet"),
        ("Firefox/", "Firefox"),
        ("Chrome/", "Chrome"),
        ("Safari/", "Safari"),
    ]);
    let system = first(&[
        ("Android", "Android"),
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Windows", "Windows"),
        ("Macintosh", "macOS"),
        ("CrOS", "ChromeOS"),
        ("Linux", "Linux"),
    ]);
    match (browser, system) {
        (Some(browser), Some(system)) => format!("{browser} · {system}"),
        (Some(name), None) | (None, Some(name)) => name.to_owned(),
        (None, None) => user_agent.chars().take(40).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_000_000);
    const LIFETIMES: Lifetimes = Lifetimes {
        idle: Seconds::minutes(10),
        longest: Seconds::hours(12),
        rotation: Seconds::minutes(10),
    };

    fn fresh() -> Presented {
        Presented {
            token_created_at: NOW,
            replaced_at: None,
            state: LogonState::SignedIn,
            person_state: PersonState::Active,
            user_agent_hash: vec![1],
            last_seen_at: NOW,
            idle_expires_at: NOW + LIFETIMES.idle,
        }
    }

    fn at(presented: &Presented, seconds: i64) -> Judgement {
        judge(presented, &[1], true, LIFETIMES, NOW + Seconds(seconds))
    }

    #[test]
    fn a_token_is_touched_rotated_and_ends() {
        assert_eq!(
            at(&fresh(), 29),
            Judgement::Good {
                touch: false,
                rotate: false
            }
        );
        assert_eq!(
            at(&fresh(), 30),
            Judgement::Good {
                touch: true,
                rotate: false
            }
        );
        assert_eq!(at(&fresh(), 600), Judgement::Unknown);
        let used = Presented {
            idle_expires_at: NOW + Seconds(1_200),
            ..fresh()
        };
        assert_eq!(
            at(&used, 600),
            Judgement::Good {
                touch: true,
                rotate: true
            }
        );
        assert_eq!(
            judge(&used, &[1], false, LIFETIMES, NOW + Seconds(600)),
            Judgement::Good {
                touch: false,
                rotate: false
            }
        );
    }

    #[test]
    fn a_replaced_token_has_thirty_seconds() {
        let replaced = Presented {
            replaced_at: Some(NOW),
            ..fresh()
        };
        assert_eq!(
            at(&replaced, 30),
            Judgement::Good {
                touch: true,
                rotate: false
            }
        );
        assert_eq!(at(&replaced, 31), Judgement::Reused);
    }

    #[test]
    fn another_browser_and_a_revoked_person_are_out() {
        assert_eq!(judge(&fresh(), &[2], true, LIFETIMES, NOW), Judgement::Moved);
        let revoked = Presented {
            person_state: PersonState::Revoked,
            ..fresh()
        };
        assert_eq!(at(&revoked, 1), Judgement::Unknown);
        // A lock keeps newcomers out, not who is in.
        let locked = Presented {
            person_state: PersonState::Locked,
            ..fresh()
        };
        assert_eq!(
            at(&locked, 1),
            Judgement::Good {
                touch: false,
                rotate: false
            }
        );
    }

    #[test]
    fn use_never_outlives_the_longest() {
        let end = NOW + Seconds(100);
        assert_eq!(idle_deadline(NOW, end, LIFETIMES), end);
        assert_eq!(
            idle_deadline(NOW, NOW + LIFETIMES.longest, LIFETIMES),
            NOW + LIFETIMES.idle
        );
    }

    #[test]
    fn devices_are_recognisable() {
        let whale = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/140 Whale/4.30 Safari/537.36";
        assert_eq!(device(whale), "Whale · Windows");
        assert_eq!(device("curl/8"), "curl/8");
    }
}
