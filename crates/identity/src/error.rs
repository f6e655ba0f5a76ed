//! What can go wrong: refusals people can understand, and failures of parts below.

use naru_kernel::{Denied, Kind, Timestamp};
use naru_runtime::Fails;

/// Why something is not done. The code is stable; pages have a text for each.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The certificate, the signed challenge or the path to the root is not good.
    #[error("{0}")]
    Certificate(naru_pki::Refusal),
    /// The certificate is good, but its subject is nobody here.
    #[error("nobody here has this certificate's subject")]
    UnknownPerson,
    /// The person was revoked.
    #[error("this person's access was revoked")]
    PersonRevoked,
    /// Too many failures.
    #[error("locked after too many failed attempts")]
    Locked {
        /// Until when.
        until: Timestamp,
        /// For how many seconds from now.
        seconds: i64,
    },
    /// The ministry withdrew the certificate.
    #[error("the certificate was revoked here")]
    CertificateWithdrawn,
    /// Issuer and serial belong to another person's certificate.
    #[error("the certificate is bound to another person")]
    CertificateOfAnother,
    /// The person's certificates come from another authority's profile.
    #[error("this person's certificates come from another authority")]
    OtherAuthority,
    /// The handover code is unknown, used or expired.
    #[error("the handover code is not valid any more")]
    HandoverInvalid,
    /// The log-on has ended or is not at this step.
    #[error("this log-on is not at this step")]
    WrongStep,
    /// The activation code is wrong.
    #[error("the activation code is wrong")]
    ActivationWrong,
    /// The activation code has expired or was tried too often.
    #[error("the activation code is not valid any more")]
    ActivationExpired,
    /// The six digits are wrong.
    #[error("the code is wrong")]
    CodeWrong,
    /// The six digits were used before.
    #[error("the code was used before, wait for the next one")]
    CodeUsed,
    /// The passkey's answer is not good.
    #[error("the passkey was not accepted")]
    PasskeyRefused,
    /// Nothing was started that this finishes, or too long ago.
    #[error("start again")]
    NothingStarted,
    /// The first factor needs an activation code.
    #[error("enter the activation code first")]
    NotActivated,
    /// There is a factor to use.
    #[error("this person has a second factor already")]
    AlreadyEnrolled,
    /// No more factors.
    #[error("there are too many factors")]
    TooManyFactors,
    /// The only factor cannot be taken away.
    #[error("the last factor cannot be removed")]
    LastFactor,
    /// There is no such thing, or the caller may not know of it.
    #[error("there is no such {0}")]
    NoSuch(&'static str),
    /// The role does not allow it.
    #[error("this is not allowed for you")]
    Denied,
    /// Administrators cannot do this to themselves.
    #[error("this cannot be done to yourself")]
    NotYourself,
    /// The subject name belongs to somebody.
    #[error("this subject name is taken")]
    SubjectTaken,
    /// The agency code belongs to another ministry.
    #[error("this agency code is taken")]
    AgencyTaken,
    /// The person is not in a state for this.
    #[error("the person is {0}")]
    PersonIs(&'static str),
    /// A field is wrong.
    #[error("{problem}")]
    Field {
        /// Which.
        field: &'static str,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// The list has too many rows.
    #[error("the list has too many rows")]
    ListTooLong,
    /// Nobody can be asked to agree.
    #[error("nobody can be asked to agree")]
    NobodyToAsk,
    /// The same waits for a second administrator already.
    #[error("the same waits for a second administrator already")]
    AlreadyAsked,
    /// Too much waits for a second administrator.
    #[error("too much waits for a second administrator")]
    TooMuchAsked,
    /// The person holds exactly this role already.
    #[error("this person has this role already")]
    AlreadyGranted,
    /// The last administrator of a ministry stays.
    #[error("a ministry keeps one administrator")]
    LastAdministrator,
    /// The person serves the ministry already.
    #[error("this person serves this ministry already")]
    AlreadyMember,
    /// Someone's home is left by moving.
    #[error("a home ministry is left by moving to another")]
    HomeStays,
    /// The name belongs to another group or token.
    #[error("this name is taken")]
    NameTaken,
    /// The ministry's directory changes this group.
    #[error("this group is changed by the ministry's directory")]
    ManagedByDirectory,
    /// So many would leave that it has to be confirmed.
    #[error("so many people would leave that it has to be confirmed")]
    TooManyLeavers,
    /// There are as many as there may be.
    #[error("there are too many of these")]
    TooMany,
}

/// Codes of [`naru_pki::Refusal`] with this domain's name in front.
macro_rules! certificate_codes {
    ($code:expr; $($word:literal)+) => {
        match $code { $($word => concat!("identity.", $word),)+ _ => "identity.certificate-refused" }
    };
}

fn certificate_code(refusal: &naru_pki::Refusal) -> &'static str {
    certificate_codes!(refusal.code();
        "signed-too-large" "signed-malformed" "signer-not-single" "certificate-missing" "certificate-malformed"
        "signed-attributes-missing" "algorithm-refused" "content-altered" "signature-wrong" "challenge-foreign"
        "challenge-altered" "challenge-expired" "challenge-audience" "challenge-used" "certificate-not-yet-valid"
        "certificate-expired" "certificate-revoked" "certificate-wrong-usage" "certificate-wrong-policy"
        "certificate-unknown-root" "certificate-forged-issuer" "certificate-weak-key" "certificate-weak-signature"
        "certificate-critical-extension" "issuer-not-authority" "issuer-expired" "issuer-revoked" "path-too-long"
        "certificate-name-constraint" "revocation-unknown" "crl-stale" "subject-unreadable"
    )
}

impl Refusal {
    /// What sort of failure.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Certificate(refusal) => refusal.kind(),
            Self::UnknownPerson
            | Self::PersonRevoked
            | Self::CertificateWithdrawn
            | Self::CertificateOfAnother
            | Self::OtherAuthority
            | Self::HandoverInvalid
            | Self::ActivationWrong
            | Self::ActivationExpired
            | Self::CodeWrong
            | Self::CodeUsed
            | Self::PasskeyRefused => Kind::Unauthenticated,
            Self::Locked { .. } => Kind::TooMany,
            Self::WrongStep
            | Self::NothingStarted
            | Self::AlreadyEnrolled
            | Self::TooManyFactors
            | Self::LastFactor
            | Self::SubjectTaken
            | Self::AgencyTaken
            | Self::NobodyToAsk
            | Self::AlreadyAsked
            | Self::TooMuchAsked
            | Self::AlreadyGranted
            | Self::LastAdministrator
            | Self::AlreadyMember
            | Self::HomeStays
            | Self::NameTaken
            | Self::ManagedByDirectory
            | Self::TooManyLeavers
            | Self::TooMany
            | Self::NotYourself
            | Self::PersonIs(_) => Kind::Conflict,
            Self::NotActivated | Self::Denied => Kind::Forbidden,
            Self::NoSuch(_) => Kind::NotFound,
            Self::Field { .. } | Self::ListTooLong => Kind::Invalid,
        }
    }

    /// Its stable name.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Certificate(refusal) => certificate_code(refusal),
            Self::UnknownPerson => "identity.unknown-person",
            Self::PersonRevoked => "identity.person-revoked",
            Self::Locked { .. } => "identity.locked",
            Self::CertificateWithdrawn => "identity.certificate-withdrawn",
            Self::CertificateOfAnother => "identity.certificate-of-another",
            Self::OtherAuthority => "identity.other-authority",
            Self::HandoverInvalid => "identity.handover-invalid",
            Self::WrongStep => "identity.wrong-step",
            Self::ActivationWrong => "identity.activation-wrong",
            Self::ActivationExpired => "identity.activation-expired",
            Self::CodeWrong => "identity.code-wrong",
            Self::CodeUsed => "identity.code-used",
            Self::PasskeyRefused => "identity.passkey-refused",
            Self::NothingStarted => "identity.nothing-started",
            Self::NotActivated => "identity.not-activated",
            Self::AlreadyEnrolled => "identity.already-enrolled",
            Self::TooManyFactors => "identity.too-many-factors",
            Self::LastFactor => "identity.last-factor",
            Self::NoSuch(_) => "identity.no-such-thing",
            Self::Denied => "identity.not-allowed",
            Self::NotYourself => "identity.not-yourself",
            Self::SubjectTaken => "identity.subject-taken",
            Self::AgencyTaken => "identity.agency-taken",
            Self::PersonIs(_) => "identity.wrong-state",
            Self::Field { .. } => "identity.wrong-field",
            Self::ListTooLong => "identity.list-too-long",
            Self::NobodyToAsk => "identity.nobody-to-ask",
            Self::AlreadyAsked => "identity.already-asked",
            Self::TooMuchAsked => "identity.too-much-asked",
            Self::AlreadyGranted => "identity.already-granted",
            Self::LastAdministrator => "identity.last-administrator",
            Self::AlreadyMember => "identity.already-member",
            Self::HomeStays => "identity.home-stays",
            Self::NameTaken => "identity.name-taken",
            Self::ManagedByDirectory => "identity.managed-by-directory",
            Self::TooManyLeavers => "identity.too-many-leavers",
            Self::TooMany => "identity.too-many",
        }
    }
}

