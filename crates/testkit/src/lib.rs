//! Dev only: a manual clock, seeded entropy, databases that vanish, and calls to a router without a network.

pub mod apache;
mod calls;
mod database;
mod logon;
mod passkey;
mod skip;
mod time;

pub use calls::{Answer, Browser};
pub use database::{TestDatabase, postgres_url};
pub use logon::{answer_totp, enrol_totp, show_certificate, sign_challenge, totp_digits};
pub use passkey::SoftwarePasskey;
pub use skip::skip;
pub use time::{ManualClock, SeededEntropy};
