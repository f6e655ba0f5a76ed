//! Tickets: the one thing a gateway or a host trusts (`docs/fleet.md`).
//!
//! Text form: `base64url(claims JSON) "." base64url(Ed25519 signature over the first part's bytes)`.
//! Signed by the portal, at most [`TICKET_BYTES_MAX`] long, valid for at most [`LIFE_SECONDS_MAX`],
//! and good once: whoever accepts one remembers it in [`UsedTickets`] until it expires.

mod used;

use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, UnparsedPublicKey};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use naru_kernel::fleet::{ClipboardPolicy, Closure, ClosureTarget, Protocol};
use naru_kernel::{DesktopId, HostId, LogonId, MinistryId, PersonId, Seconds, Timestamp, Zone};
use serde::{Deserialize, Serialize};

pub use used::{USED_TICKETS_MAX, UsedTickets};

/// The longest ticket text, in bytes.
pub const TICKET_BYTES_MAX: usize = 4 * 1024;
/// The longest a ticket may be valid, in seconds.
pub const LIFE_SECONDS_MAX: i64 = 60;
/// How far a signer's clock may be ahead of ours, in seconds.
pub const CLOCK_TOLERANCE_SECONDS: i64 = 5;
/// The version of [`Claims`] that is signed and accepted.
pub const VERSION: u32 = 1;
/// How many public keys are tried at most; more would make a forged ticket costly to refuse.
pub const PUBLIC_KEYS_MAX: usize = 8;
/// The longest display name, in bytes (it is drawn as a watermark).
const DISPLAY_NAME_BYTES_MAX: usize = 256;
/// The longest `address:port`, in bytes.
const HOST_ADDRESS_BYTES_MAX: usize = 256;
/// The longest POSIX login name, in bytes (`useradd` has the same limit).
const ACCOUNT_BYTES_MAX: usize = 32;

/// What a ticket says: this person may reach this desktop on this host, now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Claims {
    /// [`VERSION`].
    pub version: u32,
    /// 128 random bits as 32 lower-case hexadecimal digits.
    pub id: String,
    /// Which desktop.
    pub desktop: DesktopId,
    /// By which log-on session.
    pub logon: LogonId,
    /// Whose desktop.
    pub person: PersonId,
    /// Of which ministry.
    pub ministry: MinistryId,
    /// POSIX login name on the host.
    pub account: String,
    /// The person's name.
    pub display_name: String,
    /// The host it runs on.
    pub host: HostId,
    /// `address:port` of the host's agent.
    pub host_address: String,
    /// SHA-256 of the host's certificate (DER), as 64 lower-case hexadecimal digits.
    pub host_certificate: String,
    /// How the desktop is carried.
    pub protocol: Protocol,
    /// The zone the desktop is in.
    pub zone: Zone,
    /// What may cross the clipboard.
    pub clipboard: ClipboardPolicy,
    /// When it was signed.
    pub issued_at: Timestamp,
    /// From when on it is refused; at most [`LIFE_SECONDS_MAX`] after `issued_at`.
    pub expires_at: Timestamp,
}

impl Claims {
    /// Checks that the ticket is for this host and protocol: what the host itself asks.
    ///
    /// # Errors
    /// [`TicketRefusal::WrongHost`] or [`TicketRefusal::WrongProtocol`].
    pub fn check_target(&self, host: HostId, protocol: Protocol) -> Result<(), TicketRefusal> {
        if self.host != host {
            return Err(TicketRefusal::WrongHost);
        }
        self.check_protocol(protocol)
    }

    /// Checks that the ticket is for this protocol: what a gateway's door asks.
    ///
    /// # Errors
    /// [`TicketRefusal::WrongProtocol`].
    pub fn check_protocol(&self, protocol: Protocol) -> Result<(), TicketRefusal> {
        if self.protocol == protocol {
            Ok(())
        } else {
            Err(TicketRefusal::WrongProtocol)
        }
    }

