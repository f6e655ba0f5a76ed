//! `/scim/v2`: a ministry's directory comes in with its bearer token. Answers and errors are SCIM's own (RFC 7644).

use axum::{
    body::Bytes,
    extract::{Path, Query, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use naru_kernel::{GroupId, PersonId};
use naru_runtime::{Access, Client, Route, Routes};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Shared, scim_about as about};
use crate::{
    Identity,
    members::ScimAccess,
    service::{Attributes, Directory, IfMatch, ScimError, ScimQuery, ScimRefusal, configuration},
};

/// The largest body: a group of some ten thousand people.
const BODY_BYTES_MAX: usize = 2 * 1024 * 1024;
const KIND: &str = "application/scim+json";

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct ListQuery {
    filter: Option<String>,
    start_index: Option<i64>,
    count: Option<i64>,
    sort_by: Option<String>,
    sort_order: Option<String>,
    attributes: Option<String>,
    excluded_attributes: Option<String>,
}

impl ListQuery {
    fn attributes(&self) -> Attributes {
        Attributes::new(self.attributes.as_deref(), self.excluded_attributes.as_deref())
    }

    fn asked(self) -> ScimQuery {
        ScimQuery {
            attributes: self.attributes(),
            descending: self
                .sort_order
                .as_deref()
                .is_some_and(|order| order.eq_ignore_ascii_case("descending")),
            filter: self.filter,
            start_index: self.start_index,
            count: self.count,
            sort_by: self.sort_by,
        }
    }
}

pub(super) fn routes() -> Routes<Shared> {
    let machine = Access::Machine;
    let body = |route: Route| route.body_bytes_max(BODY_BYTES_MAX);
    Routes::new()
        .route(
            Route::get("/scim/v2/Users", machine, "People (SCIM 2.0)"),
            list_users,
        )
        .route(
            body(Route::post("/scim/v2/Users", machine, "Make a person (SCIM 2.0)")),
            create_user,
        )
        .route(
            Route::get("/scim/v2/Users/{user}", machine, "A person (SCIM 2.0)"),
            user,
        )
        .route(
            body(Route::put(
                "/scim/v2/Users/{user}",
                machine,
                "Replace a person (SCIM 2.0)",
            )),
            replace_user,
        )
        .route(
            body(Route::patch(
                "/scim/v2/Users/{user}",
                machine,
                "Change a person (SCIM 2.0)",
            )),
            patch_user,
        )
        .route(
            Route::delete("/scim/v2/Users/{user}", machine, "Remove a person (SCIM 2.0)"),
            remove_user,
        )
        .route(
            Route::get("/scim/v2/Groups", machine, "Groups (SCIM 2.0)"),
            list_groups,
        )
        .route(
            body(Route::post("/scim/v2/Groups", machine, "Make a group (SCIM 2.0)")),
            create_group,
        )
        .route(
            Route::get("/scim/v2/Groups/{group}", machine, "A group (SCIM 2.0)"),
            group,
        )
        .route(
            body(Route::put(
                "/scim/v2/Groups/{group}",
                machine,
                "Replace a group (SCIM 2.0)",
            )),
            replace_group,
        )
        .route(
            body(Route::patch(
                "/scim/v2/Groups/{group}",
                machine,
                "Change a group (SCIM 2.0)",
            )),
            patch_group,
        )
        .route(
            Route::delete("/scim/v2/Groups/{group}", machine, "Remove a group (SCIM 2.0)"),
            remove_group,
        )
        .route(
            Route::get("/scim/v2/ServiceProviderConfig", machine, "What SCIM can do here"),
            service_provider,
        )
        .route(
            Route::get("/scim/v2/ResourceTypes", machine, "Kinds of SCIM resources"),
            resource_types,
        )
        .route(Route::get("/scim/v2/Schemas", machine, "SCIM schemas"), schemas)
}

/// An answer of the standard's kind, with its version if it is a resource.
fn answer(status: StatusCode, body: &Value) -> Response {
    let mut response = (status, body.to_string()).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(KIND));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    for (name, part) in [(header::ETAG, "version"), (header::LOCATION, "location")] {
        let text = body
            .get("meta")
            .and_then(|meta| meta.get(part))
            .and_then(Value::as_str);
        if let Some(value) = text.and_then(|text| HeaderValue::from_str(text).ok()) {
            headers.insert(name, value);
        }
    }
    response
}

