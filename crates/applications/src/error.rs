//! What can go wrong: refusals people can understand, and failures of parts below.

use naru_kernel::{Denied, Kind};
use naru_runtime::{Fails, Problem};

/// Why something is not done. The code is stable; pages have a text for each.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// No role of the caller allows it.
    #[error("this is not allowed for you")]
    Denied,
    /// There is none, or the caller may not know of it.
    #[error("there is no such application")]
    NoSuchApplication,
    /// There is none, or it is another ministry's.
    #[error("there is no such notice")]
    NoSuchNotice,
    /// Nothing to take away.
    #[error("this application has no access")]
    NoSuchAccess,
    /// There is no such ministry.
    #[error("there is no such ministry")]
    NoSuchMinistry,
    /// It was answered, or took too long.
    #[error("this sign-on is over: begin again at the application")]
    NoSuchRequest,
    /// Anybody can begin them, so there is an end to it.
    #[error("too many people are signing on to this application: try again in a minute")]
    TooManyRequests,
    /// There is none that waits.
    #[error("there is no device with this code")]
    NoSuchDevice,
    /// Somebody tries codes.
    #[error("too many wrong codes: try again in ten minutes")]
    TooManyCodes,
    /// A field is wrong.
    #[error("{field}: {problem}")]
    Field {
        /// Which.
        field: &'static str,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// Another application has this SAML entity identifier.
    #[error("another application has this entity identifier")]
    EntityTaken,
    /// The kind of an application stays what it was.
    #[error("the kind of an application cannot change: make a new one")]
    KindStays,
    /// Only clients that authenticate by secret have one.
    #[error("this application has no secret")]
    NoSecret,
    /// The ministry has as many as it may.
    #[error("there are too many: remove one first")]
    TooMany,
    /// It cannot be opened from here: the application tells no address to begin at.
    #[error("this application can only be opened from its own page")]
    NotOpenable,
    /// It is switched off.
    #[error("this application is switched off")]
    Paused,
    /// A SAML message that is not as the standard says, or holds what is not read.
    #[error("the application's message cannot be read")]
    SamlMessage,
    /// A SAML message that is too large or too deep.
    #[error("the application's message is too large")]
    SamlTooLarge,
    /// No signature where there must be one, or one that does not fit.
    #[error("the application's message is not signed as it must be")]
    SamlSignature,
    /// A SAML message of another time.
    #[error("the application's message is too old, or its clock is wrong")]
    SamlTime,
    /// The answer would go where nobody registered it.
    #[error("the address for the answer is not registered")]
    SamlAddress,
    /// A SAML message was sent twice.
    #[error("the application's message was used before")]
    SamlReplayed,
    /// No application has this entity identifier.
    #[error("the application is not known here")]
    SamlUnknown,
    /// The service provider hears why in a status.
    #[error("the sign-on is not as the application asked for it")]
    SamlNotAsAsked,
    /// Metadata that cannot be used.
    #[error("the metadata cannot be used: {0}")]
    SamlMetadata(String),
    /// The site's rules forbid it.
    #[error("the rules do not allow you to open this application now")]
    Forbidden {
        /// The rules that forbade it.
        because: Vec<String>,
    },
    /// The site's rules would allow it after a step up.
    #[error("this application needs a stronger log-on: confirm with a second factor")]
    StepUp(naru_kernel::access::Assurance),
}

