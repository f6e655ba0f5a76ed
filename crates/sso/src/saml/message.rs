//! What all protocol messages have in common (Core, 3.2).

use naru_kernel::{Entropy, Seconds, Timestamp};

use super::{Refusal, canonical::Space, parse_instant, xml::Element};

/// A message, inflated.
pub const MESSAGE_BYTES_MAX: usize = 64 * 1024;
/// How old a message may be, and how far ahead of our clock.
pub const MESSAGE_MINUTES_MAX: i64 = 5;
/// A relay state; the standard says 80, which few keep to.
pub const RELAY_STATE_BYTES_MAX: usize = 2 * 1024;
/// A name, an address, an identifier inside a message.
pub(crate) const TEXT_BYTES_MAX: usize = 1024;
const ID_BYTES_MAX: usize = 256;
const ENTITY: &str = "urn:oasis:names:tc:SAML:2.0:nameid-format:entity";

/// The start of every request and answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Envelope {
    pub(crate) id: String,
    pub(crate) issued_at: Timestamp,
    pub(crate) destination: Option<String>,
    pub(crate) issuer: String,
    pub(crate) in_response_to: Option<String>,
}

impl Envelope {
    pub(crate) fn read(root: &Element) -> Result<Self, Refusal> {
        if root.attribute("Version") != Some("2.0") {
            return Err(Refusal::Unexpected("Version"));
        }
        let issuer = root
            .child(Space::Assertion.uri(), "Issuer")?
            .filter(|issuer| issuer.attribute("Format").is_none_or(|format| format == ENTITY))
            .and_then(Element::text)
            .filter(|text| !text.is_empty() && text.len() <= TEXT_BYTES_MAX)
            .ok_or(Refusal::Unexpected("Issuer"))?;
        let id = |name: &'static str| match root.attribute(name) {
            Some(id) if is_id(id) => Ok(Some(id.to_owned())),
            Some(_) => Err(Refusal::Unexpected(name)),
            None => Ok(None),
        };
        Ok(Self {
            id: id("ID")?.ok_or(Refusal::Unexpected("ID"))?,
            in_response_to: id("InResponseTo")?,
            issued_at: root
                .attribute("IssueInstant")
                .and_then(parse_instant)
                .ok_or(Refusal::Unexpected("IssueInstant"))?,
            destination: short(root, "Destination")?,
            issuer: issuer.to_owned(),
        })
    }

    /// Whether it was meant for this address and is of these minutes. A signed message must name its destination
    /// (Bindings, 3.4.5.2).
    pub(crate) fn check(&self, here: &str, signed: bool, now: Timestamp) -> Result<(), Refusal> {
        match &self.destination {
            Some(destination) if destination == here => {}
            None if !signed => {}
            Some(_) | None => return Err(Refusal::OtherDestination),
        }
        let margin = Seconds::minutes(MESSAGE_MINUTES_MAX);
        if self.issued_at < now - margin || self.issued_at > now + margin {
            return Err(Refusal::Time);
        }
        Ok(())
    }
}

/// An attribute that is an address or a name.
pub(crate) fn short(element: &Element, name: &'static str) -> Result<Option<String>, Refusal> {
    match element.attribute(name) {
        Some(value) if value.len() > TEXT_BYTES_MAX => Err(Refusal::Unexpected(name)),
        value => Ok(value.map(str::to_owned)),
    }
}

/// `xs:ID`: a name without a colon.
fn is_id(text: &str) -> bool {
    let begins = |letter: char| letter.is_ascii_alphabetic() || letter == '_';
    text.len() <= ID_BYTES_MAX
        && text.starts_with(begins)
        && text
            .chars()
            .all(|letter| begins(letter) || letter.is_ascii_digit() || matches!(letter, '.' | '-'))
}

/// A new identifier of 128 random bits.
#[must_use]
pub fn message_id(entropy: &dyn Entropy) -> String {
    let mut bits = [0_u8; 16];
    entropy.fill(&mut bits);
    format!("_{}", hex::encode(bits))
}
