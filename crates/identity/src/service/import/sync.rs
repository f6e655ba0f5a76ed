//! Joiners, movers and leavers: a list that is the whole ministry, compared with who is there.

use std::collections::{BTreeMap, BTreeSet};

use naru_kernel::{Actor, PersonId, Tenant};
use naru_store::{Act, Tx};
use serde_json::json;

use super::{
    super::{Identity, Tools, adding::add_person, people::revoke_held},
    Error, Groups, ImportEffect, ImportReport, ImportWish, Line, Read, Refusal, join,
};
use crate::{
    model::PersonState,
    rules::search_text,
    store::{
        self,
        members::{Details, OnRoster},
        people::{TAKEN_KEYS_MAX, taken},
    },
};

/// So many leavers are never asked about twice.
const LEAVERS_UNASKED_MAX: usize = 5;
/// More leavers than this share of a ministry have to be confirmed, in percent.
const LEAVERS_PERCENT_MAX: usize = 10;
/// Names that are listed of each kind.
const NAMES_MAX: usize = 1_000;
/// People who are read at once.
const ROSTER_ROWS: i64 = 2_000;

/// Somebody whose data the list has otherwise.
struct Mover {
    line: Line,
    known: OnRoster,
}

/// What a list makes of a ministry.
#[derive(Default)]
struct Plan {
    joiners: Vec<Line>,
    movers: Vec<Mover>,
    leavers: Vec<OnRoster>,
    unchanged: usize,
}

fn names<N: AsRef<str>>(people: impl Iterator<Item = N>) -> Vec<String> {
    people
        .take(NAMES_MAX)
        .map(|name| name.as_ref().to_owned())
        .collect()
}

impl Identity {
    /// Compares a list with the ministry, and makes the ministry like it if that is wished.
    pub(super) async fn sync(
        &self,
        act: Act,
        actor: &Actor,
        (mut read, groups): (Read, Groups),
        wish: ImportWish,
    ) -> Result<ImportReport, Error> {
        let roster = self.roster(actor.tenant()).await?;
        let active = roster
            .values()
            .filter(|known| known.state != PersonState::Revoked)
            .count();
        let plan = self.plan(actor, &mut read, roster).await?;
        let effect = self.effect(actor.tenant(), &plan, active).await?;
        read.errors.sort_by_key(|error| error.line);
        let valid = plan
            .joiners
            .len()
            .saturating_add(plan.movers.len())
            .saturating_add(plan.unchanged);
        let mut report = ImportReport {
            rows: read.rows,
            valid,
            imported: 0,
            errors: read.errors,
            effect: Some(effect.clone()),
        };
        if !wish.apply || (read.broken > 0 && !wish.skip_broken) {
            return Ok(report);
        }
        if effect.needs_confirmation && !wish.confirm_leavers {
            let detail = json!({ "leavers": effect.leavers, "of": active });
            return Err(self.refuse(act, Refusal::TooManyLeavers, detail).await);
        }
        report.imported = plan.joiners.len().saturating_add(plan.movers.len());
        self.carry_out_plan(act, actor.clone(), plan, groups).await?;
        self.tools.desktops.wake();
        Ok(report)
    }

    /// Everybody whose home the ministry is, by folded certificate name.
    async fn roster(&self, tenant: Tenant) -> Result<BTreeMap<String, OnRoster>, Error> {
        let from = self.db.within(tenant);
        let (mut roster, mut after) = (BTreeMap::new(), String::new());
        loop {
            let page = store::members::roster(from, &after, ROSTER_ROWS).await?;
            let Some(last) = page.last() else {
                return Ok(roster);
            };
            after = last.id.to_string();
            roster.extend(page.into_iter().map(|known| (known.subject_key.clone(), known)));
        }
    }

    async fn plan(
        &self,
        actor: &Actor,
        read: &mut Read,
        mut roster: BTreeMap<String, OnRoster>,
    ) -> Result<Plan, Error> {
        let mut plan = Plan::default();
        let mut new = Vec::new();
        for line in std::mem::take(&mut read.lines) {
            match roster.remove(&line.new.subject_key) {
                None => new.push(line),
                Some(known) if known.state == PersonState::Revoked => {
                    read.wrong(
                        line.number,
                        "subject_name",
                        "this person was revoked: restore them by hand",
                    );
                }
                Some(known) => {
                    let is_same = known.name == line.new.name
                        && known.language == line.new.language
                        && (!read.has_units || known.unit == line.new.unit)
                        && line
                            .groups
                            .as_ref()
                            .is_none_or(|groups| *groups == known.groups());
                    if is_same {
                        plan.unchanged = plan.unchanged.saturating_add(1);
                    } else {
                        plan.movers.push(Mover { line, known });
                    }
                }
            }
        }
        let mut new = new.into_iter().peekable();
        while new.peek().is_some() {
            let chunk: Vec<Line> = new.by_ref().take(TAKEN_KEYS_MAX).collect();
            let keys: Vec<&str> = chunk.iter().map(|line| line.new.subject_key.as_str()).collect();
            let known = taken(&self.db, &keys).await?;
            for line in chunk {
                if known.contains(&line.new.subject_key) {
                    read.wrong(line.number, "subject_name", "this subject name is taken");
                } else {
                    plan.joiners.push(line);
                }
            }
        }
        // A line that is broken may be somebody's who is there: the list has to be whole before anybody leaves, unless
        // broken lines are to be skipped, and then it is said who would leave.
        plan.leavers = roster
            .into_values()
            .filter(|known| known.state != PersonState::Revoked && known.id != actor.person)
            .collect();
        Ok(plan)
    }

