//! The log-on, step by step.

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse as _, Redirect, Response},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use naru_runtime::{Access, Caller, Client, FirstFactor, Json, Peer, Query, Route, Routes};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::{Answer, Shared, clear_cookie, remember_device, set_cookie};
use crate::{
    Error, Opened, Visitor,
    answers::{ChallengeAnswer, LogonStep, Platform, Session, TotpOffer},
    service::CurrentLogon,
};

/// A signed challenge.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Signed {
    /// CMS `SignedData`, base64.
    signed: String,
}

/// A code.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Code {
    /// As it was handed out or shown.
    code: String,
}

/// A passkey's answer.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Credential {
    /// `PublicKeyCredential.toJSON()`.
    credential: Value,
    /// What the person calls it.
    #[serde(default)]
    name: String,
}

/// No parameters.
#[derive(Deserialize)]
struct Nothing {}

pub(super) fn routes() -> Routes<Shared> {
    use Access::{Anyone, ClientCertificate, FirstFactor, SignedIn};
    Routes::new()
        .route(
            Route::get("/api/v1/platform", Anyone, "What this platform is").answers::<Platform>(),
            platform,
        )
        .route(
            Route::post("/api/v1/logon/challenge", Anyone, "A challenge to sign")
                .answers::<ChallengeAnswer>(),
            challenge,
        )
        .route(
            Route::post(
                "/api/v1/logon/certificate",
                Anyone,
                "Log on with a signed challenge",
            )
            .takes::<Signed>()
            .answers::<LogonStep>(),
            certificate,
        )
        .route(
            Route::get(
                "/api/v1/logon/tls",
                ClientCertificate,
                "Log on with a client certificate (certificate door only)",
            ),
            tls,
        )
        .route(
            Route::post(
                "/api/v1/logon/handover",
                Anyone,
                "Go on with a code of the certificate door",
            )
            .takes::<Code>()
            .answers::<LogonStep>(),
            handover,
        )
        .route(
            Route::get("/api/v1/logon", Anyone, "Where this browser's log-on stands").answers::<LogonStep>(),
            step,
        )
        .route(
            Route::post(
                "/api/v1/logon/activation",
                FirstFactor,
                "Give the activation code",
            )
            .takes::<Code>()
            .answers::<LogonStep>(),
            activation,
        )
        .route(
            Route::post("/api/v1/logon/totp", FirstFactor, "Sign in with six digits")
                .takes::<Code>()
                .answers::<LogonStep>(),
            totp,
        )
        .route(
            Route::post("/api/v1/logon/passkey/start", FirstFactor, "Ask for a passkey").answers::<Value>(),
            passkey_start,
        )
        .route(
            Route::post(
                "/api/v1/logon/passkey/finish",
                FirstFactor,
                "Sign in with a passkey",
            )
            .takes::<Credential>()
            .answers::<LogonStep>(),
            passkey_finish,
        )
        .route(
            Route::post(
                "/api/v1/logon/enrol/passkey/start",
                FirstFactor,
                "Offer to make a passkey",
            )
            .answers::<Value>(),
            enrol_passkey_start,
        )
        .route(
            Route::post(
                "/api/v1/logon/enrol/passkey/finish",
                FirstFactor,
                "Keep a passkey",
            )
            .takes::<Credential>()
            .answers::<LogonStep>(),
            enrol_passkey_finish,
        )
        .route(
            Route::post("/api/v1/logon/enrol/totp/start", FirstFactor, "Offer a TOTP key")
                .answers::<TotpOffer>(),
            enrol_totp_start,
        )
        .route(
            Route::post("/api/v1/logon/enrol/totp/finish", FirstFactor, "Keep a TOTP key")
                .takes::<Code>()
                .answers::<LogonStep>(),
            enrol_totp_finish,
        )
        .route(
            Route::post("/api/v1/logon/extend", SignedIn, "Go on with this session").answers::<Session>(),
            extend,
        )
        .route(
            Route::post("/api/v1/logoff", FirstFactor, "End this session"),
            log_off,
        )
}

/// The step, and the cookie if its token changed.
fn moved(opened: Opened) -> Response {
    let mut headers = opened.token.map(|token| set_cookie(&token)).unwrap_or_default();
    if let Some(token) = opened.device {
        remember_device(&mut headers, &token);
    }
    (headers, Json(opened.step)).into_response()
}

async fn platform(State(identity): State<Shared>) -> Json<Platform> {
    let config = identity.config();
    Json(Platform {
        name: config.platform_name.clone(),
        version: env!("CARGO_PKG_VERSION"),
        certificate_door: config.certificate_door.clone(),
        profiles: identity.trust().profile_names().map(str::to_owned).collect(),
        demo: config.demo,
        gateway_url: config.gateway_url.clone(),
    })
}

