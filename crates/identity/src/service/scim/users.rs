//! People, as a directory makes, changes and removes them.

use naru_kernel::{PersonId, Role, Tenant, Timestamp};
use naru_runtime::Client;
use naru_scim::{Filter, Operator, patch};
use naru_store::Tx;
use serde_json::{Value, json};

use super::{
    super::{
        Identity, Tools,
        adding::{add_person, described},
        grants::{Wish, give},
        memberships::leave,
        people::revoke_held,
    },
    Changing, Directory, IfMatch, SCAN_ROWS, SCANNED_ROWS_MAX, ScimError, ScimQuery, ScimRefusal, kept,
    resource::{self, ENTERPRISE, user_version},
};
use crate::{
    members::MembershipState,
    model::PersonState,
    rules::{NewPerson, search_text},
    secret,
    store::{
        self,
        members::Details,
        scim::{By, Narrow, User},
    },
};

/// Attributes of a person that a directory cannot change: what is ours, and what people log on by.
const FIXED: &[&str] = &["id", "meta", "groups", "roles"];
/// The longest mail address and external identifier, in characters.
const TEXT_CHARACTERS_MAX: usize = 200;

/// A person as a directory describes them.
struct Wanted {
    new: NewPerson,
    details: Details,
    active: bool,
}

fn invalid(detail: &str) -> ScimRefusal {
    ScimRefusal::new(400, Some("invalidValue"), detail)
}

fn text<'v>(body: &'v Value, name: &str) -> Option<&'v str> {
    body.get(name)
        .and_then(Value::as_str)
        .filter(|text| !text.trim().is_empty())
}

fn short(text: Option<&str>, detail: &str) -> Result<Option<String>, ScimRefusal> {
    let is_good =
        |text: &str| text.chars().count() <= TEXT_CHARACTERS_MAX && !text.chars().any(char::is_control);
    match text {
        Some(text) if !is_good(text) => Err(invalid(detail)),
        other => Ok(other.map(|text| text.trim().to_owned())),
    }
}

/// Reads a person's body. A unit that is not given is the one their certificate names.
fn wanted(body: &Value) -> Result<Wanted, ScimRefusal> {
    let subject =
        text(body, "userName").ok_or_else(|| invalid("userName is the certificate's subject name"))?;
    let name = body.get("name");
    let part = |part| name.and_then(|name| text(name, part));
    let joined = part("familyName")
        .zip(part("givenName"))
        .map(|(family, given)| format!("{family}{given}"));
    let name = text(body, "displayName").or_else(|| part("formatted"));
    let name = name.map(str::to_owned).or(joined);
    let name = name.ok_or_else(|| invalid("a person has a displayName or a name.formatted"))?;
    // A language such as `ko-KR` is its first part; any other than ours is Korean.
    let language = text(body, "preferredLanguage").map(|tag| tag.split('-').next().unwrap_or_default());
    let language = language.filter(|language| crate::rules::LANGUAGES.contains(language));
    let unit = body
        .get(ENTERPRISE)
        .and_then(|extension| text(extension, "department"));
    let new = NewPerson::parse(&name, subject, &[], language.unwrap_or_default(), false)
        .and_then(|new| new.in_unit(unit.unwrap_or_default()))
        .map_err(|wrong| invalid(wrong.problem))?;
    let emails = body.get("emails").and_then(Value::as_array);
    let primary = emails.and_then(|all| {
        let is_primary = |one: &&Value| one.get("primary").and_then(Value::as_bool) == Some(true);
        all.iter().find(is_primary).or_else(|| all.first())
    });
    let email = short(
        primary.and_then(|one| text(one, "value")),
        "a mail address is too long",
    )?;
    let external_id = short(text(body, "externalId"), "an externalId is too long")?;
    let active = match body.get("active") {
        None | Some(Value::Null) => true,
        Some(Value::Bool(active)) => *active,
        // Some directories send truth as text.
        Some(Value::String(word)) if word.eq_ignore_ascii_case("true") => true,
        Some(Value::String(word)) if word.eq_ignore_ascii_case("false") => false,
        Some(_) => return Err(invalid("active is true or false")),
    };
    Ok(Wanted {
        details: Details {
            unit: new.unit.clone(),
            email,
            external_id,
        },
        new,
        active,
    })
}