fn refused(refusal: &ScimRefusal) -> Response {
    let mut body = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"],
        "status": refusal.status.to_string(), "detail": refusal.detail,
    });
    if let Some(scim_type) = refusal.scim_type {
        body["scimType"] = json!(scim_type);
    }
    let status = StatusCode::from_u16(refusal.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = answer(status, &body);
    if status == StatusCode::UNAUTHORIZED {
        let challenge = HeaderValue::from_static("Bearer realm=\"scim\"");
        response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
    }
    response
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

fn if_match(headers: &HeaderMap) -> IfMatch {
    let value = headers
        .get(header::IF_MATCH)
        .and_then(|value| value.to_str().ok());
    IfMatch(value.map(str::to_owned))
}

/// Whether the caller has this version already.
fn is_known(headers: &HeaderMap, resource: &Value) -> bool {
    let value = headers
        .get(header::IF_NONE_MATCH)
        .and_then(|value| value.to_str().ok());
    let version = resource["meta"]["version"].as_str().unwrap_or_default();
    value.is_some_and(|value| value.split(',').any(|known| known.trim() == version))
}

fn json_of(body: &Bytes) -> Result<Value, ScimError> {
    let unreadable = || ScimRefusal::new(400, Some("invalidSyntax"), "the body is no JSON object");
    let value: Value = serde_json::from_slice(body).map_err(|_| unreadable())?;
    if value.is_object() {
        Ok(value)
    } else {
        Err(unreadable().into())
    }
}

fn id<T: std::str::FromStr>(text: &str) -> Result<T, ScimError> {
    text.parse()
        .map_err(|_| ScimRefusal::new(404, None, "there is no such resource").into())
}

/// A request of a directory: who it is, and what came with it.
struct Request<'r> {
    identity: &'r Identity,
    headers: &'r HeaderMap,
    client: &'r Client,
}

impl Request<'_> {
    /// Proves the directory, does the work, and records a refusal.
    async fn answer<W>(&self, access: ScimAccess, work: W) -> Response
    where
        W: AsyncFnOnce(&Directory) -> Result<Response, ScimError>,
    {
        let directory = match self
            .identity
            .directory(bearer(self.headers), access, self.client)
            .await
        {
            Ok(directory) => directory,
            Err(error) => return refused(&error.told()),
        };
        match work(&directory).await {
            Ok(response) => response,
            Err(error) => {
                let refusal = error.told();
                let recorded = self
                    .identity
                    .record_scim_refusal(&directory, &refusal, self.client);
                match recorded.await {
                    Ok(()) => refused(&refusal),
                    Err(error) => refused(&ScimError::Failed(error).told()),
                }
            }
        }
    }

    /// Reads one resource, unless the caller has it.
    fn shown(&self, resource: Value, query: &ListQuery) -> Response {
        if is_known(self.headers, &resource) {
            return StatusCode::NOT_MODIFIED.into_response();
        }
        answer(StatusCode::OK, &query.attributes().of(resource))
    }
}

macro_rules! request {
    ($identity:ident, $headers:ident, $client:ident) => {
        Request {
            identity: &$identity,
            headers: &$headers,
            client: &$client,
        }
    };
}

async fn list_users(
    State(identity): State<Shared>,
    headers: HeaderMap,
    client: Client,
    Query(query): Query<ListQuery>,
) -> Response {
    request!(identity, headers, client)
        .answer(ScimAccess::Read, async |directory| {
            let listed = identity.scim_users(directory, &query.asked()).await?;
            Ok(answer(StatusCode::OK, &listed))
        })
        .await
}

async fn create_user(
    State(identity): State<Shared>,
    headers: HeaderMap,
    client: Client,
    body: Bytes,
) -> Response {
    request!(identity, headers, client)
        .answer(ScimAccess::Write, async |directory| {
            let made = identity
                .scim_create_user(directory, json_of(&body)?, &client)
                .await?;
            Ok(answer(StatusCode::CREATED, &made))
        })
        .await
}

async fn user(
    State(identity): State<Shared>,
    headers: HeaderMap,
    client: Client,
    Path(user): Path<String>,
    Query(query): Query<ListQuery>,
) -> Response {
    let request = request!(identity, headers, client);
    request
        .answer(ScimAccess::Read, async |directory| {
            let found = identity.scim_user(directory, id::<PersonId>(&user)?).await?;
            Ok(request.shown(found, &query))
        })
        .await
}

async fn replace_user(
    State(identity): State<Shared>,
    headers: HeaderMap,
    client: Client,
    Path(user): Path<String>,
    body: Bytes,
) -> Response {
    request!(identity, headers, client)
        .answer(ScimAccess::Write, async |directory| {
            let which = (id(&user)?, if_match(&headers));
            let changed = identity.scim_replace_user(directory, which, json_of(&body)?, &client);
            Ok(answer(StatusCode::OK, &changed.await?))
        })
        .await
}

