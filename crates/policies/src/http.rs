//! Requests and answers.

use std::sync::Arc;

use axum::extract::State;
use naru_kernel::{ApprovalId, PageRequest, PersonId, PolicyId, Role, Timestamp};
use naru_runtime::{Access, Client, Json, Path, Problem, Query, Route, Routes, SignedIn};
use serde::{Deserialize, Serialize};

use crate::{
    Error, Policies, TryAnswer, TryForm,
    cedar::base::BaseRule,
    model::{Effect, Mistake, Origin, Policy, PolicyForm, PolicyVersion, Words},
};

const ADMIN: Access = Access::Role(Role::MinistryAdmin);
const SEARCH_CHARACTERS_MAX: usize = 100;

type Shared = Arc<Policies>;
type Answer<T> = Result<T, Problem>;

/// Which rules are wanted.
#[derive(Clone, Debug, Default, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListQuery {
    /// How many at most.
    pub limit: Option<i64>,
    /// The `next` of the page before.
    pub after: Option<PolicyId>,
    /// Part of a name.
    pub search: Option<String>,
}

impl ListQuery {
    pub(crate) fn rows(&self) -> i64 {
        self.limit.unwrap_or(50).clamp(1, PageRequest::ROWS_MAX)
    }

    pub(crate) fn search(&self) -> Option<String> {
        let text = self
            .search
            .as_deref()
            .map(str::trim)
            .filter(|text| !text.is_empty());
        text.map(|text| text.chars().take(SEARCH_CHARACTERS_MAX).collect())
    }
}

/// A rule, as administrators see it.
#[derive(Clone, Debug, Serialize, Deserialize, schemars::JsonSchema)]
pub struct PolicyRow {
    /// Its identifier: `policy_…`, or `base.…` for a built-in one.
    pub id: String,
    /// Whose it is; only the ministry's own can be changed.
    pub origin: Origin,
    /// What it is called.
    pub name: Words,
    /// The rule in Cedar.
    pub text: String,
    /// Whether it holds.
    pub on: bool,
    /// Whether it refuses anything: editing it or switching it off while it holds needs a second person.
    pub forbids: bool,
    /// Counts every change, from 1; 0 for a built-in one.
    pub version: i64,
    /// When it was changed last.
    pub changed_at: Option<Timestamp>,
    /// By whom; not told of the platform's.
    pub changed_by: Option<PersonId>,
}

impl PolicyRow {
    pub(crate) fn of(policy: Policy) -> Self {
        Self {
            id: policy.id.to_string(),
            origin: Origin::Ministry,
            name: policy.name,
            text: policy.text,
            on: policy.is_on,
            forbids: policy.has_forbid,
            version: policy.version,
            changed_at: Some(policy.changed_at),
            changed_by: policy.changed_by,
        }
    }

    pub(crate) fn of_platform(policy: Policy) -> Self {
        Self {
            origin: Origin::Platform,
            changed_by: None,
            ..Self::of(policy)
        }
    }

    pub(crate) fn of_base(rule: &BaseRule) -> Self {
        Self {
            id: rule.id.to_owned(),
            origin: Origin::Base,
            name: rule.name(),
            text: rule.text.to_owned(),
            on: true,
            forbids: rule.effect == Effect::Forbid,
            version: 0,
            changed_at: None,
            changed_by: None,
        }
    }
}

/// A page of the ministry's rules, with what holds besides.
#[derive(Clone, Debug, Serialize, Deserialize, schemars::JsonSchema)]
pub struct PolicyList {
    /// The built-in ones.
    pub built_in: Vec<PolicyRow>,
    /// The platform's that hold; empty for the platform's own ministry.
    pub platform: Vec<PolicyRow>,
    /// The ministry's own.
    pub items: Vec<PolicyRow>,
    /// Ask for the next page with `after` set to this.
    pub next: Option<String>,
    /// How many the ministry has.
    pub total: i64,
    /// What rules can speak of, as a Cedar schema.
    pub schema: String,
}

/// A rule with what it was before.
#[derive(Clone, Debug, Serialize, Deserialize, schemars::JsonSchema)]
pub struct PolicyDetail {
    /// As it is.
    #[serde(flatten)]
    pub policy: PolicyRow,
    /// Newest first.
    pub versions: Vec<PolicyVersion>,
}

/// Whether a change is done, or waits for a second administrator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Approved {
    /// Whether it is done.
    pub done: bool,
    /// What waits, if it is not.
    pub approval: Option<ApprovalId>,
}

impl Approved {
    pub(crate) const fn done() -> Self {
        Self {
            done: true,
            approval: None,
        }
    }
}

