//! What can go wrong.

use naru_kernel::{Denied, Kind};
use naru_runtime::Fails;

/// Why the record is not shown.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The actor may not.
    #[error("this is not allowed for you")]
    Denied,
    /// A filter cannot be understood.
    #[error("{problem}")]
    Field {
        /// Which.
        field: &'static str,
        /// What is wrong.
        problem: &'static str,
    },
    /// The record is being verified for somebody else.
    #[error("the record is being verified, try again in a minute")]
    Busy,
    /// The store failed.
    #[error("the store failed")]
    Store(#[from] naru_store::Error),
}

impl From<Denied> for Error {
    fn from(_: Denied) -> Self {
        Self::Denied
    }
}

impl Fails for Error {
    fn kind(&self) -> Kind {
        match self {
            Self::Denied => Kind::Forbidden,
            Self::Field { .. } => Kind::Invalid,
            Self::Busy => Kind::TooMany,
            Self::Store(error) if error.kind() == Kind::Unavailable => Kind::Unavailable,
            Self::Store(_) => Kind::Internal,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Denied => "audit.not-allowed",
            Self::Field { .. } => "audit.wrong-field",
            Self::Busy => "audit.busy",
            Self::Store(_) => "audit.store",
        }
    }
}
