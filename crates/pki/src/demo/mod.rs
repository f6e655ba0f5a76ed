//! A certification authority in the shape of the government's, for the demo and for tests.
//!
//! Root, issuing authority, revocation lists, and for each person a signing and an encryption certificate with
//! key files and a PKCS#12. Names, policies and file names are GPKI's; nobody outside trusts them.
//!
//! Serial numbers and salts come from the given [`Entropy`]; keys and ECDSA signatures draw on the cryptographic
//! library's own randomness, so that two runs never make the same key. This is the one place in the engine
//! where the result is not decided by the arguments.

mod flaw;
pub(crate) mod issue;
mod keys;
mod pkcs12;
mod sign;

use naru_kernel::{Entropy, Seconds, Timestamp};
use zeroize::Zeroizing;

use self::issue::{Body, person_name};
pub use self::{
    flaw::Flaw,
    keys::{DemoKey, KeyKind},
    sign::{SignStyle, sign_cms, sign_cms_as},
};
use crate::{
    CommonNameRule, Error, KeyUse, Profile, Reason, RevocationRule, Trust,
    certificate::Certificate,
    keyfile::{self, KeyFileFormat},
    profile::RSA_BITS_FLOOR,
    refusal::Malformed,
};

/// The policy of a civil servant's certificate.
pub const CIVIL_SERVANT_POLICY: &str = "1.2.410.100001.2.2.1";
/// The policy of an agency's computer, which is no person.
pub const COMPUTER_POLICY: &str = "1.2.410.100001.2.1.2";
/// The name under which the demo's issuing authority is known.
pub const ISSUING_NAME: &str = "CA131000099";
const ROOT_NAME: &str = "Naru Demo RootCA";
const AUTHORITY_DAYS: i64 = 3_650;
/// GPKI's own number.
const KEY_FILE_ITERATIONS: u32 = 2_048;
const PKCS12_ITERATIONS: u32 = 10_000;

/// A person to make certificates for.
#[derive(Clone, PartialEq, Eq)]
pub struct DemoPerson {
    /// The ministry's name, an OU of the subject, such as `행정안전부`.
    pub ministry: String,
    /// Three digits.
    pub agency_code: String,
    /// The person's name.
    pub name: String,
    /// Tells people of one name apart; written with three digits.
    pub sequence: u16,
    /// Opens the key files and the PKCS#12.
    pub password: String,
}

impl core::fmt::Debug for DemoPerson {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_tuple("DemoPerson").field(&self.common_name()).finish()
    }
}

impl DemoPerson {
    /// Such as `085홍길동001`.
    #[must_use]
    pub fn common_name(&self) -> String {
        format!("{}{}{:03}", self.agency_code, self.name, self.sequence)
    }

    /// The subject in RFC 4514 text.
    #[must_use]
    pub fn subject(&self) -> String {
        use der::Decode as _;
        x509_cert::name::Name::from_der(&person_name(self))
            .map(|name| crate::name::text(&name))
            .unwrap_or_default()
    }
}

/// What to make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DemoOptions {
    /// Keys of people and authorities. GPKI has RSA; P-256 is made in no time, for tests.
    pub keys: KeyKind,
    /// Whether certificatePolicies is marked critical, as NPKI does.
    pub critical_policies: bool,
    /// How long people's certificates are valid.
    pub person_days: u32,
    /// How long a revocation list is current.
    pub crl_hours: u32,
}

impl Default for DemoOptions {
    fn default() -> Self {
        Self {
            keys: KeyKind::Rsa2048,
            critical_policies: false,
            person_days: 730,
            crl_hours: 24 * 7,
        }
    }
}

/// A certificate with its key and the file the person would have.
#[derive(Clone)]
pub struct DemoCertificate {
    /// DER: the content of `_sig.cer` or `_env.cer`.
    pub certificate: Vec<u8>,
    /// The private key, PKCS#8, not encrypted.
    pub key: DemoKey,
    /// The key encrypted with the person's password: the content of `_sig.key` or `_env.key`.
    pub key_file: Vec<u8>,
}

impl DemoCertificate {
    /// The serial number as [`crate::VerifiedCertificate::serial`] writes it.
    #[must_use]
    pub fn serial(&self) -> String {
        Certificate::read(&self.certificate)
            .map(|certificate| certificate.serial_hex())
            .unwrap_or_default()
    }
}

/// What a person carries: the pair of GPKI, and the signing half as PKCS#12.
#[derive(Clone)]
pub struct DemoIdentity {
    /// Whose.
    pub person: DemoPerson,
    /// For signing: `_sig`.
    pub sign: DemoCertificate,
    /// For encryption: `_env`. It must not log on.
    pub envelope: DemoCertificate,
    /// Signing certificate, issuing authority's certificate and key under the person's password.
    pub pkcs12: Vec<u8>,
}

