//! Every way a log-on or a configured file can be turned down, one variant per cause.

use naru_kernel::{Kind, Timestamp};

use crate::Reason;

/// Why a certificate log-on is refused. [`Refusal::code`] is stable; pages have a text for each.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The signed message is larger than [`crate::logon::CMS_BYTES_MAX`].
    #[error("the signed message is too large")]
    TooLarge,
    /// The signed message is not a CMS `SignedData` we read (RFC 5652).
    #[error("the signed message is malformed")]
    Malformed,
    /// There is not exactly one signer.
    #[error("the message must have exactly one signer")]
    SignerNotSingle,
    /// The signer's certificate is not in the message.
    #[error("the signer's certificate is missing")]
    CertificateMissing,
    /// A certificate in the message or handshake cannot be read.
    #[error("the certificate is malformed")]
    CertificateMalformed,
    /// The signature has no signed attributes, or lacks one of contentType and messageDigest (RFC 5652 5.3).
    #[error("the signed attributes are missing")]
    SignedAttributesMissing,
    /// The signature uses an algorithm that is not SHA-2 with RSA or ECDSA.
    #[error("the signature algorithm is not accepted")]
    AlgorithmRefused,
    /// The signed digest is not the digest of the content.
    #[error("the signed content was altered")]
    ContentAltered,
    /// The signature was not made with this certificate's key.
    #[error("the signature was made with another key than the certificate's")]
    SignatureWrong,

    /// The content is not a log-on challenge of this platform.
    #[error("the challenge was not issued here")]
    ChallengeForeign,
    /// The challenge was changed after it was issued.
    #[error("the challenge was altered")]
    ChallengeAltered,
    /// The challenge is older than [`crate::challenge::CHALLENGE_LIFETIME`].
    #[error("the challenge has expired")]
    ChallengeExpired,
    /// The challenge was issued for another origin.
    #[error("the challenge belongs to another address")]
    ChallengeAudience,
    /// The challenge was used before. The caller remembers nonces and says this; the engine keeps no state.
    #[error("the challenge was used before")]
    ChallengeUsed,

    /// Before notBefore.
    #[error("the certificate is not valid yet")]
    NotYetValid,
    /// After notAfter.
    #[error("the certificate has expired")]
    Expired,
    /// On the revocation list.
    #[error("the certificate was revoked")]
    Revoked {
        /// When it was revoked.
        at: Timestamp,
        /// Why, by the authority's word.
        reason: Reason,
    },
    /// Not a signing certificate (an encryption certificate, or an authority's).
    #[error("the certificate is not for signing")]
    WrongUsage,
    /// None of the profile's policies.
    #[error("the certificate was issued for another purpose")]
    WrongPolicy,
    /// No path to a configured root.
    #[error("the certificate comes from an unknown authority")]
    UnknownRoot,
    /// The issuer's name is known, but its key did not sign this.
    #[error("the certificate was not signed by its issuer")]
    ForgedIssuer,
    /// RSA below the profile's size, or another kind of key than RSA, P-256 and P-384.
    #[error("the certificate's key is too weak")]
    WeakKey,
    /// A certificate of the path is signed with SHA-1, MD5 or an unknown algorithm.
    #[error("a certificate of the path has a weak signature")]
    WeakSignature,
    /// A critical extension this engine does not know (RFC 5280 4.2).
    #[error("the certificate has an unknown critical extension")]
    CriticalExtension,
    /// An authority on the path may not sign certificates.
    #[error("an issuer on the path is not an authority")]
    IssuerNotAuthority,
    /// An authority on the path is outside its validity.
    #[error("an issuer on the path is not valid now")]
    IssuerExpired,
    /// An authority on the path was revoked.
    #[error("an issuer on the path was revoked")]
    IssuerRevoked,
    /// The path is longer than allowed, by us or by an authority's pathLenConstraint.
    #[error("the certificate path is too long")]
    PathTooLong,
    /// A name constraint of an authority excludes the name (RFC 5280 4.2.1.10).
    #[error("the certificate's name is outside its issuer's names")]
    NameConstraint,
    /// No revocation list covers the certificate.
    #[error("the certificate's revocation status is unknown")]
    RevocationUnknown,
    /// The revocation list that covers it is older than the profile allows.
    #[error("the revocation list is out of date")]
    CrlStale,
    /// The subject has no common name.
    #[error("the certificate names nobody")]
    SubjectUnreadable,
}

