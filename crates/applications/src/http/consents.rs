//! Which applications know something of the person.

use axum::{extract::State, http::StatusCode};
use naru_kernel::ApplicationId;
use naru_runtime::{Access, Client, Json, Path, Route, Routes, SignedIn};

use super::{Answer, Shared, problem};
use crate::answers::{AccessRow, Items};

pub(super) fn routes() -> Routes<Shared> {
    Routes::new()
        .route(
            Route::get(
                "/api/v1/me/applications",
                Access::SignedIn,
                "Applications that know something of the person",
            )
            .answers::<Items<AccessRow>>(),
            list,
        )
        .route(
            Route::delete(
                "/api/v1/me/applications/{application}",
                Access::SignedIn,
                "Take an application's access away",
            ),
            take_away,
        )
}

async fn list(
    State(applications): State<Shared>,
    SignedIn(actor): SignedIn,
) -> Answer<Json<Items<AccessRow>>> {
    let items = applications.accesses(&actor).await.map_err(problem)?;
    Ok(Json(Items { items }))
}

async fn take_away(
    State(applications): State<Shared>,
    SignedIn(actor): SignedIn,
    client: Client,
    Path(application): Path<ApplicationId>,
) -> Answer<StatusCode> {
    let taken = applications.take_access_away(&actor, application, &client).await;
    taken.map(|()| StatusCode::NO_CONTENT).map_err(problem)
}
