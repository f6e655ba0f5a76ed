//! Ministries, as operators of the platform make and list them.

use naru_kernel::{Action, Actor, MinistryId, Page, PersonId, Role, Scope, Tenant, Timestamp};
use naru_runtime::Client;
use naru_store::By;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Identity, NewMinistry,
    adding::add_person,
    people::{next_after, rows_of},
};
use crate::{Error, Refusal, answers::MinistryRow, model::Ministry, rules::NewPerson, secret, store};

/// Administrators a ministry begins with.
const FIRST_ADMINISTRATORS_MAX: usize = 4;

/// Which ministries are listed.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MinistryQuery {
    /// At most so many rows.
    pub limit: Option<i64>,
    /// The `next` of the page before.
    pub after: Option<String>,
    /// In names and agency code.
    pub search: Option<String>,
    /// `name`, `agency_code` or `created_at`; with a minus in front the other way.
    pub sort: Option<String>,
}

/// An administrator a ministry begins with.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FirstAdministrator {
    /// Name.
    pub name: String,
    /// Certificate subject, RFC 4514.
    pub subject_name: String,
}

/// A ministry that is to be made.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MinistryForm {
    /// Name in Korean.
    pub name_ko: String,
    /// Name in English.
    pub name_en: String,
    /// Digits by which certificates name it.
    pub agency_code: String,
    /// Its first administrators, one to four; with two they can give roles to others.
    pub administrators: Vec<FirstAdministrator>,
}

/// A first administrator and the code for their first log-on, shown once.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct FirstActivation {
    /// Who.
    pub person: PersonId,
    /// Name.
    pub name: String,
    /// The activation code.
    pub code: String,
    /// Until when it is good.
    pub expires_at: Timestamp,
}

/// A ministry that was made.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct MinistryMade {
    /// Its identifier.
    pub ministry: MinistryId,
    /// Its first administrators.
    pub administrators: Vec<FirstActivation>,
}

impl Identity {
    /// All ministries.
    ///
    /// # Errors
    /// When the actor is no operator of the platform, or the query asks for an order there is not.
    pub async fn ministries(&self, actor: &Actor, query: &MinistryQuery) -> Result<Page<MinistryRow>, Error> {
        actor.may(Action::ManageMinistries, Scope::Platform)?;
        let text = store::ministries::sorted(query.sort.as_deref().unwrap_or_default());
        let text = text.ok_or(Refusal::Field {
            field: "sort",
            problem: "sort by name, agency_code or created_at",
        })?;
        let rows = rows_of(query.limit);
        let wanted = (query.search.as_deref(), text);
        let (mut listed, total) =
            store::ministries::list(&self.db, wanted, query.after.clone(), rows).await?;
        let next = next_after(&mut listed, rows, |row| row.ministry.id.to_string());
        let items = listed.into_iter().map(|row| MinistryRow {
            id: row.ministry.id,
            name_ko: row.ministry.name_ko,
            name_en: row.ministry.name_en,
            agency_code: row.ministry.agency_code,
            is_platform: row.ministry.is_platform,
            people: row.people,
            created_at: row.created_at,
        });
        Ok(Page {
            items: items.collect(),
            next,
            total,
        })
    }

    /// Makes a ministry with its first administrators, and hands out the codes for their first log-on.
    ///
    /// # Errors
    /// When the actor is no operator of the platform, a field is wrong, or the agency code or a subject name is taken.
    pub async fn create_ministry(
        &self,
        actor: &Actor,
        form: &MinistryForm,
        client: &Client,
    ) -> Result<MinistryMade, Error> {
        actor.may(Action::ManageMinistries, Scope::Platform)?;
        let new = NewMinistry {
            name_ko: form.name_ko.clone(),
            name_en: form.name_en.clone(),
            agency_code: form.agency_code.clone(),
            is_platform: false,
        };
        new.check()?;
        if form.administrators.is_empty() || form.administrators.len() > FIRST_ADMINISTRATORS_MAX {
            let (field, problem) = (
                "administrators",
                "a ministry begins with one to four administrators",
            );
            return Err(Refusal::Field { field, problem }.into());
        }
        let roles = [Role::Worker.as_str(), Role::MinistryAdmin.as_str()];
        let people: Result<Vec<NewPerson>, _> = form
            .administrators
            .iter()
            .map(|one| NewPerson::parse(&one.name, &one.subject_name, &roles, "", false))
            .collect();
        let people = people.map_err(Refusal::from)?;
        let by = By::Person(actor.person, actor.logon);
        let act = self.act("identity.create-ministry", by, client);
        let (tools, now) = (self.tools.clone(), act.at);
        self.decide(act, move |tx| {
            Box::pin(async move {
                let ministry = Ministry {
                    id: MinistryId::new(now, tools.entropy.as_ref()),
                    name_ko: new.name_ko.trim().to_owned(),
                    name_en: new.name_en.trim().to_owned(),
                    agency_code: new.agency_code.trim().to_owned(),
                    is_platform: false,
                };
                tx.about(ministry.id);
                tx.note("agency_code", ministry.agency_code.as_str());
                tx.note("name_ko", ministry.name_ko.as_str());
                if !store::people::insert_ministry(tx, &ministry, now).await? {
                    return Ok(Err(Refusal::AgencyTaken));
                }
                let tenant = Tenant::of(ministry.id);
                let mut administrators = Vec::new();
                for new in people {
                    let (person, _) = match add_person(tx, &tools, tenant, &new, (None, now)).await? {
                        Ok(added) => added,
                        // Half a ministry is none: all of it is given up.
                        Err(refusal) => return Err(Error::Refused(refusal)),
                    };
                    let code = secret::activation_code(tools.entropy.as_ref());
                    let hash = tools.keys.code_hash(&person.to_string(), &code);
                    let expires_at = now + super::people::ACTIVATION_LENGTH;
                    let owner = (person, ministry.id);
                    store::factors::set_activation(tx, owner, hash, now, expires_at).await?;
                    administrators.push(FirstActivation {
                        person,
                        name: new.name,
                        code,
                        expires_at,
                    });
                }
                let named: Vec<String> = administrators.iter().map(|one| one.person.to_string()).collect();
                tx.note("administrators", named);
                Ok(Ok(MinistryMade {
                    ministry: ministry.id,
                    administrators,
                }))
            })
        })
        .await
    }
}