    /// The SHA-256 of the host's certificate that was pinned.
    ///
    /// # Errors
    /// [`TicketRefusal::Malformed`] when it is not 64 hexadecimal digits; a verified ticket's always is.
    pub fn host_certificate_sha256(&self) -> Result<[u8; 32], TicketRefusal> {
        let mut digest = [0_u8; 32];
        hex::decode_to_slice(&self.host_certificate, &mut digest).map_err(|_| TicketRefusal::Malformed)?;
        Ok(digest)
    }

    /// Whether this closure takes a relay of this ticket down: the target fits and the ticket is older.
    #[must_use]
    pub fn is_closed_by(&self, closure: &Closure) -> bool {
        let fits = match closure.target {
            ClosureTarget::Logon(logon) => logon == self.logon,
            ClosureTarget::Person(person) => person == self.person,
            ClosureTarget::Desktop(desktop) => desktop == self.desktop,
        };
        fits && self.issued_at <= closure.at
    }

    fn check_shape(&self) -> Result<(), TicketRefusal> {
        let shape_holds = is_lower_hex(&self.id, 32)
            && is_lower_hex(&self.host_certificate, 64)
            && is_account(&self.account)
            && self.display_name.len() <= DISPLAY_NAME_BYTES_MAX
            && !self.display_name.chars().any(char::is_control)
            && (1..=HOST_ADDRESS_BYTES_MAX).contains(&self.host_address.len());
        if shape_holds {
            Ok(())
        } else {
            Err(TicketRefusal::Malformed)
        }
    }

    fn check_time(&self, now: Timestamp) -> Result<(), TicketRefusal> {
        if self.expires_at <= self.issued_at || self.expires_at > self.issued_at + Seconds(LIFE_SECONDS_MAX) {
            return Err(TicketRefusal::LifeTooLong);
        }
        if self.issued_at > now + Seconds(CLOCK_TOLERANCE_SECONDS) {
            return Err(TicketRefusal::IssuedInFuture);
        }
        if self.expires_at <= now {
            Err(TicketRefusal::Expired)
        } else {
            Ok(())
        }
    }
}

/// Why a ticket is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TicketRefusal {
    /// Longer than [`TICKET_BYTES_MAX`].
    #[error("the ticket is longer than {TICKET_BYTES_MAX} bytes")]
    TooLong,
    /// Not the form of a ticket, or a field that cannot be.
    #[error("the ticket is malformed")]
    Malformed,
    /// Signed by none of the keys: altered, forged, or by a key that is no longer used.
    #[error("the ticket's signature does not verify")]
    BadSignature,
    /// Another version of the claims.
    #[error("the ticket has another version than {VERSION}")]
    WrongVersion,
    /// Valid for longer than [`LIFE_SECONDS_MAX`], or for no time at all.
    #[error("the ticket's life is not within {LIFE_SECONDS_MAX} seconds")]
    LifeTooLong,
    /// Signed later than now, beyond the tolerance.
    #[error("the ticket was issued in the future")]
    IssuedInFuture,
    /// Its time is over.
    #[error("the ticket has expired")]
    Expired,
    /// Seen before.
    #[error("the ticket was used before")]
    Used,
    /// The memory of used tickets is full, so single use could not be kept.
    #[error("too many tickets at once")]
    MemoryFull,
    /// For another host.
    #[error("the ticket is for another host")]
    WrongHost,
    /// For another protocol.
    #[error("the ticket is for another protocol")]
    WrongProtocol,
    /// Something it stands for was closed after it was signed.
    #[error("the ticket was closed")]
    Closed,
}

/// An Ed25519 public key that signs tickets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PublicKey([u8; 32]);

impl PublicKey {
    /// The key with these bytes (RFC 8032 §5.1.5).
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The key in 64 hexadecimal digits, as [`naru_kernel::fleet::Orders::ticket_keys`] has it.
    ///
    /// # Errors
    /// [`TicketRefusal::Malformed`] when it is not that.
    pub fn from_hex(text: &str) -> Result<Self, TicketRefusal> {
        let mut bytes = [0_u8; 32];
        hex::decode_to_slice(text, &mut bytes).map_err(|_| TicketRefusal::Malformed)?;
        Ok(Self(bytes))
    }