/// What of a filter has a column, and whether that is all of it.
fn narrow(filter: &Filter) -> (Narrow, bool) {
    let mut narrow = Narrow::default();
    let mut is_all = true;
    for part in filter.conjuncts() {
        let Filter::Compare(path, operator, value) = part else {
            is_all = false;
            continue;
        };
        match (operator, value) {
            (Operator::Equal, Value::String(value)) if path.is("userName") => {
                // What is no subject name is nobody's.
                narrow.subject_key = Some(naru_pki::name::fold_text(value).unwrap_or_default());
            }
            (Operator::Equal, Value::String(value)) if path.is("externalId") => {
                narrow.external_id = Some(value.clone());
            }
            (Operator::Equal, Value::String(value)) if path.is("id") => match value.parse::<PersonId>() {
                Ok(person) => narrow.person = Some(person),
                Err(_) => narrow.external_id = Some(String::new()),
            },
            (Operator::Equal, Value::Bool(active)) if path.is("active") => narrow.active = Some(*active),
            (
                Operator::Equal | Operator::Contains | Operator::StartsWith | Operator::EndsWith,
                Value::String(value),
            ) if path.is("displayName") || path.is("name.formatted") || path.is("userName") => {
                narrow.search = Some(value.clone());
                is_all = false;
            }
            _ => is_all = false,
        }
    }
    (narrow, is_all)
}

fn order(query: &ScimQuery) -> Result<(By, bool), ScimRefusal> {
    let by = match query.sort_by.as_deref().map(str::to_lowercase).as_deref() {
        None | Some("" | "meta.created" | "id") => By::Age,
        Some("meta.lastmodified") => By::Change,
        Some("displayname" | "name.formatted" | "name") => By::Name,
        Some("username") => By::Subject,
        Some(_) => {
            return Err(ScimRefusal::new(
                400,
                Some("invalidPath"),
                "people are not sorted by this",
            ));
        }
    };
    Ok((by, query.descending))
}

impl Identity {
    /// People of the directory's ministry.
    pub(crate) async fn scim_users(
        &self,
        directory: &Directory,
        query: &ScimQuery,
    ) -> Result<Value, ScimError> {
        let filter = query.parsed()?;
        let (by, (rows, before)) = (order(query)?, query.range());
        let (narrow, is_all) = filter.as_ref().map_or((Narrow::default(), true), narrow);
        let from = self.db.within(directory.tenant());
        if is_all {
            let total = store::scim::count(from, &narrow).await?;
            let users = store::scim::page(from, &narrow, by, (rows, before)).await?;
            return Ok(query.listed(total, users.iter().map(resource::user).collect()));
        }
        let (mut total, mut offset, mut found) = (0_i64, 0_i64, Vec::new());
        loop {
            if offset >= SCANNED_ROWS_MAX {
                let why = "this filter fits too many: say more, such as userName or externalId";
                return Err(ScimRefusal::new(400, Some("tooMany"), why).into());
            }
            let users = store::scim::page(from, &narrow, by, (SCAN_ROWS, offset)).await?;
            let read = i64::try_from(users.len()).unwrap_or(SCAN_ROWS);
            for user in users.iter().map(resource::user) {
                if filter.as_ref().is_some_and(|filter| filter.fits(&user)) {
                    let is_on_page = total >= before && total < before.saturating_add(rows);
                    total = total.saturating_add(1);
                    if is_on_page {
                        found.push(user);
                    }
                }
            }
            if read < SCAN_ROWS {
                return Ok(query.listed(total, found));
            }
            offset = offset.saturating_add(read);
        }
    }

    /// A person of the directory's ministry, with their groups.
    pub(crate) async fn scim_user(&self, directory: &Directory, id: PersonId) -> Result<Value, ScimError> {
        let from = self.db.within(directory.tenant());
        let narrow = Narrow {
            person: Some(id),
            ..Narrow::default()
        };
        let users = store::scim::page(from, &narrow, (By::Age, false), (1, 0)).await?;
        let user = users.first().ok_or_else(ScimRefusal::not_found)?;
        let groups: Vec<Value> = store::groups::of_person(from, id)
            .await?
            .into_iter()
            .map(|group| json!({ "value": group.id, "display": group.name, "type": "direct" }))
            .collect();
        let mut user = resource::user(user);
        user["groups"] = Value::Array(groups);
        Ok(user)
    }

