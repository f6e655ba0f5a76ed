//! A portal's stand-in: answers gateways' syncs with the key that signs tickets.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use anyhow::Result;
use naru_kernel::fleet::{Orders, Report};
use naru_runtime::{
    Access, Json, Route, Routes, Tasks,
    tls::{self, Credentials},
};

/// Opens the fleet door on a free port.
pub(super) async fn open(
    credentials: Credentials,
    authority_pem: &str,
    key: String,
    tasks: &Tasks,
) -> Result<SocketAddr> {
    let config = tls::server(
        credentials,
        Some(tls::demand_client(authority_pem)?),
        &["h2", "http/1.1"],
    )?;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let answer = move |_: Json<Report>| async move {
        // As the portal does when nothing is new.
        tokio::time::sleep(Duration::from_millis(500)).await;
        Json(Orders {
            cursor: 1,
            ticket_keys: vec![key],
            ..Orders::default()
        })
    };
    let (router, _) = Routes::new()
        .route(Route::post("/fleet/v1/sync", Access::Node, "sync"), answer)
        .with_state(())
        .finish();
    tasks.spawn(tls::serve(
        listener,
        Arc::new(move |_| Arc::clone(&config)),
        router,
        tasks.shutdown(),
    ));
    Ok(address)
}
