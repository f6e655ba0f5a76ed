//! What can go wrong.

use naru_kernel::{Denied, Kind};
use naru_runtime::Fails;

use crate::rules::Refusal;

/// Why nothing was decided.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The rules refuse.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The actor may not see requests.
    #[error("this is not allowed for you")]
    Denied,
    /// The same thing waits already.
    #[error("the same request is already waiting for a second person")]
    AlreadyAsked,
    /// Too much waits.
    #[error("too many requests are waiting; decide some of them first")]
    TooMany,
    /// Nobody carries out this kind.
    #[error("nobody carries out {0}")]
    UnknownKind(String),
    /// The store failed.
    #[error("the store failed")]
    Store(#[from] naru_store::Error),
}

impl From<Denied> for Error {
    fn from(_: Denied) -> Self {
        Self::Denied
    }
}

impl Refusal {
    /// Its stable name.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::NotFound => "approvals.not-found",
            Self::NotWaiting => "approvals.not-waiting",
            Self::OwnRequest => "approvals.own-request",
            Self::AboutYourself => "approvals.about-yourself",
            Self::NotYours => "approvals.not-yours",
            Self::NoteTooLong => "approvals.note-too-long",
            Self::CannotBeDone => "approvals.cannot-be-done",
        }
    }
}

impl Fails for Error {
    fn kind(&self) -> Kind {
        match self {
            Self::Refused(Refusal::NotFound) => Kind::NotFound,
            Self::Refused(Refusal::NotWaiting | Refusal::CannotBeDone) | Self::AlreadyAsked => Kind::Conflict,
            Self::Refused(Refusal::OwnRequest | Refusal::AboutYourself | Refusal::NotYours)
            | Self::Denied => Kind::Forbidden,
            Self::Refused(Refusal::NoteTooLong) => Kind::Invalid,
            Self::TooMany => Kind::TooMany,
            Self::Store(error) if error.kind() == Kind::Unavailable => Kind::Unavailable,
            Self::UnknownKind(_) | Self::Store(_) => Kind::Internal,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Refused(refusal) => refusal.code(),
            Self::Denied => "approvals.not-allowed",
            Self::AlreadyAsked => "approvals.already-asked",
            Self::TooMany => "approvals.too-many",
            Self::UnknownKind(_) => "approvals.unknown-kind",
            Self::Store(_) => "approvals.store",
        }
    }
}
