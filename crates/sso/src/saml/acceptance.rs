//! Whether a request is taken, and where its answer may go.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use naru_kernel::Timestamp;

use super::{AuthnRequest, Incoming, NameIdFormat, NameIdPolicy, Refusal, ServiceProvider, Status};

const POST: &str = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST";

/// What a request is held against.
#[derive(Clone, Copy, Debug)]
pub struct Expectation<'a> {
    /// Whose request it says to be.
    pub service_provider: &'a ServiceProvider,
    /// The address it was received at.
    pub here: &'a str,
    /// When.
    pub now: Timestamp,
}

/// A request that is taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acceptance {
    /// Where the answer goes: registered, word for word.
    pub answer_url: String,
    /// Whether its signature was verified.
    pub signed: bool,
}

/// Checks what can be checked without knowing the person.
///
/// Who sent it, that it was meant for us and now, and that the answer goes to a registered address. Whether it was seen
/// before is for the caller to remember.
///
/// # Errors
/// The first check that fails. Nothing is then sent to the address of the request.
pub fn check_request(
    incoming: &Incoming,
    request: &AuthnRequest,
    expected: &Expectation<'_>,
) -> Result<Acceptance, Refusal> {
    let provider = expected.service_provider;
    if request.issuer() != provider.entity_id {
        return Err(Refusal::OtherIssuer);
    }
    let signed = verify(incoming, provider, provider.signs_requests)?;
    request.envelope.check(expected.here, signed, expected.now)?;
    if request.has_subject {
        return Err(Refusal::Unexpected("Subject"));
    }
    if request
        .answer_binding
        .as_deref()
        .is_some_and(|binding| binding != POST)
    {
        return Err(Refusal::Unexpected("ProtocolBinding"));
    }
    let address = match (&request.answer_url, request.answer_index) {
        (Some(_), Some(_)) => return Err(Refusal::Unexpected("AssertionConsumerServiceIndex")),
        (Some(url), None) => provider
            .answer_addresses
            .iter()
            .find(|address| address.url == *url),
        (None, Some(index)) => provider
            .answer_addresses
            .iter()
            .find(|address| address.index == index),
        (None, None) => provider.default_answer_address(),
    };
    Ok(Acceptance {
        answer_url: address.ok_or(Refusal::AnswerAddress)?.url.clone(),
        signed,
    })
}

/// Verifies the signature beside a message when there is one and a key to verify it with.
pub(crate) fn verify(
    incoming: &Incoming,
    provider: &ServiceProvider,
    required: bool,
) -> Result<bool, Refusal> {
    let certificates: Vec<Vec<u8>> = provider
        .signing_certificates
        .iter()
        .filter_map(|text| STANDARD.decode(text).ok())
        .collect();
    if incoming.has_signature() && !certificates.is_empty() {
        incoming.verify(&certificates)?;
        return Ok(true);
    }
    if required {
        Err(Refusal::Unsigned)
    } else {
        Ok(false)
    }
}

/// Which sort of name the answer holds: what was asked for, if the application allows it, else the application's own.
///
/// # Errors
/// The status to answer with.
pub fn choose_name_id(
    policy: Option<&NameIdPolicy>,
    entity_id: &str,
    preferred: NameIdFormat,
    allowed: &[NameIdFormat],
) -> Result<NameIdFormat, Status> {
    let Some(policy) = policy else {
        return Ok(preferred);
    };
    if policy
        .for_service_provider
        .as_deref()
        .is_some_and(|name| name != entity_id)
    {
        return Err(Status::InvalidNameIdPolicy);
    }
    match policy.format {
        Some(NameIdFormat::Unspecified) => Ok(preferred),
        Some(format) if format == preferred || allowed.contains(&format) => Ok(format),
        Some(_) | None => Err(Status::InvalidNameIdPolicy),
    }
}