    /// Makes a person, or takes one back who left.
    pub(crate) async fn scim_create_user(
        &self,
        directory: &Directory,
        body: Value,
        client: &Client,
    ) -> Result<Value, ScimError> {
        let wanted = wanted(&body)?;
        let act = self.scim_act("identity.scim-create-user", directory, client);
        let (tools, now, tenant) = (self.tools.clone(), act.at, directory.tenant());
        let id = self
            .scim_change(act, directory, move |tx| {
                Box::pin(async move {
                    if let Some(back) = comes_back(tx, &tools, (tenant, now), &wanted).await? {
                        return Ok(back);
                    }
                    let added = add_person(tx, &tools, tenant, &wanted.new, (None, now)).await?;
                    let (id, _) = kept(added)?;
                    tx.about(id);
                    tx.note("before", Value::Null);
                    tx.note("after", described(&wanted.new));
                    unique(tx, tenant, id, &wanted.details).await?;
                    store::members::set(tx, (id, tenant), &wanted.details, now).await?;
                    if !wanted.active {
                        store::people::set_state(tx, id, PersonState::Revoked).await?;
                    }
                    Ok(id)
                })
            })
            .await?;
        self.scim_user(directory, id).await
    }

    /// Puts a person's data in the place of what was there.
    pub(crate) async fn scim_replace_user(
        &self,
        directory: &Directory,
        (id, if_match): (PersonId, IfMatch),
        body: Value,
        client: &Client,
    ) -> Result<Value, ScimError> {
        self.scim_set_user(directory, (id, if_match), client, move |_| Ok(body))
            .await
    }

    /// Changes parts of a person's data.
    pub(crate) async fn scim_patch_user(
        &self,
        directory: &Directory,
        (id, if_match): (PersonId, IfMatch),
        body: Value,
        client: &Client,
    ) -> Result<Value, ScimError> {
        self.scim_set_user(directory, (id, if_match), client, move |mut user| {
            // The two names are one here: whichever is changed speaks.
            let name = user["displayName"].clone();
            patch(&mut user, &body, FIXED)?;
            if user["displayName"] == name
                && let Some(formatted) = user["name"].get("formatted").cloned()
            {
                user["displayName"] = formatted;
            }
            Ok(user)
        })
        .await
    }

    async fn scim_set_user<F>(
        &self,
        directory: &Directory,
        (id, if_match): (PersonId, IfMatch),
        client: &Client,
        change: F,
    ) -> Result<Value, ScimError>
    where
        F: FnOnce(Value) -> Result<Value, naru_scim::Refusal> + Send + 'static,
    {
        let act = self.scim_act("identity.scim-change-user", directory, client);
        let (tools, now, tenant) = (self.tools.clone(), act.at, directory.tenant());
        self.scim_change(act, directory, move |tx| {
            Box::pin(async move {
                tx.about(id);
                let user = hold_user(tx, tenant, (id, &if_match)).await?;
                let before = resource::user(&user);
                let wanted = wanted(&change(before.clone())?)?;
                let person = &user.person;
                if naru_pki::name::fold_text(&person.subject_name).as_ref() != Some(&wanted.new.subject_key) {
                    // Who logs on as whom is not one directory's to change: two administrators move a person.
                    return Err(Changing::from(naru_scim::Refusal::Mutability));
                }
                unique(tx, tenant, id, &wanted.details).await?;
                let names = (wanted.new.name.as_str(), wanted.new.language.as_str());
                if names != (person.name.as_str(), person.language.as_str()) {
                    // Their name is theirs in every ministry they serve.
                    tx.across_ministries().await?;
                    let search = search_text(names.0, &person.subject_name);
                    store::members::rename(tx, id, names, &search, now).await?;
                }
                store::members::set(tx, (id, tenant), &wanted.details, now).await?;
                let was_active = person.state != PersonState::Revoked;
                tx.note("before", noted(&before));
                let after = json!({
                    "displayName": wanted.new.name, "department": wanted.details.unit, "active": wanted.active,
                    "email": wanted.details.email, "externalId": wanted.details.external_id,
                });
                tx.note("after", after);
                if was_active && !wanted.active {
                    tx.across_ministries().await?;
                    kept(revoke_held(tx, tools, user.person, now).await?)?;
                } else if !was_active && wanted.active {
                    store::people::set_state(tx, id, PersonState::Active).await?;
                }
                Ok(())
            })
        })
        .await?;
        self.tools.desktops.wake();
        self.scim_user(directory, id).await
    }

