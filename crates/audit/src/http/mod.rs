//! The record over HTTP, for auditors; and the door for those whose logs are witnessed here.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::State,
    http::{HeaderName, StatusCode, header},
    response::{IntoResponse, Response},
};
use naru_kernel::{Page, Role};
use naru_runtime::{Access, Client, Json, Problem, Query, Route, Routes, SignedIn};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Audit, AuditQuery, AuditRow, ConsistencyProof, EntryProof, Error, FileKind, Filter, Review, Verification,
    WitnessAnswer, WitnessStatus,
    rules::{note::NOTE_BYTES_MAX, query::stream_name, tree::PROOF_HASHES_MAX},
};

const AUDITOR: Access = Access::Role(Role::Auditor);
/// A note, a proof of 64 lines, and the line before them.
const SHOWN_BYTES_MAX: usize = NOTE_BYTES_MAX + PROOF_HASHES_MAX * 64 + 64;

type Shared = Arc<Audit>;

/// Every route for auditors.
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
            export_csv,
        )
        .route(
            Route::get("/api/v1/audit.json", AUDITOR, "The record as a JSON file"),
            export_json,
        )
        .route(
            Route::get(
                "/api/v1/audit/checkpoint",
                AUDITOR,
                "How a chain stands: a signed note",
            ),
            checkpoint,
        )
        .route(
            Route::get(
                "/api/v1/audit/checkpoints",
                AUDITOR,
                "Signed notes of a chain, to be kept elsewhere",
            ),
            checkpoints,
        )
        .route(
            Route::get(
                "/api/v1/audit/proof",
                AUDITOR,
                "That an entry is in the record, to be checked elsewhere",
            )
            .answers::<EntryProof>(),
            proof,
        )
        .route(
            Route::get(
                "/api/v1/audit/consistency",
                AUDITOR,
                "That a later checkpoint only adds to an earlier one",
            )
            .answers::<ConsistencyProof>(),
            consistency,
        )
        .route(
            Route::get(
                "/api/v1/audit/witnesses",
                AUDITOR,
                "How far each witness knows a chain",
            )
            .answers::<Witnesses>(),
            witnesses,
        )
        .route(
            Route::get(
                "/api/v1/audit/reviews",
                AUDITOR,
                "Months, and who signed them off",
            )
            .answers::<Reviews>(),
            reviews,
        )
        .route(
            Route::post("/api/v1/audit/reviews", AUDITOR, "Sign off a month")
                .takes::<SignOff>()
                .answers::<Review>(),
            review,
        )
        .with_state(audit)
}

/// The door for other installations' logs (C2SP tlog-witness).
#[must_use]
pub fn witness_routes(audit: Arc<Audit>) -> Routes {
    Routes::new()
        .route(
            Route::post(
                "/witness/v1/checkpoint",
                Access::Machine,
                "Show a checkpoint of a log that is witnessed here",
            )
            .body_bytes_max(SHOWN_BYTES_MAX),
            witness,
        )
        .with_state(audit)
}

/// An error on its way out.
struct Failure(Problem);

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let field = if let Error::Field { field, .. } = &error {
            Some(*field)
        } else {
            None
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

/// Which chain, and where in it.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Place {
    stream: Option<String>,
    sequence: Option<i64>,
    size: Option<i64>,
    from: Option<i64>,
    to: Option<i64>,
    month: Option<String>,
}

impl Place {
    fn stream(&self) -> Result<Option<&str>, Error> {
        match self.stream.as_deref().filter(|text| !text.is_empty()) {
            Some(text) if stream_name(text).is_none() => Err(Error::NoSuchEntry),
            stream => Ok(stream),
        }
    }
}

/// What witnesses know.
#[derive(Debug, Serialize, JsonSchema)]
struct Witnesses {
    /// Each of them.
    items: Vec<WitnessStatus>,
    /// The key that checks this installation's checkpoints; to be kept elsewhere.
    log_key: String,
    /// The key that checks what this installation says as a witness of others.
    witness_key: String,
}

/// Months.
#[derive(Debug, Serialize, JsonSchema)]
struct Reviews {
    /// The one that was asked for first, then those that were signed off.
    items: Vec<Review>,
}

/// A month is signed off.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct SignOff {
    /// `2026-11`.
    month: String,
    /// Whose chain; the own ministry's if absent.
    stream: Option<String>,
    /// What was noted.
    #[serde(default)]
    note: String,
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

