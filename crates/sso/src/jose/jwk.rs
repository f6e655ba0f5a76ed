//! Public keys of others (RFC 7517, RFC 7518 6).

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256, RsaPublicKeyComponents,
    UnparsedPublicKey,
};
use serde_json::{Map, Value, json};

use super::{Algorithm, Refusal, decode, encode, sha256};

/// Keys in a set.
pub const KEYS_MAX: usize = 16;
/// Bytes of a set.
const SET_BYTES_MAX: usize = 64 * 1024;
/// Bytes of an RSA modulus: 2,048 to 4,096 bits. Longer keys cost whoever verifies.
const MODULUS_BYTES: core::ops::RangeInclusive<usize> = 256..=512;
/// Bytes of an RSA exponent.
const EXPONENT_BYTES_MAX: usize = 4;
/// Bytes of a P-256 coordinate.
const COORDINATE_BYTES: usize = 32;
/// Characters of a key's name.
const NAME_CHARACTERS_MAX: usize = 128;

#[derive(Clone, Debug, PartialEq, Eq)]
enum Material {
    Rsa {
        modulus: Vec<u8>,
        exponent: Vec<u8>,
    },
    /// X and Y, uncompressed, with the leading 4 (SEC 1 2.3.3).
    P256 {
        point: Vec<u8>,
    },
}

/// A public key of somebody else's, or ours as others see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey {
    name: Option<String>,
    algorithm: Option<Algorithm>,
    material: Material,
}

impl PublicKey {
    /// Reads a JWK. Private and symmetric keys, short keys, and keys for encryption are refused.
    ///
    /// # Errors
    /// [`Refusal::Key`].
    pub fn parse(jwk: &Value) -> Result<Self, Refusal> {
        let jwk = jwk.as_object().ok_or(Refusal::Key)?;
        if ["d", "p", "q", "dp", "dq", "qi", "oth", "k"]
            .iter()
            .any(|secret| jwk.contains_key(*secret))
        {
            return Err(Refusal::Key);
        }
        if text(jwk, "use")?.is_some_and(|usage| usage != "sig") {
            return Err(Refusal::Key);
        }
        let name = text(jwk, "kid")?.map(str::to_owned);
        if name
            .as_ref()
            .is_some_and(|name| name.chars().count() > NAME_CHARACTERS_MAX)
        {
            return Err(Refusal::Key);
        }
        let algorithm = match text(jwk, "alg")? {
            None => None,
            Some(name) => Some(Algorithm::of(name).ok_or(Refusal::Key)?),
        };
        let material = match text(jwk, "kty")? {
            Some("RSA") => rsa(jwk)?,
            Some("EC") if text(jwk, "crv")? == Some("P-256") => p256(jwk)?,
            Some(_) | None => return Err(Refusal::Key),
        };
        let key = Self {
            name,
            algorithm,
            material,
        };
        if key.algorithm.is_some_and(|algorithm| !key.fits(algorithm)) {
            return Err(Refusal::Key);
        }
        Ok(key)
    }

    pub(super) fn of_rsa(modulus: &[u8], exponent: &[u8], name: String) -> Self {
        Self {
            name: Some(name),
            algorithm: Some(Algorithm::Rs256),
            material: Material::Rsa {
                modulus: modulus.to_vec(),
                exponent: exponent.to_vec(),
            },
        }
    }

    pub(super) fn of_p256(point: &[u8], name: String) -> Self {
        Self {
            name: Some(name),
            algorithm: Some(Algorithm::Es256),
            material: Material::P256 {
                point: point.to_vec(),
            },
        }
    }

    pub(super) fn named(mut self, name: &str) -> Self {
        self.name = Some(name.to_owned());
        self
    }

    /// Its name (`kid`), if it has one.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// Whether signatures of this algorithm can be its: the kind of key decides, never a message.
    #[must_use]
    pub fn fits(&self, algorithm: Algorithm) -> bool {
        let kind = match algorithm {
            Algorithm::Rs256 | Algorithm::Ps256 => matches!(self.material, Material::Rsa { .. }),
            Algorithm::Es256 => matches!(self.material, Material::P256 { .. }),
        };
        kind && self.algorithm.is_none_or(|own| own == algorithm)
    }

    /// Checks a signature.
    ///
    /// # Errors
    /// [`Refusal::Signature`], or [`Refusal::Algorithm`] when the key is of another kind.
    pub fn verify(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> Result<(), Refusal> {
        if !self.fits(algorithm) {
            return Err(Refusal::Algorithm);
        }
        let verified = match &self.material {
            Material::Rsa { modulus, exponent } => {
                let parameters = match algorithm {
                    Algorithm::Ps256 => &RSA_PSS_2048_8192_SHA256,
                    Algorithm::Rs256 | Algorithm::Es256 => &RSA_PKCS1_2048_8192_SHA256,
                };
                let key = RsaPublicKeyComponents {
                    n: modulus,
                    e: exponent,
                };
                key.verify(parameters, message, signature)
            }
            Material::P256 { point } => {
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(message, signature)
            }
        };
        verified.map_err(|_| Refusal::Signature)
    }

    /// The members that make the key, in the order of RFC 7638 3.2.
    fn members(&self) -> Map<String, Value> {
        let members = match &self.material {
            Material::Rsa { modulus, exponent } => {
                json!({ "e": encode(exponent), "kty": "RSA", "n": encode(modulus) })
            }
            Material::P256 { point } => {
                let (x, y) = point
                    .get(1..)
                    .and_then(|rest| rest.split_at_checked(COORDINATE_BYTES))
                    .unwrap_or_default();
                json!({ "crv": "P-256", "kty": "EC", "x": encode(x), "y": encode(y) })
            }
        };
        match members {
            Value::Object(members) => members,
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
                Map::new()
            }
        }
    }