/// An authority's certificate and key.
#[derive(Clone)]
pub struct DemoAuthority {
    /// DER.
    pub certificate: Vec<u8>,
    /// Signs certificates and lists.
    pub key: DemoKey,
}

/// A file to write. Those with a secret are for their owner's eyes only (mode 0600).
#[derive(Clone)]
pub struct DemoFile {
    /// Relative path with `/`.
    pub path: String,
    /// Content.
    pub bytes: Zeroizing<Vec<u8>>,
    /// Whether it holds a key, encrypted or not.
    pub is_secret: bool,
}

/// The whole demo authority.
#[derive(Clone)]
pub struct DemoPki {
    /// The trust anchor.
    pub root: DemoAuthority,
    /// Issues people's certificates.
    pub issuing: DemoAuthority,
    /// The people made at the start.
    pub people: Vec<DemoIdentity>,
    /// What it was made with.
    pub options: DemoOptions,
    /// What the issuing authority's next list will name.
    pub revoked: Vec<Revoked>,
}

/// An entry of the issuing authority's list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revoked {
    /// The certificate's serial number, big-endian.
    pub serial: Vec<u8>,
    /// When.
    pub at: Timestamp,
    /// Why.
    pub reason: Reason,
}

/// Makes authority and people. An RSA pair takes about a tenth of a second; each person has two.
///
/// # Errors
/// [`Error::DemoText`] for a person whose data do not fit a certificate, [`Error::Crypto`] if no key can be made.
pub fn make(
    now: Timestamp,
    entropy: &dyn Entropy,
    people: &[DemoPerson],
    options: DemoOptions,
) -> Result<DemoPki, Error> {
    let root = issue::root(now, entropy, options)?;
    let issuing = issue::issuing(&root, now, entropy, options)?;
    let mut pki = DemoPki {
        root,
        issuing,
        people: Vec::new(),
        options,
        revoked: Vec::new(),
    };
    for person in people {
        let identity = pki.issue(person, now, entropy)?;
        pki.people.push(identity);
    }
    Ok(pki)
}

impl DemoPki {
    /// Takes up an authority made earlier, from its certificates, PKCS#8 keys and the issuing authority's last
    /// revocation list, whose entries are kept.
    ///
    /// # Errors
    /// [`Error::KeyFileMalformed`], [`Error::CrlMalformed`] or [`Error::NotAnAuthority`].
    pub fn reopen(
        root: (&[u8], &[u8]),
        issuing: (&[u8], &[u8]),
        crl: &[u8],
        options: DemoOptions,
    ) -> Result<Self, Error> {
        let open = |(certificate, key): (&[u8], &[u8]), name: &str| {
            Certificate::read(certificate)
                .ok()
                .filter(Certificate::is_authority)
                .ok_or_else(|| Error::NotAnAuthority {
                    profile: "demo".to_owned(),
                    name: name.to_owned(),
                })?;
            Ok(DemoAuthority {
                certificate: certificate.to_vec(),
                key: DemoKey::from_pkcs8(key)?,
            })
        };
        Ok(Self {
            root: open(root, ROOT_NAME)?,
            issuing: open(issuing, ISSUING_NAME)?,
            people: Vec::new(),
            options,
            revoked: crate::crl::revoked_in(crl).map_err(|Malformed| Error::CrlMalformed)?,
        })
    }

    /// Makes one more person's certificates.
    ///
    /// # Errors
    /// As [`make`].
    pub fn issue(
        &self,
        person: &DemoPerson,
        now: Timestamp,
        entropy: &dyn Entropy,
    ) -> Result<DemoIdentity, Error> {
        let body = Body::person(person, now, self.options)?;
        self.identity(person, &body, &self.issuing, entropy)
    }

    /// Makes both halves of a pair after `body`, signed by `issuer`.
    fn identity(
        &self,
        person: &DemoPerson,
        body: &Body,
        issuer: &DemoAuthority,
        entropy: &dyn Entropy,
    ) -> Result<DemoIdentity, Error> {
        let make = |body: &Body| {
            let key = DemoKey::generate(self.options.keys)?;
            let certificate = body.certificate(&key, issuer, entropy)?;
            certificate_with_file(certificate, key, &person.password, entropy)
        };
        let sign = make(body)?;
        let envelope = make(&body.for_encryption())?;
        let pkcs12 = pkcs12::make(&sign, &self.issuing, person, PKCS12_ITERATIONS, entropy)?;
        Ok(DemoIdentity {
            person: person.clone(),
            sign,
            envelope,
            pkcs12,
        })
    }

