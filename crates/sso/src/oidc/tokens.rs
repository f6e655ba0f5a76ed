//! ID tokens (`OpenID` Connect Core 2) and logout tokens (Back-Channel Logout 1.0, 2.4).

use naru_kernel::{Seconds, Timestamp, access::Assurance};
use serde_json::{Map, Value, json};

use crate::jose::{self, Algorithm, PublicKeys, Refusal, SigningKey, Unverified, encode, sha256};

/// An ID token is good for so long: applications check it once, when it comes.
pub const ID_TOKEN_LIFE: Seconds = Seconds(600);
/// A logout token is good for so long.
const LOGOUT_TOKEN_LIFE: Seconds = Seconds(120);

/// What an ID token says.
#[derive(Clone, Debug)]
pub struct IdToken<'t> {
    /// Who makes it.
    pub issuer: &'t str,
    /// For which application.
    pub client_id: &'t str,
    /// Of whom, as that application knows them.
    pub subject: &'t str,
    /// In which session, as that application knows it.
    pub session: &'t str,
    /// What the application gave along.
    pub nonce: Option<&'t str>,
    /// How much the log-on proved.
    pub assurance: Assurance,
    /// By what (RFC 8176).
    pub methods: &'t [String],
    /// When a factor was shown last.
    pub authenticated_at: Timestamp,
    /// The access token that comes along.
    pub access_token: Option<&'t str>,
    /// Claims asked for in the ID token.
    pub claims: Map<String, Value>,
    /// When.
    pub now: Timestamp,
}

impl IdToken<'_> {
    /// Signs it.
    ///
    /// # Errors
    /// [`Refusal::Signing`].
    pub fn sign(self, key: &SigningKey) -> Result<String, Refusal> {
        // What is ours stands last and cannot be overwritten.
        let mut claims = self.claims;
        let mut put = |name: &str, value: Value| claims.insert(name.to_owned(), value);
        put("iss", self.issuer.into());
        put("sub", self.subject.into());
        put("aud", self.client_id.into());
        put("iat", self.now.as_seconds().into());
        put("exp", (self.now + ID_TOKEN_LIFE).as_seconds().into());
        put("auth_time", self.authenticated_at.as_seconds().into());
        put("acr", self.assurance.acr().into());
        put("amr", self.methods.into());
        put("sid", self.session.into());
        if let Some(nonce) = self.nonce {
            put("nonce", nonce.into());
        }
        if let Some(token) = self.access_token {
            put("at_hash", half_hash(token).into());
        }
        jose::sign(key, "JWT", &claims)
    }
}

/// The left half of SHA-256 (`OpenID` Connect Core 3.1.3.6); all our algorithms hash with it.
#[must_use]
pub fn half_hash(token: &str) -> String {
    let hash = sha256(token.as_bytes());
    encode(hash.first_chunk::<16>().map_or(&[], |half| half.as_slice()))
}

/// What an ID token of ours said, given back as a hint: signature, issuer and audience are checked, not its age, for a
/// hint is no proof (RP-Initiated Logout 1.0, 2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hint {
    /// The person, as that application knows them.
    pub subject: String,
    /// The session, as that application knows it.
    pub session: Option<String>,
    /// The application it was made for.
    pub client_id: String,
}

/// Reads a hint.
///
/// # Errors
/// When it was not made here, or for another application than `client_id` where that is known.
pub fn read_hint(
    token: &str,
    issuer: &str,
    client_id: Option<&str>,
    keys: &PublicKeys,
) -> Result<Hint, Refusal> {
    let claims = Unverified::parse(token)?.verified_by(keys, &[Algorithm::Rs256, Algorithm::Es256])?;
    if claims.get("iss").and_then(Value::as_str) != Some(issuer) {
        return Err(Refusal::Issuer);
    }
    // A logout token is signed by the same keys and is no hint.
    if claims.contains_key("events") {
        return Err(Refusal::Type);
    }
    let text = |name: &str| claims.get(name).and_then(Value::as_str).map(str::to_owned);
    let audience = text("aud").ok_or(Refusal::Audience)?;
    if client_id.is_some_and(|client_id| client_id != audience) {
        return Err(Refusal::Audience);
    }
    Ok(Hint {
        subject: text("sub").ok_or(Refusal::Claim)?,
        session: text("sid"),
        client_id: audience,
    })
}

/// What a logout token says.
#[derive(Clone, Copy, Debug)]
pub struct LogoutToken<'t> {
    /// Who makes it.
    pub issuer: &'t str,
    /// For which application.
    pub client_id: &'t str,
    /// Who logs out.
    pub subject: &'t str,
    /// Of which session.
    pub session: &'t str,
    /// Its number, new for each.
    pub number: &'t str,
    /// When.
    pub now: Timestamp,
}

impl LogoutToken<'_> {
    /// Signs it.
    ///
    /// # Errors
    /// [`Refusal::Signing`].
    pub fn sign(self, key: &SigningKey) -> Result<String, Refusal> {
        let claims = json!({
            "iss": self.issuer,
            "aud": self.client_id,
            "sub": self.subject,
            "sid": self.session,
            "jti": self.number,
            "iat": self.now.as_seconds(),
            "exp": (self.now + LOGOUT_TOKEN_LIFE).as_seconds(),
            "events": { "http://schemas.openid.net/event/backchannel-logout": {} },
        });
        match claims {
            Value::Object(claims) => jose::sign(key, "logout+jwt", &claims),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
                Err(Refusal::Signing)
            }
        }
    }
}
