//! Extractors whose refusals are problems and name the field.

use axum::{
    extract::{FromRequest, FromRequestParts, Request, rejection::JsonRejection},
    http::{StatusCode, request::Parts},
    response::{IntoResponse, Response},
};
use naru_kernel::Kind;
use serde::{Serialize, de::DeserializeOwned};

use crate::Problem;

/// A JSON body.
#[derive(Debug)]
pub struct Json<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        match axum::Json::<T>::from_request(request, state).await {
            Ok(axum::Json(value)) => Ok(Self(value)),
            Err(rejection) => Err(body_problem(&rejection)),
        }
    }
}

fn body_problem(rejection: &JsonRejection) -> Problem {
    let text = rejection.body_text();
    if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
        let mut problem = Problem::new(
            Kind::Invalid,
            "runtime.body-too-large",
            "the request is too large",
        );
        problem.status = StatusCode::PAYLOAD_TOO_LARGE.as_u16();
        return problem;
    }
    let mut problem = Problem::new(
        Kind::Invalid,
        "runtime.malformed-body",
        "the request could not be read",
    );
    if let Some(field) = text.split('`').nth(1) {
        problem = problem.field(field);
    }
    problem.detail(text)
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        axum::Json(self.0).into_response()
    }
}

/// Query parameters.
#[derive(Debug)]
pub struct Query<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        axum::extract::Query::<T>::from_request_parts(parts, state)
            .await
            .map(|axum::extract::Query(value)| Self(value))
            .map_err(|rejection| {
                Problem::new(
                    Kind::Invalid,
                    "runtime.malformed-query",
                    "the query could not be read",
                )
                .detail(rejection.body_text())
            })
    }
}

/// Parts of the path. What does not parse names nothing: not found.
#[derive(Debug)]
pub struct Path<T>(pub T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        axum::extract::Path::<T>::from_request_parts(parts, state)
            .await
            .map(|axum::extract::Path(value)| Self(value))
            .map_err(|_| Problem::new(Kind::NotFound, "runtime.no-such-thing", "there is no such thing"))
    }
}
