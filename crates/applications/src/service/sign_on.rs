//! What single sign-on holds in memory: keys as read last, and counts that keep strangers from filling the record.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use naru_kernel::{ApplicationId, PersonId, Seconds, Timestamp};
use naru_runtime::outbound::Outbound;
use tokio::sync::{Notify, RwLock};

use super::keys::Keys;
use crate::{ApplicationsConfig, Error};

/// Refusals of one application that are written to the record in one window; more are only counted.
const REFUSALS_PER_WINDOW_MAX: u32 = 10;
/// The window.
const WINDOW: Seconds = Seconds(60);
/// Wrong device codes of one person in a window of them.
const CODES_PER_WINDOW_MAX: u32 = 10;
/// The window of wrong codes.
const CODES_WINDOW: Seconds = Seconds(600);
/// Counters held at once; when there are more, those whose window is over go.
const COUNTERS_MAX: usize = 10_000;

/// Counts events per key in windows of time.
struct Counters<K> {
    windows: BTreeMap<K, (Timestamp, u32)>,
    window: Seconds,
    max: u32,
}

impl<K: Ord> Counters<K> {
    const fn new(window: Seconds, max: u32) -> Self {
        Self {
            windows: BTreeMap::new(),
            window,
            max,
        }
    }

    /// Counts one more; `false` when there were too many in this window.
    fn admit(&mut self, key: K, now: Timestamp) -> bool {
        if self.windows.len() >= COUNTERS_MAX {
            let window = self.window;
            self.windows.retain(|_, (since, _)| *since + window > now);
        }
        if self.windows.len() >= COUNTERS_MAX && !self.windows.contains_key(&key) {
            return false;
        }
        let entry = self.windows.entry(key).or_insert((now, 0));
        if entry.0 + self.window <= now {
            *entry = (now, 0);
        }
        entry.1 = entry.1.saturating_add(1);
        entry.1 <= self.max
    }

    /// Whether the key has had its fill in this window.
    fn is_full(&self, key: &K, now: Timestamp) -> bool {
        self.windows
            .get(key)
            .is_some_and(|(since, count)| *since + self.window > now && *count >= self.max)
    }
}

/// The part of single sign-on that is in memory.
pub(crate) struct SignOn {
    pub(super) keys: RwLock<Option<Arc<Keys>>>,
    refusals: Mutex<Counters<ApplicationId>>,
    codes: Mutex<Counters<PersonId>>,
    /// How applications are told.
    pub(super) outbound: Outbound,
    /// Told when log-outs are queued.
    pub(super) logouts: Notify,
}

impl SignOn {
    pub(super) fn new(config: &ApplicationsConfig) -> Result<Self, Error> {
        Ok(Self {
            outbound: Outbound::new(&config.trusted_roots)?,
            keys: RwLock::new(None),
            refusals: Mutex::new(Counters::new(WINDOW, REFUSALS_PER_WINDOW_MAX)),
            codes: Mutex::new(Counters::new(CODES_WINDOW, CODES_PER_WINDOW_MAX)),
            logouts: Notify::new(),
        })
    }

    /// Whether one more refusal of this application may be written to the record.
    pub(super) fn may_record(&self, application: ApplicationId, now: Timestamp) -> bool {
        self.refusals
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .admit(application, now)
    }

    /// Counts a wrong device code of a person.
    pub(super) fn wrong_code(&self, person: PersonId, now: Timestamp) {
        self.codes
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .admit(person, now);
    }

    /// Whether a person tried too many device codes.
    pub(super) fn tries_codes(&self, person: PersonId, now: Timestamp) -> bool {
        self.codes
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .is_full(&person, now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_have_windows_and_an_end() {
        let mut counters = Counters::new(Seconds(60), 2);
        let now = Timestamp::from_seconds(1_000);
        assert!(counters.admit(1, now) && counters.admit(1, now));
        assert!(!counters.admit(1, now) && counters.is_full(&1, now));
        assert!(counters.admit(2, now));
        assert!(counters.admit(1, now + Seconds(60)));
        for key in 0..=COUNTERS_MAX {
            counters.admit(key, now);
        }
        assert!(counters.windows.len() <= COUNTERS_MAX);
        assert!(counters.admit(usize::MAX, now + Seconds(120)));
    }
}