async fn export_csv(
    State(audit): State<Shared>,
    SignedIn(actor): SignedIn,
    client: Client,
    Query(query): Query<AuditQuery>,
) -> Result<Response, Failure> {
    let pieces = audit
        .export(&actor, Filter::read(query)?, FileKind::Csv, &client)
        .await?;
    Ok(file(
        "text/csv; charset=utf-8",
        "naru-audit.csv",
        Body::from_stream(pieces),
    ))
}

async fn export_json(
    State(audit): State<Shared>,
    SignedIn(actor): SignedIn,
    client: Client,
    Query(query): Query<AuditQuery>,
) -> Result<Response, Failure> {
    let pieces = audit
        .export(&actor, Filter::read(query)?, FileKind::Json, &client)
        .await?;
    Ok(file(
        "application/json",
        "naru-audit.json",
        Body::from_stream(pieces),
    ))
}

fn file(kind: &str, name: &str, body: Body) -> Response {
    let headers: [(HeaderName, String); 3] = [
        (header::CONTENT_TYPE, kind.to_owned()),
        (
            header::CONTENT_DISPOSITION,
            format!("attachment; filename=\"{name}\""),
        ),
        (header::CACHE_CONTROL, "no-store".to_owned()),
    ];
    (headers, body).into_response()
}

fn text(body: String) -> Response {
    ([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], body).into_response()
}

async fn checkpoint(
    State(audit): State<Shared>,
    SignedIn(actor): SignedIn,
    Query(place): Query<Place>,
) -> Result<Response, Failure> {
    Ok(text(audit.checkpoint(&actor, place.stream()?, place.size).await?))
}

async fn checkpoints(
    State(audit): State<Shared>,
    SignedIn(actor): SignedIn,
    Query(place): Query<Place>,
) -> Result<Response, Failure> {
    Ok(text(
        audit
            .checkpoint_notes(&actor, place.stream()?, place.size)
            .await?,
    ))
}

async fn proof(
    State(audit): State<Shared>,
    SignedIn(actor): SignedIn,
    Query(place): Query<Place>,
) -> Result<Json<EntryProof>, Failure> {
    Ok(Json(audit.proof(&actor, place.stream()?, place.sequence).await?))
}

async fn consistency(
    State(audit): State<Shared>,
    SignedIn(actor): SignedIn,
    Query(place): Query<Place>,
) -> Result<Json<ConsistencyProof>, Failure> {
    let proof = audit
        .consistency(&actor, place.stream()?, place.from, place.to)
        .await?;
    Ok(Json(proof))
}

async fn witnesses(
    State(audit): State<Shared>,
    SignedIn(actor): SignedIn,
    Query(place): Query<Place>,
) -> Result<Json<Witnesses>, Failure> {
    Ok(Json(Witnesses {
        items: audit.witness_status(&actor, place.stream()?).await?,
        log_key: audit.log_key().to_string(),
        witness_key: audit.witness_key().to_string(),
    }))
}

async fn reviews(
    State(audit): State<Shared>,
    SignedIn(actor): SignedIn,
    Query(place): Query<Place>,
) -> Result<Json<Reviews>, Failure> {
    let month = place.month.as_deref().filter(|month| !month.is_empty());
    let items = audit.reviews(&actor, place.stream()?, month).await?;
    Ok(Json(Reviews { items }))
}

async fn review(
    State(audit): State<Shared>,
    SignedIn(actor): SignedIn,
    client: Client,
    Json(wish): Json<SignOff>,
) -> Result<Json<Review>, Failure> {
    let stream = wish.stream.as_deref().filter(|stream| !stream.is_empty());
    let review = audit
        .review(&actor, stream, &wish.month, &wish.note, &client)
        .await?;
    Ok(Json(review))
}

/// Answers as C2SP tlog-witness says, in plain text.
async fn witness(State(audit): State<Shared>, client: Client, body: String) -> Result<Response, Failure> {
    Ok(match audit.witness(&body, &client).await? {
        WitnessAnswer::Cosigned(line) => text(line),
        WitnessAnswer::Knows(size) => {
            let kind = [(header::CONTENT_TYPE, "text/x.tlog.size")];
            (StatusCode::CONFLICT, kind, format!("{size}\n")).into_response()
        }
        WitnessAnswer::UnknownLog => StatusCode::NOT_FOUND.into_response(),
        WitnessAnswer::Unsigned => StatusCode::FORBIDDEN.into_response(),
        WitnessAnswer::Malformed => StatusCode::BAD_REQUEST.into_response(),
        WitnessAnswer::Inconsistent => StatusCode::UNPROCESSABLE_ENTITY.into_response(),
    })
}
