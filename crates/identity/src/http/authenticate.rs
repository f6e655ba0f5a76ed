//! The middleware that tells every other layer who calls.

use std::sync::Arc;

use axum::{
    extract::{FromRequestParts as _, Request, State},
    http::header,
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use naru_runtime::Client;

use super::{COOKIE, Failure, cookie_of, set_cookie};
use crate::Identity;

/// Finds out who calls and puts it into the request as [`naru_runtime::Caller`] and [`crate::CurrentLogon`]; sets the
/// cookie when its token was replaced. The portal puts it around all its routes.
pub async fn authenticate(State(identity): State<Arc<Identity>>, request: Request, next: Next) -> Response {
    let Some(token) = cookie_of(request.headers(), COOKIE).map(str::to_owned) else {
        return next.run(request).await;
    };
    let (mut parts, body) = request.into_parts();
    let Ok(client) = Client::from_request_parts(&mut parts, &()).await;
    let is_active = parts
        .headers
        .get("naru-background")
        .is_none_or(|value| value != "1");
    let known = match identity.authenticate(&token, &client, is_active).await {
        Ok(known) => known,
        Err(error) => return Failure::from(error).into_response(),
    };
    parts.extensions.insert(known.caller);
    if let Some(current) = known.current {
        parts.extensions.insert(current);
    }
    let mut response = next.run(Request::from_parts(parts, body)).await;
    // A handler that changed the cookie (a step up, a log-off) knows better.
    let replaced = known
        .new_token
        .filter(|_| !response.headers().contains_key(header::SET_COOKIE));
    if let Some(token) = replaced {
        response.headers_mut().extend(set_cookie(&token));
    }
    response
}
