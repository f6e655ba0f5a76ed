//! Cross-site request forgery: a change needs our origin and a header that no form can send.

use axum::http::StatusCode;
use naru_kernel::Role;
use naru_runtime::Access;
use serde_json::json;

use crate::{
    paths::{Belongings, fill},
    world::{Side, World},
};

#[tokio::test]
async fn a_change_that_does_not_come_from_our_pages_is_refused() {
    let world = World::new().await;
    let mut admin = world.member(Side::Platform, &[Role::MinistryAdmin]).await;
    let mut member = world.member(Side::Platform, &Role::ALL).await;
    let own = Belongings::of(&world, &mut member, &mut admin.browser, &world.host).await;
    let first_factor = world.first_factor(&member.identity).await;
    let before = world.snapshot().await;
    let mut count = 0;
    for route in &world.table {
        // The fleet's door has neither pages nor cookies.
        if route.method == "GET" || route.path.starts_with("/fleet/") {
            continue;
        }
        // Nor have programs cookies, and where other sites lead no cookie is heard: the next test.
        if route.access == Access::Machine || route.open_to_other_sites {
            continue;
        }
        let path = fill(route, &own, &own, &[]);
        let ours = world.config.origin();
        let evil = "https://localhost.evil.example";
        let cases = [
            (Some(evil), true),
            (None, true),
            (Some("null"), true),
            (Some(ours.as_str()), false),
        ];
        for (origin, is_marked) in cases {
            let mut browser = if route.access == Access::FirstFactor {
                first_factor.clone()
            } else {
                member.browser.clone()
            };
            browser.set_origin(origin);
            browser.set_marked(is_marked);
            let answer = browser.call(route.method.clone(), &path, Some(&json!({}))).await;
            let case = format!("{} {path} from {origin:?}, marked: {is_marked}", route.method);
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{case}");
            assert_eq!(answer.code(), "runtime.foreign-origin", "{case}");
            count += 1;
        }
    }
    assert!(count > 100, "only {count} cases");
    assert_eq!(world.snapshot().await, before);
}

/// Where pages of other sites may lead a browser that does something, and why. May only shrink.
const FROM_OTHER_SITES: &[(&str, &str)] = &[
    ("/sso/authorize", "a sign-on begins at an application"),
    ("/sso/logout", "so does a log-out"),
    ("/sso/saml/sign-on", "SAML's POST binding"),
    ("/sso/saml/logout", "SAML's POST binding"),
];

#[tokio::test]
async fn where_other_sites_and_programs_come_a_cookie_opens_nothing() {
    let world = World::new().await;
    let mut admin = world.member(Side::Ordinary, &[Role::MinistryAdmin]).await.browser;
    let mut member = world.member(Side::Ordinary, &[Role::Worker]).await;
    let own = Belongings::of(&world, &mut member, &mut admin, &world.host).await;
    let before = world.snapshot().await;
    let mut count = 0;
    for route in &world.table {
        if route.access != Access::Machine && !route.open_to_other_sites {
            continue;
        }
        if route.open_to_other_sites && route.method != "GET" {
            let known = FROM_OTHER_SITES.iter().any(|(path, _)| *path == route.path);
            assert!(known, "{} is open to other sites", route.path);
        }
        let path = fill(route, &own, &own, &[]);
        for kind in ["application/x-www-form-urlencoded", "application/json"] {
            let mut answers = Vec::new();
            for mut browser in [member.browser.clone(), world.browser()] {
                browser.set_origin(Some("https://localhost.evil.example"));
                browser.set_marked(false);
                let body = (route.method != "GET").then(|| b"{}".to_vec());
                let answer = browser.send(route.method.clone(), &path, kind, body).await;
                answers.push((answer.status, answer.code().to_owned()));
            }
            // Who is signed in is answered like anyone.
            assert_eq!(answers[0], answers[1], "{} {path} as {kind}", route.method);
            if route.access == Access::Machine {
                assert!(
                    answers[0].0.is_client_error(),
                    "{} {path}: {}",
                    route.method,
                    answers[0].0
                );
            }
            count += 1;
        }
    }
    assert!(count >= 20, "only {count} cases");
    assert_eq!(world.snapshot().await, before);
}