async fn challenge(State(identity): State<Shared>) -> Answer<Json<ChallengeAnswer>> {
    let issued = identity.challenge().ok_or(Error::Secret)?;
    Ok(Json(ChallengeAnswer {
        challenge: STANDARD.encode(&issued.bytes),
        expires_at: issued.expires_at,
    }))
}

async fn certificate(
    State(identity): State<Shared>,
    visitor: Visitor,
    Json(body): Json<Signed>,
) -> Answer<Response> {
    // What is no base64 is no CMS either: it is judged, refused and recorded as such.
    let signed = STANDARD.decode(body.signed.trim()).unwrap_or_default();
    Ok(moved(identity.log_on(&signed, &visitor).await?))
}

async fn tls(State(identity): State<Shared>, client: Client, peer: Option<Peer>) -> Answer<Redirect> {
    let origin = identity.config().origin.clone();
    let chain: Vec<&[u8]> = peer
        .iter()
        .flat_map(|peer| peer.certificates.iter())
        .map(AsRef::as_ref)
        .collect();
    let target = match identity.log_on_by_tls(&chain, &client).await {
        Ok(code) => format!("{origin}/#/logon?handover={code}"),
        // The page on the main host has a text for every code; a bare problem would be a dead end.
        Err(Error::Refused(refusal)) => format!("{origin}/#/logon?refused={}", refusal.code()),
        Err(error) => return Err(error.into()),
    };
    Ok(Redirect::to(&target))
}

async fn handover(
    State(identity): State<Shared>,
    visitor: Visitor,
    Json(body): Json<Code>,
) -> Answer<Response> {
    Ok(moved(identity.take_over(&body.code, &visitor).await?))
}

async fn step(
    State(identity): State<Shared>,
    caller: Caller,
    Query(Nothing {}): Query<Nothing>,
) -> Answer<Json<LogonStep>> {
    let logon = match caller {
        Caller::Anyone => None,
        Caller::FirstFactor(first) => Some(first.logon),
        Caller::SignedIn(actor) => Some(actor.logon),
    };
    Ok(Json(identity.step(logon).await?))
}

async fn activation(
    State(identity): State<Shared>,
    first: FirstFactor,
    visitor: Visitor,
    Json(body): Json<Code>,
) -> Answer<Json<LogonStep>> {
    Ok(Json(identity.activate(first, &body.code, &visitor).await?))
}

async fn totp(
    State(identity): State<Shared>,
    first: FirstFactor,
    visitor: Visitor,
    Json(body): Json<Code>,
) -> Answer<Response> {
    Ok(moved(identity.use_totp(first, &body.code, &visitor).await?))
}

async fn passkey_start(State(identity): State<Shared>, first: FirstFactor) -> Answer<Json<Value>> {
    Ok(Json(identity.start_passkey(first).await?))
}

async fn passkey_finish(
    State(identity): State<Shared>,
    first: FirstFactor,
    visitor: Visitor,
    Json(body): Json<Credential>,
) -> Answer<Response> {
    Ok(moved(
        identity.finish_passkey(first, body.credential, &visitor).await?,
    ))
}

async fn enrol_passkey_start(State(identity): State<Shared>, caller: Caller) -> Answer<Json<Value>> {
    Ok(Json(identity.start_passkey_enrolment(&caller).await?))
}

async fn enrol_passkey_finish(
    State(identity): State<Shared>,
    caller: Caller,
    visitor: Visitor,
    Json(body): Json<Credential>,
) -> Answer<Response> {
    let made = (body.credential, body.name.as_str());
    Ok(moved(
        identity.finish_passkey_enrolment(&caller, made, &visitor).await?,
    ))
}

async fn enrol_totp_start(State(identity): State<Shared>, caller: Caller) -> Answer<Json<TotpOffer>> {
    Ok(Json(identity.start_totp_enrolment(&caller).await?))
}

async fn enrol_totp_finish(
    State(identity): State<Shared>,
    caller: Caller,
    visitor: Visitor,
    Json(body): Json<Code>,
) -> Answer<Response> {
    Ok(moved(
        identity
            .finish_totp_enrolment(&caller, &body.code, &visitor)
            .await?,
    ))
}

async fn extend(
    State(identity): State<Shared>,
    naru_runtime::SignedIn(actor): naru_runtime::SignedIn,
    current: CurrentLogon,
) -> Answer<Json<Session>> {
    Ok(Json(identity.extend(&actor, current).await?))
}

async fn log_off(
    State(identity): State<Shared>,
    caller: Caller,
    client: Client,
) -> Answer<(StatusCode, HeaderMap)> {
    identity.log_off(&caller, &client).await?;
    Ok((StatusCode::NO_CONTENT, clear_cookie()))
}
