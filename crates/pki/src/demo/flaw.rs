//! Certificates that must be refused, one for each cause.

use const_oid::ObjectIdentifier;
use naru_kernel::{Entropy, Seconds, Timestamp};

use super::{
    Body, COMPUTER_POLICY, DemoIdentity, DemoKey, DemoPerson, DemoPki, certificate_with_file, issue,
};
use crate::{Error, Reason, write};

/// What is wrong with a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// Its time is over.
    Expired,
    /// Its time has not come.
    NotYetValid,
    /// It is on the revocation list (the next one made).
    Revoked,
    /// The signing half is an encryption certificate.
    EncryptionOnly,
    /// It was issued to a computer.
    WrongPolicy,
    /// It names no policy at all.
    NoPolicy,
    /// It comes from another root.
    UnknownRoot,
    /// It names the right issuer, but another key signed it.
    ForgedIssuer,
    /// Its key is RSA with 1,024 bits.
    WeakKey,
    /// The key beside it is another certificate's.
    AnotherKey,
    /// It has a critical extension nobody knows.
    UnknownCritical,
    /// It says that it is an authority.
    Authority,
}

impl Flaw {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::Expired,
        Self::NotYetValid,
        Self::Revoked,
        Self::EncryptionOnly,
        Self::WrongPolicy,
        Self::NoPolicy,
        Self::UnknownRoot,
        Self::ForgedIssuer,
        Self::WeakKey,
        Self::AnotherKey,
        Self::UnknownCritical,
        Self::Authority,
    ];

    /// The code of the refusal it must meet.
    #[must_use]
    pub const fn expected(self) -> &'static str {
        match self {
            Self::Expired => "certificate-expired",
            Self::NotYetValid => "certificate-not-yet-valid",
            Self::Revoked => "certificate-revoked",
            Self::EncryptionOnly | Self::Authority => "certificate-wrong-usage",
            Self::WrongPolicy | Self::NoPolicy => "certificate-wrong-policy",
            Self::UnknownRoot => "certificate-unknown-root",
            Self::ForgedIssuer => "certificate-forged-issuer",
            Self::WeakKey => "certificate-weak-key",
            Self::AnotherKey => "signature-wrong",
            Self::UnknownCritical => "certificate-critical-extension",
        }
    }
}

impl DemoPki {
    /// Makes a person's certificates with a flaw.
    ///
    /// # Errors
    /// As [`super::make`].
    pub fn flawed(
        &mut self,
        person: &DemoPerson,
        flaw: Flaw,
        now: Timestamp,
        entropy: &dyn Entropy,
    ) -> Result<DemoIdentity, Error> {
        let mut body = Body::person(person, now, self.options)?;
        let mut issuer = self.issuing.clone();
        match flaw {
            Flaw::Expired => {
                body.not_before = now - Seconds::hours(48);
                body.not_after = now - Seconds(1);
            }
            Flaw::NotYetValid => body.not_before = now + Seconds::minutes(5),
            Flaw::EncryptionOnly => body = body.for_encryption(),
            Flaw::WrongPolicy => body.policy = Some(COMPUTER_POLICY),
            Flaw::NoPolicy => body.policy = None,
            // Under another name too, or the certificate would count as forged.
            Flaw::UnknownRoot => issuer = issue::named_root("Another RootCA", now, entropy, self.options)?,
            Flaw::ForgedIssuer => issuer.key = DemoKey::generate(self.options.keys)?,
            Flaw::UnknownCritical => {
                let number = ObjectIdentifier::new("1.2.410.100001.999").map_err(|_| Error::Crypto)?;
                body.more.push(issue::extension(number, true, &write::null()));
            }
            Flaw::Authority => body.be_authority(),
            Flaw::Revoked | Flaw::WeakKey | Flaw::AnotherKey => {}
        }
        let mut identity = self.identity(person, &body, &issuer, entropy)?;
        match flaw {
            Flaw::Revoked => {
                self.revoke(
                    &identity.sign.serial(),
                    now - Seconds::minutes(1),
                    Reason::KeyCompromise,
                );
            }
            Flaw::WeakKey => {
                let key = DemoKey::weak()?;
                let certificate = body.certificate(&key, &issuer, entropy)?;
                identity.sign = certificate_with_file(certificate, key, &person.password, entropy)?;
            }
            Flaw::AnotherKey => {
                let key = DemoKey::generate(self.options.keys)?;
                let certificate = identity.sign.certificate;
                identity.sign = certificate_with_file(certificate, key, &person.password, entropy)?;
            }
            Flaw::Expired
            | Flaw::NotYetValid
            | Flaw::EncryptionOnly
            | Flaw::WrongPolicy
            | Flaw::NoPolicy
            | Flaw::UnknownRoot
            | Flaw::ForgedIssuer
            | Flaw::UnknownCritical
            | Flaw::Authority => {}
        }
        Ok(identity)
    }
}
