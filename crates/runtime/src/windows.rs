//! Counting what somebody does in windows of time, so that nobody can do it without end.

use std::collections::BTreeMap;

use naru_kernel::{Seconds, Timestamp};

/// Keys held at once; when there are more, those whose window is over go, and new ones are refused until some have.
const KEYS_MAX: usize = 10_000;

/// Counts events of each key in windows that begin with the first of them.
pub struct Windows<K> {
    windows: BTreeMap<K, (Timestamp, u32)>,
    window: Seconds,
    max: u32,
}

impl<K: Ord> Windows<K> {
    /// So many in each window of this length.
    #[must_use]
    pub const fn new(window: Seconds, max: u32) -> Self {
        Self {
            windows: BTreeMap::new(),
            window,
            max,
        }
    }

    /// Counts one more; `false` when there were too many in this window.
    pub fn admit(&mut self, key: K, now: Timestamp) -> bool {
        if self.windows.len() >= KEYS_MAX {
            let window = self.window;
            self.windows.retain(|_, (since, _)| *since + window > now);
        }
        if self.windows.len() >= KEYS_MAX && !self.windows.contains_key(&key) {
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
    #[must_use]
    pub fn is_full(&self, key: &K, now: Timestamp) -> bool {
        self.windows
            .get(key)
            .is_some_and(|(since, count)| *since + self.window > now && *count >= self.max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_in_a_window_and_again_in_the_next() {
        let mut windows = Windows::new(Seconds(60), 2);
        let start = Timestamp::from_seconds(1_000);
        let admitted: Vec<bool> = (0..3).map(|_| windows.admit("a", start)).collect();
        assert_eq!(admitted, [true, true, false]);
        assert!(windows.is_full(&"a", start));
        assert!(windows.admit("b", start), "others have their own");
        assert!(windows.admit("a", start + Seconds(60)));
        assert!(!windows.is_full(&"a", start + Seconds(60)));
    }

    #[test]
    fn what_is_held_is_bounded_and_old_keys_make_room() {
        let mut windows = Windows::new(Seconds(60), 1);
        let start = Timestamp::from_seconds(1_000);
        for key in 0..KEYS_MAX {
            assert!(windows.admit(key, start));
        }
        assert!(!windows.admit(KEYS_MAX, start));
        assert!(windows.admit(KEYS_MAX, start + Seconds(60)));
    }
}
