//! What the portal's page asks while a person opens an application.

use axum::{extract::State, http::StatusCode};
use naru_runtime::{Access, Caller, Client, Json, Path, Route, Routes, SignedIn};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{Answer, Shared, problem};
use crate::{
    model::{SsoStep, WaitingDevice},
    service::step::ConsentAnswer,
};

/// Whether a device may.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct DeviceConsent {
    /// Whether it may.
    agree: bool,
}

pub(super) fn routes() -> Routes<Shared> {
    Routes::new()
        .route(
            Route::post("/api/v1/sso/{handle}", Access::Anyone, "How far a sign-on is").answers::<SsoStep>(),
            step,
        )
        .route(
            Route::post(
                "/api/v1/sso/{handle}/consent",
                Access::SignedIn,
                "Agree to what an application asks to know, or do not",
            )
            .takes::<ConsentAnswer>()
            .answers::<SsoStep>(),
            consent,
        )
        .route(
            Route::post("/api/v1/sso/{handle}/refuse", Access::Anyone, "Do not go on").answers::<SsoStep>(),
            refuse,
        )
        .route(
            Route::get(
                "/api/v1/sso/device/{user_code}",
                Access::SignedIn,
                "What a device that waits asks for",
            )
            .answers::<WaitingDevice>(),
            device,
        )
        .route(
            Route::post(
                "/api/v1/sso/device/{user_code}",
                Access::SignedIn,
                "Allow a device that waits, or refuse it",
            )
            .takes::<DeviceConsent>(),
            answer_device,
        )
}

async fn step(
    State(applications): State<Shared>,
    caller: Caller,
    client: Client,
    Path(handle): Path<String>,
) -> Answer<Json<SsoStep>> {
    applications
        .step(&handle, &caller, &client)
        .await
        .map(Json)
        .map_err(problem)
}

async fn consent(
    State(applications): State<Shared>,
    SignedIn(actor): SignedIn,
    client: Client,
    Path(handle): Path<String>,
    Json(answer): Json<ConsentAnswer>,
) -> Answer<Json<SsoStep>> {
    applications
        .consent(&handle, &actor, answer, &client)
        .await
        .map(Json)
        .map_err(problem)
}

async fn refuse(
    State(applications): State<Shared>,
    caller: Caller,
    client: Client,
    Path(handle): Path<String>,
) -> Answer<Json<SsoStep>> {
    applications
        .refuse_request(&handle, &caller, &client)
        .await
        .map(Json)
        .map_err(problem)
}

async fn device(
    State(applications): State<Shared>,
    SignedIn(actor): SignedIn,
    Path(code): Path<String>,
) -> Answer<Json<WaitingDevice>> {
    applications
        .waiting_device(&actor, &code)
        .await
        .map(Json)
        .map_err(problem)
}

async fn answer_device(
    State(applications): State<Shared>,
    SignedIn(actor): SignedIn,
    client: Client,
    Path(code): Path<String>,
    Json(answer): Json<DeviceConsent>,
) -> Answer<StatusCode> {
    applications
        .answer_device(&actor, &code, answer.agree, &client)
        .await
        .map(|()| StatusCode::NO_CONTENT)
        .map_err(problem)
}
