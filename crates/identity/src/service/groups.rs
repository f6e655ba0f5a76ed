//! Groups, as administrators change them by hand.

use naru_kernel::{Actor, GroupId, Page, PersonId, Timestamp};
use naru_runtime::Client;
use naru_store::Tx;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use super::{
    Identity, Verdict, granted,
    memberships::whole,
    people::{next_after, rows_of},
};
use crate::{
    Error, Refusal,
    answers::{GroupRow, MemberRow},
    members::{Group, ManagedBy},
    store,
};

/// Groups of one ministry.
pub(super) const GROUPS_MAX: i64 = 10_000;
/// The longest name, in characters.
pub(super) const NAME_CHARACTERS_MAX: usize = 200;
/// People who are added and removed by one request.
const MEMBERS_CHANGED_MAX: usize = 500;

/// A group's data.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GroupForm {
    /// What it is called; one of a kind in the ministry.
    #[serde(default)]
    pub name: String,
}

/// Who comes into a group and who goes.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MembersForm {
    /// Come.
    #[serde(default)]
    pub add: Vec<PersonId>,
    /// Go.
    #[serde(default)]
    pub remove: Vec<PersonId>,
}

/// Which groups, or which of a group's people, are listed.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroupQuery {
    /// At most so many rows.
    pub limit: Option<i64>,
    /// The `next` of the page before.
    pub after: Option<String>,
    /// In the name.
    pub search: Option<String>,
    /// `name` or `-name`.
    pub sort: Option<String>,
}

/// A name as it may be.
pub(super) fn clean_name(name: &str) -> Verdict<String> {
    let name = name.trim();
    let is_good = !name.is_empty()
        && name.chars().count() <= NAME_CHARACTERS_MAX
        && !name.chars().any(char::is_control);
    is_good.then(|| name.to_owned()).ok_or(Refusal::Field {
        field: "name",
        problem: "a name has 1 to 200 characters",
    })
}

impl Identity {
    /// Groups of the actor's ministry, by name.
    ///
    /// # Errors
    /// When the actor does not administer the whole ministry, or the store fails.
    pub async fn groups(&self, actor: &Actor, query: &GroupQuery) -> Result<Page<GroupRow>, Error> {
        whole(actor)?;
        let is_down = match query.sort.as_deref().unwrap_or_default() {
            "" | "name" => false,
            "-name" => true,
            _ => {
                let (field, problem) = ("sort", "sort by name or -name");
                return Err(Refusal::Field { field, problem }.into());
            }
        };
        let rows = rows_of(query.limit);
        let search = (query.search.as_deref(), is_down);
        let from = self.db.within(actor.tenant());
        let (mut listed, total) = store::groups::list(from, search, query.after.clone(), rows).await?;
        let next = next_after(&mut listed, rows, |row| row.group.id.to_string());
        let items = listed
            .into_iter()
            .map(|row| GroupRow::new(row.group, row.members));
        Ok(Page {
            items: items.collect(),
            next,
            total,
        })
    }

    /// A group of the actor's ministry.
    ///
    /// # Errors
    /// When the actor may not, or there is no such group.
    pub async fn group(&self, actor: &Actor, id: GroupId) -> Result<GroupRow, Error> {
        whole(actor)?;
        let from = self.db.within(actor.tenant());
        let group = store::groups::by_id(from, id).await?;
        let group = group.ok_or(Refusal::NoSuch("group"))?;
        let (_, members) = store::groups::members(from, id, None, (None, 1)).await?;
        Ok(GroupRow::new(group, members))
    }

    /// The people of a group, by name.
    ///
    /// # Errors
    /// When the actor may not, or there is no such group.
    pub async fn group_members(
        &self,
        actor: &Actor,
        id: GroupId,
        query: &GroupQuery,
    ) -> Result<Page<MemberRow>, Error> {
        whole(actor)?;
        let from = self.db.within(actor.tenant());
        let group = store::groups::by_id(from, id).await?;
        group.ok_or(Refusal::NoSuch("group"))?;
        let rows = rows_of(query.limit);
        let page = (query.after.clone(), rows);
        let (mut members, total) = store::groups::members(from, id, query.search.as_deref(), page).await?;
        let next = next_after(&mut members, rows, |row| row.person.to_string());
        let items = members.into_iter().map(|row| MemberRow {
            person: row.person,
            name: row.name,
            unit: row.unit,
        });
        Ok(Page {
            items: items.collect(),
            next,
            total,
        })
    }

