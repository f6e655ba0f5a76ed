//! Why a SAML message is not accepted.

use naru_kernel::Kind;

/// Why a message, a request or metadata is refused. The code is stable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// Longer than we read, before or after inflating.
    #[error("the message is too large")]
    TooLarge,
    /// Not base64, not DEFLATE, not UTF-8, or parameters given twice.
    #[error("the message is not encoded as its binding says")]
    Encoding,
    /// There is no SAML message in the request.
    #[error("there is no message")]
    Missing,
    /// Not well-formed XML, or not with namespaces.
    #[error("the message is not well-formed")]
    Malformed,
    /// A document type declaration: the way to external and expanding entities.
    #[error("a document type declaration is not read")]
    DocumentType,
    /// An entity that is not one of the five of XML.
    #[error("an entity is not read")]
    Entity,
    /// A processing instruction, or a comment inside a message.
    #[error("comments and processing instructions are not read")]
    Comment,
    /// Too deep, too many elements or attributes.
    #[error("the message is too complex")]
    TooComplex,
    /// Another message than expected, or something it must have is missing or wrong.
    #[error("the message has no valid {0}")]
    Unexpected(&'static str),
    /// The message names another issuer than the one it was checked for.
    #[error("the message is from somebody else")]
    OtherIssuer,
    /// The message was meant for another address.
    #[error("the message was meant for another address")]
    OtherDestination,
    /// Issued more than five minutes ago or ahead of our clock.
    #[error("the message is too old or from the future")]
    Time,
    /// The address for the answer is not registered.
    #[error("the address for the answer is not registered")]
    AnswerAddress,
    /// The signature is missing where one is required.
    #[error("the message must be signed")]
    Unsigned,
    /// The signature does not fit.
    #[error("the signature is wrong")]
    Signature,
    /// Another algorithm than RSA or ECDSA with SHA-256.
    #[error("the signature's algorithm is not accepted")]
    Algorithm,
    /// A certificate or key cannot be used.
    #[error("a key cannot be used")]
    Key,
}

impl Refusal {
    /// Its stable name.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::TooLarge => "message-too-large",
            Self::Encoding => "message-encoding",
            Self::Missing => "message-missing",
            Self::Malformed => "message-malformed",
            Self::DocumentType => "message-document-type",
            Self::Entity => "message-entity",
            Self::Comment => "message-comment",
            Self::TooComplex => "message-too-complex",
            Self::Unexpected(_) => "message-unexpected",
            Self::OtherIssuer => "issuer-other",
            Self::OtherDestination => "destination-other",
            Self::Time => "message-time",
            Self::AnswerAddress => "answer-address-unknown",
            Self::Unsigned => "message-unsigned",
            Self::Signature => "message-signature",
            Self::Algorithm => "message-algorithm",
            Self::Key => "key-unusable",
        }
    }

    /// What sort of failure.
    #[must_use]
    pub const fn kind(self) -> Kind {
        match self {
            Self::Key => Kind::Internal,
            Self::TooLarge
            | Self::Encoding
            | Self::Missing
            | Self::Malformed
            | Self::DocumentType
            | Self::Entity
            | Self::Comment
            | Self::TooComplex
            | Self::Unexpected(_)
            | Self::OtherIssuer
            | Self::OtherDestination
            | Self::Time
            | Self::AnswerAddress
            | Self::Unsigned
            | Self::Signature
            | Self::Algorithm => Kind::Invalid,
        }
    }
}
