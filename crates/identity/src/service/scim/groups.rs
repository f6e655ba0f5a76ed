//! Groups, as a directory makes, changes and removes them. Groups that administrators change by hand are not there for it.

use std::collections::BTreeSet;

use naru_kernel::{GroupId, PersonId, Tenant};
use naru_runtime::Client;
use naru_scim::{Filter, Operator, patch};
use naru_store::Tx;
use serde_json::{Value, json};

use super::{
    super::{
        Identity,
        groups::{GROUPS_MAX, clean_name},
    },
    Changing, Directory, IfMatch, SCAN_ROWS, SCANNED_ROWS_MAX, ScimError, ScimQuery, ScimRefusal, kept,
    resource::{self, group_version},
};
use crate::{
    Refusal,
    members::{Group, ManagedBy},
    store,
};

/// People of one group that a directory sees and changes.
const MEMBERS_MAX: i64 = 20_000;
/// Attributes of a group that a directory cannot change.
const FIXED: &[&str] = &["id", "meta"];

/// A group as a directory describes it.
struct Wanted {
    name: String,
    external_id: Option<String>,
    members: BTreeSet<PersonId>,
}

fn invalid(detail: &str) -> ScimRefusal {
    ScimRefusal::new(400, Some("invalidValue"), detail)
}

fn wanted(body: &Value) -> Result<Wanted, Changing> {
    let name = body
        .get("displayName")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let name = kept(clean_name(name))?;
    let external_id = body.get("externalId").and_then(Value::as_str);
    let external_id = external_id.map(|text| kept(clean_name(text))).transpose()?;
    let listed = body
        .get("members")
        .and_then(Value::as_array)
        .map_or(&[][..], Vec::as_slice);
    if i64::try_from(listed.len()).unwrap_or(i64::MAX) > MEMBERS_MAX {
        return Err(invalid("a group has at most 20,000 members").into());
    }
    let members = listed.iter().map(|member| {
        let value = member.get("value").and_then(Value::as_str).unwrap_or_default();
        value
            .parse::<PersonId>()
            .map_err(|_| invalid("a member is the id of a User"))
    });
    Ok(Wanted {
        name,
        external_id,
        members: members.collect::<Result<_, _>>()?,
    })
}

/// A filter that asks whose groups.
fn of_member(filter: &Filter) -> Option<PersonId> {
    let Filter::Compare(path, Operator::Equal, Value::String(value)) = filter else {
        return None;
    };
    let asks = path.is("members") || path.is("members.value");
    asks.then(|| value.parse().ok()).flatten()
}

/// The text in a group's name, if the filter names one.
fn search(filter: &Filter) -> Option<String> {
    filter.conjuncts().iter().find_map(|part| {
        let Filter::Compare(path, operator, Value::String(value)) = part else {
            return None;
        };
        let narrows = matches!(
            operator,
            Operator::Equal | Operator::Contains | Operator::StartsWith | Operator::EndsWith
        );
        (narrows && path.is("displayName")).then(|| value.clone())
    })
}

