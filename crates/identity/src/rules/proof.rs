//! How much a log-on proves once a factor was shown.

use naru_kernel::access::Assurance;

use crate::model::FactorKind;

/// What a session proves after this factor: never less than before. A session that began without a certificate stays what
/// it was, for no factor makes up for one.
#[must_use]
pub fn raised(before: Assurance, shown: FactorKind) -> Assurance {
    if before < Assurance::Certificate {
        return before;
    }
    before.max(match shown {
        FactorKind::Passkey => Assurance::CertificatePasskey,
        FactorKind::Totp => Assurance::CertificateTotp,
    })
}

/// The methods of a session as tokens name them (RFC 8176): `is_tls` when the certificate was shown in TLS.
#[must_use]
pub fn methods(assurance: Assurance, is_tls: bool) -> Vec<&'static str> {
    let certificate = if is_tls { "sc" } else { "swk" };
    match assurance {
        Assurance::Upstream => vec!["fed"],
        Assurance::Certificate => vec![certificate],
        Assurance::CertificateTotp => vec![certificate, "otp", "mfa"],
        Assurance::CertificatePasskey => vec![certificate, "hwk", "mfa"],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_factor_raises_and_never_lowers() {
        use Assurance::{Certificate, CertificatePasskey, CertificateTotp, Upstream};
        assert_eq!(raised(Certificate, FactorKind::Totp), CertificateTotp);
        assert_eq!(raised(CertificateTotp, FactorKind::Passkey), CertificatePasskey);
        assert_eq!(raised(CertificatePasskey, FactorKind::Totp), CertificatePasskey);
        assert_eq!(raised(Upstream, FactorKind::Passkey), Upstream);
    }

    #[test]
    fn methods_tell_card_from_file() {
        assert_eq!(methods(Assurance::CertificatePasskey, true), ["sc", "hwk", "mfa"]);
        assert_eq!(methods(Assurance::CertificateTotp, false), ["swk", "otp", "mfa"]);
    }
}
