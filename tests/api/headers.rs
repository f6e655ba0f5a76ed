//! What every answer carries, given or refused.

use axum::http::header;
use naru_kernel::Role;
use serde_json::json;

use crate::world::{Side, World};

#[tokio::test]
async fn every_answer_of_the_public_door_is_fenced() {
    let world = World::new().await;
    let mut everyone = world.member(Side::Platform, &Role::ALL).await.browser;
    let mut nobody = world.browser();
    let unknown = "00000000000000000000000000000000";
    for route in world.table.iter().filter(|route| route.path.starts_with("/api/")) {
        let mut path = route.path.to_owned();
        for name in crate::paths::parameters(route) {
            path = path.replace(&format!("{{{name}}}"), &format!("{name}_{unknown}"));
        }
        for browser in [&mut nobody, &mut everyone] {
            // A log-off would end the walk, and it answers as the others do.
            if route.path == "/api/v1/logoff" {
                continue;
            }
            let body = (route.method != "GET").then(|| json!({}));
            let answer = browser.call(route.method.clone(), &path, body.as_ref()).await;
            let header = |name: &str| {
                answer
                    .headers
                    .get(name)
                    .and_then(|value| value.to_str().ok())
                    .unwrap_or_default()
            };
            let policy = header(header::CONTENT_SECURITY_POLICY.as_str());
            assert!(policy.contains("default-src 'none'"), "{path}: {policy}");
            assert!(policy.contains("frame-ancestors 'none'"), "{path}: {policy}");
            assert!(!policy.contains("unsafe-inline"), "{path}: {policy}");
            assert!(!policy.contains("'unsafe-eval'"), "{path}: {policy}");
            assert_eq!(header("x-content-type-options"), "nosniff", "{path}");
            assert_eq!(header("cache-control"), "no-store", "{path}");
            assert_eq!(header("referrer-policy"), "no-referrer", "{path}");
            assert!(
                header("strict-transport-security").starts_with("max-age="),
                "{path}"
            );
            if answer.status.is_client_error() || answer.status.is_server_error() {
                assert_eq!(header("content-type"), "application/problem+json", "{path}");
                assert!(!answer.code().is_empty(), "{path}");
                let reference = answer.body["reference"].as_str().unwrap_or_default();
                assert!(!reference.is_empty(), "{path}: the help desk has no reference");
            }
        }
    }
}

#[tokio::test]
async fn the_session_cookie_is_for_this_host_and_no_script() {
    let world = World::new().await;
    let (_, identity) = world.somebody(Side::Ordinary, &[Role::Worker]).await;
    let mut browser = world.browser();
    let answer = world.show(&mut browser, &identity).await;
    let cookie = answer.headers[header::SET_COOKIE].to_str().unwrap();
    assert!(cookie.starts_with("__Host-naru="), "{cookie}");
    for word in ["Secure", "HttpOnly", "SameSite=Strict", "Path=/"] {
        assert!(cookie.contains(word), "{cookie}");
    }
    assert!(!cookie.contains("Domain"), "{cookie}");
}
