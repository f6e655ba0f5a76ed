//! The real clock and the real randomness. Only shells hold these; everything below is given them.

use std::time::Instant;

use naru_kernel::{Clock, Entropy, Timestamp};

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place where the machine's clock is read"
    )]
    fn now(&self) -> Timestamp {
        let since = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap_or_default();
        Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
    }
}

/// The operating system's randomness.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        let filled = aws_lc_rs::rand::fill(bytes);
        assert!(
            filled.is_ok(),
            "the operating system gives no randomness: nothing can be done safely"
        );
    }
}

/// A point on the monotonic clock, for measuring lengths of time.
#[must_use]
#[expect(
    clippy::disallowed_methods,
    reason = "the one place where the monotonic clock is read"
)]
pub fn instant() -> Instant {
    Instant::now()
}
