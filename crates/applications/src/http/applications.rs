//! The applications of a ministry, for its administrators.

use axum::{extract::State, http::StatusCode};
use naru_kernel::{ApplicationId, Page, Role};
use naru_runtime::{Access, Client, Json, Path, Query, Route, Routes, SignedIn};

use super::{Answer, Shared, problem};
use crate::{
    answers::{ApplicationDetail, ApplicationRow, ListQuery, SecretMade},
    rules::form::ApplicationForm,
};

const ADMIN: Access = Access::Role(Role::MinistryAdmin);
/// A form with a picture, keys and certificates.
const FORM_BYTES_MAX: usize = 192 * 1024;

pub(super) fn routes() -> Routes<Shared> {
    Routes::new()
        .route(
            Route::get("/api/v1/applications", ADMIN, "Applications of the ministry")
                .answers::<Page<ApplicationRow>>(),
            list,
        )
        .route(
            Route::post("/api/v1/applications", ADMIN, "Add an application")
                .takes::<ApplicationForm>()
                .answers::<ApplicationDetail>()
                .body_bytes_max(FORM_BYTES_MAX),
            create,
        )
        .route(
            Route::get("/api/v1/applications/{application}", ADMIN, "An application")
                .answers::<ApplicationDetail>(),
            detail,
        )
        .route(
            Route::put(
                "/api/v1/applications/{application}",
                ADMIN,
                "Change an application",
            )
            .takes::<ApplicationForm>()
            .answers::<ApplicationDetail>()
            .body_bytes_max(FORM_BYTES_MAX),
            change,
        )
        .route(
            Route::delete(
                "/api/v1/applications/{application}",
                ADMIN,
                "Take an application away",
            ),
            remove,
        )
        .route(
            Route::post(
                "/api/v1/applications/{application}/secret",
                ADMIN,
                "Make a new client secret",
            )
            .answers::<SecretMade>(),
            make_secret,
        )
}

async fn list(
    State(applications): State<Shared>,
    SignedIn(actor): SignedIn,
    Query(query): Query<ListQuery>,
) -> Answer<Json<Page<ApplicationRow>>> {
    applications.list(&actor, &query).await.map(Json).map_err(problem)
}

async fn create(
    State(applications): State<Shared>,
    SignedIn(actor): SignedIn,
    client: Client,
    Json(form): Json<ApplicationForm>,
) -> Answer<Json<ApplicationDetail>> {
    let created = applications.create(&actor, form, &client).await;
    created.map(Json).map_err(problem)
}

async fn detail(
    State(applications): State<Shared>,
    SignedIn(actor): SignedIn,
    Path(application): Path<ApplicationId>,
) -> Answer<Json<ApplicationDetail>> {
    let detail = applications.application(&actor, application).await;
    detail.map(Json).map_err(problem)
}

async fn change(
    State(applications): State<Shared>,
    SignedIn(actor): SignedIn,
    client: Client,
    Path(application): Path<ApplicationId>,
    Json(form): Json<ApplicationForm>,
) -> Answer<Json<ApplicationDetail>> {
    let changed = applications.change(&actor, application, form, &client).await;
    changed.map(Json).map_err(problem)
}

async fn remove(
    State(applications): State<Shared>,
    SignedIn(actor): SignedIn,
    client: Client,
    Path(application): Path<ApplicationId>,
) -> Answer<StatusCode> {
    let removed = applications.remove(&actor, application, &client).await;
    removed.map(|()| StatusCode::NO_CONTENT).map_err(problem)
}

async fn make_secret(
    State(applications): State<Shared>,
    SignedIn(actor): SignedIn,
    client: Client,
    Path(application): Path<ApplicationId>,
) -> Answer<Json<SecretMade>> {
    let made = applications.make_secret(&actor, application, &client).await;
    made.map(Json).map_err(problem)
}
