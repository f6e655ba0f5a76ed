//! The OpenID Connect endpoints for programs: errors are JSON as RFC 6749 5.2 says, or `WWW-Authenticate` (RFC 6750 3).

use axum::{
    Json,
    body::Bytes,
    extract::{FromRequest, FromRequestParts as _, Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use naru_kernel::Kind;
use naru_runtime::{Access, Client, Fails as _, Peer, Problem, Route, Routes};
use naru_sso::oidc::{Code, Params, Refusal as Wrong};
use serde::Serialize;
use serde_json::json;

use super::{Shared, sso::form_of};
use crate::{
    Error, Refusal,
    service::{
        client::{Fault, Presented},
        userinfo::Bearer,
    },
};

/// Where programs ask; a proof of possession names one of these.
const PATHS: &[&str] = &[
    "/sso/par",
    "/sso/token",
    "/sso/introspect",
    "/sso/revoke",
    "/sso/device",
    "/sso/userinfo",
];

pub(super) fn routes() -> Routes<Shared> {
    Routes::new()
        .route(
            Route::post("/sso/par", Access::Machine, "Push a sign-on request (RFC 9126)"),
            push,
        )
        .route(Route::post("/sso/token", Access::Machine, "Get tokens"), token)
        .route(
            Route::post("/sso/introspect", Access::Machine, "Ask about a token (RFC 7662)"),
            introspect,
        )
        .route(
            Route::post("/sso/revoke", Access::Machine, "Revoke a token (RFC 7009)"),
            revoke,
        )
        .route(
            Route::post(
                "/sso/device",
                Access::Machine,
                "Let a device wait for a person (RFC 8628)",
            ),
            device,
        )
        .route(
            Route::get("/sso/userinfo", Access::Machine, "Claims about a person"),
            userinfo,
        )
        .route(
            Route::post(
                "/sso/userinfo",
                Access::Machine,
                "Claims about a person, by a form",
            ),
            userinfo,
        )
}

/// A program's request.
struct Asked {
    presented: Presented,
    form: Params,
    client: Client,
    /// The token of an `Authorization` header.
    bearer: Option<Bearer>,
}

impl<S: Send + Sync> FromRequest<S> for Asked {
    type Rejection = Response;

    async fn from_request(request: Request, state: &S) -> Result<Self, Response> {
        let (mut parts, body) = request.into_parts();
        let Ok(client) = Client::from_request_parts(&mut parts, state).await;
        let presented = presented(&parts.headers, &parts.method, parts.uri.path());
        let presented = Presented {
            peer: parts.extensions.get::<Peer>().cloned(),
            ..presented
        };
        let bearer = presented.authorization.as_deref().and_then(bearer);
        let refused = |wrong: Wrong| failure(wrong.into(), false);
        let headers = parts.headers.clone();
        let body = Bytes::from_request(Request::from_parts(parts, body), state)
            .await
            .map_err(|_| refused(Wrong::new(Code::InvalidRequest, "the request is too long")))?;
        let form = if presented.method == "GET" || (body.is_empty() && bearer.is_some()) {
            Params::default()
        } else {
            form_of(&headers, &body).map_err(refused)?
        };
        Ok(Self {
            presented,
            form,
            client,
            bearer,
        })
    }
}

fn presented(headers: &HeaderMap, method: &Method, path: &str) -> Presented {
    let text = |name: &str| {
        headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .map(str::to_owned)
    };
    let proof = match headers.get_all("dpop").iter().count() {
        0 => None,
        1 => Some(text("dpop").ok_or(())),
        _ => Some(Err(())),
    };
    Presented {
        authorization: text("authorization"),
        proof,
        path: PATHS
            .iter()
            .copied()
            .find(|known| *known == path)
            .unwrap_or_default(),
        method: if method == Method::GET { "GET" } else { "POST" },
        peer: None,
    }
}

fn bearer(authorization: &str) -> Option<Bearer> {
    let (scheme, token) = authorization.split_once(' ')?;
    let is_bound = scheme.eq_ignore_ascii_case("dpop");
    (is_bound || scheme.eq_ignore_ascii_case("bearer")).then(|| Bearer {
        token: token.trim().to_owned(),
        is_bound,
    })
}

async fn push(State(applications): State<Shared>, asked: Asked) -> Response {
    let basic = asked.presented.authorization.is_some();
    match applications
        .par(&asked.presented, &asked.form, &asked.client)
        .await
    {
        Ok(pushed) => told(StatusCode::CREATED, &pushed),
        Err(fault) => failure(fault, basic),
    }
}

async fn token(State(applications): State<Shared>, asked: Asked) -> Response {
    let basic = asked.presented.authorization.is_some();
    match applications
        .token(&asked.presented, &asked.form, &asked.client)
        .await
    {
        Ok(tokens) => told(StatusCode::OK, &tokens),
        Err(fault) => failure(fault, basic),
    }
}

async fn introspect(State(applications): State<Shared>, asked: Asked) -> Response {
    let basic = asked.presented.authorization.is_some();
    match applications
        .introspect(&asked.presented, &asked.form, &asked.client)
        .await
    {
        Ok(facts) => told(StatusCode::OK, &facts),
        Err(fault) => failure(fault, basic),
    }
}

async fn revoke(State(applications): State<Shared>, asked: Asked) -> Response {
    let basic = asked.presented.authorization.is_some();
    match applications
        .revoke_token(&asked.presented, &asked.form, &asked.client)
        .await
    {
        Ok(()) => StatusCode::OK.into_response(),
        Err(fault) => failure(fault, basic),
    }
}

async fn device(State(applications): State<Shared>, asked: Asked) -> Response {
    let basic = asked.presented.authorization.is_some();
    match applications
        .begin_device(&asked.presented, &asked.form, &asked.client)
        .await
    {
        Ok(codes) => told(StatusCode::OK, &codes),
        Err(fault) => failure(fault, basic),
    }
}

async fn userinfo(State(applications): State<Shared>, asked: Asked) -> Response {
    let mut shown = asked.bearer;
    // RFC 6750 2.2: in a form, and never in both places.
    match asked.form.get("access_token") {
        Ok(None) => {}
        Ok(Some(_)) if shown.is_some() => {
            return failure(
                Wrong::new(Code::InvalidRequest, "the token came twice").into(),
                false,
            );
        }
        Ok(Some(token)) => {
            shown = Some(Bearer {
                token: token.to_owned(),
                is_bound: false,
            });
        }
        Err(wrong) => return failure(wrong.into(), false),
    }
    let is_shown = shown.is_some();
    match applications.userinfo(&asked.presented, shown).await {
        Ok(claims) => told(StatusCode::OK, &claims),
        Err(Fault::Wrong(wrong)) => challenge(wrong, is_shown),
        Err(fault) => failure(fault, false),
    }
}

fn told<T: Serialize>(status: StatusCode, answer: &T) -> Response {
    (status, NEVER_KEPT, Json(answer)).into_response()
}

const NEVER_KEPT: [(header::HeaderName, &str); 2] =
    [(header::CACHE_CONTROL, "no-store"), (header::PRAGMA, "no-cache")];

/// A refusal at a resource (RFC 6750 3, RFC 9449 7.1). Who shows no token hears of no error.
fn challenge(wrong: Wrong, is_shown: bool) -> Response {
    let (code, why) = (wrong.code.as_str(), wrong.why);
    let status = if wrong.code == Code::InsufficientScope {
        StatusCode::FORBIDDEN
    } else if wrong.code == Code::InvalidRequest {
        StatusCode::BAD_REQUEST
    } else {
        StatusCode::UNAUTHORIZED
    };
    let mut response = (
        status,
        NEVER_KEPT,
        Json(json!({ "error": code, "error_description": why })),
    )
        .into_response();
    let error = if is_shown {
        format!(", error=\"{code}\", error_description=\"{why}\"")
    } else {
        String::new()
    };
    for challenge in [
        format!("Bearer realm=\"naru\"{error}"),
        format!("DPoP algs=\"ES256 RS256 PS256\"{error}"),
    ] {
        if let Ok(value) = HeaderValue::from_str(&challenge) {
            response.headers_mut().append(header::WWW_AUTHENTICATE, value);
        }
    }
    response
}

/// A refusal at an endpoint of ours. `basic`: the client came with an `Authorization` header.
fn failure(fault: Fault, basic: bool) -> Response {
    let wrong = match fault {
        Fault::Wrong(wrong) => wrong,
        Fault::Error(Error::Refused(Refusal::TooManyRequests)) => Wrong::new(
            Code::TemporarilyUnavailable,
            "too many requests wait: try again in a minute",
        ),
        Fault::Error(error) => {
            let is_busy = error.kind() == Kind::Unavailable;
            // Logs it with its causes.
            drop(Problem::from(error));
            if is_busy {
                Wrong::new(Code::TemporarilyUnavailable, "try again in a moment")
            } else {
                Wrong::new(Code::ServerError, "something went wrong on our side")
            }
        }
    };
    let status = if wrong.code == Code::InvalidClient {
        StatusCode::UNAUTHORIZED
    } else if wrong.code == Code::ServerError {
        StatusCode::INTERNAL_SERVER_ERROR
    } else if wrong.code == Code::TemporarilyUnavailable {
        StatusCode::SERVICE_UNAVAILABLE
    } else {
        StatusCode::BAD_REQUEST
    };
    let body = json!({ "error": wrong.code.as_str(), "error_description": wrong.why });
    let mut response = (status, NEVER_KEPT, Json(body)).into_response();
    if status == StatusCode::UNAUTHORIZED && basic {
        let value = HeaderValue::from_static("Basic realm=\"naru\"");
        response.headers_mut().insert(header::WWW_AUTHENTICATE, value);
    }
    response
}
