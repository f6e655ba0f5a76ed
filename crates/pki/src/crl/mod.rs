//! Revocation lists (RFC 5280 5): read once into a sorted table, asked many times.
//!
//! A list counts for a certificate when the same key signed both and the list's scope covers it. GPKI and NPKI
//! split their lists: each certificate names its part (cRLDistributionPoints), each part says which it is
//! (issuingDistributionPoint). No part that covers a certificate means that nothing is known about it.

mod read;
mod scope;

use std::sync::Arc;

use naru_kernel::{Seconds, Timestamp};
use serde::{Deserialize, Serialize};

use self::scope::Scope;
use crate::{
    Error, Refusal, RevocationRule, WhenMissing, asn1,
    certificate::Certificate,
    refusal::Malformed,
    signature::{PublicKey, Scheme},
};

/// How far the clock of an authority may be ahead of ours.
const CLOCK_SKEW_MAX: Seconds = Seconds::minutes(5);
/// No trust holds more lists.
const CRLS_MAX: usize = 1_024;

/// Why an authority revoked a certificate (RFC 5280 5.3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[expect(
    missing_docs,
    reason = "the words are those of RFC 5280 5.3.1 and explain themselves"
)]
pub enum Reason {
    Unspecified,
    KeyCompromise,
    CaCompromise,
    AffiliationChanged,
    Superseded,
    CessationOfOperation,
    CertificateHold,
    PrivilegeWithdrawn,
    AaCompromise,
}

impl Reason {
    const ALL: [(u8, Self); 9] = [
        (0, Self::Unspecified),
        (1, Self::KeyCompromise),
        (2, Self::CaCompromise),
        (3, Self::AffiliationChanged),
        (4, Self::Superseded),
        (5, Self::CessationOfOperation),
        (6, Self::CertificateHold),
        (9, Self::PrivilegeWithdrawn),
        (10, Self::AaCompromise),
    ];

    /// From the number in the list; unknown numbers are taken as unspecified, which is still revoked.
    fn of(number: u8) -> Self {
        Self::ALL
            .iter()
            .find(|(known, _)| *known == number)
            .map_or(Self::Unspecified, |(_, reason)| *reason)
    }

    /// The number for a list.
    pub(crate) fn number(self) -> u8 {
        Self::ALL
            .iter()
            .find(|(_, reason)| *reason == self)
            .map_or(0, |(number, _)| *number)
    }
}

/// How well the verdict "not revoked" is founded.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum RevocationState {
    /// A list within its time covers the certificate.
    Current,
    /// The list is past its nextUpdate but within the profile's grace.
    Stale,
    /// No list covers it, and the profile accepts that.
    Unchecked,
}

/// What is known of a loaded list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CrlFacts {
    /// The issuer's folded name.
    pub issuer: String,
    /// When it was made.
    pub this_update: Timestamp,
    /// When the next one is due.
    pub next_update: Timestamp,
    /// How many certificates it revokes.
    pub entries: usize,
    /// Names of the part it covers; empty: all of the issuer's.
    pub distribution_points: Vec<String>,
}

/// One revoked certificate: 32 bytes, whatever the authority wrote about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    serial: Serial,
    at: Timestamp,
    reason: u8,
}

/// A serial number's DER value, padded; RFC 5280 allows 20 bytes, some authorities write a sign byte more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Serial {
    length: u8,
    bytes: [u8; 21],
}

impl Serial {
    fn of(value: &[u8]) -> Option<Self> {
        let mut bytes = [0; 21];
        bytes.get_mut(..value.len())?.copy_from_slice(value);
        Some(Self {
            length: u8::try_from(value.len()).ok()?,
            bytes,
        })
    }
}

/// A list that could be read; not believed yet.
#[derive(Debug)]
pub(crate) struct Crl {
    pub(crate) issuer_key: String,
    this_update: Timestamp,
    next_update: Timestamp,
    scope: Scope,
    entries: Vec<Entry>,
    der: Vec<u8>,
    scheme: Scheme,
}

/// A list whose signature was checked with `signer`.
#[derive(Debug)]
pub(crate) struct TrustedCrl {
    issuer_key: String,
    signer: PublicKey,
    this_update: Timestamp,
    next_update: Timestamp,
    scope: Scope,
    entries: Vec<Entry>,
}

impl Crl {
    /// Reads DER or PEM.
    pub(crate) fn read_any(bytes: &[u8]) -> Result<Self, Malformed> {
        if bytes.trim_ascii_start().starts_with(b"-----BEGIN") {
            let (label, der) = der::pem::decode_vec(bytes.trim_ascii()).map_err(|_| Malformed)?;
            return if label == "X509 CRL" {
                read::crl(der)
            } else {
                Err(Malformed)
            };
        }
        read::crl(bytes.to_vec())
    }

