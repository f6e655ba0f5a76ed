//! What this domain asks of whoever keeps approvals: that a second administrator agrees.

use naru_kernel::{ApprovalId, MinistryId, PersonId, Timestamp};
use naru_store::{BoxFuture, Tx};

/// What one administrator wishes and another must agree to.
#[derive(Clone, Debug, PartialEq)]
pub struct Ask {
    /// Whose administrators are asked.
    pub ministry: MinistryId,
    /// What is to be done: one of [`KINDS`], or another word the asker carries out.
    pub kind: &'static str,
    /// Who asks.
    pub asked_by: PersonId,
    /// About whom it is; they cannot agree to it themselves.
    pub about: Option<PersonId>,
    /// What it is done to; the same kind and subject are asked once at a time.
    pub subject: String,
    /// What people are shown. Never a secret.
    pub summary: serde_json::Value,
    /// What [`crate::Identity::carry_out`] needs. Never a secret.
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
    Store(#[from] naru_store::Error),
}

/// Keeps what was asked until a second person agrees; wired by the portal.
pub trait AsksSecondPerson: Send + Sync + 'static {
    /// Writes the question down in the asker's transaction, which is given up when it is not.
    fn ask<'t>(&'t self, tx: &'t mut Tx, ask: Ask) -> BoxFuture<'t, Result<ApprovalId, NotAsked>>;
}

/// Give a person a role.
pub const GRANT_ROLE: &str = "identity.grant-role";
/// Let a person of another ministry serve the asked one as well.
pub const ADD_MEMBERSHIP: &str = "identity.add-membership";
/// Take a person over from another ministry, or give them another certificate name.
pub const MOVE_PERSON: &str = "identity.move-person";
/// Take all second factors of a person away, for one who lost them.
pub const RECOVER_FACTORS: &str = "identity.recover-factors";

/// What [`crate::Identity::carry_out`] can do.
pub const KINDS: &[&str] = &[GRANT_ROLE, ADD_MEMBERSHIP, MOVE_PERSON, RECOVER_FACTORS];

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
    pub at: Timestamp,
}