async fn patch_user(
    State(identity): State<Shared>,
    headers: HeaderMap,
    client: Client,
    Path(user): Path<String>,
    body: Bytes,
) -> Response {
    request!(identity, headers, client)
        .answer(ScimAccess::Write, async |directory| {
            let which = (id(&user)?, if_match(&headers));
            let changed = identity.scim_patch_user(directory, which, json_of(&body)?, &client);
            Ok(answer(StatusCode::OK, &changed.await?))
        })
        .await
}

async fn remove_user(
    State(identity): State<Shared>,
    headers: HeaderMap,
    client: Client,
    Path(user): Path<String>,
) -> Response {
    request!(identity, headers, client)
        .answer(ScimAccess::Write, async |directory| {
            let which = (id(&user)?, if_match(&headers));
            identity.scim_remove_user(directory, which, &client).await?;
            Ok(StatusCode::NO_CONTENT.into_response())
        })
        .await
}

async fn list_groups(
    State(identity): State<Shared>,
    headers: HeaderMap,
    client: Client,
    Query(query): Query<ListQuery>,
) -> Response {
    request!(identity, headers, client)
        .answer(ScimAccess::Read, async |directory| {
            let listed = identity.scim_groups(directory, &query.asked()).await?;
            Ok(answer(StatusCode::OK, &listed))
        })
        .await
}

async fn create_group(
    State(identity): State<Shared>,
    headers: HeaderMap,
    client: Client,
    body: Bytes,
) -> Response {
    request!(identity, headers, client)
        .answer(ScimAccess::Write, async |directory| {
            let made = identity
                .scim_create_group(directory, json_of(&body)?, &client)
                .await?;
            Ok(answer(StatusCode::CREATED, &made))
        })
        .await
}

async fn group(
    State(identity): State<Shared>,
    headers: HeaderMap,
    client: Client,
    Path(group): Path<String>,
    Query(query): Query<ListQuery>,
) -> Response {
    let request = request!(identity, headers, client);
    request
        .answer(ScimAccess::Read, async |directory| {
            let found = identity.scim_group(directory, id::<GroupId>(&group)?).await?;
            Ok(request.shown(found, &query))
        })
        .await
}

async fn replace_group(
    State(identity): State<Shared>,
    headers: HeaderMap,
    client: Client,
    Path(group): Path<String>,
    body: Bytes,
) -> Response {
    request!(identity, headers, client)
        .answer(ScimAccess::Write, async |directory| {
            let which = (id(&group)?, if_match(&headers));
            let changed = identity.scim_replace_group(directory, which, json_of(&body)?, &client);
            Ok(answer(StatusCode::OK, &changed.await?))
        })
        .await
}

async fn patch_group(
    State(identity): State<Shared>,
    headers: HeaderMap,
    client: Client,
    Path(group): Path<String>,
    body: Bytes,
) -> Response {
    request!(identity, headers, client)
        .answer(ScimAccess::Write, async |directory| {
            let which = (id(&group)?, if_match(&headers));
            let changed = identity.scim_patch_group(directory, which, json_of(&body)?, &client);
            Ok(answer(StatusCode::OK, &changed.await?))
        })
        .await
}

async fn remove_group(
    State(identity): State<Shared>,
    headers: HeaderMap,
    client: Client,
    Path(group): Path<String>,
) -> Response {
    request!(identity, headers, client)
        .answer(ScimAccess::Write, async |directory| {
            let which = (id(&group)?, if_match(&headers));
            identity.scim_remove_group(directory, which, &client).await?;
            Ok(StatusCode::NO_CONTENT.into_response())
        })
        .await
}

async fn service_provider(State(identity): State<Shared>, headers: HeaderMap, client: Client) -> Response {
    request!(identity, headers, client)
        .answer(ScimAccess::Read, async |_| {
            Ok(answer(StatusCode::OK, &configuration()))
        })
        .await
}

async fn resource_types(State(identity): State<Shared>, headers: HeaderMap, client: Client) -> Response {
    let all = about::resource_types();
    request!(identity, headers, client)
        .answer(ScimAccess::Read, async |_| Ok(answer(StatusCode::OK, &all)))
        .await
}

async fn schemas(State(identity): State<Shared>, headers: HeaderMap, client: Client) -> Response {
    let all = about::schemas();
    request!(identity, headers, client)
        .answer(ScimAccess::Read, async |_| Ok(answer(StatusCode::OK, &all)))
        .await
}
