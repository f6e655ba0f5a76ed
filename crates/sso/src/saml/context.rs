//! How the person logged on, in SAML's words (Authentication Context, 3.4), and whether that is what was asked for.

use naru_kernel::access::Assurance;

use super::{Comparison, RequestedContext};

const PREFIX: &str = "urn:oasis:names:tc:SAML:2.0:ac:classes:";

/// How the certificate was shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CertificateUse {
    /// In TLS: a card, or the system's store.
    Tls,
    /// A key file opened in the page.
    Browser,
    /// None: another provider vouched.
    None,
}

/// What a log-on proved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Proof {
    /// How much.
    pub assurance: Assurance,
    /// By which certificate.
    pub certificate: CertificateUse,
}

/// Whether a log-on is what a request asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ContextAnswer {
    /// It is; this class goes into the assertion.
    Satisfied(String),
    /// It would be after a step up to this.
    StepUp(Assurance),
    /// It is not, and cannot become so.
    Impossible,
}

/// Classes with their strength; equal ones are told apart by `exact` only.
const STRENGTHS: [(&str, u8); 8] = [
    ("unspecified", 0),
    ("InternetProtocol", 1),
    ("Password", 1),
    ("PasswordProtectedTransport", 1),
    ("X509", 2),
    ("TimeSyncToken", 3),
    ("SoftwarePKI", 4),
    ("SmartcardPKI", 5),
];

fn strength(class: &str) -> Option<u8> {
    let name = class.strip_prefix(PREFIX)?;
    STRENGTHS
        .iter()
        .find(|(known, _)| *known == name)
        .map(|(_, strength)| *strength)
}

/// The class that says most of a log-on: a person with a certificate always has a second factor too.
fn best(proof: Proof) -> String {
    let name = match (proof.certificate, proof.assurance) {
        (CertificateUse::Tls, _) => "SmartcardPKI",
        (CertificateUse::Browser, _) => "SoftwarePKI",
        (CertificateUse::None, Assurance::CertificateTotp) => "TimeSyncToken",
        (
            CertificateUse::None,
            Assurance::Upstream | Assurance::Certificate | Assurance::CertificatePasskey,
        ) => "unspecified",
    };
    format!("{PREFIX}{name}")
}

fn is_true_of(proof: Proof, class: &str) -> bool {
    if let Some(assurance) = Assurance::of_acr(class) {
        return assurance <= proof.assurance;
    }
    match class.strip_prefix(PREFIX) {
        Some("unspecified") => true,
        Some("TimeSyncToken") => proof.assurance == Assurance::CertificateTotp,
        Some("X509") => proof.certificate != CertificateUse::None,
        Some("SoftwarePKI") => proof.certificate == CertificateUse::Browser,
        Some("SmartcardPKI") => proof.certificate == CertificateUse::Tls,
        Some(_) | None => false,
    }
}

/// Whether a log-on is what was asked for. Our own `acr` names may be asked for as classes.
#[must_use]
pub fn judge_context(asked: Option<&RequestedContext>, proof: Proof) -> ContextAnswer {
    let Some(asked) = asked.filter(|asked| !asked.classes.is_empty()) else {
        return ContextAnswer::Satisfied(best(proof));
    };
    let ours = best(proof);
    let strong = strength(&ours).unwrap_or(0);
    let fits = |class: &&String| match asked.comparison {
        Comparison::Exact => is_true_of(proof, class),
        Comparison::Minimum => {
            is_true_of(proof, class) || strength(class).is_some_and(|needed| needed <= strong)
        }
        Comparison::Other => false,
    };
    if let Some(class) = asked.classes.iter().find(fits) {
        // "Minimum" is answered with what is the case, unless that has no name of SAML's.
        let answer = match asked.comparison {
            Comparison::Minimum if strength(class).is_some() => ours,
            Comparison::Minimum | Comparison::Exact | Comparison::Other => class.clone(),
        };
        return ContextAnswer::Satisfied(answer);
    }
    if asked.comparison == Comparison::Other {
        return ContextAnswer::Impossible;
    }
    asked
        .classes
        .iter()
        .filter_map(|class| Assurance::of_acr(class))
        .filter(|needed| *needed > proof.assurance)
        .min()
        .map_or(ContextAnswer::Impossible, ContextAnswer::StepUp)
}
