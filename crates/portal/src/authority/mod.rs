//! The platform's own certificate authority: certifies its doors, gateways and hosts, and nobody else.
//!
//! Made at first start and kept in the installation's secrets, so that all portals of one installation share it. People's
//! certificates have nothing to do with it. Keys are made by the cryptographic library from the system's randomness.

use std::{net::IpAddr, sync::Arc, time::Duration};

use aws_lc_rs::digest::{SHA256, digest};
use naru_desktops::{CertificateRefused, IssuesNodeCertificates, NodeCertificate, NodeCertificateRequest};
use naru_kernel::{Clock, Entropy, Timestamp};
use naru_runtime::tls;
use naru_store::{Act, By, Column, Db, FromRow, Row, params};
use rcgen::{
    BasicConstraints, CertificateParams, CertificateSigningRequestParams, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256,
    PublicKeyData as _, SanType, SerialNumber,
};

/// The authority's own certificate is good for so long.
const AUTHORITY_DAYS: u64 = 3_652;
/// Certificates of doors and nodes are good for so long.
const LEAF_DAYS: u64 = 365;
/// Certificates are good from so long before they were made: clocks differ.
const CLOCK_TOLERANCE_SECONDS: u64 = 3_600;
/// Bytes of an uncompressed P-256 public key (SEC 1 §2.3.3).
const PUBLIC_KEY_BYTES: usize = 65;
/// The authority's certificate and key, one after the other, in PEM.
const SECRET: &str = "portal.authority";

naru_store::sql! {
    READ = "SELECT value FROM secrets WHERE name = $1";
    KEEP = "INSERT INTO secrets (name, value, created_at) VALUES ($1, $2, $3) ON CONFLICT (name) DO NOTHING";
}

/// Why the authority cannot work.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AuthorityError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] naru_store::Error),
    /// A key or certificate could not be made.
    #[error("a certificate could not be made")]
    Make(#[from] rcgen::Error),
    /// What is kept is no certificate with its key.
    #[error("the authority in the store is damaged")]
    Damaged,
    /// A name that no certificate can carry.
    #[error("{0:?} is neither a DNS name nor an IP address")]
    Name(String),
    /// The request is not signed by its own key, or not by one of the kind nodes make.
    #[error("{0}")]
    Request(&'static str),
}

/// The local authority.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate_pem: String,
    sha256: String,
    clock: Arc<dyn Clock>,
}

struct Kept(Vec<u8>);

impl FromRow for Kept {
    fn from_row(row: &Row) -> Result<Self, naru_store::Error> {
        Column::read(row, "value").map(Self)
    }
}

/// Every SQL text of this module.
pub(crate) fn statements() -> impl Iterator<Item = &'static str> {
    ALL.iter().copied()
}

impl Authority {
    /// Takes up the authority of this installation; makes it at first start.
    ///
    /// # Errors
    /// When the store fails or what it keeps is damaged.
    pub async fn open(db: &Db, clock: Arc<dyn Clock>, entropy: &dyn Entropy) -> Result<Self, AuthorityError> {
        let kept = match read(db).await? {
            Some(kept) => kept,
            None => {
                keep(db, make(clock.now(), entropy)?, clock.now()).await?;
                // Another portal may have been first: what is kept counts.
                read(db).await?.ok_or(AuthorityError::Damaged)?
            }
        };
        Self::from_pem(&kept, clock)
    }

    fn from_pem(bundle: &str, clock: Arc<dyn Clock>) -> Result<Self, AuthorityError> {
        let start = bundle
            .find("-----BEGIN PRIVATE KEY-----")
            .ok_or(AuthorityError::Damaged)?;
        let (certificate_pem, key_pem) = bundle.split_at(start);
        let credentials =
            tls::Credentials::from_pem(certificate_pem, key_pem).map_err(|_| AuthorityError::Damaged)?;
        let certificate = credentials.chain.first().ok_or(AuthorityError::Damaged)?;
        let sha256 = sha256(certificate);
        let key = KeyPair::from_pem(key_pem)?;
        let issuer = Issuer::from_ca_cert_pem(certificate_pem, key)?;
        Ok(Self {
            issuer,
            certificate_pem: certificate_pem.to_owned(),
            sha256,
            clock,
        })
    }

    /// Its certificate.
    #[must_use]
    pub fn certificate_pem(&self) -> &str {
        &self.certificate_pem
    }

    /// A new key and a certificate over it for one of our doors, good for a year: the chain (certificate, then
    /// authority) and the key, in PEM. Names are DNS names or IP addresses; the first is the subject too.
    ///
    /// # Errors
    /// When there is no name, or one that no certificate can carry.
    pub fn server_certificate(&self, names: &[String]) -> Result<(String, String), AuthorityError> {
        let subject = names.first().ok_or(AuthorityError::Name(String::new()))?;
        let mut params = leaf(self.clock.now(), subject);
        params.subject_alt_names = names
            .iter()
            .map(|name| alternative(name))
            .collect::<Result<_, _>>()?;
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
        let certificate = params.signed_by(&key, &self.issuer)?;
        Ok((
            format!("{}{}", certificate.pem(), self.certificate_pem),
            key.serialize_pem(),
        ))
    }

