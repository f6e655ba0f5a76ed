//! Domain: the append-only record. Writing entries is the store's: every change appends its own.
//!
//! Here they are read, searched and exported; gathered in Merkle trees whose signed checkpoints are told to witnesses
//! outside; verified; reviewed month by month; and, when they are old, retired by an act of its own.
//!
//! An auditor reads the chain of their own ministry; an auditor of the ministry that runs the platform reads all.

mod config;
mod drivers;
mod error;
mod http;
mod model;
mod offline;
mod rules;
mod service;
mod store;
#[cfg(test)]
mod tests;
mod verify;

pub use config::{AuditConfig, WitnessConfig};
pub use error::Error;
pub use http::{routes, witness_routes};
pub use model::{
    ActionCount, AuditRow, Broken, ConsistencyProof, EntryProof, MonthCounts, ProvenEntry, RefusedBurst,
    Review, StreamVerdict, Verification, WitnessStatus,
};
pub use offline::{OfflineError, verify_entry};
pub use rules::{
    diagnose::Damage,
    file::FileKind,
    month::day,
    note::{Checkpoint, Note, NoteError, NoteKey, Signer},
    query::{AuditQuery, Filter},
    tree::{Frontier, Hash, extends, includes, leaf_hash, node_hash},
};
pub use service::{Audit, KnowsMinistries, KnowsNames, Parts, Retirement, WitnessAnswer};
pub use verify::{Measure, verify};

/// Every SQL text of this crate.
pub fn statements() -> impl Iterator<Item = &'static str> {
    store::statements()
}
