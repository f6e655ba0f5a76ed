//! SAML on a real database: a service provider that signs, and people who come from it.

mod attacks;
mod leaving;
mod sign_on;

use std::sync::{
    LazyLock,
    atomic::{AtomicU32, Ordering},
};

use aws_lc_rs::{
    encoding::{AsDer, Pkcs8V1Der},
    rsa::{KeyPair, KeySize},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use naru_kernel::{Actor, ApplicationId};
use naru_runtime::Caller;
use naru_sso::saml::{Incoming, MessageKind, SigningKey, format_instant, redirect_address};
use serde_json::json;

use super::world::{ORIGIN, World, form};
use crate::{
    Error, Refusal,
    model::{AudienceKind, Protocol, SamlSettings, SsoStep},
    rules::form::ApplicationForm,
    service::pending::Pending,
};

pub(super) struct ProviderKey {
    key: SigningKey,
    certificate: String,
}

/// Making an RSA key takes a while: one for all tests.
pub(super) static KEY: LazyLock<ProviderKey> = LazyLock::new(|| {
    let pair = KeyPair::generate(KeySize::Rsa2048).unwrap();
    let pkcs8 = AsDer::<Pkcs8V1Der<'_>>::as_der(&pair).unwrap().as_ref().to_vec();
    let key = rcgen::KeyPair::from_pkcs8_der_and_sign_algo(&pkcs8.as_slice().into(), &rcgen::PKCS_RSA_SHA256);
    let params = rcgen::CertificateParams::new(vec!["sp.example".to_owned()]).unwrap();
    let certificate = params.self_signed(&key.unwrap()).unwrap();
    ProviderKey {
        key: SigningKey::new(&pkcs8, certificate.der()).unwrap(),
        certificate: STANDARD.encode(certificate.der()),
    }
});

static NUMBER: AtomicU32 = AtomicU32::new(1);

/// An application with what its service provider would send.
pub(super) struct Provider<'w> {
    pub(super) world: &'w World,
    pub(super) id: ApplicationId,
    pub(super) entity_id: String,
}

impl<'w> Provider<'w> {
    /// Of ministry 1, offered to everybody.
    pub(super) async fn new(world: &'w World, host: &str, change: impl FnOnce(&mut SamlSettings)) -> Self {
        let entity_id = format!("https://{host}/metadata");
        let mut settings: SamlSettings = serde_json::from_value(json!({
            "entity_id": entity_id,
            "assertion_consumers": [{ "url": format!("https://{host}/acs") }],
            "logout_endpoints": [{ "url": format!("https://{host}/logout"), "binding": "redirect" }],
            "signing_certificates": [KEY.certificate],
            "attributes": [{ "name": "displayName", "source": "name" }, { "name": "urn:oid:1.2", "source": "email" }],
            "allows_unasked": true,
        }))
        .unwrap();
        change(&mut settings);
        let mut application: ApplicationForm = form(host, Protocol::Saml(Box::new(settings)));
        application.audience.kind = AudienceKind::Platform;
        let admin = world.admin(1).await;
        let made = world
            .applications
            .create(&admin, application, &world.client)
            .await
            .unwrap();
        Self {
            world,
            id: made.id,
            entity_id,
        }
    }

    /// An `AuthnRequest`, with a number of its own.
    pub(super) fn request(&self, attributes: &str, inside: &str) -> String {
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        format!(
            "<samlp:AuthnRequest xmlns:samlp=\"urn:oasis:names:tc:SAML:2.0:protocol\" \
             xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\" ID=\"_r{number}\" Version=\"2.0\" \
             IssueInstant=\"{}\" Destination=\"{ORIGIN}/sso/saml/sign-on\" {attributes}><saml:Issuer>{}</saml:Issuer>\
             {inside}</samlp:AuthnRequest>",
            format_instant(self.world.now()),
            self.entity_id
        )
    }

    /// Sends it, signed, by the redirect binding; gives the handle of what waits.
    pub(super) async fn send(&self, xml: &str) -> Result<String, Error> {
        let url = redirect_address("https://x/", MessageKind::Request, xml, Some("state"), &KEY.key).unwrap();
        let incoming = Incoming::from_redirect(url.split_once('?').unwrap().1);
        let page = self
            .world
            .applications
            .saml_begin(incoming, &self.world.client)
            .await?;
        Ok(page.strip_prefix("/#/sso/").unwrap().to_owned())
    }

    pub(super) async fn step(&self, handle: &str, actor: Option<&Actor>) -> Result<SsoStep, Error> {
        let caller = actor.map_or(Caller::Anyone, |actor| Caller::SignedIn(actor.clone()));
        let applications = &self.world.applications;
        applications.step(handle, &caller, &self.world.client).await
    }

    /// A whole sign-on; gives the answer's XML.
    pub(super) async fn sign_on(&self, actor: &Actor) -> String {
        let handle = self.send(&self.request("", "")).await.unwrap();
        let step = self.step(&handle, Some(actor)).await.unwrap();
        self.answer(step).await
    }

    /// The answer behind a step, as it would be posted.
    pub(super) async fn answer(&self, step: SsoStep) -> String {
        let SsoStep::Post { url } = step else {
            panic!("{step:?}");
        };
        self.answer_at(&url).await
    }

    pub(super) async fn answer_at(&self, url: &str) -> String {
        let handle = url.strip_prefix("/sso/answer/").unwrap();
        let waiting = self.world.applications.take_request(handle).await.unwrap();
        let Pending::Answer(answer) = waiting.pending else {
            panic!("{waiting:?}");
        };
        assert!(answer.address.starts_with("https://"), "{}", answer.address);
        let (_, value) = answer
            .fields
            .iter()
            .find(|(name, _)| name == "SAMLResponse")
            .unwrap();
        String::from_utf8(STANDARD.decode(value).unwrap()).unwrap()
    }
}

/// The text of the first element of this name.
pub(super) fn element<'x>(xml: &'x str, name: &str) -> &'x str {
    let rest = [">", " "].iter().find_map(|end| {
        xml.split_once(&format!("<saml:{name}{end}"))
            .map(|(_, rest)| (*end, rest))
    });
    let text = match rest {
        Some((">", text)) => text,
        Some((_, rest)) => rest.split_once('>').unwrap().1,
        None => panic!("{name} in {xml}"),
    };
    text.split_once('<').unwrap().0
}

pub(super) fn refusal<T: core::fmt::Debug>(result: Result<T, Error>) -> Refusal {
    match result {
        Err(Error::Refused(refusal)) => refusal,
        other => panic!("it was to be refused: {other:?}"),
    }
}