    /// 64 lower-case hexadecimal digits.
    #[must_use]
    pub fn to_hex(self) -> String {
        hex::encode(self.0)
    }

    /// The public half of a signing key.
    ///
    /// # Errors
    /// [`TicketRefusal::Malformed`] when the pair's key is not 32 bytes; an Ed25519 key always is.
    pub fn of(pair: &Ed25519KeyPair) -> Result<Self, TicketRefusal> {
        use aws_lc_rs::signature::KeyPair as _;
        let bytes = pair
            .public_key()
            .as_ref()
            .try_into()
            .map_err(|_| TicketRefusal::Malformed)?;
        Ok(Self(bytes))
    }

    fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        UnparsedPublicKey::new(&ED25519, self.0)
            .verify(message, signature)
            .is_ok()
    }
}

/// Signs claims into a ticket's text.
///
/// # Errors
/// The same refusals [`verify`] would give for what the signer itself can see: a malformed field, a
/// wrong version, a life that is too long, a text that is too long.
pub fn sign(claims: &Claims, key: &Ed25519KeyPair) -> Result<String, TicketRefusal> {
    if claims.version != VERSION {
        return Err(TicketRefusal::WrongVersion);
    }
    claims.check_shape()?;
    claims.check_time(claims.issued_at)?;
    let json = serde_json::to_vec(claims).map_err(|_| TicketRefusal::Malformed)?;
    let mut text = URL_SAFE_NO_PAD.encode(json);
    let signature = key.sign(text.as_bytes());
    text.push('.');
    URL_SAFE_NO_PAD.encode_string(signature.as_ref(), &mut text);
    if text.len() > TICKET_BYTES_MAX {
        Err(TicketRefusal::TooLong)
    } else {
        Ok(text)
    }
}

/// Checks a ticket's text against the keys that sign now and the time; says nothing of single use
/// ([`UsedTickets`]) and of closures ([`Claims::is_closed_by`]).
///
/// # Errors
/// The [`TicketRefusal`] that applies first; nothing of the claims is looked at before the signature.
pub fn verify(text: &str, keys: &[PublicKey], now: Timestamp) -> Result<Claims, TicketRefusal> {
    if text.len() > TICKET_BYTES_MAX {
        return Err(TicketRefusal::TooLong);
    }
    let (signed, signature) = text.split_once('.').ok_or(TicketRefusal::Malformed)?;
    let signature = URL_SAFE_NO_PAD
        .decode(signature)
        .map_err(|_| TicketRefusal::Malformed)?;
    let tried = &mut keys.iter().take(PUBLIC_KEYS_MAX);
    if !tried.any(|key| key.verifies(signed.as_bytes(), &signature)) {
        return Err(TicketRefusal::BadSignature);
    }
    let json = URL_SAFE_NO_PAD
        .decode(signed)
        .map_err(|_| TicketRefusal::Malformed)?;
    let version: Version = serde_json::from_slice(&json).map_err(|_| TicketRefusal::Malformed)?;
    if version.version != VERSION {
        return Err(TicketRefusal::WrongVersion);
    }
    let claims: Claims = serde_json::from_slice(&json).map_err(|_| TicketRefusal::Malformed)?;
    claims.check_shape()?;
    claims.check_time(now)?;
    Ok(claims)
}

/// Read first, so that a later version is told from a broken ticket.
#[derive(Deserialize)]
struct Version {
    version: u32,
}

fn is_lower_hex(text: &str, digits: usize) -> bool {
    text.len() == digits && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

fn is_account(text: &str) -> bool {
    let first_fits = text
        .bytes()
        .next()
        .is_some_and(|byte| byte.is_ascii_lowercase() || byte == b'_');
    let rest_fits = text
        .bytes()
        .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_-".contains(&byte));
    first_fits && rest_fits && text.len() <= ACCOUNT_BYTES_MAX
}

#[cfg(test)]
mod tests;
