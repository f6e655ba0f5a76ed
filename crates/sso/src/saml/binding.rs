//! How messages travel: the redirect binding (Bindings, 3.4) and the POST binding (3.5), with the signatures that stand
//! beside a message (3.4.4.1 and POST-SimpleSign).

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};

use super::{
    MESSAGE_BYTES_MAX, RELAY_STATE_BYTES_MAX, Refusal,
    certificate::{CertifiedKey, RSA_SHA256, SignatureAlgorithm},
    signature::SigningKey,
    xml::{self, Comments, Element},
};

/// A query or a form, encoded.
const ENCODED_BYTES_MAX: usize = 256 * 1024;
const PARAMETERS_MAX: usize = 16;
const SIGNATURE_BYTES_MAX: usize = 1024;
const DEFLATE: &str = "urn:oasis:names:tc:SAML:2.0:bindings:URL-Encoding:DEFLATE";

/// By which binding a message came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Binding {
    /// HTTP redirect: deflated in the query.
    Redirect,
    /// HTTP POST: a field of a form.
    Post,
}

/// Which parameter carried it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageKind {
    /// `SAMLRequest`.
    Request,
    /// `SAMLResponse`.
    Response,
}

impl MessageKind {
    const fn parameter(self) -> &'static str {
        match self {
            Self::Request => "SAMLRequest",
            Self::Response => "SAMLResponse",
        }
    }
}

/// A message as it came: not yet read, its signature not yet verified.
#[derive(Clone, Debug)]
pub struct Incoming {
    kind: MessageKind,
    xml: Vec<u8>,
    relay_state: Option<String>,
    detached: Option<Detached>,
}

#[derive(Clone, Debug)]
struct Detached {
    algorithm: String,
    signature: Vec<u8>,
    /// What it is over.
    octets: Vec<u8>,
}

impl Incoming {
    /// From the query of a redirect, as it came: not decoded, not reordered.
    ///
    /// # Errors
    /// When it holds no message, two, or one that is not encoded as the binding says.
    pub fn from_redirect(query: &str) -> Result<Self, Refusal> {
        let raw = Raw::split(query)?;
        if let Some(encoding) = raw.get("SAMLEncoding")
            && decode(encoding)? != DEFLATE.as_bytes()
        {
            return Err(Refusal::Encoding);
        }
        let (kind, value) = raw.message()?;
        let xml = inflate(&unbase64(&decode(value)?)?)?;
        let octets = |relay: Option<&str>, algorithm: &str| {
            let relay = relay
                .map(|relay| format!("&RelayState={relay}"))
                .unwrap_or_default();
            format!("{}={value}{relay}&SigAlg={algorithm}", kind.parameter()).into_bytes()
        };
        let detached = raw.detached(|algorithm| Ok(octets(raw.get("RelayState"), algorithm)))?;
        Ok(Self {
            kind,
            xml,
            relay_state: raw.relay_state()?,
            detached,
        })
    }

    /// From a form that was posted, as it came.
    ///
    /// # Errors
    /// When it holds no message, two, or one that is not encoded as the binding says.
    pub fn from_post(form: &str) -> Result<Self, Refusal> {
        let raw = Raw::split(form)?;
        let (kind, value) = raw.message()?;
        let xml = unbase64(&decode(value)?)?;
        if xml.len() > MESSAGE_BYTES_MAX {
            return Err(Refusal::TooLarge);
        }
        let detached = raw.detached(|algorithm| {
            // POST-SimpleSign, 2.5.1: over the values themselves, not their encoding.
            let mut octets = [kind.parameter().as_bytes(), b"=", &xml].concat();
            if let Some(relay) = raw.get("RelayState") {
                octets.extend_from_slice(b"&RelayState=");
                octets.extend_from_slice(&decode(relay)?);
            }
            octets.extend_from_slice(b"&SigAlg=");
            octets.extend_from_slice(&decode(algorithm)?);
            Ok(octets)
        })?;
        Ok(Self {
            kind,
            relay_state: raw.relay_state()?,
            xml,
            detached,
        })
    }

