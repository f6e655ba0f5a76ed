//! A service provider that signs with a key nobody has, good messages of it, and edits on them.
#![allow(dead_code, reason = "each target uses a part")]

use std::sync::LazyLock;

use naru_kernel::Timestamp;
use naru_sso::saml::{AnswerAddress, ServiceProvider};

/// 2026-11-23T09:00:00Z.
pub const NOW: Timestamp = Timestamp::from_seconds(1_795_424_400);
pub const HERE: &str = "https://p.example/s";

pub const REQUEST: &str = "<samlp:AuthnRequest xmlns:samlp=\"urn:oasis:names:tc:SAML:2.0:protocol\" \
xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\" ID=\"_a\" Version=\"2.0\" IssueInstant=\"2026-11-23T09:00:00Z\" \
AssertionConsumerServiceURL=\"https://sp.example/acs\" ForceAuthn=\"0\"><saml:Issuer>urn:sp</saml:Issuer>\
<samlp:NameIDPolicy AllowCreate=\"true\"/><samlp:RequestedAuthnContext Comparison=\"minimum\">\
<saml:AuthnContextClassRef>urn:x</saml:AuthnContextClassRef></samlp:RequestedAuthnContext></samlp:AuthnRequest>";

pub const LOGOUT: &str = "<samlp:LogoutRequest xmlns:samlp=\"urn:oasis:names:tc:SAML:2.0:protocol\" \
xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\" ID=\"_a\" Version=\"2.0\" IssueInstant=\"2026-11-23T09:00:00Z\" \
Destination=\"https://p.example/s\"><saml:Issuer>urn:sp</saml:Issuer><saml:NameID>a&amp;b</saml:NameID>\
<samlp:SessionIndex>_s</samlp:SessionIndex></samlp:LogoutRequest>";

pub const METADATA: &str = "<EntityDescriptor xmlns=\"urn:oasis:names:tc:SAML:2.0:metadata\" entityID=\"urn:sp\">\
<SPSSODescriptor protocolSupportEnumeration=\"urn:oasis:names:tc:SAML:2.0:protocol\">\
<SingleLogoutService Binding=\"urn:oasis:names:tc:SAML:2.0:bindings:SOAP\" Location=\"https://sp.example/o\"/>\
<AssertionConsumerService index=\"0\" Binding=\"urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST\" \
Location=\"https://sp.example/acs\"/></SPSSODescriptor></EntityDescriptor>";

pub static PROVIDER: LazyLock<ServiceProvider> = LazyLock::new(|| ServiceProvider {
    entity_id: "urn:sp".to_owned(),
    answer_addresses: vec![AnswerAddress {
        index: 0,
        url: "https://sp.example/acs".to_owned(),
        is_default: true,
    }],
    // No certificate at all: whatever is signed cannot be verified.
    signing_certificates: vec!["AAAA".to_owned()],
    ..ServiceProvider::default()
});

/// Each three bytes of `data` change the good bytes at one place: where (two), and what to put there.
pub fn edited(good: &[u8], data: &[u8]) -> Vec<u8> {
    let mut bytes = good.to_vec();
    for edit in data.chunks_exact(3).take(8) {
        let at = usize::from(u16::from_le_bytes([edit[0], edit[1]])) % bytes.len();
        bytes[at] = edit[2];
    }
    bytes
}

fn percent(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("%{byte:02X}")).collect()
}

fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let bits = chunk.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for place in 0..4 {
            if place > chunk.len() {
                out.push('=');
            } else {
                out.push(char::from(LETTERS[(bits >> (18 - 6 * place) & 63) as usize]));
            }
        }
    }
    out
}

/// A form with this message.
pub fn form(xml: &[u8]) -> String {
    format!("SAMLRequest={}", percent(base64(xml).as_bytes()))
}

/// A query with these bytes in the place of a deflated message, and something like a signature.
pub fn query(deflated: &[u8]) -> String {
    let message = percent(base64(deflated).as_bytes());
    format!("SAMLRequest={message}&SigAlg=http%3A%2F%2Fwww.w3.org%2F2001%2F04%2Fxmldsig-more%23rsa-sha256&Signature=AAAA")
}
