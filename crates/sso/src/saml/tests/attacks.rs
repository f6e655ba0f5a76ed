//! Attacks on requests, each by its name: refused, with the reason that fits.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use naru_kernel::Seconds;

use super::{ACS, HERE, NOW, SP, by_post, by_redirect, post_form, provider, request, signed_query};
use crate::saml::{Acceptance, AuthnRequest, Expectation, Incoming, Refusal, ServiceProvider, check_request};

fn check_as(incoming: &Incoming, provider: &ServiceProvider) -> Result<Acceptance, Refusal> {
    let request = AuthnRequest::read(incoming)?;
    let expected = Expectation {
        service_provider: provider,
        here: HERE,
        now: NOW,
    };
    check_request(incoming, &request, &expected)
}

fn check(incoming: &Incoming) -> Result<Acceptance, Refusal> {
    check_as(incoming, &provider())
}

#[test]
fn a_good_request_is_taken_by_both_bindings() {
    let xml = request("", "");
    let taken = check(&by_redirect(&xml)).unwrap();
    assert_eq!((taken.answer_url.as_str(), taken.signed), (ACS, true));
    assert_eq!(by_redirect(&xml).relay_state(), Some("back/자리"));
    let taken = check(&by_post(&xml)).unwrap();
    assert_eq!((taken.answer_url.as_str(), taken.signed), (ACS, false));
    let third = check(&by_redirect(&request("AssertionConsumerServiceIndex=\"3\"", ""))).unwrap();
    assert_eq!(third.answer_url, "https://sp.example/other");
}

#[test]
fn external_entities_are_not_even_read() {
    let xml = format!(
        "<!DOCTYPE a [<!ENTITY x SYSTEM \"file:///etc/passwd\">]>{}",
        request("", "").replace(SP, "&x;")
    );
    assert_eq!(
        AuthnRequest::read(&by_post(&xml)).unwrap_err(),
        Refusal::DocumentType
    );
    // Without the declaration the entity is unknown.
    let bare = request("", "").replace(SP, "&x;");
    assert_eq!(AuthnRequest::read(&by_post(&bare)).unwrap_err(), Refusal::Entity);
    let attribute = request("AssertionConsumerServiceURL=\"&x;\"", "");
    assert_eq!(
        AuthnRequest::read(&by_post(&attribute)).unwrap_err(),
        Refusal::Entity
    );
    let parameter = "<!DOCTYPE a [<!ENTITY % x SYSTEM \"http://evil.example/\">%x;]><a/>";
    assert_eq!(
        AuthnRequest::read(&by_post(parameter)).unwrap_err(),
        Refusal::DocumentType
    );
}

#[test]
fn entities_do_not_expand() {
    let mut declarations = "<!ENTITY a0 \"lol\">".to_owned();
    for level in 1..10 {
        declarations += &format!(
            "<!ENTITY a{level} \"{}\">",
            format!("&a{};", level - 1).repeat(10)
        );
    }
    let xml = format!(
        "<!DOCTYPE lolz [{declarations}]>{}",
        request("", "").replace(SP, "&a9;")
    );
    assert_eq!(
        AuthnRequest::read(&by_post(&xml)).unwrap_err(),
        Refusal::DocumentType
    );
}

#[test]
fn ten_megabytes_are_refused_deflated_or_not() {
    let xml = request("", &"<a/>".repeat(2_500_000));
    assert_eq!(
        Incoming::from_post(&post_form(&xml)).unwrap_err(),
        Refusal::TooLarge
    );
    // Ten megabytes deflate to forty kilobytes: the bound is on what comes out.
    let query = signed_query(&xml, None);
    assert!(query.len() < 80_000, "{}", query.len());
    assert_eq!(Incoming::from_redirect(&query).unwrap_err(), Refusal::TooLarge);
}

#[test]
fn depth_attributes_and_elements_are_bounded() {
    let deep = request("", &format!("{}{}", "<a>".repeat(64), "</a>".repeat(64)));
    assert_eq!(
        AuthnRequest::read(&by_post(&deep)).unwrap_err(),
        Refusal::TooComplex
    );
    let many: String = (0..100).map(|number| format!(" a{number}=\"\"")).collect();
    assert_eq!(
        AuthnRequest::read(&by_post(&request(&many, ""))).unwrap_err(),
        Refusal::TooComplex
    );
    let wide = request("", &"<a/>".repeat(4_000));
    assert_eq!(
        AuthnRequest::read(&by_post(&wide)).unwrap_err(),
        Refusal::TooComplex
    );
}

