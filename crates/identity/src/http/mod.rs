//! Requests and answers.

mod authenticate;
mod logon;
mod me;
mod people;
mod scim;
mod scim_about;
mod step_up;
mod tenants;
mod visitor;

use std::sync::Arc;

use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use naru_runtime::{Problem, Routes};

pub use authenticate::authenticate;

use crate::{Error, Identity, Refusal};

/// Name of the session cookie. The prefix makes browsers refuse it without Secure, from another host, or for a path.
pub const COOKIE: &str = "__Host-naru";

/// Name of the cookie by which a browser is known to belong to somebody; it opens nothing.
pub const DEVICE_COOKIE: &str = "__Host-naru-device";
const DEVICE_COOKIE_SECONDS: i64 = 400 * 24 * 3_600;

/// The shared state of the handlers.
type Shared = Arc<Identity>;

/// Every route of this domain.
#[must_use]
pub fn routes(identity: Arc<Identity>) -> Routes {
    let parts = [
        logon::routes(),
        me::routes(),
        people::routes(),
        scim::routes(),
        step_up::routes(),
        tenants::routes(),
    ];
    parts.into_iter().fold(Routes::new(), |all, part| {
        all.merge(part.with_state(Arc::clone(&identity)))
    })
}

/// An error on its way out.
pub(crate) struct Failure(Problem);

type Answer<T> = Result<T, Failure>;

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let (mut field, mut seconds) = (None, None);
        if let Error::Refused(Refusal::Field { field: wrong, .. }) = &error {
            field = Some(*wrong);
        }
        if let Error::Refused(Refusal::Locked { seconds: left, .. }) = &error {
            seconds = Some(*left);
        }
        let mut problem = Problem::from(error);
        problem.field = field.map(str::to_owned);
        problem.retry_after_seconds = seconds;
        Self(problem)
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Error::from(refusal).into()
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        self.0.into_response()
    }
}

/// A header that sets the session cookie; without Max-Age it ends with the browser.
fn set_cookie(token: &str) -> HeaderMap {
    cookie(&format!(
        "{COOKIE}={token}; Path=/; Secure; HttpOnly; SameSite=Strict"
    ))
}

/// Adds the cookie by which a browser is known; 400 days is as long as browsers keep one.
fn remember_device(headers: &mut HeaderMap, token: &str) {
    let text = format!(
        "{DEVICE_COOKIE}={token}; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age={DEVICE_COOKIE_SECONDS}"
    );
    if let Ok(value) = HeaderValue::from_str(&text) {
        headers.append(header::SET_COOKIE, value);
    }
}

/// A header that takes the session cookie away.
fn clear_cookie() -> HeaderMap {
    cookie(&format!(
        "{COOKIE}=; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=0"
    ))
}

/// The value of a cookie. A token has 43 characters; what is much longer is none.
fn cookie_of<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let mut values = headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok());
    let token = values.find_map(|value| {
        value
            .split(';')
            .find_map(|pair| pair.trim().strip_prefix(name)?.strip_prefix('='))
    });
    token.filter(|token| token.len() <= 64)
}

fn cookie(text: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    if let Ok(value) = HeaderValue::from_str(text) {
        headers.insert(header::SET_COOKIE, value);
    }
    headers
}
