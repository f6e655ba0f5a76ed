//! What there is: rules of ministries, and what they were before.

use naru_kernel::{MinistryId, PersonId, PolicyId, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

/// A name in both languages.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Words {
    /// Korean.
    pub ko: String,
    /// English; as the Korean one if empty.
    #[serde(default)]
    pub en: String,
}

/// What an administrator writes of a rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PolicyForm {
    /// What it is called; people who are refused read it.
    pub name: Words,
    /// The rule in Cedar.
    pub text: String,
    /// Whether a new rule holds at once; an edit leaves that as it is.
    #[serde(default = "yes")]
    pub on: bool,
    /// The version that is edited; absent for a new rule.
    #[serde(default)]
    pub version: Option<i64>,
}

const fn yes() -> bool {
    true
}

/// A rule of a ministry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Its identifier.
    pub id: PolicyId,
    /// Whose.
    pub ministry: MinistryId,
    /// What it is called.
    pub name: Words,
    /// The rule in Cedar.
    pub text: String,
    /// Whether it refuses anything.
    pub has_forbid: bool,
    /// Whether it holds.
    pub is_on: bool,
    /// Counts every change, from 1.
    pub version: i64,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was changed last.
    pub changed_at: Timestamp,
    /// By whom; `None` where the platform itself made it.
    pub changed_by: Option<PersonId>,
}

impl Policy {
    /// What the record says of it before and after a change.
    #[must_use]
    pub fn noted(&self) -> Json {
        json!({ "name": self.name, "text": self.text, "on": self.is_on, "version": self.version })
    }
}

/// A rule as it was after a change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct PolicyVersion {
    /// Which version.
    pub version: i64,
    /// What it was called.
    pub name: Words,
    /// The rule.
    pub text: String,
    /// Whether it held.
    pub on: bool,
    /// When it came to be so.
    pub changed_at: Timestamp,
    /// Who wanted it; `None` where the platform itself did.
    pub changed_by: Option<PersonId>,
    /// Who agreed, where that was needed.
    pub agreed_by: Option<PersonId>,
}

/// What a rule does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// It allows.
    Permit,
    /// It refuses, whatever allows.
    Forbid,
}

/// Whose rule it is, as somebody who is judged by it sees it.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// Built in: nobody changes it.
    Base,
    /// The platform's, for all ministries.
    Platform,
    /// The ministry's that the person serves.
    Ministry,
    /// The ministry's whose application it is.
    Owner,
}

/// A rule that made a decision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Because {
    /// Its identifier: `policy_…`, or `base.…` for a built-in one.
    pub rule: String,
    /// Which version of it; 0 for a built-in one.
    pub version: i64,
    /// What it is called.
    pub name: Words,
    /// Whose it is.
    pub origin: Origin,
    /// What it does.
    pub effect: Effect,
}

impl Because {
    /// As people who are refused read it, and as it stands in the record.
    #[must_use]
    pub fn line(&self) -> String {
        let Words { ko, en } = &self.name;
        let name = if en.is_empty() || en == ko {
            ko.clone()
        } else {
            format!("{ko} · {en}")
        };
        match self.version {
            0 => format!("{name} ({})", self.rule),
            version => format!("{name} ({} v{version})", self.rule),
        }
    }
}

/// Something in a rule's text that cannot be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Mistake {
    /// Which line, from 1.
    pub line: usize,
    /// Which character of the line, from 1.
    pub column: usize,
    /// What is wrong.
    pub message: String,
    /// What to do about it, if that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
}
