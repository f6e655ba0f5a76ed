//! Over HTTP: who may what, and what comes back.

use std::sync::Arc;

use axum::{Extension, http::StatusCode};
use naru_kernel::{
    Actor, Role, Zone,
    access::{AccessDecision, Assurance, Label, Resource},
};
use naru_runtime::{Access, Caller, Fails as _, PortalOrigins};
use naru_testkit::Browser;
use serde_json::json;

use super::{
    World, person,
    world::{ADDRESS, actor},
};

const ORIGIN: &str = "https://localhost:8443";

fn browser(world: &World, caller: Caller) -> Browser {
    let routes = crate::routes(Arc::clone(&world.desktops));
    let (router, _) = routes
        .merge(crate::fleet_routes(Arc::clone(&world.desktops)))
        .finish();
    let origins = PortalOrigins(Arc::from([ORIGIN.to_owned()]));
    Browser::new(router.layer(Extension(caller)).layer(Extension(origins)), ORIGIN)
}

fn signed_in(world: &World, actor: &Actor) -> Browser {
    browser(world, Caller::SignedIn(actor.clone()))
}

#[tokio::test]
async fn every_route_refuses_the_wrong_role() {
    let world = World::new().await;
    let routes = crate::routes(Arc::clone(&world.desktops));
    let (_, table) = routes
        .merge(crate::fleet_routes(Arc::clone(&world.desktops)))
        .finish();
    assert_eq!(table.len(), 15);
    for entry in table {
        let path = entry
            .path
            .replace("{desktop}", "desktop_00000000000000000000000000000001");
        let path = path.replace("{host}", "host_00000000000000000000000000000001");
        let call = async |mut browser: Browser| {
            browser
                .call(entry.method.clone(), &path, Some(&json!({})))
                .await
                .status
        };
        let anonymous = call(browser(&world, Caller::Anyone)).await;
        match entry.access {
            Access::Role(needed) => {
                assert_eq!(anonymous, StatusCode::UNAUTHORIZED, "{path}");
                for role in Role::ALL.into_iter().filter(|role| *role != needed) {
                    let status = call(signed_in(&world, &actor(1, role))).await;
                    assert_eq!(status, StatusCode::FORBIDDEN, "{path} as {role}");
                }
            }
            Access::Node | Access::Machine => assert_eq!(anonymous, StatusCode::UNAUTHORIZED, "{path}"),
            Access::Anyone => assert_eq!(path, "/fleet/v1/enrol"),
            Access::FirstFactor | Access::SignedIn | Access::ClientCertificate => {
                panic!("{path} is not ours")
            }
        }
    }
}

