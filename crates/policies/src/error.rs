//! What can go wrong.

use naru_kernel::{Denied, Kind};
use naru_runtime::{Fails, Problem};

use crate::rules::Refusal;

/// Why nothing was decided or changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The rules of this domain refuse.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The language's own schema or built-in rules do not work: a defect.
    #[error("the language of rules cannot be used: {0}")]
    Language(String),
    /// The store failed.
    #[error("the store failed")]
    Store(#[from] naru_store::Error),
}

impl From<Denied> for Error {
    fn from(_: Denied) -> Self {
        Self::Refused(Refusal::Denied)
    }
}

impl Fails for Error {
    fn kind(&self) -> Kind {
        match self {
            Self::Refused(refusal) => match refusal {
                Refusal::Denied => Kind::Forbidden,
                Refusal::NoSuchPolicy | Refusal::NoSuchPerson | Refusal::NoSuchResource => Kind::NotFound,
                Refusal::Field { .. } | Refusal::Text(_) | Refusal::PlatformPermits => Kind::Invalid,
                Refusal::ChangedMeanwhile | Refusal::AlreadySo | Refusal::AlreadyAsked => Kind::Conflict,
                Refusal::TooMany | Refusal::TooMuchAsked => Kind::TooMany,
            },
            Self::Language(_) => Kind::Internal,
            Self::Store(error) => error.kind(),
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Refused(refusal) => refusal.code(),
            Self::Language(_) => "policies.language",
            Self::Store(_) => "policies.store",
        }
    }
}

impl Error {
    /// As callers see it.
    pub(crate) fn into_problem(self) -> Problem {
        let Self::Refused(refusal) = self else {
            return Problem::from(self);
        };
        let error = Self::Refused(refusal);
        let problem = Problem::new(error.kind(), error.code(), error.to_string());
        match error {
            Self::Refused(Refusal::Field { field, .. }) => problem.field(field),
            Self::Refused(Refusal::Text(mistakes)) => {
                let lines: Vec<String> = mistakes
                    .iter()
                    .map(|mistake| format!("{}:{}: {}", mistake.line, mistake.column, mistake.message))
                    .collect();
                problem.field("text").detail(lines.join("\n"))
            }
            Self::Refused(_) | Self::Language(_) | Self::Store(_) => problem,
        }
    }
}
