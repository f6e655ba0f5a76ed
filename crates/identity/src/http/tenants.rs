//! Roles, groups, memberships and tokens of a ministry, as its administrators change them; ministries, as operators do.

use axum::{extract::State, http::StatusCode};
use naru_kernel::{GrantId, GroupId, MinistryId, Page, PageRequest, PersonId, Role};
use naru_runtime::{Access, Client, Json, Path, Query, Route, Routes, SignedIn};

use super::{Answer, Shared};
use crate::{
    GrantForm, GrantQuery, GroupForm, GroupQuery, MembersForm, MembershipForm, MinistryForm, MinistryMade,
    MinistryQuery, MoveForm, ScimTokenForm,
    answers::{
        Approved, GrantRow, GroupRow, Items, MemberRow, MinistryRow, NewScimToken, ScimTokenRow, UnitRow,
    },
    members::ScimTokenId,
};

const ADMIN: Access = Access::Role(Role::MinistryAdmin);
const OPERATOR: Access = Access::Role(Role::Operator);

pub(super) fn routes() -> Routes<Shared> {
    let routes = roles_and_people(Routes::new());
    groups(routes)
        .route(
            Route::get("/api/v1/scim-tokens", ADMIN, "Tokens of the ministry's directory")
                .answers::<Items<ScimTokenRow>>(),
            tokens,
        )
        .route(
            Route::post("/api/v1/scim-tokens", ADMIN, "Make a token for the directory")
                .takes::<ScimTokenForm>()
                .answers::<NewScimToken>(),
            create_token,
        )
        .route(
            Route::delete(
                "/api/v1/scim-tokens/{token}",
                ADMIN,
                "Take a directory's token away",
            ),
            remove_token,
        )
        .route(
            Route::get("/api/v1/ministries", OPERATOR, "All ministries").answers::<Page<MinistryRow>>(),
            ministries,
        )
        .route(
            Route::post("/api/v1/ministries", OPERATOR, "Make a ministry")
                .takes::<MinistryForm>()
                .answers::<MinistryMade>(),
            create_ministry,
        )
}

fn roles_and_people(routes: Routes<Shared>) -> Routes<Shared> {
    routes
        .route(
            Route::get("/api/v1/role-grants", ADMIN, "Roles people hold").answers::<Page<GrantRow>>(),
            grants,
        )
        .route(
            Route::post("/api/v1/role-grants", ADMIN, "Give a role, or ask for it")
                .takes::<GrantForm>()
                .answers::<Approved>(),
            grant,
        )
        .route(
            Route::delete("/api/v1/role-grants/{grant}", ADMIN, "Take a role away"),
            take_grant,
        )
        .route(
            Route::get("/api/v1/units", ADMIN, "Units of the ministry").answers::<Page<UnitRow>>(),
            units,
        )
        .route(
            Route::post("/api/v1/people/{person}/move", ADMIN, "Move a person")
                .takes::<MoveForm>()
                .answers::<Approved>(),
            move_person,
        )
        .route(
            Route::post(
                "/api/v1/people/{person}/memberships",
                ADMIN,
                "Ask another ministry to let a person serve it as well",
            )
            .takes::<MembershipForm>()
            .answers::<Approved>(),
            ask_for_membership,
        )
        .route(
            Route::delete(
                "/api/v1/people/{person}/memberships/{ministry}",
                ADMIN,
                "End a person's service in a ministry that is not their home",
            ),
            end_membership,
        )
}

fn groups(routes: Routes<Shared>) -> Routes<Shared> {
    routes
        .route(
            Route::get("/api/v1/groups", ADMIN, "Groups of the ministry").answers::<Page<GroupRow>>(),
            list_groups,
        )
        .route(
            Route::post("/api/v1/groups", ADMIN, "Make a group")
                .takes::<GroupForm>()
                .answers::<GroupRow>(),
            create_group,
        )
        .route(
            Route::get("/api/v1/groups/{group}", ADMIN, "A group").answers::<GroupRow>(),
            group,
        )
        .route(
            Route::put("/api/v1/groups/{group}", ADMIN, "Rename a group")
                .takes::<GroupForm>()
                .answers::<GroupRow>(),
            rename_group,
        )
        .route(
            Route::delete("/api/v1/groups/{group}", ADMIN, "Remove a group"),
            remove_group,
        )
        .route(
            Route::get("/api/v1/groups/{group}/members", ADMIN, "People of a group")
                .answers::<Page<MemberRow>>(),
            members,
        )
        .route(
            Route::post(
                "/api/v1/groups/{group}/members",
                ADMIN,
                "Change who is in a group",
            )
            .takes::<MembersForm>()
            .answers::<GroupRow>(),
            change_members,
        )
}

async fn grants(
    State(identity): State<Shared>,
    SignedIn(actor): SignedIn,
    Query(query): Query<GrantQuery>,
) -> Answer<Json<Page<GrantRow>>> {
    Ok(Json(identity.role_grants(&actor, &query).await?))
}

