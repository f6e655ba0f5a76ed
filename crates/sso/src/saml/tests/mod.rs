//! A service provider and an identity provider that know each other, for all tests of this engine.

mod attacks;
mod contexts;
mod logouts;
mod metadata;
mod properties;
mod writing;

use std::sync::{
    LazyLock,
    atomic::{AtomicU64, Ordering},
};

use aws_lc_rs::{
    encoding::{AsDer as _, Pkcs8V1Der},
    rsa::{KeyPair, KeySize},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use naru_kernel::{Entropy, Timestamp};

use super::{
    AnswerAddress, Assertion, Attribute, AttributeFormat, Incoming, LogoutAddress, LogoutBinding,
    MessageKind, NameId, NameIdFormat, ServiceProvider, SigningKey, redirect_address,
};

/// 2026-11-23T09:00:00Z.
pub(super) const NOW: Timestamp = Timestamp::from_seconds(1_795_424_400);
pub(super) const HERE: &str = "https://portal.example/sso/saml/sign-on";
pub(super) const LOGOUT_HERE: &str = "https://portal.example/sso/saml/logout";
pub(super) const SP: &str = "https://sp.example/metadata";
pub(super) const ACS: &str = "https://sp.example/acs";

/// Not random at all, and that is what tests want.
pub(super) struct Counter(AtomicU64);

impl Counter {
    pub(super) const fn new() -> Self {
        Self(AtomicU64::new(1))
    }
}

impl Entropy for Counter {
    fn fill(&self, bytes: &mut [u8]) {
        for byte in bytes {
            *byte = self.0.fetch_add(7, Ordering::Relaxed).to_le_bytes()[0];
        }
    }
}

/// A key with a certificate, and the key alone as PKCS#8.
pub(super) struct Pair {
    pub(super) key: SigningKey,
    pub(super) pkcs8: Vec<u8>,
    pub(super) certificate: Vec<u8>,
}

impl Pair {
    pub(super) fn new() -> Self {
        let pair = KeyPair::generate(KeySize::Rsa2048).unwrap();
        let pkcs8: Pkcs8V1Der<'_> = pair.as_der().unwrap();
        let pkcs8 = pkcs8.as_ref().to_vec();
        let key =
            rcgen::KeyPair::from_pkcs8_der_and_sign_algo(&pkcs8.as_slice().into(), &rcgen::PKCS_RSA_SHA256)
                .unwrap();
        let certificate = rcgen::CertificateParams::new(vec!["portal.example".to_owned()])
            .unwrap()
            .self_signed(&key)
            .unwrap();
        let certificate = certificate.der().to_vec();
        Self {
            key: SigningKey::new(&pkcs8, &certificate).unwrap(),
            pkcs8,
            certificate,
        }
    }
}

pub(super) static IDP: LazyLock<Pair> = LazyLock::new(Pair::new);
pub(super) static PROVIDER_KEY: LazyLock<Pair> = LazyLock::new(Pair::new);

pub(super) fn provider() -> ServiceProvider {
    ServiceProvider {
        entity_id: SP.to_owned(),
        answer_addresses: vec![
            AnswerAddress {
                index: 0,
                url: ACS.to_owned(),
                is_default: true,
            },
            AnswerAddress {
                index: 3,
                url: "https://sp.example/other".to_owned(),
                is_default: false,
            },
        ],
        logout_addresses: vec![LogoutAddress {
            binding: LogoutBinding::Redirect,
            url: "https://sp.example/logout".to_owned(),
            response_url: None,
        }],
        signing_certificates: vec![STANDARD.encode(&PROVIDER_KEY.certificate)],
        encryption_certificates: vec![STANDARD.encode(&PROVIDER_KEY.certificate)],
        name_id_formats: vec![NameIdFormat::Persistent],
        signs_requests: false,
        wants_signed_assertions: true,
    }
}

/// An `AuthnRequest` as programs write them.
pub(super) fn request(attributes: &str, inside: &str) -> String {
    format!(
        "<samlp:AuthnRequest xmlns:samlp=\"urn:oasis:names:tc:SAML:2.0:protocol\" ID=\"_a1\" Version=\"2.0\" \
         IssueInstant=\"2026-11-23T09:00:00Z\" Destination=\"{HERE}\" {attributes}>\
         <saml:Issuer xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\">{SP}</saml:Issuer>{inside}\
         </samlp:AuthnRequest>"
    )
}

/// The query of a redirect with this message, signed by the service provider.
pub(super) fn signed_query(xml: &str, relay_state: Option<&str>) -> String {
    let address = redirect_address(HERE, MessageKind::Request, xml, relay_state, &PROVIDER_KEY.key).unwrap();
    address.split_once('?').unwrap().1.to_owned()
}

pub(super) fn by_redirect(xml: &str) -> Incoming {
    Incoming::from_redirect(&signed_query(xml, Some("back/자리"))).unwrap()
}

pub(super) fn post_form(xml: &str) -> String {
    let value = STANDARD.encode(xml).replace('+', "%2B").replace('=', "%3D");
    format!("SAMLRequest={value}")
}

pub(super) fn by_post(xml: &str) -> Incoming {
    Incoming::from_post(&post_form(xml)).unwrap()
}

pub(super) fn assertion() -> Assertion {
    Assertion {
        issuer: "https://portal.example/sso/saml/metadata".to_owned(),
        audience: SP.to_owned(),
        recipient: ACS.to_owned(),
        in_response_to: Some("_a1".to_owned()),
        issued_at: NOW,
        authenticated_at: NOW,
        session_until: None,
        session_index: "_s1".to_owned(),
        context: "urn:oasis:names:tc:SAML:2.0:ac:classes:SmartcardPKI".to_owned(),
        name_id: NameId {
            format: NameIdFormat::Persistent,
            value: "홍길동 & <동료>\r\n\t\"끝\"".to_owned(),
            for_service_provider: Some(SP.to_owned()),
        },
        attributes: vec![Attribute {
            name: "urn:이름\t\"\n<&>\r".to_owned(),
            format: AttributeFormat::Uri,
            values: vec![
                "김나루".to_owned(),
                "두 번째\r값 ]]> & \u{1}".to_owned(),
                String::new(),
            ],
        }],
    }
}