impl Identity {
    /// Groups of the directory's ministry. In lists groups stand without their people; ask for one to see them.
    pub(crate) async fn scim_groups(
        &self,
        directory: &Directory,
        query: &ScimQuery,
    ) -> Result<Value, ScimError> {
        let filter = query.parsed()?;
        let (rows, before) = query.range();
        let from = self.db.within(directory.tenant());
        let mut found: Vec<Group> = Vec::new();
        if let Some(person) = filter.as_ref().and_then(of_member) {
            let all = store::groups::of_person(from, person).await?;
            found.extend(
                all.into_iter()
                    .filter(|group| group.managed_by == ManagedBy::Scim),
            );
        } else {
            let (search, mut offset) = (filter.as_ref().and_then(search), 0_i64);
            loop {
                let page = (SCAN_ROWS, offset);
                let groups = store::groups::page(from, search.as_deref(), page).await?;
                let read = i64::try_from(groups.len()).unwrap_or(SCAN_ROWS);
                found.extend(groups.into_iter().filter(|group| {
                    filter
                        .as_ref()
                        .is_none_or(|filter| filter.fits(&resource::group(group, None)))
                }));
                offset = offset.saturating_add(read);
                if read < SCAN_ROWS || offset >= SCANNED_ROWS_MAX {
                    break;
                }
            }
        }
        match query.sort_by.as_deref().map(str::to_lowercase).as_deref() {
            None | Some("" | "meta.created" | "id") => {
                found.sort_by_key(|group| (group.created_at, group.id))
            }
            Some("displayname") => found.sort_by(|a, b| (&a.name, a.id).cmp(&(&b.name, b.id))),
            Some("meta.lastmodified") => found.sort_by_key(|group| (group.changed_at, group.id)),
            Some(_) => {
                let why = "groups are not sorted by this";
                return Err(ScimRefusal::new(400, Some("invalidPath"), why).into());
            }
        }
        if query.descending {
            found.reverse();
        }
        let total = i64::try_from(found.len()).unwrap_or(i64::MAX);
        let skipped = usize::try_from(before).unwrap_or(usize::MAX);
        let taken = usize::try_from(rows).unwrap_or_default();
        let page = found.iter().skip(skipped).take(taken);
        Ok(query.listed(total, page.map(|group| resource::group(group, None)).collect()))
    }

    /// A group of the directory's ministry, with its people.
    pub(crate) async fn scim_group(&self, directory: &Directory, id: GroupId) -> Result<Value, ScimError> {
        let from = self.db.within(directory.tenant());
        let group = store::groups::by_id(from, id).await?;
        let group = group.filter(|group| group.managed_by == ManagedBy::Scim);
        let group = group.ok_or_else(ScimRefusal::not_found)?;
        let members = store::groups::read_members(from, id, MEMBERS_MAX).await?;
        Ok(resource::group(&group, Some(&members)))
    }

    /// Makes a group.
    pub(crate) async fn scim_create_group(
        &self,
        directory: &Directory,
        body: Value,
        client: &Client,
    ) -> Result<Value, ScimError> {
        let act = self.scim_act("identity.scim-create-group", directory, client);
        let (tools, now, tenant) = (self.tools.clone(), act.at, directory.tenant());
        let id = self
            .scim_change(act, directory, move |tx| {
                Box::pin(async move {
                    let wanted = wanted(&body)?;
                    if store::groups::count(tx, tenant).await? >= GROUPS_MAX {
                        return Err(Changing::from(crate::Error::Refused(Refusal::TooMany)));
                    }
                    let id = GroupId::new(now, tools.entropy.as_ref());
                    let kind = (wanted.external_id.clone(), ManagedBy::Scim);
                    let group = store::groups::new_group((id, tenant), wanted.name.clone(), kind, now);
                    if !store::groups::insert(tx, &group).await? {
                        return Err(Changing::from(crate::Error::Refused(Refusal::NameTaken)));
                    }
                    tx.about(id);
                    tx.note("before", Value::Null);
                    tx.note(
                        "after",
                        json!({ "name": wanted.name, "members": wanted.members.len() }),
                    );
                    change_members(tx, (id, tenant), &wanted.members).await?;
                    Ok(id)
                })
            })
            .await?;
        self.scim_group(directory, id).await
    }

    /// Puts a group's data and people in the place of what was there.
    pub(crate) async fn scim_replace_group(
        &self,
        directory: &Directory,
        (id, if_match): (GroupId, IfMatch),
        body: Value,
        client: &Client,
    ) -> Result<Value, ScimError> {
        self.scim_set_group(directory, (id, if_match), client, move |_| Ok(body))
            .await
    }

    /// Changes parts of a group.
    pub(crate) async fn scim_patch_group(
        &self,
        directory: &Directory,
        (id, if_match): (GroupId, IfMatch),
        body: Value,
        client: &Client,
    ) -> Result<Value, ScimError> {
        self.scim_set_group(directory, (id, if_match), client, move |mut group| {
            patch(&mut group, &body, FIXED)?;
            Ok(group)
        })
        .await
    }