    /// A request or an answer.
    #[must_use]
    pub const fn kind(&self) -> MessageKind {
        self.kind
    }

    /// What the sender wants back with our answer.
    #[must_use]
    pub fn relay_state(&self) -> Option<&str> {
        self.relay_state.as_deref()
    }

    /// Whether a signature stands beside it; says nothing about whether it is right.
    #[must_use]
    pub const fn has_signature(&self) -> bool {
        self.detached.is_some()
    }

    /// Verifies the signature beside the message with one of these certificates (DER).
    ///
    /// # Errors
    /// [`Refusal::Unsigned`], [`Refusal::Algorithm`] or [`Refusal::Signature`].
    pub fn verify(&self, certificates: &[Vec<u8>]) -> Result<(), Refusal> {
        let detached = self.detached.as_ref().ok_or(Refusal::Unsigned)?;
        let algorithm = SignatureAlgorithm::of(&detached.algorithm)?;
        let right = certificates
            .iter()
            .filter_map(|der| CertifiedKey::of_certificate(der).ok())
            .any(|key| key.signed(algorithm, &detached.octets, &detached.signature));
        if right { Ok(()) } else { Err(Refusal::Signature) }
    }

    pub(crate) fn root(&self, kind: MessageKind) -> Result<Element, Refusal> {
        if self.kind != kind {
            return Err(Refusal::Missing);
        }
        xml::read(&self.xml, MESSAGE_BYTES_MAX, Comments::Refuse)
    }
}

/// Parameters as they came, each once.
struct Raw<'q>(BTreeMap<&'q str, &'q str>);

impl<'q> Raw<'q> {
    fn split(text: &'q str) -> Result<Self, Refusal> {
        if text.len() > ENCODED_BYTES_MAX {
            return Err(Refusal::TooLarge);
        }
        let mut found = BTreeMap::new();
        for (count, part) in text.split('&').filter(|part| !part.is_empty()).enumerate() {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            if count >= PARAMETERS_MAX || found.insert(name, value).is_some() {
                return Err(Refusal::Encoding);
            }
        }
        Ok(Self(found))
    }

    fn get(&self, name: &str) -> Option<&'q str> {
        self.0.get(name).copied()
    }

    fn message(&self) -> Result<(MessageKind, &'q str), Refusal> {
        let kinds = [MessageKind::Request, MessageKind::Response];
        let mut found = kinds
            .into_iter()
            .filter_map(|kind| self.get(kind.parameter()).map(|value| (kind, value)));
        match (found.next(), found.next()) {
            (Some(message), None) => Ok(message),
            (None, _) => Err(Refusal::Missing),
            (Some(_), Some(_)) => Err(Refusal::Encoding),
        }
    }

    fn relay_state(&self) -> Result<Option<String>, Refusal> {
        let Some(raw) = self.get("RelayState") else {
            return Ok(None);
        };
        let bytes = decode(raw)?;
        if bytes.len() > RELAY_STATE_BYTES_MAX {
            return Err(Refusal::TooLarge);
        }
        let text = String::from_utf8(bytes).map_err(|_| Refusal::Encoding)?;
        Ok((!text.is_empty()).then_some(text))
    }

    fn detached(
        &self,
        octets: impl FnOnce(&str) -> Result<Vec<u8>, Refusal>,
    ) -> Result<Option<Detached>, Refusal> {
        match (self.get("SigAlg"), self.get("Signature")) {
            (None, None) => Ok(None),
            (Some(algorithm), Some(signature)) => {
                let signature = unbase64(&decode(signature)?)?;
                if signature.len() > SIGNATURE_BYTES_MAX {
                    return Err(Refusal::TooLarge);
                }
                Ok(Some(Detached {
                    octets: octets(algorithm)?,
                    signature,
                    algorithm: String::from_utf8(decode(algorithm)?).map_err(|_| Refusal::Encoding)?,
                }))
            }
            // Half a signature is none, and not the same as unsigned.
            (Some(_), None) | (None, Some(_)) => Err(Refusal::Signature),
        }
    }
}