    async fn effect(&self, tenant: Tenant, plan: &Plan, active: usize) -> Result<ImportEffect, Error> {
        let leaving: BTreeSet<PersonId> = plan.leavers.iter().map(|known| known.id).collect();
        let sessions = store::members::open_sessions(self.db.within(tenant)).await?;
        let desktops = self.tools.desktops.running(tenant.ministry()).await?;
        let sum = |counts: &BTreeMap<PersonId, i64>| -> i64 {
            leaving.iter().filter_map(|person| counts.get(person)).sum()
        };
        let is_large = plan.leavers.len().saturating_mul(100) > active.saturating_mul(LEAVERS_PERCENT_MAX);
        Ok(ImportEffect {
            joiners: plan.joiners.len(),
            movers: plan.movers.len(),
            leavers: plan.leavers.len(),
            joiner_names: names(plan.joiners.iter().map(|line| line.new.name.as_str())),
            mover_names: names(plan.movers.iter().map(|mover| mover.line.new.name.as_str())),
            leaver_names: names(plan.leavers.iter().map(|known| known.name.as_str())),
            sessions: sum(&sessions),
            desktops: sum(&desktops),
            needs_confirmation: is_large && plan.leavers.len() > LEAVERS_UNASKED_MAX,
        })
    }

    async fn carry_out_plan(&self, act: Act, actor: Actor, plan: Plan, groups: Groups) -> Result<(), Error> {
        let (tools, now) = (self.tools.clone(), act.at);
        self.decide(act, move |tx| {
            Box::pin(async move {
                let tenant = actor.tenant();
                // People have their name, and leavers their sessions, in every ministry they serve.
                tx.across_ministries().await?;
                let people =
                    |some: &mut dyn Iterator<Item = PersonId>| -> Vec<PersonId> { some.take(100).collect() };
                let moved = people(&mut plan.movers.iter().map(|mover| mover.known.id));
                let left = people(&mut plan.leavers.iter().map(|known| known.id));
                for line in &plan.joiners {
                    match add_person(tx, &tools, tenant, &line.new, (Some(&actor), now)).await? {
                        Ok((id, _)) => join(tx, (id, tenant), line, &groups).await?,
                        // All or nothing: the list is judged again.
                        Err(refusal) => return Err(Error::Refused(refusal)),
                    }
                }
                for mover in &plan.movers {
                    change(tx, tenant, mover, (&groups, now)).await?;
                }
                for known in &plan.leavers {
                    leave(tx, &tools, (known.id, tenant), now).await?;
                }
                tx.about(actor.ministry);
                tx.note("mode", "sync");
                tx.note("joiners", plan.joiners.len());
                tx.note("movers", json!({ "count": plan.movers.len(), "first": moved }));
                tx.note("leavers", json!({ "count": plan.leavers.len(), "first": left }));
                Ok(Ok(()))
            })
        })
        .await
    }
}

async fn change(
    tx: &mut Tx,
    tenant: Tenant,
    mover: &Mover,
    (groups, now): (&Groups, naru_kernel::Timestamp),
) -> Result<(), Error> {
    let (new, known) = (&mover.line.new, &mover.known);
    let Some(person) = store::people::hold_in(tx, known.id, tenant.ministry()).await? else {
        return Ok(());
    };
    let Some(membership) = store::members::of_in(tx, known.id, tenant).await? else {
        return Ok(());
    };
    if (&person.name, &person.language) != (&new.name, &new.language) {
        let search = search_text(&new.name, &person.subject_name);
        store::members::rename(tx, known.id, (&new.name, &new.language), &search, now).await?;
    }
    let details = Details {
        unit: new.unit.clone(),
        email: membership.email,
        external_id: membership.external_id,
    };
    store::members::set(tx, (known.id, tenant), &details, now).await?;
    let Some(wanted) = &mover.line.groups else {
        return Ok(());
    };
    join(tx, (known.id, tenant), &mover.line, groups).await?;
    for group in store::groups::of_person_in(tx, known.id, tenant).await? {
        // A directory's own groups are not in the list.
        if groups.contains_key(&group.name) && !wanted.contains(&group.name) {
            store::groups::remove_member(tx, group.id, known.id, tenant).await?;
        }
    }
    Ok(())
}

/// Revokes somebody who is in the list no more, unless that was done meanwhile.
async fn leave(
    tx: &mut Tx,
    tools: &Tools,
    (person, tenant): (PersonId, Tenant),
    now: naru_kernel::Timestamp,
) -> Result<(), Error> {
    let held = store::people::hold_in(tx, person, tenant.ministry()).await?;
    if let Some(held) = held.filter(|held| held.state != PersonState::Revoked) {
        revoke_held(tx, tools.clone(), held, now)
            .await?
            .map_err(Error::Refused)?;
    }
    Ok(())
}
