//! The record over HTTP, for auditors.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::State,
    http::{HeaderName, header},
    response::{IntoResponse, Response},
};
use naru_kernel::{Page, Role};
use naru_runtime::{Access, Client, Json, Problem, Query, Route, Routes, SignedIn};

use crate::{Audit, AuditQuery, AuditRow, Error, Filter, Verification};

const AUDITOR: Access = Access::Role(Role::Auditor);

type Shared = Arc<Audit>;

/// Every route of this domain.
#[must_use]
pub fn routes(audit: Arc<Audit>) -> Routes {
    Routes::new()
        .route(
            Route::get("/api/v1/audit", AUDITOR, "The record, newest first").answers::<Page<AuditRow>>(),
            list,
        )
        .route(
            Route::get("/api/v1/audit/verify", AUDITOR, "Whether the record is whole")
                .answers::<Verification>(),
            verify,
        )
        .route(
            Route::get("/api/v1/audit.csv", AUDITOR, "The record as a file"),
            export,
        )
        .with_state(audit)
}

/// An error on its way out.
struct Failure(Problem);

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let field = match &error {
            Error::Field { field, .. } => Some(*field),
            Error::Denied | Error::Busy | Error::Store(_) => None,
        };
        let mut problem = Problem::from(error);
        problem.field = field.map(str::to_owned);
        Self(problem)
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        self.0.into_response()
    }
}

async fn list(
    State(audit): State<Shared>,
    SignedIn(actor): SignedIn,
    Query(query): Query<AuditQuery>,
) -> Result<Json<Page<AuditRow>>, Failure> {
    let filter = Filter::read(query)?;
    Ok(Json(audit.list(&actor, &filter).await?))
}

async fn verify(
    State(audit): State<Shared>,
    SignedIn(actor): SignedIn,
) -> Result<Json<Verification>, Failure> {
    Ok(Json(audit.verify(&actor).await?))
}

async fn export(
    State(audit): State<Shared>,
    SignedIn(actor): SignedIn,
    client: Client,
    Query(query): Query<AuditQuery>,
) -> Result<Response, Failure> {
    let filter = Filter::read(query)?;
    let pieces = audit.export(&actor, filter, &client).await?;
    let headers: [(HeaderName, &str); 3] = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
        (
            header::CONTENT_DISPOSITION,
            "attachment; filename=\"naru-audit.csv\"",
        ),
        (header::CACHE_CONTROL, "no-store"),
    ];
    Ok((headers, Body::from_stream(pieces)).into_response())
}
