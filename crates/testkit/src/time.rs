//! A clock that moves when told, and entropy that repeats.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use naru_kernel::{Clock, Entropy, Seconds, Timestamp};

/// A clock that stands still until moved.
#[derive(Debug)]
pub struct ManualClock(AtomicI64);

impl Default for ManualClock {
    /// Tuesday, 24 November 2026, 09:00 in Seoul.
    fn default() -> Self {
        Self::at(Timestamp::from_seconds(1_795_478_400))
    }
}

impl ManualClock {
    /// Stands at this time.
    #[must_use]
    pub fn at(now: Timestamp) -> Self {
        Self(AtomicI64::new(now.as_micros()))
    }

    /// Moves forward.
    pub fn advance(&self, length: Seconds) {
        self.0
            .fetch_add(length.0.saturating_mul(1_000_000), Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.load(Ordering::SeqCst))
    }
}

/// Repeats the same bytes for the same seed (`SplitMix64`). Never for anything but tests.
#[derive(Debug)]
pub struct SeededEntropy(AtomicU64);

impl SeededEntropy {
    /// Starts from this seed.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(AtomicU64::new(seed))
    }
}

impl Entropy for SeededEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            let mut z = self
                .0
                .fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::SeqCst)
                .wrapping_add(0x9e37_79b9_7f4a_7c15);
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            z ^= z >> 31;
            chunk.copy_from_slice(z.to_le_bytes().get(..chunk.len()).unwrap_or_default());
        }
    }
}
