//! What requests ask of the person's log-on and name.

use naru_kernel::access::Assurance;

use super::{SP, by_post, request};
use crate::saml::{
    AuthnRequest, CertificateUse, ContextAnswer, NameIdFormat, Proof, Status, choose_name_id, judge_context,
};

const PREFIX: &str = "urn:oasis:names:tc:SAML:2.0:ac:classes:";

fn ask(comparison: &str, classes: &[&str], proof: Proof) -> ContextAnswer {
    let classes: String = classes
        .iter()
        .map(|class| format!("<saml:AuthnContextClassRef>{class}</saml:AuthnContextClassRef>"))
        .collect();
    let inside = format!(
        "<samlp:RequestedAuthnContext xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\" {comparison}>{classes}\
         </samlp:RequestedAuthnContext>"
    );
    let request = AuthnRequest::read(&by_post(&request("", &inside))).unwrap();
    judge_context(request.context.as_ref(), proof)
}

const CARD: Proof = Proof {
    assurance: Assurance::CertificateTotp,
    certificate: CertificateUse::Tls,
};
const FILE: Proof = Proof {
    assurance: Assurance::CertificatePasskey,
    certificate: CertificateUse::Browser,
};

fn satisfied(class: &str) -> ContextAnswer {
    ContextAnswer::Satisfied(class.to_owned())
}

#[test]
fn what_is_asked_is_what_is_answered() {
    let smart = format!("{PREFIX}SmartcardPKI");
    let soft = format!("{PREFIX}SoftwarePKI");
    let totp = format!("{PREFIX}TimeSyncToken");
    let password = format!("{PREFIX}PasswordProtectedTransport");
    assert_eq!(judge_context(None, CARD), satisfied(&smart));
    assert_eq!(judge_context(None, FILE), satisfied(&soft));
    assert_eq!(ask("", &[&smart], CARD), satisfied(&smart));
    assert_eq!(ask("", &[&smart], FILE), ContextAnswer::Impossible);
    assert_eq!(ask("", &[&totp], CARD), satisfied(&totp));
    assert_eq!(ask("", &[&password], CARD), ContextAnswer::Impossible);
    assert_eq!(
        ask("Comparison=\"minimum\"", &[&password], FILE),
        satisfied(&soft)
    );
    assert_eq!(
        ask("Comparison=\"minimum\"", &[&smart], FILE),
        ContextAnswer::Impossible
    );
    assert_eq!(
        ask("Comparison=\"better\"", &[&password], FILE),
        ContextAnswer::Impossible
    );
    let passkey = Assurance::CertificatePasskey.acr();
    assert_eq!(
        ask("", &[passkey], CARD),
        ContextAnswer::StepUp(Assurance::CertificatePasskey)
    );
    assert_eq!(ask("", &[passkey], FILE), satisfied(passkey));
    assert_eq!(
        ask("Comparison=\"minimum\"", &[passkey], CARD),
        ContextAnswer::StepUp(Assurance::CertificatePasskey)
    );
}

#[test]
fn a_name_is_of_the_sort_asked_for_or_there_is_none() {
    let choose = |policy: &str| {
        let request = AuthnRequest::read(&by_post(&request("", policy))).unwrap();
        choose_name_id(
            request.name_id.as_ref(),
            SP,
            NameIdFormat::Persistent,
            &[NameIdFormat::Transient],
        )
    };
    assert_eq!(choose(""), Ok(NameIdFormat::Persistent));
    assert_eq!(
        choose("<samlp:NameIDPolicy AllowCreate=\"true\"/>"),
        Ok(NameIdFormat::Persistent)
    );
    let format = |format: &str, more: &str| format!("<samlp:NameIDPolicy Format=\"{format}\" {more}/>");
    assert_eq!(
        choose(&format(NameIdFormat::Transient.uri(), "")),
        Ok(NameIdFormat::Transient)
    );
    let refused = Err(Status::InvalidNameIdPolicy);
    assert_eq!(choose(&format(NameIdFormat::EmailAddress.uri(), "")), refused);
    assert_eq!(
        choose(&format("urn:oasis:names:tc:SAML:2.0:nameid-format:kerberos", "")),
        refused
    );
    let other = "SPNameQualifier=\"https://other.example\"";
    assert_eq!(choose(&format(NameIdFormat::Persistent.uri(), other)), refused);
}
