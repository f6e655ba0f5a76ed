//! A second factor shown again.

use axum::extract::State;
use naru_runtime::{Access, Json, Route, Routes, SignedIn};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::{Answer, Shared};
use crate::{Visitor, answers::SteppedUp};

/// Six digits.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Digits {
    /// As the app shows them.
    code: String,
}

/// A passkey's answer.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Shown {
    /// `PublicKeyCredential.toJSON()`.
    credential: Value,
}

pub(super) fn routes() -> Routes<Shared> {
    Routes::new()
        .route(
            Route::post(
                "/api/v1/logon/step-up/passkey/start",
                Access::SignedIn,
                "Ask for a passkey again",
            ),
            start,
        )
        .route(
            Route::post(
                "/api/v1/logon/step-up/passkey/finish",
                Access::SignedIn,
                "Confirm with a passkey",
            )
            .takes::<Shown>()
            .answers::<SteppedUp>(),
            finish,
        )
        .route(
            Route::post(
                "/api/v1/logon/step-up/totp",
                Access::SignedIn,
                "Confirm with six digits",
            )
            .takes::<Digits>()
            .answers::<SteppedUp>(),
            totp,
        )
}

async fn start(State(identity): State<Shared>, SignedIn(actor): SignedIn) -> Answer<Json<Value>> {
    Ok(Json(identity.start_step_up(&actor).await?))
}

async fn finish(
    State(identity): State<Shared>,
    SignedIn(actor): SignedIn,
    visitor: Visitor,
    Json(body): Json<Shown>,
) -> Answer<Json<SteppedUp>> {
    Ok(Json(
        identity.finish_step_up(&actor, body.credential, &visitor).await?,
    ))
}

async fn totp(
    State(identity): State<Shared>,
    SignedIn(actor): SignedIn,
    visitor: Visitor,
    Json(body): Json<Digits>,
) -> Answer<Json<SteppedUp>> {
    Ok(Json(
        identity.step_up_by_totp(&actor, &body.code, &visitor).await?,
    ))
}