impl Refusal {
    /// Its stable name.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Denied => "applications.denied",
            Self::NoSuchApplication => "applications.no-such-application",
            Self::NoSuchNotice => "applications.no-such-notice",
            Self::NoSuchAccess => "applications.no-such-access",
            Self::NoSuchMinistry => "applications.no-such-ministry",
            Self::NoSuchRequest => "applications.no-such-request",
            Self::TooManyRequests => "applications.too-many-requests",
            Self::NoSuchDevice => "applications.no-such-device",
            Self::TooManyCodes => "applications.too-many-codes",
            Self::Field { .. } => "applications.malformed-field",
            Self::EntityTaken => "applications.entity-taken",
            Self::KindStays => "applications.kind-stays",
            Self::NoSecret => "applications.no-secret",
            Self::TooMany => "applications.too-many",
            Self::NotOpenable => "applications.not-openable",
            Self::Paused => "applications.paused",
            Self::SamlMessage => "applications.saml-message",
            Self::SamlTooLarge => "applications.saml-too-large",
            Self::SamlSignature => "applications.saml-signature",
            Self::SamlTime => "applications.saml-time",
            Self::SamlAddress => "applications.saml-address",
            Self::SamlReplayed => "applications.saml-replayed",
            Self::SamlUnknown => "applications.saml-unknown",
            Self::SamlNotAsAsked => "applications.saml-not-as-asked",
            Self::SamlMetadata(_) => "applications.saml-metadata",
            Self::Forbidden { .. } => "applications.forbidden",
            Self::StepUp(_) => "applications.step-up-needed",
        }
    }

    const fn kind(&self) -> Kind {
        match self {
            Self::Denied | Self::Forbidden { .. } | Self::StepUp(_) => Kind::Forbidden,
            Self::NoSuchApplication
            | Self::NoSuchNotice
            | Self::NoSuchAccess
            | Self::NoSuchMinistry
            | Self::NoSuchRequest
            | Self::NoSuchDevice => Kind::NotFound,
            Self::TooManyRequests | Self::TooManyCodes => Kind::TooMany,
            Self::Field { .. }
            | Self::SamlMessage
            | Self::SamlTooLarge
            | Self::SamlSignature
            | Self::SamlTime
            | Self::SamlAddress
            | Self::SamlReplayed
            | Self::SamlUnknown
            | Self::SamlMetadata(_) => Kind::Invalid,
            Self::EntityTaken
            | Self::KindStays
            | Self::NoSecret
            | Self::TooMany
            | Self::NotOpenable
            | Self::SamlNotAsAsked
            | Self::Paused => Kind::Conflict,
        }
    }
}

/// Why something about applications cannot be done.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A refusal: the caller's to mend, and kept in the record.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The store failed.
    #[error("the store failed")]
    Store(#[from] naru_store::Error),
    /// A key of the installation cannot be used.
    #[error("a key of single sign-on is unusable")]
    Key,
    /// An authority of the configuration cannot be trusted.
    #[error("a trusted root cannot be read")]
    Roots(#[from] naru_runtime::tls::TlsError),
    /// What a row holds as JSON cannot be read, or written.
    #[error("the settings of an application are unreadable")]
    Settings(#[from] serde_json::Error),
}

impl From<Denied> for Error {
    fn from(_: Denied) -> Self {
        Self::Refused(Refusal::Denied)
    }
}

impl Fails for Error {
    fn kind(&self) -> Kind {
        match self {
            Self::Refused(refusal) => refusal.kind(),
            Self::Store(error) => error.kind(),
            Self::Settings(_) | Self::Key | Self::Roots(_) => Kind::Internal,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Refused(refusal) => refusal.code(),
            Self::Store(_) => "applications.store",
            Self::Settings(_) => "applications.settings",
            Self::Key => "applications.key",
            Self::Roots(_) => "applications.roots",
        }
    }
}

impl Error {
    /// As callers see it.
    pub(crate) fn into_problem(self) -> Problem {
        let Self::Refused(refusal) = self else {
            return Problem::from(self);
        };
        let problem = Problem::new(refusal.kind(), refusal.code(), refusal.to_string());
        if let Refusal::Field { field, .. } = refusal {
            problem.field(field)
        } else if let Refusal::StepUp(assurance) = refusal {
            problem.detail(assurance.as_str())
        } else if let Refusal::Forbidden { because } = refusal
            && !because.is_empty()
        {
            problem.detail(because.join(", "))
        } else {
            problem
        }
    }
}
