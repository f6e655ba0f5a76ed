//! SAML's doors as a stranger finds them: our metadata, and what is refused before anybody is known.

use axum::http::{Method, StatusCode, header};
use base64::{Engine as _, engine::general_purpose::STANDARD};

use crate::world::World;

const FORM: &str = "application/x-www-form-urlencoded";

/// A page of ours: in both languages, with nothing of the message in it, and a policy that lets nothing run.
fn is_a_page_of_ours(answer: &naru_testkit::Answer, code: &str) {
    let page = String::from_utf8(answer.bytes.clone()).unwrap();
    assert!(
        page.contains(code) && page.contains("로그인을 계속할 수 없습니다") && page.contains("cannot go on"),
        "{page}"
    );
    assert!(!page.contains("<script") && !page.contains("evil"), "{page}");
    let policy = answer.headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
    assert!(
        policy.starts_with("default-src 'none'") && policy.contains("form-action 'none'"),
        "{policy}"
    );
    assert!(answer.headers.get(header::LOCATION).is_none(), "sent somewhere");
}

#[tokio::test]
async fn our_metadata_is_there_for_everybody() {
    let world = World::new().await;
    let mut browser = world.browser();
    let answer = browser.get("/sso/saml/metadata").await;
    assert_eq!(answer.status, StatusCode::OK);
    let kind = answer.headers[header::CONTENT_TYPE].to_str().unwrap();
    assert!(kind.starts_with("application/samlmetadata+xml"), "{kind}");
    let metadata = String::from_utf8(answer.bytes).unwrap();
    let origin = world.config.origin();
    for part in ["metadata", "sign-on", "logout"] {
        assert!(
            metadata.contains(&format!("\"{origin}/sso/saml/{part}\"")),
            "{metadata}"
        );
    }
    let again = browser.get("/sso/saml/metadata").await;
    assert_eq!(String::from_utf8(again.bytes).unwrap(), metadata, "the key stays");
}

#[tokio::test]
async fn a_request_of_ten_megabytes_is_refused_and_recorded() {
    let world = World::new().await;
    let mut browser = world.browser();
    browser.set_origin(Some("https://evil.example"));
    browser.set_marked(false);
    let before = world.entries().await;
    let body = [b"SAMLRequest=".as_slice(), &vec![b'A'; 10 << 20]].concat();
    let answer = browser
        .send(Method::POST, "/sso/saml/sign-on", FORM, Some(body))
        .await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    is_a_page_of_ours(&answer, "applications.saml-too-large");
    assert_eq!(world.entries().await, before + 1);
}

#[tokio::test]
async fn what_cannot_be_answered_is_told_to_the_person_alone() {
    let world = World::new().await;
    let mut browser = world.browser();
    let at = naru_sso::saml::format_instant(naru_kernel::Clock::now(world.clock.as_ref()));
    let request = format!(
        "<p:AuthnRequest xmlns:p=\"urn:oasis:names:tc:SAML:2.0:protocol\" ID=\"_a\" Version=\"2.0\" IssueInstant=\"{at}\" \
         AssertionConsumerServiceURL=\"https://evil.example/\"><s:Issuer \
         xmlns:s=\"urn:oasis:names:tc:SAML:2.0:assertion\">https://evil.example</s:Issuer></p:AuthnRequest>"
    );
    let external = format!("<!DOCTYPE a [<!ENTITY x SYSTEM \"file:///etc/passwd\">]>{request}");
    for (xml, code) in [
        (request.as_str(), "applications.saml-unknown"),
        (external.as_str(), "applications.saml-message"),
        ("evil", "applications.saml-message"),
    ] {
        let message = STANDARD.encode(xml).replace('+', "%2B").replace('=', "%3D");
        for path in ["/sso/saml/sign-on", "/sso/saml/logout"] {
            let body = Some(format!("SAMLRequest={message}").into_bytes());
            let answer = browser.send(Method::POST, path, FORM, body).await;
            assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{path}");
            let code = if path.ends_with("logout") {
                "applications.saml-message"
            } else {
                code
            };
            is_a_page_of_ours(&answer, code);
        }
    }
    for path in [
        "/sso/saml/logout/nothing",
        "/sso/saml/sign-on",
        "/sso/saml/logout",
    ] {
        let answer = browser.get(path).await;
        assert!(answer.status.is_client_error(), "{path}: {}", answer.status);
        assert!(answer.headers.get(header::LOCATION).is_none());
    }
}
