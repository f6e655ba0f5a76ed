//! The OpenID Connect endpoints for browsers that come from applications, and what everybody may read.

use axum::{
    body::Bytes,
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use naru_runtime::{Access, Client, Path, Route, Routes};
use naru_sso::oidc::{Code, Params, Refusal as Wrong, discovery, redirect};

use super::Shared;
use crate::{
    Error, Refusal,
    service::{
        authorize::{Begun, in_query},
        pending::{FormAnswer, Pending},
    },
};

/// What scripts of any page may read and call: nothing there depends on a cookie.
const OPEN_TO_SCRIPTS: &[&str] = &[
    "/.well-known/openid-configuration",
    "/sso/jwks",
    "/sso/token",
    "/sso/userinfo",
    "/sso/revoke",
];
/// How long programs may keep discovery and keys; shorter than a new key rests.
const CACHE: &str = "public, max-age=300";

pub(super) fn routes() -> Routes<Shared> {
    Routes::new()
        .route(
            Route::get(
                "/.well-known/openid-configuration",
                Access::Anyone,
                "What the provider can do",
            ),
            metadata,
        )
        .route(
            Route::get(
                "/sso/jwks",
                Access::Anyone,
                "The keys that tokens are signed with",
            ),
            keys,
        )
        .route(
            Route::get("/sso/authorize", Access::Anyone, "Begin a sign-on").open_to_other_sites(),
            authorize,
        )
        .route(
            Route::post("/sso/authorize", Access::Anyone, "Begin a sign-on, by a form").open_to_other_sites(),
            authorize_form,
        )
        .route(
            Route::get("/sso/logout", Access::Anyone, "Begin a log-out").open_to_other_sites(),
            logout,
        )
        .route(
            Route::post("/sso/logout", Access::Anyone, "Begin a log-out, by a form").open_to_other_sites(),
            logout_form,
        )
        .route(
            Route::get(
                "/sso/answer/{handle}",
                Access::Anyone,
                "Post an answer to an application",
            ),
            answer,
        )
}

/// Middleware of the whole door: lets scripts of any page read what is open to them, without cookies.
pub async fn open_to_scripts(request: Request, next: Next) -> Response {
    if !OPEN_TO_SCRIPTS.contains(&request.uri().path()) {
        return next.run(request).await;
    }
    let mut response = if request.method() == Method::OPTIONS {
        let allowed = [
            (header::ACCESS_CONTROL_ALLOW_METHODS, "GET, POST"),
            (
                header::ACCESS_CONTROL_ALLOW_HEADERS,
                "authorization, content-type, dpop",
            ),
            (header::ACCESS_CONTROL_MAX_AGE, "600"),
        ];
        (StatusCode::NO_CONTENT, allowed).into_response()
    } else {
        next.run(request).await
    };
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    headers.insert(
        header::ACCESS_CONTROL_EXPOSE_HEADERS,
        HeaderValue::from_static("www-authenticate, dpop-nonce"),
    );
    response
}

async fn metadata(State(applications): State<Shared>) -> Response {
    let config = applications.config();
    let metadata = discovery::metadata(config.issuer(), config.certificate_door());
    ([(header::CACHE_CONTROL, CACHE)], axum::Json(metadata)).into_response()
}

async fn keys(State(applications): State<Shared>) -> Response {
    match applications.keys().await {
        Ok(keys) => (
            [(header::CACHE_CONTROL, CACHE)],
            axum::Json(keys.published().to_json()),
        )
            .into_response(),
        Err(error) => super::problem(error).into_response(),
    }
}

async fn authorize(State(applications): State<Shared>, client: Client, request: Request) -> Response {
    let query = request.uri().query().unwrap_or_default().to_owned();
    begin(&applications, query.as_bytes(), &client).await
}

async fn authorize_form(
    State(applications): State<Shared>,
    client: Client,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    match form_of(&headers, &body) {
        Ok(_) => begin(&applications, &body, &client).await,
        Err(wrong) => stop(wrong),
    }
}

async fn begin(applications: &Shared, encoded: &[u8], client: &Client) -> Response {
    let params = match Params::parse(encoded) {
        Ok(params) => params,
        Err(wrong) => return stop(wrong),
    };
    match applications.begin_authorization(params, client).await {
        Ok(Begun::Page(handle)) => see(&format!("/#/sso/{handle}")),
        Ok(Begun::Stop(wrong)) => stop(wrong),
        Ok(Begun::Back(answer, redirect::ResponseMode::Query)) => see(&in_query(&answer)),
        Ok(Begun::Back(answer, redirect::ResponseMode::FormPost)) => form_page(&answer),
        Err(error) => stop_by(error),
    }
}

async fn logout(State(applications): State<Shared>, request: Request) -> Response {
    let query = request.uri().query().unwrap_or_default().to_owned();
    begin_logout(&applications, query.as_bytes()).await
}

async fn logout_form(State(applications): State<Shared>, headers: HeaderMap, body: Bytes) -> Response {
    match form_of(&headers, &body) {
        Ok(_) => begin_logout(&applications, &body).await,
        Err(wrong) => stop(wrong),
    }
}

async fn begin_logout(applications: &Shared, encoded: &[u8]) -> Response {
    let params = match Params::parse(encoded) {
        Ok(params) => params,
        Err(wrong) => return stop(wrong),
    };
    match applications.begin_logout(&params).await {
        Ok(Ok(handle)) => see(&format!("/#/sso/{handle}")),
        Ok(Err(wrong)) => stop(wrong),
        Err(error) => stop_by(error),
    }
}

async fn answer(State(applications): State<Shared>, Path(handle): Path<String>) -> Response {
    match applications.take_request(&handle).await {
        Ok(waiting) => match waiting.pending {
            Pending::Answer(answer) => form_page(&answer),
            Pending::Oidc(_)
            | Pending::Pushed { .. }
            | Pending::Logout(_)
            | Pending::Saml { .. }
            | Pending::SamlLogout { .. } => stop_by(Refusal::NoSuchRequest.into()),
        },
        Err(error) => stop_by(error),
    }
}

/// To another address, without the method; nobody keeps it.
fn see(address: &str) -> Response {
    let Ok(location) = HeaderValue::from_str(address) else {
        return stop(Wrong::new(Code::InvalidRequest, "the address cannot be sent"));
    };
    let headers = [
        (header::LOCATION, location),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    (StatusCode::SEE_OTHER, headers).into_response()
}

/// A page that posts an answer. Its policy lets its one script run and nothing else.
pub(crate) fn form_page(answer: &FormAnswer) -> Response {
    let fields: Vec<(&str, &str)> = answer
        .fields
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    let page = redirect::form_page(&answer.address, &fields);
    let policy = format!(
        "default-src 'none'; script-src 'sha256-{}'; base-uri 'none'; frame-ancestors 'none'",
        redirect::form_script_hash()
    );
    let mut response = html(StatusCode::OK, page);
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        response
            .headers_mut()
            .insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    response
}

fn html(status: StatusCode, page: String) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    (status, headers, page).into_response()
}

/// An error that nobody but the person may hear of: the application's address cannot be trusted.
fn stop(wrong: Wrong) -> Response {
    // What stands in it is all ours: codes and sentences of this program.
    let page = format!(
        "<!doctype html><html lang=\"ko\"><head><meta charset=\"utf-8\"><title>나루</title></head><body>\
         <main><h1>이 애플리케이션의 요청이 올바르지 않습니다</h1>\
         <p>애플리케이션 담당자에게 아래 내용을 알려 주십시오.</p>\
         <h2 lang=\"en\">This application sent a wrong request</h2>\
         <p lang=\"en\">Please tell those who run the application:</p>\
         <p><code>{}</code> {}</p><p><a href=\"/\">나루 · Naru</a></p></main></body></html>",
        wrong.code.as_str(),
        wrong.why
    );
    html(StatusCode::BAD_REQUEST, page)
}

fn stop_by(error: Error) -> Response {
    let Error::Refused(refusal) = error else {
        return super::problem(error).into_response();
    };
    let mut response = stop(Wrong::new(
        Code::InvalidRequest,
        "the request is over: begin again",
    ));
    if refusal == Refusal::TooManyRequests {
        *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    }
    response
}

pub(super) fn form_of(headers: &HeaderMap, body: &[u8]) -> Result<Params, Wrong> {
    let kind = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    if !kind.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        return Err(Wrong::new(Code::InvalidRequest, "the body must be a form"));
    }
    Params::parse(body)
}