    async fn scim_set_group<F>(
        &self,
        directory: &Directory,
        (id, if_match): (GroupId, IfMatch),
        client: &Client,
        change: F,
    ) -> Result<Value, ScimError>
    where
        F: FnOnce(Value) -> Result<Value, naru_scim::Refusal> + Send + 'static,
    {
        let act = self.scim_act("identity.scim-change-group", directory, client);
        let (now, tenant) = (act.at, directory.tenant());
        self.scim_change(act, directory, move |tx| {
            Box::pin(async move {
                tx.about(id);
                let group = hold_group(tx, (id, tenant), &if_match, now).await?;
                let members = store::groups::all_members(tx, id, tenant, MEMBERS_MAX).await?;
                let wanted = wanted(&change(resource::group(&group, Some(&members)))?)?;
                let same = store::groups::by_name(tx, &wanted.name, tenant).await?;
                let taken = same.is_some_and(|same| same.id != id);
                let same = match &wanted.external_id {
                    Some(external_id) => store::groups::by_external(tx, external_id, tenant).await?,
                    None => None,
                };
                if taken || same.is_some_and(|same| same.id != id) {
                    return Err(Changing::from(crate::Error::Refused(Refusal::NameTaken)));
                }
                tx.note("before", json!({ "name": group.name, "members": members.len() }));
                tx.note(
                    "after",
                    json!({ "name": wanted.name, "members": wanted.members.len() }),
                );
                let changed = Group {
                    name: wanted.name,
                    external_id: wanted.external_id,
                    ..group
                };
                store::groups::set(tx, &changed).await?;
                change_members(tx, (id, tenant), &wanted.members).await
            })
        })
        .await?;
        self.scim_group(directory, id).await
    }

    /// Removes a group.
    pub(crate) async fn scim_remove_group(
        &self,
        directory: &Directory,
        (id, if_match): (GroupId, IfMatch),
        client: &Client,
    ) -> Result<(), ScimError> {
        let act = self.scim_act("identity.scim-remove-group", directory, client);
        let (now, tenant) = (act.at, directory.tenant());
        self.scim_change(act, directory, move |tx| {
            Box::pin(async move {
                tx.about(id);
                let group = hold_group(tx, (id, tenant), &if_match, now).await?;
                tx.note("before", json!({ "name": group.name }));
                tx.note("after", Value::Null);
                Ok(store::groups::remove(tx, id, tenant).await?)
            })
        })
        .await
    }
}

async fn hold_group(
    tx: &mut Tx,
    (id, tenant): (GroupId, Tenant),
    if_match: &IfMatch,
    now: naru_kernel::Timestamp,
) -> Result<Group, Changing> {
    let held = store::groups::hold(tx, id, tenant, now).await?;
    let held = held.filter(|group| group.managed_by == ManagedBy::Scim);
    let held = held.ok_or_else(ScimRefusal::not_found)?;
    // Holding counted a change already.
    let before = Group {
        version: held.version.saturating_sub(1),
        ..held.clone()
    };
    if !if_match.admits(&group_version(&before)) {
        return Err(ScimRefusal::stale().into());
    }
    Ok(held)
}

/// Lets come who is wanted and go who is not; one who does not serve the ministry cannot come.
async fn change_members(
    tx: &mut Tx,
    (id, tenant): (GroupId, Tenant),
    wanted: &BTreeSet<PersonId>,
) -> Result<(), Changing> {
    let there = store::groups::all_members(tx, id, tenant, MEMBERS_MAX).await?;
    let there: BTreeSet<PersonId> = there.into_iter().map(|member| member.person).collect();
    let (mut added, mut removed) = (Vec::new(), Vec::new());
    for person in wanted.difference(&there) {
        if !store::groups::add_member(tx, id, *person, tenant).await? {
            return Err(invalid("a member is nobody of this ministry").into());
        }
        added.push(*person);
    }
    for person in there.difference(wanted) {
        store::groups::remove_member(tx, id, *person, tenant).await?;
        removed.push(*person);
    }
    // Long lists are told by their number; the first are named.
    let named = |people: &[PersonId]| json!({ "count": people.len(), "first": people.iter().take(100).collect::<Vec<_>>() });
    tx.note("added", named(&added));
    tx.note("removed", named(&removed));
    Ok(())
}
