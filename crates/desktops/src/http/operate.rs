//! What operators see and steer.

use std::sync::Arc;

use axum::{extract::State, http::StatusCode};
use naru_kernel::{DesktopId, HostId, Page, PageRequest, Role};
use naru_runtime::{Access, Client, Json, Path, Query, Route, Routes, SignedIn};

use super::{Answer, problem};
use crate::{Desktops, EnrolmentToken, HostList, HostRow, RunningDesktop, TokenRequest};

const OPERATOR: Access = Access::Role(Role::Operator);

pub(super) fn routes(routes: Routes<Arc<Desktops>>) -> Routes<Arc<Desktops>> {
    let hosts = Route::get("/api/v1/hosts", OPERATOR, "Hosts and gateways");
    let token = Route::post(
        "/api/v1/enrolment-tokens",
        OPERATOR,
        "A one-time token for a new node",
    );
    let drain = Route::post(
        "/api/v1/hosts/{host}/drain",
        OPERATOR,
        "Take no new desktops or relays",
    );
    let resume = Route::post("/api/v1/hosts/{host}/resume", OPERATOR, "Back in service");
    let remove = Route::post(
        "/api/v1/hosts/{host}/remove",
        OPERATOR,
        "Out of the fleet for good",
    );
    let running = Route::get(
        "/api/v1/operate/desktops",
        OPERATOR,
        "All desktops that have not ended",
    );
    let end = Route::post(
        "/api/v1/operate/desktops/{desktop}/end",
        OPERATOR,
        "End anyone's desktop",
    );
    routes
        .route(hosts.answers::<HostList>(), list_hosts)
        .route(
            token.takes::<TokenRequest>().answers::<EnrolmentToken>(),
            make_token,
        )
        .route(drain.answers::<HostRow>(), drain_host)
        .route(resume.answers::<HostRow>(), resume_host)
        .route(remove.answers::<HostRow>(), remove_host)
        .route(running.answers::<Page<RunningDesktop>>(), list_running)
        .route(end, end_desktop)
}

async fn list_hosts(
    State(desktops): State<Arc<Desktops>>,
    SignedIn(actor): SignedIn,
) -> Answer<Json<HostList>> {
    desktops.hosts(&actor).await.map(Json).map_err(problem)
}

async fn make_token(
    State(desktops): State<Arc<Desktops>>,
    SignedIn(actor): SignedIn,
    client: Client,
    Json(TokenRequest { role, name }): Json<TokenRequest>,
) -> Answer<Json<EnrolmentToken>> {
    let made = desktops.make_token(&actor, &client.address, role, name).await;
    made.map(Json).map_err(problem)
}

async fn drain_host(
    State(desktops): State<Arc<Desktops>>,
    SignedIn(actor): SignedIn,
    client: Client,
    Path(host): Path<HostId>,
) -> Answer<Json<HostRow>> {
    let row = desktops.drain(&actor, &client.address, host).await;
    row.map(Json).map_err(problem)
}

async fn resume_host(
    State(desktops): State<Arc<Desktops>>,
    SignedIn(actor): SignedIn,
    client: Client,
    Path(host): Path<HostId>,
) -> Answer<Json<HostRow>> {
    let row = desktops.resume(&actor, &client.address, host).await;
    row.map(Json).map_err(problem)
}

async fn remove_host(
    State(desktops): State<Arc<Desktops>>,
    SignedIn(actor): SignedIn,
    client: Client,
    Path(host): Path<HostId>,
) -> Answer<Json<HostRow>> {
    let row = desktops.remove(&actor, &client.address, host).await;
    row.map(Json).map_err(problem)
}

async fn list_running(
    State(desktops): State<Arc<Desktops>>,
    SignedIn(actor): SignedIn,
    Query(page): Query<PageRequest>,
) -> Answer<Json<Page<RunningDesktop>>> {
    desktops.running(&actor, &page).await.map(Json).map_err(problem)
}

async fn end_desktop(
    State(desktops): State<Arc<Desktops>>,
    SignedIn(actor): SignedIn,
    client: Client,
    Path(desktop): Path<DesktopId>,
) -> Answer<StatusCode> {
    let ended = desktops.end_as_operator(&actor, &client.address, desktop).await;
    ended.map(|()| StatusCode::NO_CONTENT).map_err(problem)
}