    /// Removes a person: they leave, and are not there for the directory any more.
    pub(crate) async fn scim_remove_user(
        &self,
        directory: &Directory,
        (id, if_match): (PersonId, IfMatch),
        client: &Client,
    ) -> Result<(), ScimError> {
        let act = self.scim_act("identity.scim-remove-user", directory, client);
        let (tools, now, tenant) = (self.tools.clone(), act.at, directory.tenant());
        self.scim_change(act, directory, move |tx| {
            Box::pin(async move {
                tx.about(id);
                let user = hold_user(tx, tenant, (id, &if_match)).await?;
                tx.note("before", noted(&resource::user(&user)));
                tx.note("after", Value::Null);
                tx.across_ministries().await?;
                kept(revoke_held(tx, tools.clone(), user.person, now).await?)?;
                Ok(leave(tx, &tools, (id, tenant), now).await?)
            })
        })
        .await?;
        self.tools.desktops.wake();
        Ok(())
    }
}

/// A person's data for the record.
fn noted(user: &Value) -> Value {
    json!({
        "displayName": user["displayName"], "department": user[ENTERPRISE]["department"], "active": user["active"],
        "email": user["emails"][0]["value"], "externalId": user["externalId"],
    })
}

/// A person whose home the ministry is, held, if they are of the version wanted.
async fn hold_user(
    tx: &mut Tx,
    tenant: Tenant,
    (id, if_match): (PersonId, &IfMatch),
) -> Result<User, Changing> {
    let person = store::people::hold_in(tx, id, tenant.ministry()).await?;
    let membership = store::members::of_in(tx, id, tenant).await?;
    let active = membership.filter(|known| known.state == MembershipState::Active && known.is_home);
    let (Some(person), Some(membership)) = (person, active) else {
        return Err(ScimRefusal::not_found().into());
    };
    if !if_match.admits(&user_version(&person, membership.version)) {
        return Err(ScimRefusal::stale().into());
    }
    Ok(User { person, membership })
}

/// Refuses an external identifier that is another person's.
async fn unique(tx: &mut Tx, tenant: Tenant, id: PersonId, details: &Details) -> Result<(), Changing> {
    let Some(external_id) = &details.external_id else {
        return Ok(());
    };
    let other = store::members::by_external(tx, external_id, tenant).await?;
    if other.is_some_and(|other| other != id) {
        return Err(ScimRefusal::new(409, Some("uniqueness"), "this externalId is another person's").into());
    }
    Ok(())
}

/// Takes back a person of the ministry who left: the same person, with their history.
async fn comes_back(
    tx: &mut Tx,
    tools: &Tools,
    (tenant, now): (Tenant, Timestamp),
    wanted: &Wanted,
) -> Result<Option<PersonId>, Changing> {
    let known = store::people::hold_by_subject(tx, &wanted.new.subject_key).await?;
    let Some(person) = known.filter(|person| person.ministry == tenant.ministry()) else {
        return Ok(None);
    };
    let membership = store::members::of_in(tx, person.id, tenant).await?;
    if membership.is_none_or(|known| known.state == MembershipState::Active) {
        return Ok(None);
    }
    unique(tx, tenant, person.id, &wanted.details).await?;
    let account = secret::account(tools.entropy.as_ref());
    store::members::insert(tx, (person.id, tenant), &wanted.details, (&account, true), now).await?;
    let search = search_text(&wanted.new.name, &person.subject_name);
    let names = (wanted.new.name.as_str(), wanted.new.language.as_str());
    store::members::rename(tx, person.id, names, &search, now).await?;
    let wish = Wish::everywhere(person.id, Role::Worker);
    kept(give(tx, tools, (&wish, tenant), ("scim".to_owned(), None), now).await?)?;
    if wanted.active {
        store::people::set_state(tx, person.id, PersonState::Active).await?;
    }
    tx.about(person.id);
    tx.note("before", json!({ "membership": "ended" }));
    tx.note("after", described(&wanted.new));
    Ok(Some(person.id))
}