    /// Its thumbprint (RFC 7638), base64url of SHA-256.
    #[must_use]
    pub fn thumbprint(&self) -> String {
        // Written in the order of their names, without white space: the canonical form.
        encode(&sha256(Value::Object(self.members()).to_string().as_bytes()))
    }

    /// As others read it: only its public half exists here.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut members = self.members();
        members.insert("use".to_owned(), "sig".into());
        if let Some(name) = &self.name {
            members.insert("kid".to_owned(), name.as_str().into());
        }
        if let Some(algorithm) = self.algorithm {
            members.insert("alg".to_owned(), algorithm.as_str().into());
        }
        Value::Object(members)
    }
}

fn text<'v>(jwk: &'v Map<String, Value>, name: &str) -> Result<Option<&'v str>, Refusal> {
    match jwk.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(Refusal::Key),
    }
}

fn bytes(jwk: &Map<String, Value>, name: &str) -> Result<Vec<u8>, Refusal> {
    let text = text(jwk, name)?.ok_or(Refusal::Key)?;
    if text.len() > 2 * MODULUS_BYTES.end() {
        return Err(Refusal::Key);
    }
    decode(text).map_err(|_| Refusal::Key)
}

fn rsa(jwk: &Map<String, Value>) -> Result<Material, Refusal> {
    let (modulus, exponent) = (bytes(jwk, "n")?, bytes(jwk, "e")?);
    let is_sound = MODULUS_BYTES.contains(&modulus.len())
        && modulus.first().is_some_and(|first| *first >= 0x80)
        && modulus.last().is_some_and(|last| last % 2 == 1)
        && (1..=EXPONENT_BYTES_MAX).contains(&exponent.len())
        && exponent.first().is_some_and(|first| *first != 0)
        && exponent.last().is_some_and(|last| last % 2 == 1)
        && exponent.as_slice() != [1];
    if is_sound {
        Ok(Material::Rsa { modulus, exponent })
    } else {
        Err(Refusal::Key)
    }
}

fn p256(jwk: &Map<String, Value>) -> Result<Material, Refusal> {
    let (x, y) = (bytes(jwk, "x")?, bytes(jwk, "y")?);
    if x.len() != COORDINATE_BYTES || y.len() != COORDINATE_BYTES {
        return Err(Refusal::Key);
    }
    // Whether the point is on the curve the library checks with each signature.
    Ok(Material::P256 {
        point: [&[4], x.as_slice(), &y].concat(),
    })
}

/// A set of keys: a client's, by value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PublicKeys(Vec<PublicKey>);

impl PublicKeys {
    /// Reads a JWK set; one key that cannot be used refuses the whole set.
    ///
    /// # Errors
    /// [`Refusal::TooLong`], [`Refusal::Malformed`] or [`Refusal::Key`].
    pub fn parse(json: &[u8]) -> Result<Self, Refusal> {
        if json.len() > SET_BYTES_MAX {
            return Err(Refusal::TooLong);
        }
        let set: Value = serde_json::from_slice(json).map_err(|_| Refusal::Malformed)?;
        let keys = set
            .get("keys")
            .and_then(Value::as_array)
            .ok_or(Refusal::Malformed)?;
        if keys.is_empty() || keys.len() > KEYS_MAX {
            return Err(Refusal::Key);
        }
        keys.iter()
            .map(PublicKey::parse)
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// Of these keys.
    #[must_use]
    pub fn new(keys: Vec<PublicKey>) -> Self {
        Self(keys)
    }

    /// The key a header names: by `kid`, else the only one that fits the algorithm.
    ///
    /// # Errors
    /// [`Refusal::NoKey`].
    pub fn find(&self, name: Option<&str>, algorithm: Algorithm) -> Result<&PublicKey, Refusal> {
        let mut fitting = self
            .0
            .iter()
            .filter(|key| key.fits(algorithm) && name.is_none_or(|name| key.name() == Some(name)));
        let found = fitting.next().ok_or(Refusal::NoKey)?;
        // Without a name there must be no choice.
        if name.is_none() && fitting.next().is_some() {
            return Err(Refusal::NoKey);
        }
        Ok(found)
    }

    /// As others read it.
    #[must_use]
    pub fn to_json(&self) -> Value {
        json!({ "keys": self.0.iter().map(PublicKey::to_json).collect::<Vec<_>>() })
    }
}
