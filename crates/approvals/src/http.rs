//! Requests and answers.

use std::sync::Arc;

use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use naru_kernel::{Actor, ApprovalId, Page, PageRequest, PersonId, Role, Timestamp};
use naru_runtime::{Access, Client, Json, Path, Problem, Query, Route, Routes, SignedIn};
use serde::{Deserialize, Serialize};

use crate::{
    Approvals, Error,
    model::{Approval, ApprovalState},
    rules::{self, Refusal},
};

const ADMIN: Access = Access::Role(Role::MinistryAdmin);

type Shared = Arc<Approvals>;

/// Which requests are wanted.
#[derive(Clone, Debug, Default, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListQuery {
    /// How many at most.
    pub limit: Option<i64>,
    /// The `next` of the page before.
    pub after: Option<ApprovalId>,
    /// Only those in this state.
    pub state: Option<ApprovalState>,
}

impl ListQuery {
    pub(crate) fn rows(&self) -> i64 {
        self.limit.unwrap_or(50).clamp(1, PageRequest::ROWS_MAX)
    }
}

/// Something asked, as administrators see it.
#[derive(Clone, Debug, Serialize, Deserialize, schemars::JsonSchema)]
pub struct ApprovalRow {
    /// Its identifier.
    pub id: ApprovalId,
    /// What happens on agreement, such as `identity.grant-role`.
    pub kind: String,
    /// What it is done to.
    pub subject: String,
    /// About whom.
    pub about: Option<PersonId>,
    /// What to show, in the words of the domain that asks.
    pub summary: serde_json::Value,
    /// How far it is.
    pub state: ApprovalState,
    /// Who asked.
    pub asked_by: PersonId,
    /// When.
    pub asked_at: Timestamp,
    /// When it is no longer waited for.
    pub expires_at: Timestamp,
    /// Who decided.
    pub decided_by: Option<PersonId>,
    /// When.
    pub decided_at: Option<Timestamp>,
    /// What the decider wrote.
    pub note: String,
    /// Whether you may decide it.
    pub yours_to_decide: bool,
    /// Whether you asked for it, and may take it back.
    pub yours: bool,
}

impl ApprovalRow {
    pub(crate) fn of(approval: Approval, actor: &Actor, now: Timestamp) -> Self {
        let is_over = approval.state == ApprovalState::Waiting && now >= approval.expires_at;
        Self {
            yours_to_decide: rules::decide(&approval, actor, now).is_ok(),
            yours: rules::withdraw(&approval, actor, now).is_ok(),
            id: approval.id,
            kind: approval.kind,
            subject: approval.subject,
            about: approval.about,
            summary: approval.summary,
            state: if is_over {
                ApprovalState::Expired
            } else {
                approval.state
            },
            asked_by: approval.asked_by,
            asked_at: approval.asked_at,
            expires_at: approval.expires_at,
            decided_by: approval.decided_by,
            decided_at: approval.decided_at,
            note: approval.note,
        }
    }
}

/// Why it is refused.
#[derive(Clone, Debug, Default, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct Refusing {
    /// For whoever asked.
    #[serde(default)]
    note: String,
}

/// Every route of this domain.
#[must_use]
pub fn routes(approvals: Arc<Approvals>) -> Routes {
    Routes::new()
        .route(
            Route::get("/api/v1/approvals", ADMIN, "What waits for a second person")
                .answers::<Page<ApprovalRow>>(),
            list,
        )
        .route(
            Route::post("/api/v1/approvals/{approval}/agree", ADMIN, "Agree, and so do it"),
            agree,
        )
        .route(
            Route::post("/api/v1/approvals/{approval}/refuse", ADMIN, "Refuse").takes::<Refusing>(),
            refuse,
        )
        .route(
            Route::post(
                "/api/v1/approvals/{approval}/withdraw",
                ADMIN,
                "Take back what you asked",
            ),
            withdraw,
        )
        .with_state(approvals)
}

/// An error on its way out.
struct Failure(Problem);

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let is_note = matches!(error, Error::Refused(Refusal::NoteTooLong));
        let problem = Problem::from(error);
        Self(if is_note { problem.field("note") } else { problem })
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        self.0.into_response()
    }
}

async fn list(
    State(approvals): State<Shared>,
    SignedIn(actor): SignedIn,
    Query(query): Query<ListQuery>,
) -> Result<Json<Page<ApprovalRow>>, Failure> {
    Ok(Json(approvals.list(&actor, &query).await?))
}

async fn agree(
    State(approvals): State<Shared>,
    SignedIn(actor): SignedIn,
    client: Client,
    Path(id): Path<ApprovalId>,
) -> Result<StatusCode, Failure> {
    approvals.agree(&actor, id, &client).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn refuse(
    State(approvals): State<Shared>,
    SignedIn(actor): SignedIn,
    client: Client,
    Path(id): Path<ApprovalId>,
    Json(refusing): Json<Refusing>,
) -> Result<StatusCode, Failure> {
    approvals.refuse(&actor, id, &refusing.note, &client).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn withdraw(
    State(approvals): State<Shared>,
    SignedIn(actor): SignedIn,
    client: Client,
    Path(id): Path<ApprovalId>,
) -> Result<StatusCode, Failure> {
    approvals.withdraw(&actor, id, &client).await?;
    Ok(StatusCode::NO_CONTENT)
}
