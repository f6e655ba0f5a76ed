//! Routes answer only whom they say, and only from the portal's own pages.
#![expect(clippy::unwrap_used, reason = "a test")]

use std::{net::SocketAddr, sync::Arc};

use axum::{
    Extension, Router,
    body::Body,
    http::{Request, StatusCode, header},
};
use naru_kernel::{Actor, LogonId, MinistryId, PersonId, Role};
use naru_runtime::{Access, Caller, FirstFactor, Json, Peer, PortalOrigins, Route, Routes};
use serde::Deserialize;
use tower::ServiceExt as _;

const OURS: &str = "https://portal.example";

#[derive(Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct Wish {
    #[expect(dead_code, reason = "only parsed")]
    count: i64,
}

fn router(caller: Caller) -> Router {
    let (router, table) = Routes::new()
        .route(Route::get("/anyone", Access::Anyone, "a"), async || "ok")
        .route(Route::get("/first", Access::FirstFactor, "b"), async || "ok")
        .route(Route::get("/signed", Access::SignedIn, "c"), async || "ok")
        .route(
            Route::get("/operator", Access::Role(Role::Operator), "d"),
            async || "ok",
        )
        .route(
            Route::get("/certificate", Access::ClientCertificate, "e"),
            async || "ok",
        )
        .route(Route::get("/node", Access::Node, "f"), async || "ok")
        .route(
            Route::post("/change", Access::SignedIn, "g").takes::<Wish>(),
            async |_: Json<Wish>| "ok",
        )
        .with_state(())
        .finish();
    assert_eq!(table.len(), 7);
    let peer = Peer {
        address: SocketAddr::from(([127, 0, 0, 1], 1)),
        certificates: Arc::from([]),
        server_name: None,
    };
    router
        .layer(Extension(caller))
        .layer(Extension(peer))
        .layer(Extension(PortalOrigins(Arc::from([OURS.to_owned()]))))
}

fn signed_in(role: Role) -> Caller {
    Caller::SignedIn(Actor::with_roles(
        PersonId::from_bits(1),
        MinistryId::from_bits(1),
        LogonId::from_bits(1),
        [role],
    ))
}

async fn status(caller: &Caller, path: &str) -> StatusCode {
    let request = Request::get(path).body(Body::empty()).unwrap();
    router(caller.clone()).oneshot(request).await.unwrap().status()
}

#[tokio::test]
async fn each_access_admits_whom_it_names_and_nobody_else() {
    let first = Caller::FirstFactor(FirstFactor {
        logon: LogonId::from_bits(1),
        person: PersonId::from_bits(1),
        ministry: MinistryId::from_bits(1),
    });
    let (worker, operator) = (signed_in(Role::Worker), signed_in(Role::Operator));
    let (ok, who, no) = (StatusCode::OK, StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN);
    for (path, expected) in [
        ("/anyone", [ok, ok, ok, ok]),
        ("/first", [who, ok, ok, ok]),
        ("/signed", [who, who, ok, ok]),
        ("/operator", [who, who, no, ok]),
        ("/certificate", [who, who, who, who]),
        ("/node", [who, who, who, who]),
    ] {
        for (caller, expected) in [&Caller::Anyone, &first, &worker, &operator]
            .into_iter()
            .zip(expected)
        {
            assert_eq!(status(caller, path).await, expected, "{path} for {caller:?}");
        }
    }
}

#[tokio::test]
async fn a_change_needs_our_origin_our_header_and_a_body_that_fits() {
    let send = async |origin: Option<&str>, marked: bool, body: &str| {
        let mut request = Request::post("/change").header(header::CONTENT_TYPE, "application/json");
        if let Some(origin) = origin {
            request = request.header(header::ORIGIN, origin);
        }
        if marked {
            request = request.header("naru-request", "1");
        }
        let request = request.body(Body::from(body.to_owned())).unwrap();
        router(signed_in(Role::Worker))
            .oneshot(request)
            .await
            .unwrap()
            .status()
    };
    let good = r#"{"count":1}"#;
    assert_eq!(send(Some(OURS), true, good).await, StatusCode::OK);
    assert_eq!(send(None, true, good).await, StatusCode::FORBIDDEN);
    assert_eq!(send(Some(OURS), false, good).await, StatusCode::FORBIDDEN);
    assert_eq!(
        send(Some("https://elsewhere.example"), true, good).await,
        StatusCode::FORBIDDEN
    );
    assert_eq!(
        send(Some(OURS), true, r#"{"count":1,"more":2}"#).await,
        StatusCode::UNPROCESSABLE_ENTITY
    );
    assert_eq!(
        send(Some(OURS), true, r#"{"count":"#).await,
        StatusCode::UNPROCESSABLE_ENTITY
    );
    let large = format!(r#"{{"count":1{}}}"#, " ".repeat(70_000));
    assert_eq!(
        send(Some(OURS), true, &large).await,
        StatusCode::PAYLOAD_TOO_LARGE
    );
}

#[test]
fn the_description_names_every_route_and_who_may() {
    let (_, table) = Routes::new()
        .route(
            Route::post("/things/{id}", Access::Role(Role::Auditor), "count").takes::<Wish>(),
            async || "ok",
        )
        .with_state(())
        .finish();
    let description = naru_runtime::openapi::describe(&table, "0");
    let operation = &description["paths"]["/things/{id}"]["post"];
    assert_eq!(operation["x-access"], "auditor");
    assert_eq!(operation["parameters"][0]["name"], "id");
    assert!(description["components"]["schemas"]["Wish"]["properties"]["count"].is_object());
}
