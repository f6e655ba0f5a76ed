//! The record as it is shown.

use std::collections::BTreeMap;

use naru_kernel::{PersonId, Timestamp};
use naru_store::Entry;
use schemars::JsonSchema;
use serde::Serialize;

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

/// Where a chain is broken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Broken {
    /// Which chain.
    pub stream: String,
    /// The first entry that does not fit.
    pub sequence: i64,
    /// Why.
    pub why: String,
}

/// What became of one chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct StreamVerdict {
    /// Which chain.
    pub stream: String,
    /// Entries that fit, from the beginning.
    pub entries: i64,
    /// Hash of the newest entry, hexadecimal.
    pub head: String,
    /// Where it breaks, if it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub broken: Option<Broken>,
}

/// What became of all chains that were verified.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Verification {
    /// Whether every chain fits.
    pub ok: bool,
    /// Entries that fit.
    pub entries: i64,
    /// Hash of the newest entry; over several chains, SHA-256 of their names, lengths and heads. Written down
    /// elsewhere it shows later that nothing was taken away.
    pub head: String,
    /// The first break, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub broken: Option<Broken>,
    /// Chain by chain.
    pub streams: Vec<StreamVerdict>,
}
