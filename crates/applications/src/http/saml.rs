//! SAML's doors. What comes from a service provider's site carries no cookie of ours, and is not asked for one.

use axum::{
    body::Bytes,
    extract::{RawQuery, State, rejection::BytesRejection},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use naru_kernel::Role;
use naru_runtime::{Access, Client, Json, Path, Route, Routes, SignedIn};
use naru_sso::saml::{self, Incoming, METADATA_BYTES_MAX};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Answer, Shared, problem, saml_page};
use crate::{Applications, Error, model::SamlSettings, service::saml::Onward};

/// A form with a message of 64 KiB in base64 and a signature.
const FORM_BYTES_MAX: usize = 128 * 1024;

/// Which browser goes from one service provider to the next; opens nothing else.
const COOKIE: &str = "__Host-naru-leaving";

/// A service provider's metadata.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Metadata {
    /// As the service provider publishes it.
    xml: String,
}

/// Where to go after logging off.
#[derive(Serialize, JsonSchema)]
struct Leave {
    /// A page of ours from which the browser is sent from one service provider to the next; `null` if there is none that
    /// only the browser can tell.
    url: Option<String>,
}

pub(super) fn routes() -> Routes<Shared> {
    let anyone = Access::Anyone;
    Routes::new()
        .route(
            Route::get(
                "/sso/saml/metadata",
                anyone,
                "SAML metadata of this identity provider",
            ),
            metadata,
        )
        .route(
            Route::get("/sso/saml/sign-on", anyone, "SAML sign-on, redirect binding").open_to_other_sites(),
            sign_on_by_redirect,
        )
        .route(
            Route::post("/sso/saml/sign-on", anyone, "SAML sign-on, POST binding")
                .open_to_other_sites()
                .body_bytes_max(FORM_BYTES_MAX),
            sign_on_by_post,
        )
        .route(
            Route::get("/sso/saml/logout", anyone, "SAML logout, redirect binding").open_to_other_sites(),
            logout_by_redirect,
        )
        .route(
            Route::post("/sso/saml/logout", anyone, "SAML logout, POST binding")
                .open_to_other_sites()
                .body_bytes_max(FORM_BYTES_MAX),
            logout_by_post,
        )
        .route(
            Route::get(
                "/sso/saml/logout/{handle}",
                anyone,
                "A SAML logout goes on to the next service provider",
            ),
            leave_on,
        )
        .route(
            Route::post(
                "/api/v1/sso/saml/leave",
                Access::SignedIn,
                "Where to go after logging off, so that SAML applications are logged off too",
            )
            .answers::<Leave>(),
            leave,
        )
        .route(
            Route::post(
                "/api/v1/applications/read-metadata",
                Access::Role(Role::MinistryAdmin),
                "Fill a form from a SAML service provider's metadata",
            )
            .takes::<Metadata>()
            .answers::<SamlSettings>()
            .body_bytes_max(METADATA_BYTES_MAX + METADATA_BYTES_MAX / 4),
            read_metadata,
        )
}

async fn metadata(State(applications): State<Shared>) -> Response {
    match applications.saml_metadata().await {
        Ok(xml) => {
            let kind = HeaderValue::from_static("application/samlmetadata+xml; charset=utf-8");
            ([(header::CONTENT_TYPE, kind)], xml).into_response()
        }
        Err(error) => saml_page::refused(error),
    }
}

async fn sign_on_by_redirect(
    State(applications): State<Shared>,
    client: Client,
    RawQuery(query): RawQuery,
) -> Response {
    let incoming = Incoming::from_redirect(&query.unwrap_or_default());
    to(applications.saml_begin(incoming, &client).await)
}

async fn sign_on_by_post(
    State(applications): State<Shared>,
    client: Client,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    to(applications.saml_begin(posted(body), &client).await)
}

async fn logout_by_redirect(
    State(applications): State<Shared>,
    client: Client,
    RawQuery(query): RawQuery,
) -> Response {
    let incoming = Incoming::from_redirect(&query.unwrap_or_default());
    onward(applications.saml_logout(incoming, &client).await)
}

async fn logout_by_post(
    State(applications): State<Shared>,
    client: Client,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    onward(applications.saml_logout(posted(body), &client).await)
}

async fn leave_on(
    State(applications): State<Shared>,
    Path(handle): Path<String>,
    headers: HeaderMap,
) -> Response {
    let cookie = headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split("; "))
        .find_map(|pair| pair.strip_prefix(COOKIE)?.strip_prefix('='));
    match applications.saml_leave_on(&handle, cookie).await {
        Ok((next, fresh)) => {
            let mut response = onward(Ok(next));
            // Lax: it comes back when a service provider sends the browser here, which is the point of it.
            let cookie = fresh
                .map(|text| format!("{COOKIE}={text}; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=600"));
            if let Some(cookie) = cookie.and_then(|text| HeaderValue::from_str(&text).ok()) {
                response.headers_mut().insert(header::SET_COOKIE, cookie);
            }
            response
        }
        Err(error) => saml_page::refused(error),
    }
}

async fn leave(State(applications): State<Shared>, SignedIn(actor): SignedIn) -> Answer<Json<Leave>> {
    let url = applications.saml_leave(&actor).await.map_err(problem)?;
    Ok(Json(Leave { url }))
}

async fn read_metadata(SignedIn(actor): SignedIn, Json(body): Json<Metadata>) -> Answer<Json<SamlSettings>> {
    Applications::read_saml_metadata(&actor, &body.xml)
        .map(Json)
        .map_err(problem)
}

fn posted(body: Result<Bytes, BytesRejection>) -> Result<Incoming, saml::Refusal> {
    // The only way a body fails to arrive whole is that it is too large, or that nobody waits for the answer.
    let bytes = body.map_err(|_| saml::Refusal::TooLarge)?;
    let form = core::str::from_utf8(&bytes).map_err(|_| saml::Refusal::Encoding)?;
    Incoming::from_post(form)
}

fn onward(next: Result<Onward, Error>) -> Response {
    match next {
        Ok(Onward::To(url)) => to(Ok(url)),
        Ok(Onward::Partial(names)) => saml_page::partial_logout(&names),
        Err(error) => saml_page::refused(error),
    }
}

fn to(url: Result<String, Error>) -> Response {
    let url = match url {
        Ok(url) => url,
        Err(error) => return saml_page::refused(error),
    };
    let mut headers = HeaderMap::new();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    match HeaderValue::from_str(&url) {
        Ok(url) => headers.insert(header::LOCATION, url),
        // Registered addresses are checked; one that is no header value was never one.
        Err(_) => return StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    };
    (StatusCode::SEE_OTHER, headers).into_response()
}