    /// Puts a serial number (as [`DemoCertificate::serial`] gives it) on the next list. A second time changes
    /// nothing.
    pub fn revoke(&mut self, serial: &str, at: Timestamp, reason: Reason) {
        let Ok(serial) = hex::decode(serial) else { return };
        if self.revoked.iter().all(|known| known.serial != serial) {
            self.revoked.push(Revoked { serial, at, reason });
        }
    }

    /// Fresh lists: the root's about authorities, and the issuing authority's about people.
    ///
    /// # Errors
    /// [`Error::Crypto`] if signing fails.
    pub fn crls(&self, now: Timestamp) -> Result<[Vec<u8>; 2], Error> {
        let due = now + Seconds::hours(i64::from(self.options.crl_hours));
        Ok([
            issue::crl(&self.root, &[], issue::Part::Authorities, now, due)?,
            issue::crl(&self.issuing, &self.revoked, issue::Part::People, now, due)?,
        ])
    }

    /// The profile that accepts the demo's people.
    #[must_use]
    pub fn profile(&self) -> Profile {
        Profile {
            name: "demo".to_owned(),
            roots: vec![pem(&self.root.certificate)],
            intermediates: vec![pem(&self.issuing.certificate)],
            policies: vec![CIVIL_SERVANT_POLICY.to_owned()],
            key_usage: vec![KeyUse::DigitalSignature],
            rsa_bits_min: RSA_BITS_FLOOR,
            common_name: CommonNameRule::AgencyNameSequence {
                agency_digits: 3,
                sequence_digits: 3,
            },
            revocation: RevocationRule::default(),
        }
    }

    /// The profile with fresh lists loaded.
    ///
    /// # Errors
    /// As [`Trust::new`] and [`Trust::load_crl`].
    pub fn trust(&self, now: Timestamp) -> Result<Trust, Error> {
        let mut trust = Trust::new(&[self.profile()], |_| None)?;
        for crl in self.crls(now)? {
            trust.load_crl(&crl)?;
        }
        Ok(trust)
    }

    /// Everything as files: `authority/…`, and `people/<common name>/…` in GPKI's own layout.
    ///
    /// # Errors
    /// [`Error::Crypto`] if the lists cannot be signed.
    pub fn files(&self, now: Timestamp) -> Result<Vec<DemoFile>, Error> {
        let file = |path: String, bytes: &[u8], is_secret| DemoFile {
            path,
            bytes: Zeroizing::new(bytes.to_vec()),
            is_secret,
        };
        let [root_crl, crl] = self.crls(now)?;
        let mut out = vec![
            file("authority/root.cer".to_owned(), &self.root.certificate, false),
            file("authority/root.key".to_owned(), self.root.key.pkcs8(), true),
            file("authority/root.crl".to_owned(), &root_crl, false),
            file(
                format!("authority/{ISSUING_NAME}.cer"),
                &self.issuing.certificate,
                false,
            ),
            file(
                format!("authority/{ISSUING_NAME}.key"),
                self.issuing.key.pkcs8(),
                true,
            ),
            file(format!("authority/{ISSUING_NAME}.crl"), &crl, false),
        ];
        for identity in &self.people {
            out.extend(identity.files());
        }
        Ok(out)
    }
}

impl DemoIdentity {
    /// The files a person has on their disk or stick.
    #[must_use]
    pub fn files(&self) -> Vec<DemoFile> {
        let name = self.person.common_name();
        let folder = format!("people/{name}/GPKI/Certificate/class2/{name}");
        let file = |path: String, bytes: &[u8], is_secret| DemoFile {
            path,
            bytes: Zeroizing::new(bytes.to_vec()),
            is_secret,
        };
        vec![
            file(format!("{folder}_sig.cer"), &self.sign.certificate, false),
            file(format!("{folder}_sig.key"), &self.sign.key_file, true),
            file(format!("{folder}_env.cer"), &self.envelope.certificate, false),
            file(format!("{folder}_env.key"), &self.envelope.key_file, true),
            file(format!("people/{name}/{name}.p12"), &self.pkcs12, true),
        ]
    }
}

fn certificate_with_file(
    certificate: Vec<u8>,
    key: DemoKey,
    password: &str,
    entropy: &dyn Entropy,
) -> Result<DemoCertificate, Error> {
    let mut random = [0; 20];
    entropy.fill(&mut random);
    let with_random =
        keyfile::with_random(key.pkcs8(), &random).map_err(|Malformed| Error::KeyFileMalformed)?;
    let format = KeyFileFormat::Pbes1Seed;
    let key_file = keyfile::encrypt(&with_random, password, format, KEY_FILE_ITERATIONS, entropy)?;
    Ok(DemoCertificate {
        certificate,
        key,
        key_file,
    })
}

/// A certificate as PEM text, as a profile takes it.
fn pem(certificate: &[u8]) -> String {
    der::pem::encode_string("CERTIFICATE", der::pem::LineEnding::LF, certificate).unwrap_or_default()
}