    /// A node's certificate, good for a year towards both sides: it names the node as `naru:node/<role>/<id>` and the
    /// host it is reached by. Of the request only the key is taken; what else it asks for is not looked at.
    fn node_certificate(
        &self,
        request: NodeCertificateRequest<'_>,
    ) -> Result<NodeCertificate, AuthorityError> {
        let wanted = CertificateSigningRequestParams::from_pem(request.request_pem)
            .map_err(|_| AuthorityError::Request("not a request signed by its own key"))?;
        let is_p256 = *wanted.public_key.algorithm() == PKCS_ECDSA_P256_SHA256
            && wanted.public_key.der_bytes().len() == PUBLIC_KEY_BYTES;
        if !is_p256 {
            return Err(AuthorityError::Request(
                "the key must be ECDSA on P-256, signing with SHA-256",
            ));
        }
        let id = request.node.to_string();
        let uri = tls::node_uri(request.role, request.node);
        let mut params = leaf(self.clock.now(), &id);
        params.serial_number = id
            .rsplit('_')
            .next()
            .and_then(|digits| hex::decode(digits).ok())
            .map(serial);
        let uri = uri
            .as_str()
            .try_into()
            .map_err(|_| AuthorityError::Name(uri.clone()))?;
        params.subject_alt_names = vec![SanType::URI(uri), alternative(request.server_name)?];
        params.extended_key_usages = vec![
            ExtendedKeyUsagePurpose::ClientAuth,
            ExtendedKeyUsagePurpose::ServerAuth,
        ];
        let certificate = params.signed_by(&wanted.public_key, &self.issuer)?;
        Ok(NodeCertificate {
            sha256: sha256(certificate.der()),
            certificate_pem: certificate.pem(),
            authority_pem: self.certificate_pem.clone(),
        })
    }
}

impl IssuesNodeCertificates for Authority {
    fn issue(&self, request: NodeCertificateRequest<'_>) -> Result<NodeCertificate, CertificateRefused> {
        self.node_certificate(request).map_err(|error| match error {
            AuthorityError::Request(_) | AuthorityError::Name(_) => {
                CertificateRefused::Request(error.to_string())
            }
            AuthorityError::Store(_) | AuthorityError::Make(_) | AuthorityError::Damaged => {
                CertificateRefused::Authority(error.to_string())
            }
        })
    }

    fn authority_sha256(&self) -> String {
        self.sha256.clone()
    }
}

/// A new authority: certificate, then key.
fn make(now: Timestamp, entropy: &dyn Entropy) -> Result<String, AuthorityError> {
    let (mut installation, mut number) = ([0; 8], vec![0; 16]);
    entropy.fill(&mut installation);
    entropy.fill(&mut number);
    let mut params = valid(now, AUTHORITY_DAYS);
    let name = format!("Naru local authority {}", hex::encode(installation));
    params.distinguished_name.push(DnType::CommonName, name);
    params.serial_number = Some(serial(number));
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
    let certificate = params.self_signed(&key)?;
    Ok(format!("{}{}", certificate.pem(), key.serialize_pem()))
}

async fn read(db: &Db) -> Result<Option<String>, AuthorityError> {
    let row: Option<Kept> = db.optional(READ, params![SECRET]).await?;
    row.map(|kept| String::from_utf8(kept.0).map_err(|_| AuthorityError::Damaged))
        .transpose()
}

async fn keep(db: &Db, bundle: String, now: Timestamp) -> Result<(), AuthorityError> {
    let act = Act {
        at: now,
        action: "portal.make-authority",
        by: By::Platform("portal"),
        ministry: None,
        subject: SECRET.to_owned(),
        address: None,
    };
    db.change(act, move |tx| {
        Box::pin(async move {
            let rows = tx.exec(KEEP, params![SECRET, bundle.into_bytes(), now]).await?;
            tx.note("kept", rows > 0);
            Ok::<_, AuthorityError>(())
        })
    })
    .await
}

fn leaf(now: Timestamp, subject: &str) -> CertificateParams {
    let mut params = valid(now, LEAF_DAYS);
    params.distinguished_name.push(DnType::CommonName, subject);
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.use_authority_key_identifier_extension = true;
    params
}

fn valid(now: Timestamp, days: u64) -> CertificateParams {
    let seconds = u64::try_from(now.as_seconds()).unwrap_or_default();
    let from = seconds.saturating_sub(CLOCK_TOLERANCE_SECONDS);
    let until = seconds.saturating_add(days.saturating_mul(86_400));
    let epoch = rcgen::date_time_ymd(1970, 1, 1);
    let mut params = CertificateParams::default();
    params.not_before = epoch + Duration::from_secs(from);
    params.not_after = epoch + Duration::from_secs(until);
    params.distinguished_name = DistinguishedName::new();
    params
}

/// A serial number is positive (RFC 5280 §4.1.2.2): its first bit is cleared, and it is not zero.
fn serial(mut bytes: Vec<u8>) -> SerialNumber {
    if let Some(first) = bytes.first_mut() {
        *first = *first & 0x7f | 0x40;
    }
    SerialNumber::from_slice(&bytes)
}

fn alternative(name: &str) -> Result<SanType, AuthorityError> {
    if let Ok(address) = name.parse::<IpAddr>() {
        return Ok(SanType::IpAddress(address));
    }
    let is_name = !name.is_empty()
        && name.len() <= 253
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-.".contains(&byte));
    let name_for_error = || AuthorityError::Name(name.to_owned());
    if !is_name {
        return Err(name_for_error());
    }
    Ok(SanType::DnsName(name.try_into().map_err(|_| name_for_error())?))
}

fn sha256(der: &[u8]) -> String {
    hex::encode(digest(&SHA256, der))
}

#[cfg(test)]
mod tests;
