//! A person's own desktops.

use std::sync::Arc;

use axum::{extract::State, http::StatusCode};
use naru_kernel::{DesktopId, Role};
use naru_runtime::{Access, Client, Json, Path, Route, Routes, SignedIn};

use super::{Answer, problem};
use crate::{DesktopList, Desktops, OpenRequest, Opening};

const WORKER: Access = Access::Role(Role::Worker);

pub(super) fn routes(routes: Routes<Arc<Desktops>>) -> Routes<Arc<Desktops>> {
    let list = Route::get("/api/v1/desktops", WORKER, "What can be opened, and what is open");
    let open = Route::post("/api/v1/desktops", WORKER, "Open a desktop");
    let opening = Route::get(
        "/api/v1/desktops/{desktop}/opening",
        WORKER,
        "How the opening stands; keeps the place",
    );
    let ticket = Route::post("/api/v1/desktops/{desktop}/ticket", WORKER, "A ticket again");
    let end = Route::post("/api/v1/desktops/{desktop}/end", WORKER, "End a desktop");
    let restart = Route::post(
        "/api/v1/desktops/{desktop}/restart",
        WORKER,
        "End a desktop and open a new one",
    );
    routes
        .route(list.answers::<DesktopList>(), list_desktops)
        .route(open.takes::<OpenRequest>().answers::<Opening>(), open_desktop)
        .route(opening.answers::<Opening>(), see_opening)
        .route(ticket.answers::<Opening>(), issue_ticket)
        .route(end, end_desktop)
        .route(restart.answers::<Opening>(), restart_desktop)
}

async fn list_desktops(
    State(desktops): State<Arc<Desktops>>,
    SignedIn(actor): SignedIn,
) -> Answer<Json<DesktopList>> {
    desktops.list(&actor).await.map(Json).map_err(problem)
}

async fn open_desktop(
    State(desktops): State<Arc<Desktops>>,
    SignedIn(actor): SignedIn,
    client: Client,
    Json(OpenRequest { zone, protocol }): Json<OpenRequest>,
) -> Answer<Json<Opening>> {
    let opened = desktops.open(&actor, &client.address, zone, protocol).await;
    opened.map(Json).map_err(problem)
}

async fn see_opening(
    State(desktops): State<Arc<Desktops>>,
    SignedIn(actor): SignedIn,
    client: Client,
    Path(desktop): Path<DesktopId>,
) -> Answer<Json<Opening>> {
    let opening = desktops.opening(&actor, &client.address, desktop).await;
    opening.map(Json).map_err(problem)
}

async fn issue_ticket(
    State(desktops): State<Arc<Desktops>>,
    SignedIn(actor): SignedIn,
    client: Client,
    Path(desktop): Path<DesktopId>,
) -> Answer<Json<Opening>> {
    let opening = desktops.ticket(&actor, &client.address, desktop).await;
    opening.map(Json).map_err(problem)
}

async fn end_desktop(
    State(desktops): State<Arc<Desktops>>,
    SignedIn(actor): SignedIn,
    client: Client,
    Path(desktop): Path<DesktopId>,
) -> Answer<StatusCode> {
    let ended = desktops.end(&actor, &client.address, desktop).await;
    ended.map(|()| StatusCode::NO_CONTENT).map_err(problem)
}

async fn restart_desktop(
    State(desktops): State<Arc<Desktops>>,
    SignedIn(actor): SignedIn,
    client: Client,
    Path(desktop): Path<DesktopId>,
) -> Answer<Json<Opening>> {
    let opening = desktops.restart(&actor, &client.address, desktop).await;
    opening.map(Json).map_err(problem)
}
