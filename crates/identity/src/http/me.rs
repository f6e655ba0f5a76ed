//! What a signed-in person sees and does about themselves.

use axum::{
    extract::{FromRequestParts, State},
    http::{HeaderMap, StatusCode, request::Parts},
};
use naru_kernel::{FactorId, Kind, LogonId, Page, PageRequest};
use naru_runtime::{Access, Client, Json, Path, Problem, Query, Route, Routes, SignedIn};

use super::{Answer, Shared, set_cookie};
use crate::{
    SwitchForm,
    answers::{AlarmRow, FactorRow, Items, LogOnRow, Me, MyMinistry, SessionRow},
    service::CurrentLogon,
};

impl<S: Send + Sync> FromRequestParts<S> for CurrentLogon {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        parts
            .extensions
            .get::<Self>()
            .copied()
            .ok_or_else(|| Problem::new(Kind::Unauthenticated, "runtime.not-signed-in", "sign in first"))
    }
}

pub(super) fn routes() -> Routes<Shared> {
    Routes::new()
        .route(
            Route::get("/api/v1/me", Access::SignedIn, "Who is signed in").answers::<Me>(),
            me,
        )
        .route(
            Route::get("/api/v1/me/sessions", Access::SignedIn, "One's own sessions")
                .answers::<Items<SessionRow>>(),
            sessions,
        )
        .route(
            Route::delete(
                "/api/v1/me/sessions/{logon}",
                Access::SignedIn,
                "End one of one's own sessions",
            ),
            end_session,
        )
        .route(
            Route::get("/api/v1/me/ministries", Access::SignedIn, "Ministries one serves")
                .answers::<Items<MyMinistry>>(),
            ministries,
        )
        .route(
            Route::post(
                "/api/v1/me/ministry",
                Access::SignedIn,
                "Serve another of one's ministries",
            )
            .takes::<SwitchForm>(),
            switch_ministry,
        )
        .route(
            Route::get("/api/v1/me/factors", Access::SignedIn, "One's own second factors")
                .answers::<Items<FactorRow>>(),
            factors,
        )
        .route(
            Route::delete(
                "/api/v1/me/factors/{factor}",
                Access::SignedIn,
                "Remove one of one's own factors",
            ),
            remove_factor,
        )
        .route(
            Route::get(
                "/api/v1/me/log-ons",
                Access::SignedIn,
                "One's own attempts to log on",
            )
            .answers::<Page<LogOnRow>>(),
            log_ons,
        )
        .route(
            Route::get("/api/v1/me/alarms", Access::SignedIn, "Alarms about oneself")
                .answers::<Page<AlarmRow>>(),
            alarms,
        )
}

async fn log_ons(
    State(identity): State<Shared>,
    SignedIn(actor): SignedIn,
    Query(page): Query<PageRequest>,
) -> Answer<Json<Page<LogOnRow>>> {
    Ok(Json(identity.log_ons(&actor, &page).await?))
}

async fn alarms(
    State(identity): State<Shared>,
    SignedIn(actor): SignedIn,
    Query(page): Query<PageRequest>,
) -> Answer<Json<Page<AlarmRow>>> {
    Ok(Json(identity.own_alarms(&actor, &page).await?))
}

async fn me(
    State(identity): State<Shared>,
    SignedIn(actor): SignedIn,
    current: CurrentLogon,
) -> Answer<Json<Me>> {
    Ok(Json(identity.me(&actor, current).await?))
}

async fn sessions(
    State(identity): State<Shared>,
    SignedIn(actor): SignedIn,
) -> Answer<Json<Items<SessionRow>>> {
    let items = identity.sessions(&actor).await?;
    Ok(Json(Items { items }))
}

async fn ministries(
    State(identity): State<Shared>,
    SignedIn(actor): SignedIn,
) -> Answer<Json<Items<MyMinistry>>> {
    let items = identity.my_ministries(&actor).await?;
    Ok(Json(Items { items }))
}

async fn switch_ministry(
    State(identity): State<Shared>,
    SignedIn(actor): SignedIn,
    current: CurrentLogon,
    client: Client,
    Json(form): Json<SwitchForm>,
) -> Answer<(StatusCode, HeaderMap)> {
    let token = identity
        .switch_ministry(&actor, current, form.ministry, &client)
        .await?;
    Ok((StatusCode::NO_CONTENT, set_cookie(&token)))
}

async fn end_session(
    State(identity): State<Shared>,
    SignedIn(actor): SignedIn,
    client: Client,
    Path(logon): Path<LogonId>,
) -> Answer<StatusCode> {
    identity.end_own(&actor, logon, &client).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn factors(
    State(identity): State<Shared>,
    SignedIn(actor): SignedIn,
) -> Answer<Json<Items<FactorRow>>> {
    let items = identity.factors(&actor).await?;
    Ok(Json(Items { items }))
}

async fn remove_factor(
    State(identity): State<Shared>,
    SignedIn(actor): SignedIn,
    client: Client,
    Path(factor): Path<FactorId>,
) -> Answer<StatusCode> {
    identity.remove_factor(&actor, factor, &client).await?;
    Ok(StatusCode::NO_CONTENT)
}
