//! Who asks: the browser, and the token by which it was known before.

use axum::{extract::FromRequestParts, http::request::Parts};
use naru_runtime::Client;

use super::{DEVICE_COOKIE, cookie_of};
use crate::Visitor;

impl<S: Send + Sync> FromRequestParts<S> for Visitor {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Self::Rejection> {
        let client = Client::from_request_parts(parts, state).await?;
        Ok(Self::new(client, cookie_of(&parts.headers, DEVICE_COOKIE)))
    }
}