    pub(crate) fn is_signed_by(&self, key: &PublicKey) -> bool {
        asn1::signed(&self.der).is_ok_and(|outer| key.signed(self.scheme, outer.body.whole, outer.signature))
    }

    /// Keeps what is needed to answer. The bytes, which may be many, are let go.
    pub(crate) fn trusted(self, signer: PublicKey) -> TrustedCrl {
        TrustedCrl {
            issuer_key: self.issuer_key,
            signer,
            this_update: self.this_update,
            next_update: self.next_update,
            scope: self.scope,
            entries: self.entries,
        }
    }
}

/// The loaded lists.
#[derive(Clone, Debug, Default)]
pub(crate) struct Crls {
    lists: Vec<Arc<TrustedCrl>>,
}

impl Crls {
    pub(crate) fn insert(&mut self, crl: TrustedCrl) -> Result<CrlFacts, Error> {
        let facts = crl.facts();
        let is_full = self.lists.len() >= CRLS_MAX;
        let same = self.lists.iter_mut().find(|old| {
            old.issuer_key == crl.issuer_key && old.signer == crl.signer && old.scope == crl.scope
        });
        match same {
            // Going back to an older list would forget revocations.
            Some(old) if old.this_update > crl.this_update => return Err(Error::CrlOlder),
            Some(old) => *old = Arc::new(crl),
            None if is_full => return Err(Error::CrlTooLarge),
            None => self.lists.push(Arc::new(crl)),
        }
        Ok(facts)
    }

    /// Whether a list of this issuer (folded name) holds the serial number, whose DER value may have a leading zero.
    pub(crate) fn revokes(&self, issuer_key: &str, serial: &[u8]) -> bool {
        let signed = [&[0], serial].concat();
        let spellings = [Serial::of(serial), Serial::of(&signed)];
        self.lists
            .iter()
            .filter(|crl| crl.issuer_key == issuer_key)
            .any(|crl| {
                spellings
                    .iter()
                    .flatten()
                    .any(|serial| crl.entry(*serial).is_some())
            })
    }

    pub(crate) fn facts(&self) -> Vec<CrlFacts> {
        self.lists.iter().map(|crl| crl.facts()).collect()
    }

    /// Whether `certificate`, issued by `issuer`, may still be used.
    pub(crate) fn judge(
        &self,
        certificate: &Certificate,
        issuer: &Certificate,
        rule: &RevocationRule,
        now: Timestamp,
    ) -> Result<RevocationState, Refusal> {
        let serial = Serial::of(&certificate.serial).ok_or(Refusal::CertificateMalformed)?;
        let mut next_update: Option<Timestamp> = None;
        for crl in &self.lists {
            let is_issuers = crl.issuer_key == certificate.issuer_key && crl.signer == issuer.key;
            if !is_issuers || !crl.scope.covers(certificate) || crl.this_update > now + CLOCK_SKEW_MAX {
                continue;
            }
            // Even a stale list is right about what it revokes.
            if let Some(entry) = crl.entry(serial) {
                return Err(Refusal::Revoked {
                    at: entry.at,
                    reason: Reason::of(entry.reason),
                });
            }
            next_update = next_update.max(Some(crl.next_update));
        }
        match next_update {
            None if rule.when_missing == WhenMissing::Accept => Ok(RevocationState::Unchecked),
            None => Err(Refusal::RevocationUnknown),
            Some(due) if now <= due => Ok(RevocationState::Current),
            Some(due) if now <= due + Seconds::hours(i64::from(rule.refuse_when_stale_hours)) => {
                Ok(RevocationState::Stale)
            }
            Some(_) => Err(Refusal::CrlStale),
        }
    }
}

impl TrustedCrl {
    fn entry(&self, serial: Serial) -> Option<&Entry> {
        let at = self
            .entries
            .binary_search_by(|entry| entry.serial.cmp(&serial))
            .ok()?;
        self.entries.get(at)
    }

    fn facts(&self) -> CrlFacts {
        CrlFacts {
            issuer: self.issuer_key.clone(),
            this_update: self.this_update,
            next_update: self.next_update,
            entries: self.entries.len(),
            distribution_points: self.scope.names(),
        }
    }
}

/// The entries of a list of the demo's authority, to be carried over into its next.
pub(crate) fn revoked_in(bytes: &[u8]) -> Result<Vec<crate::demo::Revoked>, Malformed> {
    let entries = Crl::read_any(bytes)?.entries;
    let revoked = entries.iter().map(|entry| crate::demo::Revoked {
        serial: entry
            .serial
            .bytes
            .iter()
            .take(usize::from(entry.serial.length))
            .copied()
            .collect(),
        at: entry.at,
        reason: Reason::of(entry.reason),
    });
    Ok(revoked.collect())
}
