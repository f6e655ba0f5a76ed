//! Service providers' metadata, and ours.

use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::{ACS, IDP, PROVIDER_KEY, SP};
use crate::saml::{
    IdentityProvider, LogoutBinding, NameIdFormat, Refusal, identity_provider_metadata, read_service_provider,
};

fn document(inside: &str) -> String {
    let certificate = STANDARD.encode(&PROVIDER_KEY.certificate);
    let lines: Vec<String> = certificate
        .as_bytes()
        .chunks(64)
        .map(|line| String::from_utf8(line.to_vec()).unwrap())
        .collect();
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!-- made by hand -->\n\
         <EntityDescriptor xmlns=\"urn:oasis:names:tc:SAML:2.0:metadata\" entityID=\"{SP}\">\
         <SPSSODescriptor AuthnRequestsSigned=\"true\" WantAssertionsSigned=\"1\" \
         protocolSupportEnumeration=\"urn:oasis:names:tc:SAML:2.0:protocol\"><!-- keys -->\
         <KeyDescriptor use=\"signing\"><KeyInfo xmlns=\"http://www.w3.org/2000/09/xmldsig#\"><X509Data>\
         <X509Certificate>\n{}\n</X509Certificate></X509Data></KeyInfo></KeyDescriptor>\
         <KeyDescriptor><KeyInfo xmlns=\"http://www.w3.org/2000/09/xmldsig#\"><X509Data>\
         <X509Certificate>{certificate}</X509Certificate></X509Data></KeyInfo></KeyDescriptor>\
         <SingleLogoutService Binding=\"urn:oasis:names:tc:SAML:2.0:bindings:SOAP\" Location=\"https://sp.example/soap\"/>\
         <SingleLogoutService Binding=\"urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect\" \
         Location=\"https://sp.example/out\" ResponseLocation=\"https://sp.example/done\"/>\
         <NameIDFormat>urn:oasis:names:tc:SAML:2.0:nameid-format:transient</NameIDFormat>\
         <AssertionConsumerService index=\"0\" isDefault=\"true\" \
         Binding=\"urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST\" Location=\"{ACS}\"/>{inside}\
         </SPSSODescriptor></EntityDescriptor>",
        lines.join("\n")
    )
}

#[test]
fn what_a_service_provider_says_is_read() {
    let read = read_service_provider(document("").as_bytes()).unwrap();
    assert_eq!(read.entity_id, SP);
    assert_eq!(
        (
            read.signing_certificates.len(),
            read.encryption_certificates.len()
        ),
        (2, 1)
    );
    assert!(read.signs_requests && read.wants_signed_assertions);
    assert_eq!(read.name_id_formats, [NameIdFormat::Transient]);
    assert_eq!(read.default_answer_address().unwrap().url, ACS);
    let redirect = read.logout_address(LogoutBinding::Redirect).unwrap();
    assert_eq!(redirect.response_url.as_deref(), Some("https://sp.example/done"));
    assert_eq!(
        read.logout_address(LogoutBinding::Soap).unwrap().url,
        "https://sp.example/soap"
    );
}

#[test]
fn what_we_could_not_answer_is_refused() {
    let refusal = |text: String| read_service_provider(text.as_bytes()).unwrap_err();
    let whole = document("");
    assert_eq!(
        refusal(whole.replace(ACS, "javascript:alert(1)")),
        Refusal::Unexpected("Location")
    );
    assert_eq!(
        refusal(whole.replace(ACS, "http://sp.example/acs")),
        Refusal::Unexpected("Location")
    );
    assert_eq!(
        refusal(whole.replace(ACS, "https://a:b@sp.example/acs")),
        Refusal::Unexpected("Location")
    );
    assert_eq!(
        refusal(whole.replace("SAML:2.0:protocol", "SAML:1.1:protocol")),
        Refusal::Unexpected("SPSSODescriptor")
    );
    assert_eq!(
        refusal(whole.replace("HTTP-POST", "HTTP-Artifact")),
        Refusal::Unexpected("AssertionConsumerService")
    );
    let twice = document(&format!(
        "<AssertionConsumerService index=\"0\" Binding=\"urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST\" \
         Location=\"{ACS}\"/>"
    ));
    assert_eq!(refusal(twice), Refusal::Unexpected("AssertionConsumerService"));
    assert_eq!(refusal(format!("<!DOCTYPE x>{whole}")), Refusal::DocumentType);
    assert_eq!(
        refusal(whole.replacen("?>", "?><!DOCTYPE x>", 1)),
        Refusal::DocumentType
    );
    let cut = whole.replace("nameid-format:transient</", "nameid-<!-- -->format:transient</");
    assert!(
        read_service_provider(cut.as_bytes())
            .unwrap()
            .name_id_formats
            .is_empty()
    );
    assert_eq!(refusal(" ".repeat(300 * 1024)), Refusal::TooLarge);
}

#[test]
fn ours_names_both_certificates_while_a_key_is_replaced() {
    let both: [&[u8]; 2] = [&IDP.certificate, &PROVIDER_KEY.certificate];
    let written = identity_provider_metadata(&IdentityProvider {
        entity_id: "https://portal.example/sso/saml/metadata",
        sign_on_url: super::HERE,
        logout_url: super::LOGOUT_HERE,
        certificates: &both,
        name: "나루 & 친구",
    });
    for certificate in both {
        assert!(written.contains(&STANDARD.encode(certificate)));
    }
    assert!(written.contains("나루 &amp; 친구"));
    // It is no service provider's.
    assert_eq!(
        read_service_provider(written.as_bytes()).unwrap_err(),
        Refusal::Unexpected("SPSSODescriptor")
    );
}
