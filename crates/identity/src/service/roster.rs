//! People as administrators see them: lists in pages, units, one person whole.

use std::collections::{BTreeMap, BTreeSet};

use naru_kernel::{Action, Actor, Page, PageRequest, PersonId, Reach, Role, Scope, Tenant, Timestamp};

use super::{
    Identity, PeopleQuery,
    people::{next_after, rows_of},
    reach::in_reach,
};
use crate::{
    Error, Refusal,
    answers::{CertificateRow, FactorRow, GrantRow, PersonDetail, PersonRow, SessionRow, UnitRow},
    members::{Membership, MembershipState},
    model::{Person, PersonState},
    rules::effective_state,
    store,
};

impl Identity {
    /// People of the actor's ministry whom the actor reaches.
    ///
    /// # Errors
    /// When the actor may not, the query asks for an order there is not, or the store fails.
    pub async fn people(&self, actor: &Actor, query: &PeopleQuery) -> Result<Page<PersonRow>, Error> {
        let reach = actor.reach(Action::ManagePeople);
        if reach == Reach::Nothing {
            return Err(Refusal::Denied.into());
        }
        let now = self.clock.now();
        let sort = store::members::Sort::of(query.sort.as_deref().unwrap_or_default());
        let wanted = store::members::Wanted {
            search: query.search.clone(),
            state: query.state,
            unit: query.unit.clone().filter(|unit| !unit.is_empty()),
            group: query.group,
            reached_by: (reach != Reach::Ministry).then_some(actor.person),
            sort: sort.ok_or(Refusal::Field {
                field: "sort",
                problem: "sort by name, unit, created_at or last_logon_at",
            })?,
            after: query.after.clone(),
            rows: rows_of(query.limit),
        };
        let from = self.db.within(actor.tenant());
        let (mut listed, total) = store::members::list(from, &wanted, now).await?;
        let next = next_after(&mut listed, wanted.rows, |row| row.person.id.to_string());
        let mut roles = self.roles_of(actor.tenant(), &listed, now).await?;
        let rows = listed.into_iter().map(|row| PersonRow {
            roles: roles.remove(&row.person.id).unwrap_or_default(),
            id: row.person.id,
            name: row.person.name,
            subject_name: row.person.subject_name,
            state: effective_state(row.person.state, row.person.locked_until, now),
            unit: row.unit,
            is_home: row.is_home,
            factors: row.factors,
            certificates: row.certificates,
            last_logon_at: row.person.last_logon_at,
        });
        Ok(Page {
            items: rows.collect(),
            next,
            total,
        })
    }

    async fn roles_of(
        &self,
        tenant: Tenant,
        listed: &[store::members::Listed],
        now: Timestamp,
    ) -> Result<BTreeMap<PersonId, BTreeSet<Role>>, Error> {
        let people: Vec<PersonId> = listed.iter().map(|row| row.person.id).collect();
        let mut roles: BTreeMap<PersonId, BTreeSet<Role>> = BTreeMap::new();
        for some in people.chunks(store::grants::PEOPLE_MAX) {
            for held in store::grants::of_people(self.db.within(tenant), some, now).await? {
                roles.entry(held.person).or_default().insert(held.grant.role);
            }
        }
        Ok(roles)
    }

    /// Units in which somebody of the actor's ministry serves, by name.
    ///
    /// # Errors
    /// When the actor may not, or the store fails.
    pub async fn units(&self, actor: &Actor, page: &PageRequest) -> Result<Page<UnitRow>, Error> {
        actor.may(Action::ManagePeople, Scope::Ministry(actor.ministry))?;
        let after = page.after.clone().unwrap_or_default();
        let from = self.db.within(actor.tenant());
        let mut units = store::members::units(from, &after, page.rows().saturating_add(1)).await?;
        let next = next_after(&mut units, page.rows(), |row| row.unit.clone());
        let rows = units.into_iter().map(|row| UnitRow {
            unit: row.unit,
            people: row.people,
        });
        let items: Vec<UnitRow> = rows.collect();
        let total = i64::try_from(items.len()).unwrap_or(i64::MAX);
        Ok(Page { items, next, total })
    }

    /// A person of the actor's ministry, whole; of one whose home is another, what concerns this one.
    ///
    /// # Errors
    /// When the actor may not, or there is no such person in their reach.
    pub async fn person(&self, actor: &Actor, id: PersonId) -> Result<PersonDetail, Error> {
        if actor.reach(Action::ManagePeople) == Reach::Nothing {
            return Err(Refusal::Denied.into());
        }
        let membership = store::members::of(self.db.within(actor.tenant()), id).await?;
        let serves = membership.filter(|membership| membership.state == MembershipState::Active);
        let membership = serves.ok_or(Refusal::NoSuch("person"))?;
        in_reach(actor, &membership.unit)?;
        let person = store::people::person(&self.db, id).await?;
        self.detail(person.ok_or(Refusal::NoSuch("person"))?, membership)
            .await
    }

    async fn detail(&self, person: Person, membership: Membership) -> Result<PersonDetail, Error> {
        let now = self.clock.now();
        let from = self.db.within(Tenant::of(membership.ministry));
        let grants = store::grants::of_person(from, person.id, now).await?;
        let (mut factors, mut certificates) = (Vec::new(), Vec::new());
        let mut sessions = store::logons::shown_of(&self.db, person.id).await?;
        if membership.is_home {
            factors = store::factors::of_person(&self.db, person.id).await?;
            certificates = store::certificates::of_person(&self.db, person.id).await?;
        } else {
            sessions.retain(|logon| logon.ministry == membership.ministry);
        }
        let state = effective_state(person.state, person.locked_until, now);
        Ok(PersonDetail {
            id: person.id,
            name: person.name,
            subject_name: person.subject_name,
            state,
            locked_until: person.locked_until.filter(|_| state == PersonState::Locked),
            roles: grants.iter().map(|held| held.grant.role).collect(),
            grants: grants.into_iter().map(GrantRow::from).collect(),
            unit: membership.unit,
            email: membership.email,
            is_home: membership.is_home,
            language: person.language,
            account: membership.account,
            asked: Vec::new(),
            factors: factors.into_iter().map(FactorRow::from).collect(),
            certificates: certificates.into_iter().map(CertificateRow::from).collect(),
            sessions: sessions
                .into_iter()
                .map(|logon| SessionRow::new(logon, None))
                .collect(),
            last_logon_at: person.last_logon_at,
        })
    }
}
