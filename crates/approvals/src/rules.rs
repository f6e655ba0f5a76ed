//! Who may decide what.

use naru_kernel::{Action, Actor, Denied, Scope, Timestamp};

use crate::model::{Approval, ApprovalState};

/// How long something asked is waited for.
pub const WAIT_DAYS: i64 = 7;
/// How much may wait in one ministry.
pub const WAITING_MAX: i64 = 500;
/// The longest note of a decider.
pub const NOTE_CHARACTERS_MAX: usize = 500;

/// Why it is not decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The actor may not decide for this ministry; to them it is not there.
    #[error("there is no such request")]
    NotFound,
    /// It was decided, withdrawn or expired.
    #[error("this request is no longer waiting")]
    NotWaiting,
    /// Nobody agrees to what they asked.
    #[error("somebody else must agree: you asked for this yourself")]
    OwnRequest,
    /// Nobody agrees to what is about themselves.
    #[error("somebody else must agree: this is about yourself")]
    AboutYourself,
    /// Only who asked takes it back.
    #[error("only the person who asked can withdraw this")]
    NotYours,
    /// The note is too long.
    #[error("a note has at most 500 characters")]
    NoteTooLong,
    /// What was asked cannot be done any more.
    #[error("this can no longer be done as it was asked; refuse it and ask anew")]
    CannotBeDone,
}

impl From<Denied> for Refusal {
    fn from(_: Denied) -> Self {
        Self::NotFound
    }
}

fn waits(approval: &Approval, now: Timestamp) -> Result<(), Refusal> {
    if approval.state == ApprovalState::Waiting && now < approval.expires_at {
        Ok(())
    } else {
        Err(Refusal::NotWaiting)
    }
}

/// Whether the actor may agree to it or refuse it.
///
/// # Errors
/// When they may not, when it no longer waits, or when they asked for it or it is about them.
pub fn decide(approval: &Approval, actor: &Actor, now: Timestamp) -> Result<(), Refusal> {
    actor.may(Action::Approve, Scope::Ministry(approval.ministry))?;
    waits(approval, now)?;
    if approval.asked_by == actor.person {
        Err(Refusal::OwnRequest)
    } else if approval.about == Some(actor.person) {
        Err(Refusal::AboutYourself)
    } else {
        Ok(())
    }
}

/// Whether the actor may take it back.
///
/// # Errors
/// When it is another's, or no longer waits.
pub fn withdraw(approval: &Approval, actor: &Actor, now: Timestamp) -> Result<(), Refusal> {
    if approval.asked_by != actor.person {
        return Err(Refusal::NotYours);
    }
    waits(approval, now)
}

/// The note as it is kept.
///
/// # Errors
/// When it is too long.
pub fn note(text: &str) -> Result<String, Refusal> {
    let text = text.trim();
    if text.chars().count() > NOTE_CHARACTERS_MAX {
        Err(Refusal::NoteTooLong)
    } else {
        Ok(text.to_owned())
    }
}
