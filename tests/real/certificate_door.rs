//! The second way in: a client certificate in TLS, at a door of its own name.

use naru_pki::demo::DemoCertificate;
use naru_testkit::{Answer, Browser};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use serde_json::json;

use crate::{
    stage::Stage,
    wire::{Door, UNREACHED},
};

const PATH: &str = "/api/v1/logon/tls";
const NAME: &str = "cert.localhost";

/// Asks the certificate door, showing this certificate.
async fn ask(stage: &Stage, shown: Option<&DemoCertificate>, path: &str) -> Answer {
    let version = [&rustls::version::TLS13];
    let client = shown.map(|certificate| credentials(stage, certificate));
    let door = Door::with(stage.ports.portal, NAME, &stage.authority(), client, &version);
    Browser::new(door.router(), &stage.origin()).get(path).await
}

fn credentials(
    stage: &Stage,
    shown: &DemoCertificate,
) -> (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>) {
    let chain = [&shown.certificate, &stage.pki.issuing.certificate];
    let key = PrivatePkcs8KeyDer::from(shown.key.pkcs8().to_vec());
    (
        chain
            .into_iter()
            .map(|der| CertificateDer::from(der.clone()))
            .collect(),
        key.into(),
    )
}

fn target(answer: &Answer) -> String {
    assert!(
        answer.status.is_redirection(),
        "{} {:?}",
        answer.status,
        answer.body
    );
    answer.headers["location"].to_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_certificate_logs_on_at_its_own_door_only() {
    let mut stage = Stage::new();
    stage.ministry();
    let (person, thief) = (stage.person(&["worker"]), stage.person(&["worker"]));
    stage.revoke_certificate(&thief);
    let mut portal = stage.portal().await;

    let answer = ask(&stage, Some(&person.identity.sign), PATH).await;
    let place = target(&answer);
    let start = format!("{}/#/logon?handover=", stage.origin());
    let code = place.strip_prefix(&start).unwrap_or_else(|| panic!("{place}"));
    let mut browser = stage.browser();
    let handed = browser
        .post("/api/v1/logon/handover", &json!({ "code": code }))
        .await;
    assert_eq!(handed.body["next"], "activate", "{:?}", handed.body);
    assert!(browser.cookie("__Host-naru").is_some());
    let again = stage
        .browser()
        .post("/api/v1/logon/handover", &json!({ "code": code }))
        .await;
    assert!(again.status.is_client_error(), "a code is good once");

    for (case, shown, word) in [
        (
            "for encryption",
            &person.identity.envelope,
            "identity.certificate-wrong-usage",
        ),
        ("revoked", &thief.identity.sign, "identity.certificate-revoked"),
    ] {
        let place = target(&ask(&stage, Some(shown), PATH).await);
        assert!(
            place.ends_with(&format!("/#/logon?refused={word}")),
            "{case}: {place}"
        );
    }
    assert_eq!(ask(&stage, None, PATH).await.status, 401, "without a certificate");

    assert_eq!(
        ask(&stage, Some(&person.identity.sign), "/api/v1/platform")
            .await
            .status,
        421
    );
    assert_eq!(stage.browser().get(PATH).await.status, 421);

    let client = Some(credentials(&stage, &person.identity.sign));
    let old = Door::with(
        stage.ports.portal,
        NAME,
        &stage.authority(),
        client,
        &[&rustls::version::TLS12],
    );
    let answer = Browser::new(old.router(), &stage.origin()).get(PATH).await;
    assert_eq!(answer.status, UNREACHED, "TLS 1.2 is not spoken here");
    assert_eq!(portal.stop().await.code(), Some(0));
    assert!(stage.record_is_whole());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_certificate_without_its_key_gets_no_connection() {
    let stage = Stage::new();
    stage.ministry();
    let (person, thief) = (stage.person(&["worker"]), stage.person(&["worker"]));
    let _portal = stage.portal().await;
    let stolen = DemoCertificate {
        key: thief.identity.sign.key.clone(),
        ..person.identity.sign.clone()
    };
    // rustls itself would refuse to pair them; a thief's TLS would not.
    let (chain, key) = credentials(&stage, &stolen);
    let resolver = Mismatched(std::sync::Arc::new(rustls::sign::CertifiedKey::new(
        chain,
        rustls::crypto::aws_lc_rs::sign::any_supported_type(&key).unwrap(),
    )));
    let door = Door::resolving(
        stage.ports.portal,
        NAME,
        &stage.authority(),
        std::sync::Arc::new(resolver),
    );
    let answer = Browser::new(door.router(), &stage.origin()).get(PATH).await;
    assert_eq!(answer.status, UNREACHED, "{:?}", answer.body);
}

/// Shows a certificate with a key that is not its own.
#[derive(Debug)]
struct Mismatched(std::sync::Arc<rustls::sign::CertifiedKey>);

impl rustls::client::ResolvesClientCert for Mismatched {
    fn resolve(
        &self,
        _: &[&[u8]],
        _: &[rustls::SignatureScheme],
    ) -> Option<std::sync::Arc<rustls::sign::CertifiedKey>> {
        Some(std::sync::Arc::clone(&self.0))
    }

    fn has_certs(&self) -> bool {
        true
    }
}
