//! `Response`: an assertion, or a status that says why there is none (Core, 3.3.3 and 3.2.2).

use naru_kernel::{Entropy, Timestamp};

use super::{
    Assertion, Padding, Refusal, SigningKey,
    canonical::{Canonical, Space, some},
    encrypt_element, format_instant, message_id,
};

const SP: Space = Space::Protocol;
const SUCCESS: &str = "urn:oasis:names:tc:SAML:2.0:status:Success";

/// Why there is no assertion, or a logout was not whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// The person could not be asked, because the request forbade it.
    NoPassive,
    /// The person has no such means to log on.
    NoAuthnContext,
    /// The name asked for cannot be given.
    InvalidNameIdPolicy,
    /// The rules, or the person, said no.
    RequestDenied,
    /// Not everybody could be logged out.
    PartialLogout,
}

impl Status {
    /// Top and second level (Core, 3.2.2.2).
    pub(crate) const fn codes(self) -> [&'static str; 2] {
        const RESPONDER: &str = "urn:oasis:names:tc:SAML:2.0:status:Responder";
        const REQUESTER: &str = "urn:oasis:names:tc:SAML:2.0:status:Requester";
        match self {
            Self::NoPassive => [RESPONDER, "urn:oasis:names:tc:SAML:2.0:status:NoPassive"],
            Self::NoAuthnContext => [RESPONDER, "urn:oasis:names:tc:SAML:2.0:status:NoAuthnContext"],
            Self::InvalidNameIdPolicy => [
                REQUESTER,
                "urn:oasis:names:tc:SAML:2.0:status:InvalidNameIDPolicy",
            ],
            Self::RequestDenied => [RESPONDER, "urn:oasis:names:tc:SAML:2.0:status:RequestDenied"],
            Self::PartialLogout => [RESPONDER, "urn:oasis:names:tc:SAML:2.0:status:PartialLogout"],
        }
    }
}

/// For whom a response is.
#[derive(Clone, Copy, Debug)]
pub struct Answer<'a> {
    /// Our entity identifier.
    pub issuer: &'a str,
    /// Where it is posted to.
    pub destination: &'a str,
    /// The request it answers.
    pub in_response_to: Option<&'a str>,
    /// Now.
    pub at: Timestamp,
}

/// A response with a signed assertion, itself signed; `seal_for` encrypts the assertion for a certificate (DER).
///
/// # Errors
/// [`Refusal::Key`] when a key cannot be used.
pub fn success_response(
    assertion: &Assertion,
    seal_for: Option<(&[u8], Padding)>,
    key: &SigningKey,
    entropy: &dyn Entropy,
) -> Result<String, Refusal> {
    let signed = assertion.sign(key, entropy)?;
    let content = match seal_for {
        None => signed,
        Some((certificate, padding)) => {
            let sealed = encrypt_element(&signed, certificate, padding, entropy)?;
            let mut out = Canonical::new();
            out.start(Space::Assertion, "EncryptedAssertion", &[])
                .canonical(&sealed);
            out.finish()
        }
    };
    let answer = Answer {
        issuer: &assertion.issuer,
        destination: &assertion.recipient,
        in_response_to: assertion.in_response_to.as_deref(),
        at: assertion.issued_at,
    };
    response(&answer, None, &content, key, entropy)
}

/// A signed response that says why there is no assertion.
///
/// # Errors
/// [`Refusal::Key`] when the key cannot be used.
pub fn failure_response(
    answer: &Answer<'_>,
    status: Status,
    key: &SigningKey,
    entropy: &dyn Entropy,
) -> Result<String, Refusal> {
    response(answer, Some(status), "", key, entropy)
}

fn response(
    answer: &Answer<'_>,
    failure: Option<Status>,
    content: &str,
    key: &SigningKey,
    entropy: &dyn Entropy,
) -> Result<String, Refusal> {
    let id = message_id(entropy);
    let mut out = Canonical::new();
    begin(&mut out, "Response", &id, answer);
    let head = out.position();
    write_status(&mut out, failure);
    out.canonical(content);
    let text = out.finish();
    let (head, tail) = text.split_at_checked(head).ok_or(Refusal::Key)?;
    key.envelop(head, tail, &id)
}

/// The start of a message of ours: its attributes, and who issues it.
pub(crate) fn begin(out: &mut Canonical, name: &'static str, id: &str, answer: &Answer<'_>) {
    let issued = format_instant(answer.at);
    let attributes = some(&[
        ("Destination", Some(answer.destination)),
        ("ID", Some(id)),
        ("InResponseTo", answer.in_response_to),
        ("IssueInstant", Some(&issued)),
        ("Version", Some("2.0")),
    ]);
    out.start(SP, name, &attributes)
        .leaf(Space::Assertion, "Issuer", &[], answer.issuer);
}

pub(crate) fn write_status(out: &mut Canonical, failure: Option<Status>) {
    out.start(SP, "Status", &[]);
    match failure {
        None => out.leaf(SP, "StatusCode", &[("Value", SUCCESS)], ""),
        Some(status) => {
            let [top, second] = status.codes();
            out.start(SP, "StatusCode", &[("Value", top)])
                .leaf(SP, "StatusCode", &[("Value", second)], "")
                .end()
        }
    };
    out.end();
}

/// Whether a status says success.
pub(crate) fn is_success(code: &str) -> bool {
    code == SUCCESS
}