#[test]
fn an_address_that_is_not_registered_gets_no_answer() {
    for url in [
        "https://evil.example/acs",
        "https://sp.example/acs/",
        "https://sp.example/acs?x",
        "https://sp.example@evil.example/acs",
        "https://SP.example/acs",
        "//sp.example/acs",
        "",
    ] {
        let xml = request(&format!("AssertionConsumerServiceURL=\"{url}\""), "");
        assert_eq!(
            check(&by_redirect(&xml)).unwrap_err(),
            Refusal::AnswerAddress,
            "{url}"
        );
    }
    let index = request("AssertionConsumerServiceIndex=\"1\"", "");
    assert_eq!(check(&by_redirect(&index)).unwrap_err(), Refusal::AnswerAddress);
    let both = format!("AssertionConsumerServiceIndex=\"0\" AssertionConsumerServiceURL=\"{ACS}\"");
    assert!(check(&by_redirect(&request(&both, ""))).is_err());
    let artifact = "ProtocolBinding=\"urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Artifact\"";
    assert_eq!(
        check(&by_redirect(&request(artifact, ""))).unwrap_err(),
        Refusal::Unexpected("ProtocolBinding")
    );
}

#[test]
fn a_clock_off_by_ten_minutes_is_refused() {
    for (minutes, good) in [
        (-10, false),
        (-6, false),
        (-4, true),
        (4, true),
        (6, false),
        (10, false),
    ] {
        let at = crate::saml::format_instant(NOW + Seconds::minutes(minutes));
        let xml = request("", "").replace("2026-11-23T09:00:00Z", &at);
        let verdict = check(&by_redirect(&xml));
        assert_eq!(verdict.is_ok(), good, "{minutes} minutes: {verdict:?}");
        if !good {
            assert_eq!(verdict.unwrap_err(), Refusal::Time);
        }
    }
}

#[test]
fn a_request_for_somebody_else_is_refused() {
    let xml = request("", "").replace(HERE, "https://other.example/sso");
    assert_eq!(check(&by_redirect(&xml)).unwrap_err(), Refusal::OtherDestination);
    // Signed and without a destination it could be taken from one identity provider to another.
    let without = request("", "").replace(&format!("Destination=\"{HERE}\""), "");
    assert_eq!(
        check(&by_redirect(&without)).unwrap_err(),
        Refusal::OtherDestination
    );
    assert!(check(&by_post(&without)).is_ok());
    let issuer = request("", "").replace(SP, "https://other.example/metadata");
    assert_eq!(check(&by_redirect(&issuer)).unwrap_err(), Refusal::OtherIssuer);
}

#[test]
fn what_a_signature_does_not_cover_is_not_used() {
    let xml = request("", "");
    let query = signed_query(&xml, Some("one"));
    // Another relay state beside the same signature.
    let swapped = query.replace("RelayState=one", "RelayState=two");
    assert_eq!(
        check(&Incoming::from_redirect(&swapped).unwrap()).unwrap_err(),
        Refusal::Signature
    );
    // None, where one was signed.
    let dropped = query.replace("&RelayState=one", "");
    assert_eq!(
        check(&Incoming::from_redirect(&dropped).unwrap()).unwrap_err(),
        Refusal::Signature
    );
    // Another message beside the signature.
    let other = signed_query(&request("ForceAuthn=\"true\"", ""), Some("one"));
    let tail = other.split_once("&Signature=").unwrap().0;
    let mixed = format!("{tail}&Signature={}", query.split_once("&Signature=").unwrap().1);
    assert_eq!(
        check(&Incoming::from_redirect(&mixed).unwrap()).unwrap_err(),
        Refusal::Signature
    );
    // The order of the query does not matter, the bytes of the values do.
    let mut parts: Vec<&str> = query.split('&').collect();
    parts.reverse();
    assert!(check(&Incoming::from_redirect(&parts.join("&")).unwrap()).is_ok());
    // A second message, or a parameter twice.
    for twice in ["&SAMLRequest=x", "&SAMLResponse=x", "&RelayState=x", "&SigAlg=x"] {
        assert_eq!(
            Incoming::from_redirect(&format!("{query}{twice}")).unwrap_err(),
            Refusal::Encoding,
            "{twice}"
        );
    }
}

#[test]
fn half_a_signature_and_weak_ones_are_refused() {
    let query = signed_query(&request("", ""), None);
    let half = query.split_once("&Signature=").unwrap().0;
    assert_eq!(Incoming::from_redirect(half).unwrap_err(), Refusal::Signature);
    let weak = query.replace("xmldsig-more%23rsa-sha256", "xmldsig%23rsa-sha1");
    assert_eq!(
        check(&Incoming::from_redirect(&weak).unwrap()).unwrap_err(),
        Refusal::Algorithm
    );
    let none = query.replace("xmldsig-more%23rsa-sha256", "none");
    assert_eq!(
        check(&Incoming::from_redirect(&none).unwrap()).unwrap_err(),
        Refusal::Algorithm
    );
}

