//! Roles: given with a second administrator's agreement, taken away at once, over by themselves when their time is.

use naru_kernel::{
    Action, Actor, ApprovalId, Grant, GrantId, Page, PersonId, Role, Scope, Seconds, Tenant, Timestamp,
    Within,
};
use naru_runtime::Client;
use naru_store::{By, Tx};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Identity, Tools, Verdict, granted,
    people::next_after,
    reach::{Of, hold_reached},
};
use crate::{
    Ask, Error, Leaver, Refusal,
    answers::{Approved, GrantRow},
    asking::GRANT_ROLE,
    members::{RoleGrant, within_of},
    rules::{clean_unit, may_hold},
    store,
};

/// The longest time a role can be given for; without an end it is for good.
const GRANT_LENGTH_MAX: Seconds = Seconds::hours(24 * 366 * 5);
/// Roles of one person in one ministry.
const GRANTS_PER_PERSON_MAX: usize = 16;
/// The longest name of a centre, in characters.
const CENTRE_CHARACTERS_MAX: usize = 100;

/// A role somebody should have.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GrantForm {
    /// Who.
    pub person: PersonId,
    /// What.
    pub role: Role,
    /// `ministry` (or empty), `unit` or `centre`.
    #[serde(default)]
    pub within: String,
    /// Which unit or centre.
    #[serde(default)]
    pub scope: String,
    /// Until when; absent is for good.
    #[serde(default)]
    pub expires_at: Option<Timestamp>,
}

impl GrantForm {
    /// A role for good, in the whole ministry.
    #[must_use]
    pub fn everywhere(person: PersonId, role: Role) -> Self {
        Self {
            person,
            role,
            within: String::new(),
            scope: String::new(),
            expires_at: None,
        }
    }
}

/// Which grants are listed.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GrantQuery {
    /// At most so many rows.
    pub limit: Option<i64>,
    /// The `next` of the page before.
    pub after: Option<String>,
    /// In the person's name.
    pub search: Option<String>,
    /// Of this role only.
    pub role: Option<Role>,
    /// Of this person only.
    pub person: Option<PersonId>,
    /// `-created_at` (or empty) or `name`.
    pub sort: Option<String>,
}

/// What waits for a second administrator, as it is kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Wish {
    pub(super) person: PersonId,
    pub(super) role: Role,
    pub(super) within: String,
    pub(super) scope: String,
    pub(super) expires_at: Option<Timestamp>,
}

impl Wish {
    pub(super) fn everywhere(person: PersonId, role: Role) -> Self {
        Self {
            person,
            role,
            within: "ministry".to_owned(),
            scope: String::new(),
            expires_at: None,
        }
    }

    fn grant(&self) -> Verdict<Grant> {
        let field = |field, problem| Refusal::Field { field, problem };
        let within = within_of(&self.within, self.scope.clone())
            .map_err(|_| field("within", "a role counts within ministry, unit or centre"))?;
        let fits = match (&within, self.role) {
            (Within::Ministry, _) => true,
            (Within::Unit(_), Role::MinistryAdmin) | (Within::Centre(_), Role::Operator) => true,
            (Within::Unit(_) | Within::Centre(_), _) => false,
        };
        if !fits {
            return Err(field(
                "within",
                "only administrators count within units, only operators within centres",
            ));
        }
        Ok(Grant {
            role: self.role,
            within,
        })
    }
}

/// Reads a form: the place cleaned, the end in the future and not too far.
fn wish_of(form: &GrantForm, is_platform: bool, now: Timestamp) -> Verdict<Wish> {
    let field = |field, problem| Refusal::Field { field, problem };
    if !may_hold(form.role, is_platform) {
        return Err(field("role", "operators belong to the platform's ministry"));
    }
    let (within, scope) = match form.within.trim() {
        "" | "ministry" => ("ministry", String::new()),
        "unit" => ("unit", clean_unit(&form.scope)?),
        "centre" => ("centre", form.scope.trim().to_owned()),
        _ => return Err(field("within", "a role counts within ministry, unit or centre")),
    };
    let too_long = scope.chars().count() > CENTRE_CHARACTERS_MAX && within == "centre";
    if (within != "ministry" && scope.is_empty()) || too_long || scope.chars().any(char::is_control) {
        return Err(field("scope", "say which unit or centre"));
    }
    if form
        .expires_at
        .is_some_and(|end| end <= now || end > now + GRANT_LENGTH_MAX)
    {
        return Err(field(
            "expires_at",
            "a role ends within five years, and not in the past",
        ));
    }
    let wish = Wish {
        person: form.person,
        role: form.role,
        within: within.to_owned(),
        scope,
        expires_at: form.expires_at,
    };
    wish.grant().map(|_| wish)
}

