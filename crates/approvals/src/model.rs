//! What there is: things asked, and what became of them.

use core::{fmt, str::FromStr};

use naru_kernel::{ApprovalId, MinistryId, PersonId, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

/// How far an approval is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ApprovalState {
    /// Nobody decided yet.
    Waiting,
    /// Another person agreed, and it was done.
    Agreed,
    /// Another person refused.
    Refused,
    /// Whoever asked took it back.
    Withdrawn,
    /// Nobody decided in time.
    Expired,
}

impl ApprovalState {
    const ALL: [Self; 5] = [
        Self::Waiting,
        Self::Agreed,
        Self::Refused,
        Self::Withdrawn,
        Self::Expired,
    ];

    /// Its word in tables and messages.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Agreed => "agreed",
            Self::Refused => "refused",
            Self::Withdrawn => "withdrawn",
            Self::Expired => "expired",
        }
    }
}

impl fmt::Display for ApprovalState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A text that names no state.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a state is waiting, agreed, refused, withdrawn or expired")]
pub struct UnknownState;

impl FromStr for ApprovalState {
    type Err = UnknownState;

    fn from_str(text: &str) -> Result<Self, UnknownState> {
        Self::ALL
            .into_iter()
            .find(|state| state.as_str() == text)
            .ok_or(UnknownState)
    }
}

/// What a domain asks a second person for.
#[derive(Clone, Debug, PartialEq)]
pub struct Ask {
    /// What happens on agreement; one of a [`crate::CarriesOut`]'s kinds.
    pub kind: &'static str,
    /// Whose administrators decide.
    pub ministry: MinistryId,
    /// Who asks.
    pub asked_by: PersonId,
    /// About whom it is, if about a person: they do not decide.
    pub about: Option<PersonId>,
    /// What it is done to; the same kind and subject wait once at a time.
    pub subject: String,
    /// What people are shown. Never a secret.
    pub summary: Json,
    /// What carrying it out needs. Never a secret.
    pub payload: Json,
}

/// Something asked.
#[derive(Clone, Debug, PartialEq)]
pub struct Approval {
    /// Its identifier; sorts by time.
    pub id: ApprovalId,
    /// Whose administrators decide.
    pub ministry: MinistryId,
    /// What happens on agreement.
    pub kind: String,
    /// What it is done to.
    pub subject: String,
    /// About whom.
    pub about: Option<PersonId>,
    /// What people are shown.
    pub summary: Json,
    /// What carrying it out needs.
    pub payload: Json,
    /// How far it is.
    pub state: ApprovalState,
    /// Who asked.
    pub asked_by: PersonId,
    /// When.
    pub asked_at: Timestamp,
    /// When it is no longer waited for.
    pub expires_at: Timestamp,
    /// Who decided.
    pub decided_by: Option<PersonId>,
    /// When.
    pub decided_at: Option<Timestamp>,
    /// What the decider wrote.
    pub note: String,
}