/// A text to be checked.
#[derive(Clone, Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct Text {
    /// The rule in Cedar.
    text: String,
}

/// What is wrong with it.
#[derive(Clone, Debug, Serialize, schemars::JsonSchema)]
struct Mistakes {
    /// Empty when the text is a rule.
    errors: Vec<Mistake>,
}

/// Every route of this domain.
#[must_use]
pub fn routes(policies: Shared) -> Routes {
    let list = Route::get("/api/v1/policies", ADMIN, "The site's rules");
    let create = Route::post("/api/v1/policies", ADMIN, "Make a rule");
    let look = Route::get("/api/v1/policies/{policy}", ADMIN, "A rule and its versions");
    let edit = Route::put(
        "/api/v1/policies/{policy}",
        ADMIN,
        "Edit a rule, or ask a second administrator",
    );
    let on = Route::post("/api/v1/policies/{policy}/turn-on", ADMIN, "Switch a rule on");
    let off = Route::post(
        "/api/v1/policies/{policy}/turn-off",
        ADMIN,
        "Switch a rule off, or ask a second administrator",
    );
    let check = Route::post("/api/v1/policies/check", ADMIN, "What is wrong with a text");
    let tried = Route::post(
        "/api/v1/policies/try",
        ADMIN,
        "Would this person be let in, and why",
    );
    Routes::new()
        .route(list.answers::<PolicyList>(), list_policies)
        .route(create.takes::<PolicyForm>().answers::<PolicyRow>(), create_policy)
        .route(look.answers::<PolicyDetail>(), look_at_policy)
        .route(edit.takes::<PolicyForm>().answers::<Approved>(), edit_policy)
        .route(on.answers::<Approved>(), turn_on)
        .route(off.answers::<Approved>(), turn_off)
        .route(check.takes::<Text>().answers::<Mistakes>(), check_text)
        .route(tried.takes::<TryForm>().answers::<TryAnswer>(), try_out)
        .with_state(policies)
}

async fn list_policies(
    State(policies): State<Shared>,
    SignedIn(actor): SignedIn,
    Query(query): Query<ListQuery>,
) -> Answer<Json<PolicyList>> {
    let listed = policies.list(&actor, &query).await;
    listed.map(Json).map_err(Error::into_problem)
}

async fn create_policy(
    State(policies): State<Shared>,
    SignedIn(actor): SignedIn,
    client: Client,
    Json(form): Json<PolicyForm>,
) -> Answer<Json<PolicyRow>> {
    let made = policies.create(&actor, &form, &client).await;
    made.map(Json).map_err(Error::into_problem)
}

async fn look_at_policy(
    State(policies): State<Shared>,
    SignedIn(actor): SignedIn,
    Path(id): Path<PolicyId>,
) -> Answer<Json<PolicyDetail>> {
    let seen = policies.look(&actor, id).await;
    seen.map(Json).map_err(Error::into_problem)
}

async fn edit_policy(
    State(policies): State<Shared>,
    SignedIn(actor): SignedIn,
    client: Client,
    Path(id): Path<PolicyId>,
    Json(form): Json<PolicyForm>,
) -> Answer<Json<Approved>> {
    let edited = policies.edit(&actor, id, &form, &client).await;
    edited.map(Json).map_err(Error::into_problem)
}

async fn turn_on(
    State(policies): State<Shared>,
    SignedIn(actor): SignedIn,
    client: Client,
    Path(id): Path<PolicyId>,
) -> Answer<Json<Approved>> {
    let turned = policies.turn_on(&actor, id, &client).await;
    turned.map(Json).map_err(Error::into_problem)
}

async fn turn_off(
    State(policies): State<Shared>,
    SignedIn(actor): SignedIn,
    client: Client,
    Path(id): Path<PolicyId>,
) -> Answer<Json<Approved>> {
    let turned = policies.turn_off(&actor, id, &client).await;
    turned.map(Json).map_err(Error::into_problem)
}

async fn check_text(
    State(policies): State<Shared>,
    SignedIn(actor): SignedIn,
    Json(Text { text }): Json<Text>,
) -> Answer<Json<Mistakes>> {
    let errors = policies.check(&actor, &text).map_err(Error::into_problem)?;
    Ok(Json(Mistakes { errors }))
}

async fn try_out(
    State(policies): State<Shared>,
    SignedIn(actor): SignedIn,
    client: Client,
    Json(form): Json<TryForm>,
) -> Answer<Json<TryAnswer>> {
    let tried = policies.try_out(&actor, &form, &client).await;
    tried.map(Json).map_err(Error::into_problem)
}