impl Identity {
    /// Roles people of the actor's ministry hold, the newest first. What everybody has, a worker's role, is listed only
    /// when asked for.
    ///
    /// # Errors
    /// When the actor does not administer the whole ministry, or the store fails.
    pub async fn role_grants(&self, actor: &Actor, query: &GrantQuery) -> Result<Page<GrantRow>, Error> {
        actor.may(Action::ManagePeople, Scope::Ministry(actor.ministry))?;
        let by_name = match query.sort.as_deref().unwrap_or_default() {
            "" | "-created_at" => false,
            "name" => true,
            _ => {
                let (field, problem) = ("sort", "sort by name or -created_at");
                return Err(Refusal::Field { field, problem }.into());
            }
        };
        let wanted = store::grants::Wanted {
            search: query.search.clone(),
            role: query.role,
            person: query.person,
            by_name,
            after: query.after.clone(),
            rows: super::people::rows_of(query.limit),
        };
        let from = self.db.within(actor.tenant());
        let (mut listed, total) = store::grants::list(from, &wanted, self.clock.now()).await?;
        let next = next_after(&mut listed, wanted.rows, |row| row.grant.id.to_string());
        let items = listed.into_iter().map(|row| GrantRow {
            person_name: row.person_name,
            ..GrantRow::from(row.grant)
        });
        Ok(Page {
            items: items.collect(),
            next,
            total,
        })
    }

    /// Gives a role. A worker's is given at once; any other waits for a second administrator.
    ///
    /// # Errors
    /// When the actor may not, the person does not serve the ministry or is the actor, a field is wrong, the role is
    /// held or asked for already.
    pub async fn grant_role(
        &self,
        actor: &Actor,
        form: &GrantForm,
        client: &Client,
    ) -> Result<Approved, Error> {
        let act = self.people_act("identity.ask-for-role", actor, client)?;
        let ministry = self.own_ministry(actor).await?;
        let (tools, now, actor) = (self.tools.clone(), act.at, actor.clone());
        let wish = wish_of(form, ministry.is_platform, now)?;
        self.decide(act, move |tx| {
            Box::pin(async move {
                tx.about(wish.person);
                note_wish(tx, &wish);
                let of = (Of::Ministry, now);
                let reached = granted!(hold_reached(tx, &actor, wish.person, of).await?);
                if wish.role != Role::Worker {
                    granted!(actor.may(Action::ManagePeople, Scope::Ministry(actor.ministry)));
                    if wish.person == actor.person {
                        return Ok(Err(Refusal::NotYourself));
                    }
                }
                let holds = store::grants::of_person_in(tx, (wish.person, actor.tenant()), now).await?;
                let wished = granted!(wish.grant());
                if holds.iter().any(|held| held.grant == wished) {
                    return Ok(Err(Refusal::AlreadyGranted));
                }
                if holds.len() >= GRANTS_PER_PERSON_MAX {
                    return Ok(Err(Refusal::TooMany));
                }
                if wish.role == Role::Worker {
                    let by = (actor.person.to_string(), None);
                    granted!(give(tx, &tools, (&wish, actor.tenant()), by, now).await?);
                    return Ok(Ok(Approved {
                        done: true,
                        approval: None,
                    }));
                }
                let approval = ask_for(tx, &tools, &actor, (&reached.person.name, wish)).await?;
                Ok(approval.map(|approval| Approved {
                    done: false,
                    approval: Some(approval),
                }))
            })
        })
        .await
    }

    /// Takes a role away, at once: the next request of a running session is judged without it.
    ///
    /// # Errors
    /// When the actor may not, there is no such grant, or it is the last administrator's.
    pub async fn take_role(&self, actor: &Actor, id: GrantId, client: &Client) -> Result<(), Error> {
        let act = self.people_act("identity.take-role", actor, client)?;
        let (tools, now, actor) = (self.tools.clone(), act.at, actor.clone());
        let done = self.decide(act, move |tx| {
            Box::pin(async move {
                tx.about(id);
                let known = store::grants::by_id(tx, id, actor.tenant()).await?;
                let known = granted!(known.ok_or(Refusal::NoSuch("grant")));
                let of = (Of::Ministry, now);
                let reached = hold_reached(tx, &actor, known.person, of).await?;
                granted!(reached.map_err(|_| Refusal::NoSuch("grant")));
                if known.grant.role != Role::Worker {
                    granted!(actor.may(Action::ManagePeople, Scope::Ministry(actor.ministry)));
                }
                take(tx, &tools, &known, now).await
            })
        });
        done.await?;
        self.tools.desktops.wake();
        Ok(())
    }