#[tokio::test]
async fn a_worker_opens_and_ends_over_http() {
    let (world, _, _) = World::fleet(1).await;
    let mut me = signed_in(&world, &person(1));
    let opened = me
        .post(
            "/api/v1/desktops",
            &json!({"zone": "business", "protocol": "rfb"}),
        )
        .await;
    assert_eq!(opened.status, StatusCode::OK, "{:?}", opened.body);
    let body = &opened.body;
    assert_eq!(body.get("state"), Some(&json!("ready")));
    assert_eq!(
        body.get("clipboard"),
        Some(&json!({"copy_out": false, "paste_in": true}))
    );
    assert!(body.get("ticket").is_some() && body.get("position").is_none());
    let id = body.get("desktop").and_then(|id| id.as_str()).unwrap().to_owned();
    let list = me.get("/api/v1/desktops").await;
    assert_eq!(list.body.pointer("/items/0/id"), Some(&json!(id)));
    assert_eq!(list.body.pointer("/items/0/state"), Some(&json!("starting")));

    let path = format!("/api/v1/desktops/{id}/end");
    let stranger = signed_in(&world, &person(2)).post(&path, &json!({})).await;
    assert_eq!(
        (stranger.status, stranger.code()),
        (StatusCode::NOT_FOUND, "desktops.no-such-desktop")
    );
    assert_eq!(me.post(&path, &json!({})).await.status, StatusCode::NO_CONTENT);
    let again = me
        .post(&format!("/api/v1/desktops/{id}/ticket"), &json!({}))
        .await;
    assert_eq!(
        (again.status, again.code()),
        (StatusCode::CONFLICT, "desktops.ended")
    );
    let nonsense = me
        .post(
            "/api/v1/desktops",
            &json!({"zone": "business", "protocol": "rfb", "x": 1}),
        )
        .await;
    assert_eq!(nonsense.status, StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn an_operator_adds_a_host_and_its_absence_is_told_with_a_time_to_retry() {
    let world = World::new().await;
    let mut operator = signed_in(&world, &actor(9, Role::Operator));
    let made = operator
        .post(
            "/api/v1/enrolment-tokens",
            &json!({"role": "host", "name": "서버 1"}),
        )
        .await;
    let token = made
        .body
        .get("token")
        .and_then(|token| token.as_str())
        .unwrap()
        .to_owned();
    let mut node = browser(&world, Caller::Anyone);
    let request = World::enrolment(naru_kernel::fleet::NodeRole::Host, token);
    assert_eq!(
        node.post("/fleet/v1/enrol", &request).await.status,
        StatusCode::OK
    );
    let second = node.post("/fleet/v1/enrol", &request).await;
    assert_eq!(
        (second.status, second.code()),
        (StatusCode::FORBIDDEN, "desktops.token-refused")
    );
    let hosts = operator.get("/api/v1/hosts").await;
    assert_eq!(hosts.body.pointer("/items/0/state"), Some(&json!("lost")));
    assert_eq!(hosts.body.pointer("/items/0/name"), Some(&json!("서버 1")));
    world.gateway().await;
    let mut me = signed_in(&world, &person(1));
    let refused = me
        .post(
            "/api/v1/desktops",
            &json!({"zone": "business", "protocol": "rfb"}),
        )
        .await;
    assert_eq!(
        (refused.status, refused.code()),
        (StatusCode::SERVICE_UNAVAILABLE, "desktops.no-host")
    );
    assert_eq!(
        refused.headers.get("retry-after").map(|value| value.as_bytes()),
        Some(b"10".as_slice())
    );
}

#[tokio::test]
async fn the_sites_rules_are_asked_and_what_they_refuse_is_recorded() {
    let (world, _, _) = World::fleet(1).await;
    let me = person(1);
    let opening = world.open(&me).await.unwrap();
    let asked = world.asked().pop().unwrap();
    let wanted = Resource::Desktop {
        zone: Zone::business(),
        label: Label::S,
    };
    assert_eq!((&asked.resource, asked.address.as_str()), (&wanted, ADDRESS));
    assert_eq!((asked.actor.person, asked.unit.as_str()), (me.person, "감사관실"));

    let because = vec!["야간 금지 (policy_1 v3)".to_owned()];
    world.rules_say(AccessDecision::Denied {
        because: because.clone(),
        step_up: None,
    });
    let desktops = &world.desktops;
    let problem = world.open(&me).await.unwrap_err().into_problem();
    assert_eq!(problem.code, "desktops.rules-forbid");
    assert_eq!(problem.detail.as_deref(), Some("야간 금지 (policy_1 v3)"));
    let ticket = desktops.ticket(&me, ADDRESS, opening.desktop).await;
    assert_eq!(ticket.unwrap_err().code(), "desktops.rules-forbid");
    let restart = desktops.restart(&me, ADDRESS, opening.desktop).await;
    assert_eq!(restart.unwrap_err().code(), "desktops.rules-forbid");
    let entries = world.record(&me.ministry.to_string()).await;
    let refused: Vec<_> = entries.iter().filter(|(_, outcome)| outcome != "done").collect();
    assert_eq!(refused.len(), 3, "{entries:?}");
    assert_eq!(
        desktops.list(&me).await.unwrap().items.len(),
        1,
        "what runs was not ended by a refused restart"
    );

    world.rules_say(AccessDecision::Denied {
        because,
        step_up: Some(Assurance::CertificatePasskey),
    });
    let problem = world.open(&me).await.unwrap_err().into_problem();
    assert_eq!(
        (problem.code.as_str(), problem.detail.as_deref()),
        ("desktops.step-up-needed", Some("certificate_passkey"))
    );
}
