//! What can go wrong.

use naru_kernel::{Denied, Kind};
use naru_runtime::Fails;

use crate::NoteError;

/// Why the record is not shown, proven or signed off.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The actor may not.
    #[error("this is not allowed for you")]
    Denied,
    /// A filter or a field cannot be understood.
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
    /// There is no such entry, or no such checkpoint.
    #[error("there is no such entry")]
    NoSuchEntry,
    /// What a proof would need was retired.
    #[error("this part of the record was retired")]
    Retired,
    /// The record has a gap: nothing is signed that is not whole.
    #[error("the record is not whole")]
    NotWhole,
    /// The month was signed off already.
    #[error("this month was signed off already")]
    Reviewed,
    /// The month is not over.
    #[error("this month is not over yet")]
    NotOver,
    /// The signing key cannot be used.
    #[error("the key that signs checkpoints cannot be used")]
    Key(#[source] NoteError),
    /// A file of the configuration cannot be used.
    #[error("{what} cannot be used")]
    File {
        /// Which.
        what: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A witness's address or key cannot be used.
    #[error("the witness {name} is not configured as witnesses are: {problem}")]
    Witness {
        /// Which.
        name: String,
        /// Why.
        problem: String,
    },
    /// The store failed.
    #[error("the store failed")]
    Store(#[from] naru_store::Error),
}

impl From<Denied> for Error {
    fn from(_: Denied) -> Self {
        Self::Denied
    }
}

impl From<NoteError> for Error {
    fn from(error: NoteError) -> Self {
        Self::Key(error)
    }
}

impl Fails for Error {
    fn kind(&self) -> Kind {
        match self {
            Self::Denied => Kind::Forbidden,
            Self::Field { .. } => Kind::Invalid,
            Self::Busy => Kind::TooMany,
            Self::NoSuchEntry | Self::Retired => Kind::NotFound,
            Self::Reviewed | Self::NotOver => Kind::Conflict,
            Self::Store(error) if error.kind() == Kind::Unavailable => Kind::Unavailable,
            Self::NotWhole | Self::Key(_) | Self::File { .. } | Self::Witness { .. } | Self::Store(_) => {
                Kind::Internal
            }
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Denied => "audit.not-allowed",
            Self::Field { .. } => "audit.wrong-field",
            Self::Busy => "audit.busy",
            Self::NoSuchEntry => "audit.no-such-entry",
            Self::Retired => "audit.retired",
            Self::NotWhole => "audit.not-whole",
            Self::Reviewed => "audit.reviewed",
            Self::NotOver => "audit.not-over",
            Self::Key(_) | Self::File { .. } | Self::Witness { .. } => "audit.not-configured",
            Self::Store(_) => "audit.store",
        }
    }
}