    /// Gives a role as the platform, without a second person: the first administrators of a ministry come by this.
    ///
    /// # Errors
    /// When the person does not serve the ministry, a field is wrong, or they hold the role already.
    pub async fn admin_grant_role(&self, tenant: Tenant, form: &GrantForm) -> Result<(), Error> {
        let ministry = store::people::ministry(&self.db, tenant.ministry()).await?;
        let ministry = ministry.ok_or(Refusal::NoSuch("ministry"))?;
        let act = naru_store::Act {
            ministry: Some(ministry.id),
            ..self.platform_act("identity.grant-role")
        };
        let (tools, now) = (self.tools.clone(), act.at);
        let wish = wish_of(form, ministry.is_platform, now)?;
        self.decide(act, move |tx| {
            Box::pin(async move {
                tx.about(wish.person);
                note_wish(tx, &wish);
                let serves = store::members::of_in(tx, wish.person, tenant).await?;
                granted!(serves.ok_or(Refusal::NoSuch("person")));
                give(tx, &tools, (&wish, tenant), ("platform".to_owned(), None), now).await
            })
        })
        .await
    }
}

fn note_wish(tx: &mut Tx, wish: &Wish) {
    tx.note("role", wish.role.as_str());
    tx.note("within", wish.within.as_str());
    tx.note("scope", wish.scope.as_str());
    tx.note("expires_at", wish.expires_at.map(Timestamp::as_micros));
}

/// Writes a grant down.
pub(super) async fn give(
    tx: &mut Tx,
    tools: &Tools,
    (wish, tenant): (&Wish, Tenant),
    (granted_by, approved_by): (String, Option<PersonId>),
    now: Timestamp,
) -> Result<Verdict<()>, Error> {
    let grant = RoleGrant {
        id: GrantId::new(now, tools.entropy.as_ref()),
        person: wish.person,
        ministry: tenant.ministry(),
        grant: granted!(wish.grant()),
        expires_at: wish.expires_at,
        granted_by,
        approved_by,
        created_at: now,
    };
    let is_new = store::grants::insert(tx, &grant).await?;
    Ok(if is_new {
        Ok(())
    } else {
        Err(Refusal::AlreadyGranted)
    })
}

/// Writes down that a second administrator must agree to a role.
pub(super) async fn ask_for(
    tx: &mut Tx,
    tools: &Tools,
    actor: &Actor,
    (name, wish): (&str, Wish),
) -> Result<Verdict<ApprovalId>, Error> {
    let second = granted!(tools.second.get().ok_or(Refusal::NobodyToAsk));
    let ask = Ask {
        ministry: actor.ministry,
        kind: GRANT_ROLE,
        asked_by: actor.person,
        about: Some(wish.person),
        subject: format!("{}/{}/{}/{}", wish.person, wish.role, wish.within, wish.scope),
        summary: serde_json::json!({
            "name": name, "role": wish.role, "within": wish.within, "scope": wish.scope,
            "expires_at": wish.expires_at,
        }),
        payload: serde_json::to_value(&wish).map_err(|_| Error::Broken)?,
    };
    Ok(Ok(second.ask(tx, ask).await?))
}

/// Gives a role two administrators agreed to.
pub(super) async fn carry_out_grant(
    tx: &mut Tx,
    tools: &Tools,
    agreed: &crate::Agreed,
) -> Result<Verdict<()>, Error> {
    let wish: Wish = match serde_json::from_value(agreed.payload.clone()) {
        Ok(wish) => wish,
        Err(_) => return Ok(Err(Refusal::NoSuch("wish"))),
    };
    let tenant = Tenant::of(agreed.ministry);
    note_wish(tx, &wish);
    let serves = store::members::of_in(tx, wish.person, tenant).await?;
    let active = serves.filter(|known| known.state == crate::members::MembershipState::Active);
    granted!(active.ok_or(Refusal::NoSuch("person")));
    if wish.expires_at.is_some_and(|end| end <= agreed.at) {
        let (field, problem) = ("expires_at", "its end is over before it began");
        return Ok(Err(Refusal::Field { field, problem }));
    }
    let by = (agreed.asked_by.to_string(), Some(agreed.agreed_by));
    give(tx, tools, (&wish, tenant), by, agreed.at).await
}

async fn take(tx: &mut Tx, tools: &Tools, known: &RoleGrant, now: Timestamp) -> Result<Verdict<()>, Error> {
    let tenant = Tenant::of(known.ministry);
    tx.note(
        "before",
        serde_json::json!({ "person": known.person, "grant": known.grant, "expires_at": known.expires_at }),
    );
    tx.note("after", serde_json::Value::Null);
    let is_whole_admin = known.grant == Grant::everywhere(Role::MinistryAdmin);
    if is_whole_admin && store::grants::count_admins(tx, tenant, now).await? <= 1 {
        return Ok(Err(Refusal::LastAdministrator));
    }
    store::grants::remove(tx, known.id, tenant).await?;
    if known.grant.role == Role::Worker {
        let leaver = Leaver::From(known.person, known.ministry);
        tools.desktops.end(tx, leaver, now).await?;
    }
    Ok(Ok(()))
}

/// The by-line of an actor.
pub(super) fn by(actor: &Actor) -> By {
    By::Person(actor.person, actor.logon)
}
