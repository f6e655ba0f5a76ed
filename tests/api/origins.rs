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
