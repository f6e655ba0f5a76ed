//! The record as it is shown.

use std::collections::BTreeMap;

use naru_kernel::{PersonId, Timestamp};
use naru_store::Entry;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One entry.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct AuditRow {
    /// Chain and place in it: `platform.12`.
    pub id: String,
    /// Whose chain.
    pub stream: String,
    /// Place in the chain.
    pub sequence: i64,
    /// When.
    pub at: Timestamp,
    /// What.
    pub action: String,
    /// `done` or `refused`.
    pub outcome: String,
    /// Who.
    pub actor: String,
    /// What the person who acted is called today, if it was one and is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actor_name: Option<String>,
    /// To what.
    pub subject: String,
    /// What the person it was done to is called today, if it was one and is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject_name: Option<String>,
    /// From where; empty if nowhere.
    pub address: String,
    /// More.
    pub detail: serde_json::Value,
}

impl From<Entry> for AuditRow {
    fn from(entry: Entry) -> Self {
        Self {
            id: format!("{}.{}", entry.stream, entry.sequence),
            stream: entry.stream,
            sequence: entry.sequence,
            at: entry.at,
            action: entry.action,
            outcome: entry.outcome,
            actor: entry.actor,
            actor_name: None,
            subject: entry.subject,
            subject_name: None,
            address: entry.address,
            // A text that is no JSON was tampered with; it is shown as it stands.
            detail: serde_json::from_str(&entry.detail).unwrap_or(serde_json::Value::String(entry.detail)),
        }
    }
}

impl AuditRow {
    /// The person who acted and the person it was done to, as far as they are people.
    pub(crate) fn people(&self) -> [Option<PersonId>; 2] {
        // `person_…/logon_…` for somebody signed in, `claimed:person_…` for somebody who still proves it.
        let actor = self.actor.strip_prefix("claimed:").unwrap_or(&self.actor);
        let actor = actor.split_once('/').map_or(actor, |(person, _)| person);
        [actor.parse().ok(), self.subject.parse().ok()]
    }

    /// Writes the names beside the identifiers.
    pub(crate) fn name(&mut self, names: &BTreeMap<PersonId, String>) {
        let [actor, subject] = self
            .people()
            .map(|person| person.and_then(|person| names.get(&person).cloned()));
        self.actor_name = actor;
        self.subject_name = subject;
    }
}

/// What is wrong with a chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Broken {
    /// Which chain.
    pub stream: String,
    /// The first entry it is about.
    pub sequence: i64,
    /// The last one.
    pub last: i64,
    /// What was done.
    pub why: String,
}

/// What became of one chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct StreamVerdict {
    /// Which chain.
    pub stream: String,
    /// Entries that fit, from the beginning.
    pub entries: i64,
    /// Entries before them that were retired by a recorded act.
    pub retired: i64,
    /// Hash of the newest entry, hexadecimal.
    pub head: String,
    /// Root of the tree over all entries, hexadecimal; empty if some are missing.
    pub root: String,
    /// Signed checkpoints that fit.
    pub checkpoints: i64,
    /// The first that is wrong, if anything is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub broken: Option<Broken>,
    /// All that is wrong, at most 100.
    pub findings: Vec<Broken>,
}

/// What became of all chains that were verified.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Verification {
    /// Whether every chain fits.
    pub ok: bool,
    /// Entries that fit.
    pub entries: i64,
    /// Hash of the newest entry; over several chains, SHA-256 of their names, lengths and heads.
    pub head: String,
    /// The first that is wrong, if anything is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub broken: Option<Broken>,
    /// Checkpoints from outside that no known key signed, or that are of another log.
    pub strange_checkpoints: usize,
    /// Chain by chain.
    pub streams: Vec<StreamVerdict>,
}

/// That an entry is in the record, for whoever has the log's key: needs no database.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EntryProof {
    /// `naru-audit-proof/1`.
    pub format: String,
    /// The entry, as it is hashed.
    pub entry: ProvenEntry,
    /// The hash before it, hexadecimal.
    pub previous: String,
    /// Hashes from the leaf up (RFC 6962), hexadecimal.
    pub proof: Vec<String>,
    /// The signed checkpoint it leads to.
    pub checkpoint: String,
    /// The log's key as this installation says; whoever checks should have it from elsewhere.
    pub key: String,
}

/// An entry as it is hashed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProvenEntry {
    /// Whose chain.
    pub stream: String,
    /// Place in the chain.
    pub sequence: i64,
    /// When.
    pub at: Timestamp,
    /// What.
    pub action: String,
    /// `done` or `refused`.
    pub outcome: String,
    /// Who.
    pub actor: String,
    /// To what.
    pub subject: String,
    /// From where.
    pub address: String,
    /// More: JSON, byte for byte.
    pub detail: String,
}

/// That a later checkpoint only adds to an earlier one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ConsistencyProof {
    /// Which chain.
    pub stream: String,
    /// The smaller size.
    pub from: i64,
    /// The larger.
    pub to: i64,
    /// Hashes (RFC 6962), hexadecimal.
    pub proof: Vec<String>,
    /// The signed checkpoint of the larger.
    pub checkpoint: String,
}

/// How far a witness knows a chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct WitnessStatus {
    /// Which witness.
    pub witness: String,
    /// `file`, `syslog` or `https`; empty if it is no longer configured.
    pub kind: String,
    /// Entries it knows of.
    pub size: i64,
    /// Entries the newest checkpoint has.
    pub newest: i64,
    /// When it was last told with success.
    pub delivered_at: Option<Timestamp>,
    /// Failures since.
    pub failures: i64,
    /// Why the last try failed; empty if it did not.
    pub problem: String,
}

/// How often something was done or refused in a month.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ActionCount {
    /// What.
    pub action: String,
    /// `done` or `refused`.
    pub outcome: String,
    /// How often.
    pub count: i64,
}

/// An hour in which one address was refused ten times or more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RefusedBurst {
    /// From where.
    pub address: String,
    /// When the hour began.
    pub hour: Timestamp,
    /// How often.
    pub count: i64,
}

/// What a month held.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MonthCounts {
    /// Entries in all.
    pub entries: i64,
    /// Those that were refused.
    pub refused: i64,
    /// Alarms that were raised.
    pub alarms: i64,
    /// Changes of roles and of administrators' rights.
    pub role_changes: i64,
    /// By action and outcome, the most frequent first.
    pub actions: Vec<ActionCount>,
    /// Many refusals in a short time.
    pub bursts: Vec<RefusedBurst>,
}

/// A month, and who signed it off.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Review {
    /// `2026-11`, in Korean time.
    pub month: String,
    /// Whose chain.
    pub stream: String,
    /// What it held; when it was signed off, what it held then.
    pub counts: MonthCounts,
    /// Who signed it off, if somebody did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reviewed_by: Option<PersonId>,
    /// When.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reviewed_at: Option<Timestamp>,
    /// What they noted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Entries of the whole chain when it was signed off.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entries_then: Option<i64>,
}
