//! What this domain needs from others; the portal wires it.

use naru_kernel::{ApplicationId, ApprovalId, MinistryId, PersonId, Role, Zone, access::Label};
use naru_store::{BoxFuture, Error, Tx};

/// What one administrator wishes and another must agree to.
#[derive(Clone, Debug, PartialEq)]
pub struct Ask {
    /// Whose administrators are asked.
    pub ministry: MinistryId,
    /// What is to be done: one of [`KINDS`].
    pub kind: &'static str,
    /// Who asks.
    pub asked_by: PersonId,
    /// What it is done to; the same kind and subject are asked once at a time.
    pub subject: String,
    /// What people are shown.
    pub summary: serde_json::Value,
    /// What [`crate::Policies::carry_out`] needs.
    pub payload: serde_json::Value,
}

/// Why a question was not written down.
#[derive(Debug, thiserror::Error)]
pub enum NotAsked {
    /// The same waits already.
    #[error("the same waits for an answer already")]
    Already,
    /// Too much waits in the ministry.
    #[error("too much waits for an answer")]
    TooMany,
    /// The store failed.
    #[error("the store failed")]
    Store(#[from] Error),
}

/// Keeps what was asked until a second person agrees: approvals do.
pub trait AsksSecondPerson: Send + Sync + 'static {
    /// Writes the question down in the asker's transaction, which is given up when it is not.
    fn ask<'t>(&'t self, tx: &'t mut Tx, ask: Ask) -> BoxFuture<'t, Result<ApprovalId, NotAsked>>;
}

/// Switch off a rule that forbids.
pub const TURN_OFF: &str = "policies.turn-off";
/// Edit a rule that holds and forbids.
pub const EDIT: &str = "policies.edit";

/// What [`crate::Policies::carry_out`] can do.
pub const KINDS: &[&str] = &[TURN_OFF, EDIT];

/// A question that was agreed to.
#[derive(Clone, Debug, PartialEq)]
pub struct Agreed {
    /// Whose administrators were asked.
    pub ministry: MinistryId,
    /// One of [`KINDS`].
    pub kind: String,
    /// Who asked.
    pub asked_by: PersonId,
    /// Who agreed.
    pub agreed_by: PersonId,
    /// As it was asked.
    pub payload: serde_json::Value,
    /// When it is carried out.
    pub at: naru_kernel::Timestamp,
}

/// A person as rules see them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PersonFacts {
    /// Name.
    pub name: String,
    /// What they are in the ministry.
    pub roles: Vec<Role>,
    /// The groups they are in, by name.
    pub groups: Vec<String>,
    /// Their unit.
    pub unit: String,
}

/// Knows people and ministries: identity does.
pub trait KnowsPeople: Send + Sync + 'static {
    /// A person who may work in this ministry now.
    fn person(
        &self,
        ministry: MinistryId,
        person: PersonId,
    ) -> BoxFuture<'_, Result<Option<PersonFacts>, Error>>;

    /// The ministry that runs the platform, if there is one yet.
    fn platform(&self) -> BoxFuture<'_, Result<Option<MinistryId>, Error>>;
}

/// An application as rules see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApplicationFacts {
    /// Which.
    pub id: ApplicationId,
    /// Name in Korean.
    pub name: String,
    /// Whose.
    pub ministry: MinistryId,
    /// How secret what it holds is.
    pub label: Label,
    /// Whether it is offered to the people of the ministry that was asked about.
    pub offered: bool,
}

/// Knows what can be opened: applications and desktops do.
pub trait KnowsWhatOpens: Send + Sync + 'static {
    /// An application, and whether it is offered to this ministry.
    fn application(
        &self,
        id: ApplicationId,
        to: MinistryId,
    ) -> BoxFuture<'_, Result<Option<ApplicationFacts>, Error>>;

    /// How secret the desktops of a zone are; `None` for a zone there is none of.
    fn zone(&self, zone: &Zone) -> Option<Label>;
}