/// Percent-decoding as forms do it.
fn decode(text: &str) -> Result<Vec<u8>, Refusal> {
    let mut bytes = text.bytes();
    let mut out = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        match byte {
            b'+' => out.push(b' '),
            b'%' => {
                let digit = |byte: Option<u8>| {
                    byte.and_then(|byte| char::from(byte).to_digit(16))
                        .and_then(|digit| u8::try_from(digit).ok())
                };
                let (Some(high), Some(low)) = (digit(bytes.next()), digit(bytes.next())) else {
                    return Err(Refusal::Encoding);
                };
                out.push(high * 16 + low);
            }
            other => out.push(other),
        }
    }
    Ok(out)
}

/// Base64, which some break into lines.
pub(crate) fn unbase64(text: &[u8]) -> Result<Vec<u8>, Refusal> {
    let joined: Vec<u8> = text
        .iter()
        .copied()
        .filter(|byte| !byte.is_ascii_whitespace())
        .collect();
    STANDARD.decode(joined).map_err(|_| Refusal::Encoding)
}

/// DEFLATE (RFC 1951), never more than a message, nothing behind its end.
fn inflate(deflated: &[u8]) -> Result<Vec<u8>, Refusal> {
    let mut inflater = Decompress::new(false);
    let mut out = Vec::with_capacity(MESSAGE_BYTES_MAX + 1);
    let status = inflater
        .decompress_vec(deflated, &mut out, FlushDecompress::Finish)
        .map_err(|_| Refusal::Encoding)?;
    if out.len() > MESSAGE_BYTES_MAX {
        return Err(Refusal::TooLarge);
    }
    let read = usize::try_from(inflater.total_in()).unwrap_or(usize::MAX);
    match status {
        Status::StreamEnd if read == deflated.len() => Ok(out),
        Status::StreamEnd | Status::Ok | Status::BufError => Err(Refusal::Encoding),
    }
}

fn deflate(bytes: &[u8]) -> Result<Vec<u8>, Refusal> {
    let mut deflater = Compress::new(Compression::default(), false);
    // Stored blocks, the worst case, add five bytes to each 16 KiB.
    let mut out = Vec::with_capacity(bytes.len() + bytes.len() / 1_000 + 64);
    match deflater.compress_vec(bytes, &mut out, FlushCompress::Finish) {
        Ok(Status::StreamEnd) => Ok(out),
        Ok(Status::Ok | Status::BufError) | Err(_) => Err(Refusal::Encoding),
    }
}

/// Letters that stand for themselves in a query (RFC 3986, 2.3).
fn encode(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len() * 3);
    for byte in bytes {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            out.push(char::from(*byte));
        } else {
            out.push('%');
            out.push_str(&hex::encode_upper([*byte]));
        }
    }
    out
}

/// Where to send a browser with a message, signed, by the redirect binding.
///
/// # Errors
/// [`Refusal::Key`] when the key does not sign.
pub fn redirect_address(
    address: &str,
    kind: MessageKind,
    xml: &str,
    relay_state: Option<&str>,
    key: &SigningKey,
) -> Result<String, Refusal> {
    let message = encode(STANDARD.encode(deflate(xml.as_bytes())?).as_bytes());
    let relay = relay_state
        .map(|relay| format!("&RelayState={}", encode(relay.as_bytes())))
        .unwrap_or_default();
    let query = format!(
        "{}={message}{relay}&SigAlg={}",
        kind.parameter(),
        encode(RSA_SHA256.as_bytes())
    );
    let signature = encode(STANDARD.encode(key.sign(query.as_bytes())?).as_bytes());
    let between = if address.contains('?') { '&' } else { '?' };
    Ok(format!("{address}{between}{query}&Signature={signature}"))
}