impl Refusal {
    /// A stable word for pages, logs and tests.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::TooLarge => "signed-too-large",
            Self::Malformed => "signed-malformed",
            Self::SignerNotSingle => "signer-not-single",
            Self::CertificateMissing => "certificate-missing",
            Self::CertificateMalformed => "certificate-malformed",
            Self::SignedAttributesMissing => "signed-attributes-missing",
            Self::AlgorithmRefused => "algorithm-refused",
            Self::ContentAltered => "content-altered",
            Self::SignatureWrong => "signature-wrong",
            Self::ChallengeForeign => "challenge-foreign",
            Self::ChallengeAltered => "challenge-altered",
            Self::ChallengeExpired => "challenge-expired",
            Self::ChallengeAudience => "challenge-audience",
            Self::ChallengeUsed => "challenge-used",
            Self::NotYetValid => "certificate-not-yet-valid",
            Self::Expired => "certificate-expired",
            Self::Revoked { .. } => "certificate-revoked",
            Self::WrongUsage => "certificate-wrong-usage",
            Self::WrongPolicy => "certificate-wrong-policy",
            Self::UnknownRoot => "certificate-unknown-root",
            Self::ForgedIssuer => "certificate-forged-issuer",
            Self::WeakKey => "certificate-weak-key",
            Self::WeakSignature => "certificate-weak-signature",
            Self::CriticalExtension => "certificate-critical-extension",
            Self::IssuerNotAuthority => "issuer-not-authority",
            Self::IssuerExpired => "issuer-expired",
            Self::IssuerRevoked => "issuer-revoked",
            Self::PathTooLong => "path-too-long",
            Self::NameConstraint => "certificate-name-constraint",
            Self::RevocationUnknown => "revocation-unknown",
            Self::CrlStale => "crl-stale",
            Self::SubjectUnreadable => "subject-unreadable",
        }
    }

    /// Which sort of failure it is: what the person can mend is `Invalid`, what the operator must mend is
    /// `Unavailable`, the rest is `Unauthenticated`.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        match self {
            Self::TooLarge
            | Self::Malformed
            | Self::SignerNotSingle
            | Self::CertificateMissing
            | Self::CertificateMalformed
            | Self::SignedAttributesMissing
            | Self::AlgorithmRefused => Kind::Invalid,
            Self::RevocationUnknown | Self::CrlStale => Kind::Unavailable,
            Self::ContentAltered
            | Self::SignatureWrong
            | Self::ChallengeForeign
            | Self::ChallengeAltered
            | Self::ChallengeExpired
            | Self::ChallengeAudience
            | Self::ChallengeUsed
            | Self::NotYetValid
            | Self::Expired
            | Self::Revoked { .. }
            | Self::WrongUsage
            | Self::WrongPolicy
            | Self::UnknownRoot
            | Self::ForgedIssuer
            | Self::WeakKey
            | Self::WeakSignature
            | Self::CriticalExtension
            | Self::IssuerNotAuthority
            | Self::IssuerExpired
            | Self::IssuerRevoked
            | Self::PathTooLong
            | Self::NameConstraint
            | Self::SubjectUnreadable => Kind::Unauthenticated,
        }
    }
}

/// Why a configured file, a revocation list or a key file is turned down.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A certificate named by a profile could not be read by the caller.
    #[error("profile {profile}: cannot read {name}")]
    Unreadable {
        /// The profile's name.
        profile: String,
        /// The name as configured.
        name: String,
    },
    /// A certificate named by a profile is not one (DER or PEM), or not an authority's.
    #[error("profile {profile}: {name} is not an authority's certificate")]
    NotAnAuthority {
        /// The profile's name.
        profile: String,
        /// The name as configured.
        name: String,
    },
    /// A profile has no root, no name, a wrong policy number, or sizes below the floor.
    #[error("profile {profile}: {what}")]
    Profile {
        /// The profile's name.
        profile: String,
        /// What is wrong.
        what: &'static str,
    },
    /// The bytes are no revocation list, or a kind that is not supported (delta, indirect, partial reasons).
    #[error("the revocation list is malformed or of an unsupported kind")]
    CrlMalformed,
    /// The list is larger than [`crate::Trust::CRL_BYTES_MAX`].
    #[error("the revocation list is too large")]
    CrlTooLarge,
    /// No configured authority has the name of the list's issuer.
    #[error("the revocation list's issuer is not configured")]
    CrlIssuerUnknown,
    /// The list's signature is not its issuer's.
    #[error("the revocation list was not signed by its issuer")]
    CrlForged,
    /// A newer list of the same scope is loaded.
    #[error("the revocation list is older than the one in use")]
    CrlOlder,
    /// The key file is no encrypted private key, or in a format that is not supported.
    #[error("the key file is malformed or of an unsupported kind")]
    KeyFileMalformed,
    /// The key file asks for more work than is allowed.
    #[error("the key file asks for too many iterations")]
    KeyFileTooCostly,
    /// The password does not open the key file.
    #[error("the password is wrong")]
    PasswordWrong,
    /// The cryptographic library refused to make a key or a signature.
    #[error("a key or signature could not be made")]
    Crypto,
    /// The text to be put into a certificate cannot stand there.
    #[error("the {0} cannot stand in a certificate")]
    DemoText(&'static str),
}

impl Error {
    /// Which sort of failure it is.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        match self {
            Self::CrlOlder => Kind::Conflict,
            Self::Crypto => Kind::Internal,
            Self::Unreadable { .. }
            | Self::NotAnAuthority { .. }
            | Self::Profile { .. }
            | Self::CrlMalformed
            | Self::CrlTooLarge
            | Self::CrlIssuerUnknown
            | Self::CrlForged
            | Self::KeyFileMalformed
            | Self::KeyFileTooCostly
            | Self::PasswordWrong
            | Self::DemoText(_) => Kind::Invalid,
        }
    }
}

/// Bytes that are not what they should be; each caller says of what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Malformed;

impl From<der::Error> for Malformed {
    fn from(_: der::Error) -> Self {
        Self
    }
}
