//! A person's portal page.

use axum::{
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use naru_kernel::ApplicationId;
use naru_runtime::{Access, Client, Json, Path, Query, Route, Routes, SignedIn};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{Answer, Shared, problem};
use crate::answers::{PortalPage, Way};

/// What is searched for.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PortalQuery {
    #[serde(default)]
    search: Option<String>,
}

/// When a picture was changed; only makes its address another one.
#[derive(Deserialize)]
struct PictureQuery {}

/// Whether it is a favourite.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Favourite {
    /// Whether it is.
    favourite: bool,
}

pub(super) fn routes() -> Routes<Shared> {
    Routes::new()
        .route(
            Route::get("/api/v1/portal", Access::SignedIn, "The person's portal page")
                .answers::<PortalPage>(),
            page,
        )
        .route(
            Route::post(
                "/api/v1/portal/favourites/{application}",
                Access::SignedIn,
                "Mark a tile, or take the mark away",
            )
            .takes::<Favourite>(),
            set_favourite,
        )
        .route(
            Route::post(
                "/api/v1/portal/open/{application}",
                Access::SignedIn,
                "Open an application",
            )
            .answers::<Way>(),
            open,
        )
        .route(
            Route::get(
                "/api/v1/portal/icons/{application}",
                Access::SignedIn,
                "The picture of a tile (PNG)",
            ),
            icon,
        )
        .route(
            Route::get(
                "/api/v1/portal/logo",
                Access::SignedIn,
                "The logo of one's ministry (PNG)",
            ),
            logo,
        )
}

async fn page(
    State(applications): State<Shared>,
    SignedIn(actor): SignedIn,
    Query(query): Query<PortalQuery>,
) -> Answer<Json<PortalPage>> {
    let page = applications.portal_page(&actor, query.search.as_deref()).await;
    page.map(Json).map_err(problem)
}

async fn set_favourite(
    State(applications): State<Shared>,
    SignedIn(actor): SignedIn,
    client: Client,
    Path(application): Path<ApplicationId>,
    Json(body): Json<Favourite>,
) -> Answer<StatusCode> {
    let set = applications
        .set_favourite(&actor, application, body.favourite, &client)
        .await;
    set.map(|()| StatusCode::NO_CONTENT).map_err(problem)
}

async fn open(
    State(applications): State<Shared>,
    SignedIn(actor): SignedIn,
    client: Client,
    Path(application): Path<ApplicationId>,
) -> Answer<Json<Way>> {
    let way = applications.open(&actor, application, &client).await;
    way.map(Json).map_err(problem)
}

async fn icon(
    State(applications): State<Shared>,
    SignedIn(actor): SignedIn,
    Path(application): Path<ApplicationId>,
    Query(PictureQuery {}): Query<PictureQuery>,
) -> Answer<Response> {
    let png = applications.icon(&actor, application).await;
    png.map(picture).map_err(problem)
}

async fn logo(
    State(applications): State<Shared>,
    SignedIn(actor): SignedIn,
    Query(PictureQuery {}): Query<PictureQuery>,
) -> Answer<Response> {
    let png = applications.logo(&actor).await;
    png.map(picture).map_err(problem)
}

/// A picture; its address changes with it, so browsers may keep it for a day, for this person alone. No picture is no
/// content.
fn picture(png: Option<Vec<u8>>) -> Response {
    let Some(png) = png else {
        return StatusCode::NO_CONTENT.into_response();
    };
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("image/png"));
    headers.insert(
        header::CACHE_CONTROL,
        HeaderValue::from_static("private, max-age=86400"),
    );
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    (headers, png).into_response()
}
