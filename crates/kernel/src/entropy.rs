//! Where randomness comes from.

/// A source of unpredictable bytes; seeded in tests.
pub trait Entropy: Send + Sync + 'static {
    /// Fills `bytes` wholly.
    fn fill(&self, bytes: &mut [u8]);
}