async fn grant(
    State(identity): State<Shared>,
    SignedIn(actor): SignedIn,
    client: Client,
    Json(form): Json<GrantForm>,
) -> Answer<Json<Approved>> {
    Ok(Json(identity.grant_role(&actor, &form, &client).await?))
}

async fn take_grant(
    State(identity): State<Shared>,
    SignedIn(actor): SignedIn,
    client: Client,
    Path(grant): Path<GrantId>,
) -> Answer<StatusCode> {
    identity.take_role(&actor, grant, &client).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn units(
    State(identity): State<Shared>,
    SignedIn(actor): SignedIn,
    Query(page): Query<PageRequest>,
) -> Answer<Json<Page<UnitRow>>> {
    Ok(Json(identity.units(&actor, &page).await?))
}

async fn move_person(
    State(identity): State<Shared>,
    SignedIn(actor): SignedIn,
    client: Client,
    Path(person): Path<PersonId>,
    Json(form): Json<MoveForm>,
) -> Answer<Json<Approved>> {
    Ok(Json(identity.move_person(&actor, person, &form, &client).await?))
}

async fn ask_for_membership(
    State(identity): State<Shared>,
    SignedIn(actor): SignedIn,
    client: Client,
    Path(person): Path<PersonId>,
    Json(form): Json<MembershipForm>,
) -> Answer<Json<Approved>> {
    Ok(Json(
        identity
            .ask_for_membership(&actor, person, &form, &client)
            .await?,
    ))
}

async fn end_membership(
    State(identity): State<Shared>,
    SignedIn(actor): SignedIn,
    client: Client,
    Path(membership): Path<(PersonId, MinistryId)>,
) -> Answer<StatusCode> {
    identity.end_membership(&actor, membership, &client).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn list_groups(
    State(identity): State<Shared>,
    SignedIn(actor): SignedIn,
    Query(query): Query<GroupQuery>,
) -> Answer<Json<Page<GroupRow>>> {
    Ok(Json(identity.groups(&actor, &query).await?))
}

async fn create_group(
    State(identity): State<Shared>,
    SignedIn(actor): SignedIn,
    client: Client,
    Json(form): Json<GroupForm>,
) -> Answer<Json<GroupRow>> {
    Ok(Json(identity.create_group(&actor, &form, &client).await?))
}

async fn group(
    State(identity): State<Shared>,
    SignedIn(actor): SignedIn,
    Path(group): Path<GroupId>,
) -> Answer<Json<GroupRow>> {
    Ok(Json(identity.group(&actor, group).await?))
}

async fn rename_group(
    State(identity): State<Shared>,
    SignedIn(actor): SignedIn,
    client: Client,
    Path(group): Path<GroupId>,
    Json(form): Json<GroupForm>,
) -> Answer<Json<GroupRow>> {
    Ok(Json(identity.rename_group(&actor, group, &form, &client).await?))
}

async fn remove_group(
    State(identity): State<Shared>,
    SignedIn(actor): SignedIn,
    client: Client,
    Path(group): Path<GroupId>,
) -> Answer<StatusCode> {
    identity.remove_group(&actor, group, &client).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn members(
    State(identity): State<Shared>,
    SignedIn(actor): SignedIn,
    Path(group): Path<GroupId>,
    Query(query): Query<GroupQuery>,
) -> Answer<Json<Page<MemberRow>>> {
    Ok(Json(identity.group_members(&actor, group, &query).await?))
}

async fn change_members(
    State(identity): State<Shared>,
    SignedIn(actor): SignedIn,
    client: Client,
    Path(group): Path<GroupId>,
    Json(form): Json<MembersForm>,
) -> Answer<Json<GroupRow>> {
    Ok(Json(
        identity.change_members(&actor, group, &form, &client).await?,
    ))
}

async fn tokens(
    State(identity): State<Shared>,
    SignedIn(actor): SignedIn,
) -> Answer<Json<Items<ScimTokenRow>>> {
    let items = identity.scim_tokens(&actor).await?;
    Ok(Json(Items { items }))
}

async fn create_token(
    State(identity): State<Shared>,
    SignedIn(actor): SignedIn,
    client: Client,
    Json(form): Json<ScimTokenForm>,
) -> Answer<Json<NewScimToken>> {
    Ok(Json(identity.create_scim_token(&actor, &form, &client).await?))
}

async fn remove_token(
    State(identity): State<Shared>,
    SignedIn(actor): SignedIn,
    client: Client,
    Path(token): Path<ScimTokenId>,
) -> Answer<StatusCode> {
    identity.remove_scim_token(&actor, token, &client).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn ministries(
    State(identity): State<Shared>,
    SignedIn(actor): SignedIn,
    Query(query): Query<MinistryQuery>,
) -> Answer<Json<Page<MinistryRow>>> {
    Ok(Json(identity.ministries(&actor, &query).await?))
}

async fn create_ministry(
    State(identity): State<Shared>,
    SignedIn(actor): SignedIn,
    client: Client,
    Json(form): Json<MinistryForm>,
) -> Answer<Json<MinistryMade>> {
    Ok(Json(identity.create_ministry(&actor, &form, &client).await?))
}
