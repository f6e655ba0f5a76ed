//! `[audit]`: how the record is signed, and who outside is told how it stands.

use std::path::PathBuf;

use serde::Deserialize;

/// `[audit]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AuditConfig {
    /// What this installation's log is called in checkpoints, such as `naru.mois.go.kr`; the portal's host if empty. Never
    /// changed once witnesses know it.
    pub name: String,
    /// A file with the seed (64 hexadecimal digits) of the key that signs checkpoints, outside of the database; made at
    /// the first start if it is not there. Without it the key is kept in the database.
    pub key_file: Option<PathBuf>,
    /// A checkpoint is signed after this many new entries of a chain,
    pub checkpoint_entries: i64,
    /// or after this many seconds, if there is a new entry.
    pub checkpoint_seconds: i64,
    /// How long entries are kept before they may be retired.
    pub retention_days: i64,
    /// Who is told each checkpoint.
    pub witnesses: Vec<WitnessConfig>,
    /// Keys (`name+hash+key`) of other installations' logs that this one witnesses.
    pub witnessed: Vec<String>,
}

impl Default for AuditConfig {
    fn default() -> Self {
        Self {
            name: String::new(),
            key_file: None,
            checkpoint_entries: 1_000,
            checkpoint_seconds: 60,
            retention_days: 731,
            witnesses: Vec::new(),
            witnessed: Vec::new(),
        }
    }
}

/// `[[audit.witnesses]]`: one outside place that is told.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WitnessConfig {
    /// What it is called; what it knows is remembered by this.
    pub name: String,
    /// `file:PATH`, `syslog+udp://HOST:514`, `syslog+tcp://HOST:601`, `syslog+unix:PATH` or `https://HOST:PORT/PATH`.
    pub address: String,
    /// `https`: the witness's key (`name+hash+key`); its cosignature is checked with it.
    #[serde(default)]
    pub key: String,
    /// `https`: a file with the certificate of the authority that the witness's certificate is from.
    #[serde(default)]
    pub authority_file: Option<PathBuf>,
}