#[test]
fn a_provider_that_signs_is_not_spoken_for() {
    let strict = ServiceProvider {
        signs_requests: true,
        ..provider()
    };
    let xml = request("", "");
    let query = signed_query(&xml, None);
    let stripped = query.split_once("&SigAlg=").unwrap().0;
    assert_eq!(
        check_as(&Incoming::from_redirect(stripped).unwrap(), &strict).unwrap_err(),
        Refusal::Unsigned
    );
    assert!(check_as(&by_redirect(&xml), &strict).is_ok());
    // Signature wrapping: whatever a `Signature` inside says, and around what, it is not looked at.
    let wrapped = request(
        "",
        "<ds:Signature xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\"><ds:Object/></ds:Signature>",
    );
    assert_eq!(
        check_as(&by_post(&wrapped), &strict).unwrap_err(),
        Refusal::Unsigned
    );
    // Strict, but without a key to check with: refused, not waved through.
    let keyless = ServiceProvider {
        signing_certificates: Vec::new(),
        ..strict
    };
    assert_eq!(
        check_as(&by_redirect(&xml), &keyless).unwrap_err(),
        Refusal::Unsigned
    );
}

#[test]
fn a_comment_cuts_no_name_in_two() {
    let xml = request("", "").replace(SP, "https://sp.example/<!-- -->metadata");
    assert_eq!(AuthnRequest::read(&by_post(&xml)).unwrap_err(), Refusal::Comment);
    let instruction = request("", "<?php echo 1 ?>");
    assert_eq!(
        AuthnRequest::read(&by_post(&instruction)).unwrap_err(),
        Refusal::Comment
    );
    let element = request("", "").replace(SP, "https://sp.example/<b/>metadata");
    assert_eq!(
        AuthnRequest::read(&by_post(&element)).unwrap_err(),
        Refusal::Unexpected("Issuer")
    );
}

#[test]
fn names_count_in_their_namespace_only() {
    let foreign = request("", "").replace("urn:oasis:names:tc:SAML:2.0:protocol", "urn:evil");
    assert_eq!(
        AuthnRequest::read(&by_post(&foreign)).unwrap_err(),
        Refusal::Unexpected("AuthnRequest")
    );
    let unknown = request("x:ForceAuthn=\"true\"", "");
    assert_eq!(
        AuthnRequest::read(&by_post(&unknown)).unwrap_err(),
        Refusal::Malformed
    );
    let qualified = request("xmlns:x=\"urn:x\" x:ForceAuthn=\"true\"", "");
    assert!(!AuthnRequest::read(&by_post(&qualified)).unwrap().force);
    let twice = request("xmlns:x=\"urn:x\" xmlns:y=\"urn:x\" x:a=\"1\" y:a=\"2\"", "");
    assert_eq!(
        AuthnRequest::read(&by_post(&twice)).unwrap_err(),
        Refusal::Malformed
    );
    let plain = request("ForceAuthn=\"true\" ForceAuthn=\"false\"", "");
    assert_eq!(
        AuthnRequest::read(&by_post(&plain)).unwrap_err(),
        Refusal::Malformed
    );
}

#[test]
fn two_issuers_and_other_messages_are_refused() {
    let inside =
        format!("<saml:Issuer xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\">{SP}</saml:Issuer>");
    assert_eq!(
        AuthnRequest::read(&by_post(&request("", &inside))).unwrap_err(),
        Refusal::Unexpected("Issuer")
    );
    let xml = request("", "");
    // An unsolicited answer is no request.
    let response = Incoming::from_post(&post_form(&xml).replace("SAMLRequest", "SAMLResponse")).unwrap();
    assert_eq!(AuthnRequest::read(&response).unwrap_err(), Refusal::Missing);
    let subject = "<saml:Subject xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\"/>";
    assert_eq!(
        check(&by_post(&request("", subject))).unwrap_err(),
        Refusal::Unexpected("Subject")
    );
    for old in ["1.1", "2.1", ""] {
        let xml = xml.replace("Version=\"2.0\"", &format!("Version=\"{old}\""));
        assert_eq!(
            AuthnRequest::read(&by_post(&xml)).unwrap_err(),
            Refusal::Unexpected("Version")
        );
    }
}

#[test]
fn broken_bytes_are_refused() {
    let whole = request("", "");
    for end in 0..whole.len() {
        let cut = whole.get(..end).unwrap();
        assert!(AuthnRequest::read(&by_post(cut)).is_err(), "cut at {end}");
    }
    for garbage in [
        "SAMLRequest=%",
        "SAMLRequest=%zz",
        "SAMLRequest=!!!!",
        "RelayState=x",
        "",
    ] {
        assert!(Incoming::from_redirect(garbage).is_err(), "{garbage}");
    }
    // Not deflated, and deflated with something behind.
    let plain = format!(
        "SAMLRequest={}",
        STANDARD.encode(&whole).replace('+', "%2B").replace('=', "%3D")
    );
    assert_eq!(Incoming::from_redirect(&plain).unwrap_err(), Refusal::Encoding);
    let utf16: Vec<u8> = whole.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let form = format!(
        "SAMLRequest={}",
        STANDARD.encode(utf16).replace('+', "%2B").replace('=', "%3D")
    );
    assert!(AuthnRequest::read(&Incoming::from_post(&form).unwrap()).is_err());
}
