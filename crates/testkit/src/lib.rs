//! Dev only: a manual clock, seeded entropy, databases that vanish, and calls to a router without a network.

mod calls;
mod database;
mod skip;
mod time;

pub use calls::{Answer, Browser};
pub use database::{TestDatabase, postgres_url};
pub use skip::skip;
pub use time::{ManualClock, SeededEntropy};
