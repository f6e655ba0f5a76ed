//! What administrators of a ministry see and do.

use axum::{body::Bytes, extract::State, http::StatusCode};
use naru_kernel::{CertificateId, LogonId, Page, PageRequest, PersonId, Role};
use naru_runtime::{Access, Client, Json, Path, Query, Route, Routes, SignedIn};
use serde::Deserialize;

use super::{Answer, Shared};
use crate::{
    answers::{ActivationCode, AlarmRow, Approved, ImportReport, PersonDetail, PersonRow},
    service::{FILE_BYTES_MAX, ImportWish, Mode, PeopleQuery, PersonForm},
};

const ADMIN: Access = Access::Role(Role::MinistryAdmin);

/// Whether to add the people of a list.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ImportQuery {
    #[serde(default)]
    apply: bool,
    #[serde(default)]
    skip_broken: bool,
    /// `add` (or nothing), or `sync`: the list is everybody, who is missing leaves.
    #[serde(default)]
    mode: Mode,
    #[serde(default)]
    confirm_leavers: bool,
}

pub(super) fn routes() -> Routes<Shared> {
    Routes::new()
        .route(
            Route::get("/api/v1/people", ADMIN, "People of the ministry").answers::<Page<PersonRow>>(),
            list,
        )
        .route(
            Route::post("/api/v1/people", ADMIN, "Add a person")
                .takes::<PersonForm>()
                .answers::<PersonDetail>(),
            create,
        )
        .route(
            Route::post(
                "/api/v1/people/import",
                ADMIN,
                "Check or add a list of people (CSV)",
            )
            .answers::<ImportReport>()
            .body_bytes_max(FILE_BYTES_MAX),
            import,
        )
        .route(
            Route::get("/api/v1/people/{person}", ADMIN, "A person").answers::<PersonDetail>(),
            detail,
        )
        .route(
            Route::post(
                "/api/v1/people/{person}/activation-code",
                ADMIN,
                "Hand out an activation code",
            )
            .answers::<ActivationCode>(),
            activation_code,
        )
        .route(
            Route::post("/api/v1/people/{person}/revoke", ADMIN, "Revoke a person").answers::<PersonDetail>(),
            revoke,
        )
        .route(
            Route::post(
                "/api/v1/people/{person}/restore",
                ADMIN,
                "Restore a revoked person",
            )
            .answers::<PersonDetail>(),
            restore,
        )
        .route(
            Route::post("/api/v1/people/{person}/unlock", ADMIN, "End a lock").answers::<PersonDetail>(),
            unlock,
        )
        .route(
            Route::post(
                "/api/v1/people/{person}/recover",
                ADMIN,
                "Ask a second administrator to remove all second factors",
            )
            .answers::<Approved>(),
            recover,
        )
        .route(
            Route::delete(
                "/api/v1/people/{person}/sessions/{logon}",
                ADMIN,
                "End a person's session",
            ),
            end_session,
        )
        .route(
            Route::post(
                "/api/v1/certificates/{certificate}/revoke",
                ADMIN,
                "Withdraw a certificate",
            ),
            revoke_certificate,
        )
        .route(
            Route::get("/api/v1/alarms", ADMIN, "Alarms of the ministry").answers::<Page<AlarmRow>>(),
            alarms,
        )
}

async fn list(
    State(identity): State<Shared>,
    SignedIn(actor): SignedIn,
    Query(query): Query<PeopleQuery>,
) -> Answer<Json<Page<PersonRow>>> {
    Ok(Json(identity.people(&actor, &query).await?))
}

async fn create(
    State(identity): State<Shared>,
    SignedIn(actor): SignedIn,
    client: Client,
    Json(form): Json<PersonForm>,
) -> Answer<Json<PersonDetail>> {
    Ok(Json(identity.create_person(&actor, &form, &client).await?))
}

async fn import(
    State(identity): State<Shared>,
    SignedIn(actor): SignedIn,
    client: Client,
    Query(query): Query<ImportQuery>,
    file: Bytes,
) -> Answer<Json<ImportReport>> {
    let wish = ImportWish {
        apply: query.apply,
        skip_broken: query.skip_broken,
        mode: query.mode,
        confirm_leavers: query.confirm_leavers,
    };
    Ok(Json(identity.import(&actor, file.to_vec(), wish, &client).await?))
}

async fn detail(
    State(identity): State<Shared>,
    SignedIn(actor): SignedIn,
    Path(person): Path<PersonId>,
) -> Answer<Json<PersonDetail>> {
    Ok(Json(identity.person(&actor, person).await?))
}

async fn activation_code(
    State(identity): State<Shared>,
    SignedIn(actor): SignedIn,
    client: Client,
    Path(person): Path<PersonId>,
) -> Answer<Json<ActivationCode>> {
    Ok(Json(identity.activation_code(&actor, person, &client).await?))
}

async fn revoke(
    State(identity): State<Shared>,
    SignedIn(actor): SignedIn,
    client: Client,
    Path(person): Path<PersonId>,
) -> Answer<Json<PersonDetail>> {
    Ok(Json(identity.revoke(&actor, person, &client).await?))
}

async fn restore(
    State(identity): State<Shared>,
    SignedIn(actor): SignedIn,
    client: Client,
    Path(person): Path<PersonId>,
) -> Answer<Json<PersonDetail>> {
    Ok(Json(identity.restore(&actor, person, &client).await?))
}

async fn unlock(
    State(identity): State<Shared>,
    SignedIn(actor): SignedIn,
    client: Client,
    Path(person): Path<PersonId>,
) -> Answer<Json<PersonDetail>> {
    Ok(Json(identity.unlock(&actor, person, &client).await?))
}

async fn recover(
    State(identity): State<Shared>,
    SignedIn(actor): SignedIn,
    client: Client,
    Path(person): Path<PersonId>,
) -> Answer<Json<Approved>> {
    Ok(Json(identity.recover(&actor, person, &client).await?))
}

async fn end_session(
    State(identity): State<Shared>,
    SignedIn(actor): SignedIn,
    client: Client,
    Path(session): Path<(PersonId, LogonId)>,
) -> Answer<StatusCode> {
    identity.end_session(&actor, session, &client).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn revoke_certificate(
    State(identity): State<Shared>,
    SignedIn(actor): SignedIn,
    client: Client,
    Path(certificate): Path<CertificateId>,
) -> Answer<StatusCode> {
    identity.revoke_certificate(&actor, certificate, &client).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn alarms(
    State(identity): State<Shared>,
    SignedIn(actor): SignedIn,
    Query(page): Query<PageRequest>,
) -> Answer<Json<Page<AlarmRow>>> {
    Ok(Json(identity.alarms(&actor, &page).await?))
}
