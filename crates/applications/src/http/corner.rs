//! A ministry's corner: its look and its notices.

use axum::{extract::State, http::StatusCode};
use naru_kernel::{NoticeId, Page, Role};
use naru_runtime::{Access, Client, Json, Path, Query, Route, Routes, SignedIn};

use super::{Answer, Shared, problem};
use crate::{
    answers::{ListQuery, MinistryCorner, NoticeRow},
    rules::corner::{LookForm, NoticeForm},
};

const ADMIN: Access = Access::Role(Role::MinistryAdmin);
/// A form with a logo in base64.
const FORM_BYTES_MAX: usize = 128 * 1024;

pub(super) fn routes() -> Routes<Shared> {
    Routes::new()
        .route(
            Route::get("/api/v1/ministry", ADMIN, "The ministry's name and look").answers::<MinistryCorner>(),
            ministry,
        )
        .route(
            Route::put("/api/v1/ministry", ADMIN, "Change the ministry's name and look")
                .takes::<LookForm>()
                .answers::<MinistryCorner>()
                .body_bytes_max(FORM_BYTES_MAX),
            change_ministry,
        )
        .route(
            Route::get("/api/v1/notices", ADMIN, "Notices of the ministry").answers::<Page<NoticeRow>>(),
            notices,
        )
        .route(
            Route::post("/api/v1/notices", ADMIN, "Hang up a notice")
                .takes::<NoticeForm>()
                .answers::<NoticeRow>(),
            hang,
        )
        .route(
            Route::put("/api/v1/notices/{notice}", ADMIN, "Change a notice")
                .takes::<NoticeForm>()
                .answers::<NoticeRow>(),
            change_notice,
        )
        .route(
            Route::delete("/api/v1/notices/{notice}", ADMIN, "Take a notice down"),
            take_down,
        )
}

async fn ministry(
    State(applications): State<Shared>,
    SignedIn(actor): SignedIn,
) -> Answer<Json<MinistryCorner>> {
    applications.ministry(&actor).await.map(Json).map_err(problem)
}

async fn change_ministry(
    State(applications): State<Shared>,
    SignedIn(actor): SignedIn,
    client: Client,
    Json(form): Json<LookForm>,
) -> Answer<Json<MinistryCorner>> {
    let changed = applications.change_ministry(&actor, form, &client).await;
    changed.map(Json).map_err(problem)
}

async fn notices(
    State(applications): State<Shared>,
    SignedIn(actor): SignedIn,
    Query(query): Query<ListQuery>,
) -> Answer<Json<Page<NoticeRow>>> {
    let page = applications.notices(&actor, &query).await;
    page.map(Json).map_err(problem)
}

async fn hang(
    State(applications): State<Shared>,
    SignedIn(actor): SignedIn,
    client: Client,
    Json(form): Json<NoticeForm>,
) -> Answer<Json<NoticeRow>> {
    let hung = applications.hang_notice(&actor, form, &client).await;
    hung.map(Json).map_err(problem)
}

async fn change_notice(
    State(applications): State<Shared>,
    SignedIn(actor): SignedIn,
    client: Client,
    Path(notice): Path<NoticeId>,
    Json(form): Json<NoticeForm>,
) -> Answer<Json<NoticeRow>> {
    let changed = applications.change_notice(&actor, notice, form, &client).await;
    changed.map(Json).map_err(problem)
}

async fn take_down(
    State(applications): State<Shared>,
    SignedIn(actor): SignedIn,
    client: Client,
    Path(notice): Path<NoticeId>,
) -> Answer<StatusCode> {
    let gone = applications.take_notice_down(&actor, notice, &client).await;
    gone.map(|()| StatusCode::NO_CONTENT).map_err(problem)
}