    /// Makes a group.
    ///
    /// # Errors
    /// When the actor may not, or the name is wrong or taken.
    pub async fn create_group(
        &self,
        actor: &Actor,
        form: &GroupForm,
        client: &Client,
    ) -> Result<GroupRow, Error> {
        let act = self.admin_act("identity.create-group", actor, client)?;
        let name = clean_name(&form.name)?;
        let (tools, now, tenant) = (self.tools.clone(), act.at, actor.tenant());
        self.decide(act, move |tx| {
            Box::pin(async move {
                let id = GroupId::new(now, tools.entropy.as_ref());
                tx.about(id);
                tx.note("before", serde_json::Value::Null);
                tx.note("after", json!({ "name": name }));
                if store::groups::count(tx, tenant).await? >= GROUPS_MAX {
                    return Ok(Err(Refusal::TooMany));
                }
                let group = store::groups::new_group((id, tenant), name, (None, ManagedBy::Hand), now);
                if !store::groups::insert(tx, &group).await? {
                    return Ok(Err(Refusal::NameTaken));
                }
                Ok(Ok(GroupRow::new(group, 0)))
            })
        })
        .await
    }

    /// Gives a group another name.
    ///
    /// # Errors
    /// When the actor may not, there is no such group, a directory changes it, or the name is wrong or taken.
    pub async fn rename_group(
        &self,
        actor: &Actor,
        id: GroupId,
        form: &GroupForm,
        client: &Client,
    ) -> Result<GroupRow, Error> {
        let act = self.admin_act("identity.rename-group", actor, client)?;
        let (now, acting, form) = (act.at, actor.clone(), form.clone());
        self.decide(act, move |tx| {
            Box::pin(async move {
                tx.about(id);
                let group = granted!(by_hand(tx, &acting, id, now).await?);
                let name = granted!(clean_name(&form.name));
                let other = store::groups::by_name(tx, &name, acting.tenant()).await?;
                if other.is_some_and(|other| other.id != id) {
                    return Ok(Err(Refusal::NameTaken));
                }
                tx.note("before", json!({ "name": group.name }));
                tx.note("after", json!({ "name": name }));
                store::groups::set(tx, &Group { name, ..group }).await?;
                Ok(Ok(()))
            })
        })
        .await?;
        self.group(actor, id).await
    }

    /// Removes a group.
    ///
    /// # Errors
    /// When the actor may not, there is no such group, or a directory changes it.
    pub async fn remove_group(&self, actor: &Actor, id: GroupId, client: &Client) -> Result<(), Error> {
        let act = self.admin_act("identity.remove-group", actor, client)?;
        let (now, acting) = (act.at, actor.clone());
        self.decide(act, move |tx| {
            Box::pin(async move {
                tx.about(id);
                let group = granted!(by_hand(tx, &acting, id, now).await?);
                tx.note("before", json!({ "name": group.name }));
                tx.note("after", serde_json::Value::Null);
                store::groups::remove(tx, id, acting.tenant()).await?;
                Ok(Ok(()))
            })
        })
        .await
    }

    /// Lets people into a group and takes people out.
    ///
    /// # Errors
    /// When the actor may not, there is no such group, a directory changes it, or someone does not serve the ministry.
    pub async fn change_members(
        &self,
        actor: &Actor,
        id: GroupId,
        form: &MembersForm,
        client: &Client,
    ) -> Result<GroupRow, Error> {
        let act = self.admin_act("identity.change-group", actor, client)?;
        if form.add.len().saturating_add(form.remove.len()) > MEMBERS_CHANGED_MAX {
            return Err(Refusal::ListTooLong.into());
        }
        let (now, acting, form) = (act.at, actor.clone(), form.clone());
        self.decide(act, move |tx| {
            Box::pin(async move {
                tx.about(id);
                granted!(by_hand(tx, &acting, id, now).await?);
                let tenant = acting.tenant();
                for person in &form.add {
                    let serves = store::members::of_in(tx, *person, tenant).await?;
                    granted!(serves.ok_or(Refusal::NoSuch("person")));
                }
                let (mut added, mut removed) = (Vec::new(), Vec::new());
                for person in form.add {
                    if store::groups::add_member(tx, id, person, tenant).await? {
                        added.push(person);
                    }
                }
                for person in form.remove {
                    if store::groups::remove_member(tx, id, person, tenant).await? {
                        removed.push(person);
                    }
                }
                tx.note("added", json!(added));
                tx.note("removed", json!(removed));
                Ok(Ok(()))
            })
        })
        .await?;
        self.group(actor, id).await
    }
}

/// A group that administrators change, held.
async fn by_hand(tx: &mut Tx, actor: &Actor, id: GroupId, now: Timestamp) -> Result<Verdict<Group>, Error> {
    let group = store::groups::hold(tx, id, actor.tenant(), now).await?;
    let group = granted!(group.ok_or(Refusal::NoSuch("group")));
    Ok(match group.managed_by {
        ManagedBy::Hand => Ok(group),
        ManagedBy::Scim => Err(Refusal::ManagedByDirectory),
    })
}