impl From<Denied> for Refusal {
    fn from(_: Denied) -> Self {
        Self::Denied
    }
}

/// What a use case answers when it does not succeed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Refused, for a reason.
    #[error("{0}")]
    Refused(Refusal),
    /// The store failed.
    #[error("the store failed")]
    Store(#[from] naru_store::Error),
    /// A profile or a revocation list cannot be used.
    #[error("the certificate configuration cannot be used")]
    Pki(#[from] naru_pki::Error),
    /// The origin cannot be used for passkeys.
    #[error("the portal's origin cannot be used")]
    Origin(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A row of the table of places cannot be used.
    #[error("the place of network {0:?} cannot be used")]
    Place(String),
    /// Sealing, or a stored value that does not open.
    #[error("a stored secret cannot be used")]
    Secret,
    /// A passkey ceremony could not be made.
    #[error("a passkey request could not be made")]
    Passkey(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A worker thread broke off.
    #[error("the work was broken off")]
    Broken,
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<crate::asking::NotAsked> for Error {
    fn from(not_asked: crate::asking::NotAsked) -> Self {
        match not_asked {
            crate::asking::NotAsked::Already => Self::Refused(Refusal::AlreadyAsked),
            crate::asking::NotAsked::TooMany => Self::Refused(Refusal::TooMuchAsked),
            crate::asking::NotAsked::Store(error) => Self::Store(error),
        }
    }
}

impl From<Denied> for Error {
    fn from(denied: Denied) -> Self {
        Self::Refused(denied.into())
    }
}

impl Fails for Error {
    fn kind(&self) -> Kind {
        match self {
            Self::Refused(refusal) => refusal.kind(),
            Self::Store(error) => match error.kind() {
                // A clash or a missing row that a use case did not foresee is a defect, not the caller's doing.
                Kind::Unavailable => Kind::Unavailable,
                Kind::NotFound
                | Kind::Conflict
                | Kind::Invalid
                | Kind::Forbidden
                | Kind::Unauthenticated
                | Kind::TooMany
                | Kind::Internal => Kind::Internal,
            },
            Self::Pki(_)
            | Self::Origin(_)
            | Self::Place(_)
            | Self::Secret
            | Self::Passkey(_)
            | Self::Broken => Kind::Internal,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Refused(refusal) => refusal.code(),
            Self::Store(_) => "identity.store",
            Self::Pki(_) | Self::Origin(_) | Self::Place(_) => "identity.configuration",
            Self::Secret => "identity.secret",
            Self::Passkey(_) => "identity.passkey",
            Self::Broken => "identity.broken-off",
        }
    }
}

#[cfg(test)]
mod tests {
    use naru_kernel::Timestamp;
    use naru_pki::{Reason, Refusal as Pki};

    use super::certificate_code;

    #[test]
    fn every_refusal_of_a_certificate_keeps_its_own_word() {
        let all = [
            Pki::TooLarge,
            Pki::Malformed,
            Pki::SignerNotSingle,
            Pki::CertificateMissing,
            Pki::CertificateMalformed,
            Pki::SignedAttributesMissing,
            Pki::AlgorithmRefused,
            Pki::ContentAltered,
            Pki::SignatureWrong,
            Pki::ChallengeForeign,
            Pki::ChallengeAltered,
            Pki::ChallengeExpired,
            Pki::ChallengeAudience,
            Pki::ChallengeUsed,
            Pki::NotYetValid,
            Pki::Expired,
            Pki::Revoked {
                at: Timestamp::from_seconds(0),
                reason: Reason::Unspecified,
            },
            Pki::WrongUsage,
            Pki::WrongPolicy,
            Pki::UnknownRoot,
            Pki::ForgedIssuer,
            Pki::WeakKey,
            Pki::WeakSignature,
            Pki::CriticalExtension,
            Pki::IssuerNotAuthority,
            Pki::IssuerExpired,
            Pki::IssuerRevoked,
            Pki::PathTooLong,
            Pki::NameConstraint,
            Pki::RevocationUnknown,
            Pki::CrlStale,
            Pki::SubjectUnreadable,
        ];
        for refusal in all {
            assert_eq!(certificate_code(&refusal), format!("identity.{}", refusal.code()));
        }
    }
}
