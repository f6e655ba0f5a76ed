//! The nodes' door.

use std::sync::Arc;

use axum::extract::State;
use naru_kernel::fleet::{EnrolAnswer, EnrolRequest, Orders, Report};
use naru_runtime::{Access, Client, Json, NodeCaller, Route, Routes};

use super::{Answer, problem};
use crate::Desktops;

/// A gateway with 10,000 relays reports 2.5 MB.
const REPORT_BYTES_MAX: usize = 6 * 1024 * 1024;

pub(super) fn routes(routes: Routes<Arc<Desktops>>) -> Routes<Arc<Desktops>> {
    let enrol = Route::post(
        "/fleet/v1/enrol",
        Access::Anyone,
        "Become part of the fleet, with a one-time token",
    );
    let sync = Route::post("/fleet/v1/sync", Access::Node, "Report, and learn what should be");
    routes
        .route(enrol.takes::<EnrolRequest>().answers::<EnrolAnswer>(), enrol_node)
        .route(
            sync.takes::<Report>()
                .answers::<Orders>()
                .body_bytes_max(REPORT_BYTES_MAX),
            sync_node,
        )
}

async fn enrol_node(
    State(desktops): State<Arc<Desktops>>,
    client: Client,
    Json(request): Json<EnrolRequest>,
) -> Answer<Json<EnrolAnswer>> {
    let enrolled = desktops.enrol(&client.address, request).await;
    enrolled.map(Json).map_err(problem)
}

async fn sync_node(
    State(desktops): State<Arc<Desktops>>,
    caller: NodeCaller,
    Json(report): Json<Report>,
) -> Answer<Json<Orders>> {
    desktops.sync(caller, report).await.map(Json).map_err(problem)
}
