//! Compact signatures (RFC 7515 3.1).

use serde_json::{Map, Value};

use super::{Algorithm, PublicKey, PublicKeys, Refusal, SigningKey, decode, encode};

/// Longer tokens are refused unread.
pub const TOKEN_BYTES_MAX: usize = 16 * 1024;

/// What a token's header says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// The algorithm it claims; only those we know.
    pub algorithm: Algorithm,
    /// Which key it claims to be signed with.
    pub key_name: Option<String>,
    /// What it claims to be.
    pub kind: Option<String>,
    /// A key inside the header; looked at for `DPoP` proofs alone.
    pub key: Option<Value>,
}

/// A token that was taken apart but not believed.
#[derive(Clone, Debug)]
pub struct Unverified<'t> {
    header: Header,
    signed: &'t str,
    signature: Vec<u8>,
    claims: Map<String, Value>,
}

impl<'t> Unverified<'t> {
    /// Takes a token apart.
    ///
    /// # Errors
    /// [`Refusal::TooLong`], [`Refusal::Malformed`], [`Refusal::Algorithm`] (also for `none`) or
    /// [`Refusal::Critical`].
    pub fn parse(token: &'t str) -> Result<Self, Refusal> {
        if token.len() > TOKEN_BYTES_MAX {
            return Err(Refusal::TooLong);
        }
        let (signed, signature) = token.rsplit_once('.').ok_or(Refusal::Malformed)?;
        let (header, claims) = signed.split_once('.').ok_or(Refusal::Malformed)?;
        if claims.contains('.') {
            return Err(Refusal::Malformed);
        }
        Ok(Self {
            header: parse_header(&object(header)?)?,
            signed,
            signature: decode(signature)?,
            claims: object(claims)?,
        })
    }

    /// Its claims, if one of these keys signed it by one of these algorithms.
    ///
    /// # Errors
    /// [`Refusal::Algorithm`], [`Refusal::NoKey`] or [`Refusal::Signature`].
    pub fn verified_by(
        self,
        keys: &PublicKeys,
        allowed: &[Algorithm],
    ) -> Result<Map<String, Value>, Refusal> {
        let key = keys.find(self.header.key_name.as_deref(), self.allowed(allowed)?)?;
        self.verified(key)
    }

    /// Its claims, if the key in its own header signed it: proves that the sender holds that key and nothing else.
    ///
    /// # Errors
    /// [`Refusal::Algorithm`], [`Refusal::Key`] or [`Refusal::Signature`].
    pub fn verified_by_own_key(
        self,
        allowed: &[Algorithm],
    ) -> Result<(Map<String, Value>, PublicKey), Refusal> {
        self.allowed(allowed)?;
        let key = PublicKey::parse(self.header.key.as_ref().ok_or(Refusal::Key)?)?;
        Ok((self.verified(&key)?, key))
    }

    /// What its header says, believed by nobody.
    #[must_use]
    pub const fn header(&self) -> &Header {
        &self.header
    }

    /// The claims as they are, believed by nobody: only to find out whose keys to check with.
    #[must_use]
    pub fn unverified_claim(&self, name: &str) -> Option<&str> {
        self.claims.get(name)?.as_str()
    }

    fn allowed(&self, allowed: &[Algorithm]) -> Result<Algorithm, Refusal> {
        let algorithm = self.header.algorithm;
        if allowed.contains(&algorithm) {
            Ok(algorithm)
        } else {
            Err(Refusal::Algorithm)
        }
    }

    fn verified(self, key: &PublicKey) -> Result<Map<String, Value>, Refusal> {
        key.verify(self.header.algorithm, self.signed.as_bytes(), &self.signature)?;
        Ok(self.claims)
    }
}

fn object(part: &str) -> Result<Map<String, Value>, Refusal> {
    serde_json::from_slice(&decode(part)?).map_err(|_| Refusal::Malformed)
}

fn parse_header(header: &Map<String, Value>) -> Result<Header, Refusal> {
    if header.contains_key("crit") || header.contains_key("b64") || header.contains_key("zip") {
        return Err(Refusal::Critical);
    }
    let text = |name: &str| match header.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(Refusal::Malformed),
    };
    let algorithm = text("alg")?.ok_or(Refusal::Malformed)?;
    Ok(Header {
        algorithm: Algorithm::of(&algorithm).ok_or(Refusal::Algorithm)?,
        key_name: text("kid")?,
        kind: text("typ")?,
        key: header.get("jwk").cloned(),
    })
}

/// Signs claims as a token of this kind (`typ`).
///
/// # Errors
/// [`Refusal::Signing`] when the library fails.
pub fn sign(key: &SigningKey, kind: &str, claims: &Map<String, Value>) -> Result<String, Refusal> {
    let mut header = Map::new();
    header.insert("alg".to_owned(), key.algorithm().as_str().into());
    header.insert("kid".to_owned(), key.name().into());
    header.insert("typ".to_owned(), kind.into());
    let mut token = encode(Value::Object(header).to_string().as_bytes());
    let claims = serde_json::to_vec(claims).map_err(|_| Refusal::Signing)?;
    token.push('.');
    token.push_str(&encode(&claims));
    let signature = key.sign(token.as_bytes())?;
    token.push('.');
    token.push_str(&encode(&signature));
    Ok(token)
}
