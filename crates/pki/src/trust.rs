//! What the platform believes: profiles with their authorities, and the revocation lists those have signed.

use std::{collections::BTreeSet, sync::Arc};

use const_oid::ObjectIdentifier;

use crate::{
    Error, Profile,
    certificate::Certificate,
    crl::{Crl, CrlFacts, Crls},
    profile::RSA_BITS_FLOOR,
    refusal::Malformed,
    signature::PublicKey,
};

/// A profile with its certificates read.
#[derive(Debug)]
pub(crate) struct Prepared {
    pub(crate) profile: Profile,
    pub(crate) policies: BTreeSet<ObjectIdentifier>,
    pub(crate) roots: Vec<Certificate>,
    pub(crate) intermediates: Vec<Certificate>,
}

/// Profiles and revocation lists, ready to judge certificates. Cloning is cheap: to load a new list, clone, load
/// into the clone, and put the clone in the old one's place.
#[derive(Clone, Debug)]
pub struct Trust {
    pub(crate) profiles: Arc<Vec<Prepared>>,
    pub(crate) crls: Crls,
}

impl Trust {
    /// Revocation lists above this many bytes are refused unread.
    pub const CRL_BYTES_MAX: usize = 64 * 1_024 * 1_024;
    /// No profile may name more authorities.
    pub const AUTHORITIES_MAX: usize = 64;

    /// Prepares profiles. `read` is asked for the bytes of every authority that is not given as PEM text.
    ///
    /// # Errors
    /// [`Error::Unreadable`], [`Error::NotAnAuthority`] or [`Error::Profile`], naming the profile.
    pub fn new(profiles: &[Profile], read: impl Fn(&str) -> Option<Vec<u8>>) -> Result<Self, Error> {
        let prepared = profiles
            .iter()
            .map(|profile| prepare(profile, &read))
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Self {
            profiles: Arc::new(prepared),
            crls: Crls::default(),
        })
    }

    /// Loads a revocation list (DER or PEM) in place of an older one of the same issuer and scope.
    ///
    /// Its signature is checked once, here, so its issuer must be a root or an intermediate of a profile.
    ///
    /// # Errors
    /// One of the `Crl…` variants of [`Error`]; what was loaded before stays.
    pub fn load_crl(&mut self, bytes: &[u8]) -> Result<CrlFacts, Error> {
        if bytes.len() > Self::CRL_BYTES_MAX {
            return Err(Error::CrlTooLarge);
        }
        let crl = Crl::read_any(bytes).map_err(|Malformed| Error::CrlMalformed)?;
        let mut known = false;
        let mut signer = None;
        for authority in self
            .authorities()
            .filter(|authority| authority.subject_key == crl.issuer_key)
        {
            known = true;
            let may = authority
                .extensions
                .key_usage
                .is_none_or(|usage| usage.crl_sign());
            let is_strong = authority.key.is_strong(RSA_BITS_FLOOR);
            if may && is_strong && crl.is_signed_by(&authority.key) {
                signer = Some(authority.key.clone());
                break;
            }
        }
        let signer: PublicKey = match signer {
            Some(signer) => signer,
            None if known => return Err(Error::CrlForged),
            None => return Err(Error::CrlIssuerUnknown),
        };
        self.crls.insert(crl.trusted(signer))
    }

    /// Whether a loaded list revokes the certificate that this issuer (RFC 4514 text) gave this serial number
    /// (hexadecimal, as [`crate::VerifiedCertificate::serial`]): for those that were accepted before the list came.
    ///
    /// Goes by the issuer's name; two authorities of one name answer for each other.
    #[must_use]
    pub fn revokes(&self, issuer: &str, serial: &str) -> bool {
        let (Some(issuer), Ok(serial)) = (crate::name::fold_text(issuer), hex::decode(serial)) else {
            return false;
        };
        self.crls.revokes(&issuer, &serial)
    }

    /// What is known of each loaded revocation list.
    #[must_use]
    pub fn crl_facts(&self) -> Vec<CrlFacts> {
        self.crls.facts()
    }

    /// The names of the profiles, in order.
    pub fn profile_names(&self) -> impl Iterator<Item = &str> {
        self.profiles
            .iter()
            .map(|prepared| prepared.profile.name.as_str())
    }

    /// The roots' and intermediates' DER, for a TLS server that asks for client certificates.
    #[must_use]
    pub fn authority_certificates(&self) -> Vec<Vec<u8>> {
        self.authorities()
            .map(|authority| authority.der.clone())
            .collect()
    }

    fn authorities(&self) -> impl Iterator<Item = &Certificate> {
        self.profiles
            .iter()
            .flat_map(|prepared| prepared.roots.iter().chain(&prepared.intermediates))
    }
}

fn prepare(profile: &Profile, read: &impl Fn(&str) -> Option<Vec<u8>>) -> Result<Prepared, Error> {
    let wrong = |what| Error::Profile {
        profile: profile.name.clone(),
        what,
    };
    if profile.name.is_empty() {
        return Err(wrong("the profile has no name"));
    }
    if profile.roots.is_empty() {
        return Err(wrong("the profile has no root"));
    }
    if profile.roots.len() + profile.intermediates.len() > Trust::AUTHORITIES_MAX {
        return Err(wrong("the profile has more than 64 authorities"));
    }
    if profile.rsa_bits_min < RSA_BITS_FLOOR {
        return Err(wrong("rsa_bits_min is below 2048"));
    }
    if profile.key_usage.is_empty() {
        return Err(wrong(
            "key_usage is empty, so that encryption certificates could log on",
        ));
    }
    let policies = profile.policies.iter().map(|text| ObjectIdentifier::new(text));
    let policies = policies
        .collect::<Result<_, _>>()
        .map_err(|_| wrong("a policy is no dotted number"))?;
    let load = |names: &[String]| {
        names
            .iter()
            .map(|name| authority(profile, name, read))
            .collect::<Result<Vec<_>, _>>()
    };
    let (roots, intermediates) = (load(&profile.roots)?, load(&profile.intermediates)?);
    if !roots
        .iter()
        .chain(&intermediates)
        .all(|authority| authority.key.is_strong(profile.rsa_bits_min))
    {
        return Err(wrong("an authority's key is too weak"));
    }
    Ok(Prepared {
        policies,
        roots,
        intermediates,
        profile: profile.clone(),
    })
}

fn authority(
    profile: &Profile,
    name: &str,
    read: &impl Fn(&str) -> Option<Vec<u8>>,
) -> Result<Certificate, Error> {
    let is_inline = name.trim_start().starts_with("-----BEGIN");
    // An inline certificate is named by its first line in messages.
    let label = || name.lines().next().unwrap_or_default().to_owned();
    let bytes = if is_inline {
        Some(name.as_bytes().to_vec())
    } else {
        read(name)
    };
    let bytes = bytes.ok_or_else(|| Error::Unreadable {
        profile: profile.name.clone(),
        name: label(),
    })?;
    Certificate::read_any(&bytes)
        .ok()
        .filter(|certificate| certificate.is_authority() && !certificate.extensions.unknown_critical)
        .ok_or_else(|| Error::NotAnAuthority {
            profile: profile.name.clone(),
            name: label(),
        })
}
