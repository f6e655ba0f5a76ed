//! Making, editing and switching rules; what could let somebody in waits for a second person.

use std::sync::Arc;

use naru_kernel::{Actor, ApprovalId, PolicyId, Tenant};
use naru_runtime::Client;
use naru_store::Tx;
use serde_json::json;

use super::{Policies, Settled, may};
use crate::{
    Agreed, Ask, AsksSecondPerson, EDIT, Error, NotAsked, TURN_OFF,
    http::{Approved, PolicyRow},
    model::{Mistake, Policy, PolicyForm, Words},
    rules::{self, RULES_PER_MINISTRY_MAX, Refusal},
    store::{self, Changed},
};

/// What an edit puts in place of what is there.
struct Edit {
    name: Words,
    text: String,
    has_forbid: bool,
}

impl From<NotAsked> for Error {
    fn from(not_asked: NotAsked) -> Self {
        match not_asked {
            NotAsked::Already => Refusal::AlreadyAsked.into(),
            NotAsked::TooMany => Refusal::TooMuchAsked.into(),
            NotAsked::Store(error) => error.into(),
        }
    }
}

impl Policies {
    /// What is wrong with a text; nothing is kept.
    ///
    /// # Errors
    /// When the actor may not.
    pub fn check(&self, actor: &Actor, text: &str) -> Result<Vec<Mistake>, Error> {
        may(actor)?;
        Ok(self.language.check(text).err().unwrap_or_default())
    }

    /// Makes a rule of the actor's ministry.
    ///
    /// # Errors
    /// When the actor may not, the name or text is no good, or there are too many.
    pub async fn create(
        &self,
        actor: &Actor,
        form: &PolicyForm,
        client: &Client,
    ) -> Result<PolicyRow, Error> {
        may(actor)?;
        let act = self.act("policies.create", actor, String::new(), client);
        let edit = match self.read(actor.tenant(), form).await {
            Ok(edit) => edit,
            Err(Error::Refused(refusal)) => {
                return self.settle(act, |_| Box::pin(async { Ok(Err(refusal)) })).await;
            }
            Err(error) => return Err(error),
        };
        let policy = Policy {
            id: PolicyId::new(act.at, self.parts.entropy.as_ref()),
            ministry: actor.ministry,
            name: edit.name,
            text: edit.text,
            has_forbid: edit.has_forbid,
            is_on: form.on,
            version: 1,
            created_at: act.at,
            changed_at: act.at,
            changed_by: Some(actor.person),
        };
        self.settle(act, move |tx| Box::pin(async move { add(tx, policy).await }))
            .await
    }

    /// Makes a rule as the platform itself: demos and command lines come by this.
    ///
    /// # Errors
    /// When the name or text is no good, or there are too many.
    pub async fn admin_create(&self, tenant: Tenant, form: &PolicyForm) -> Result<PolicyRow, Error> {
        let edit = self.read(tenant, form).await?;
        let at = self.parts.clock.now();
        let act = naru_store::Act {
            at,
            action: "policies.create",
            by: naru_store::By::Platform("policies"),
            ministry: Some(tenant.ministry()),
            subject: String::new(),
            address: None,
        };
        let policy = Policy {
            id: PolicyId::new(at, self.parts.entropy.as_ref()),
            ministry: tenant.ministry(),
            name: edit.name,
            text: edit.text,
            has_forbid: edit.has_forbid,
            is_on: form.on,
            version: 1,
            created_at: at,
            changed_at: at,
            changed_by: None,
        };
        self.settle(act, move |tx| Box::pin(async move { add(tx, policy).await }))
            .await
    }

    /// Edits a rule: at once, or, while it holds and forbids, when a second administrator agrees.
    ///
    /// # Errors
    /// When the actor may not, there is none, it was changed meanwhile, or the form is no good.
    pub async fn edit(
        &self,
        actor: &Actor,
        id: PolicyId,
        form: &PolicyForm,
        client: &Client,
    ) -> Result<Approved, Error> {
        may(actor)?;
        let seen = store::one(self.db(), actor.tenant(), id).await?;
        let asks = seen.as_ref().is_some_and(rules::needs_second);
        let action = if asks { "policies.ask-to-edit" } else { EDIT };
        let act = self.act(action, actor, id.to_string(), client);
        let edit = match self.read(actor.tenant(), form).await {
            Ok(edit) => edit,
            Err(Error::Refused(refusal)) => {
                return self.settle(act, |_| Box::pin(async { Ok(Err(refusal)) })).await;
            }
            Err(error) => return Err(error),
        };
        let (form, actor, now, second) = (form.clone(), actor.clone(), act.at, self.second.get().cloned());
        self.settle(act, move |tx| {
            Box::pin(async move {
                if !asks {
                    // Who only asks changes nothing: what is agreed to later is held to the version it was asked of.
                    store::bump(tx, actor.tenant()).await?;
                }
                let Some(policy) = store::take(tx, actor.tenant(), id).await? else {
                    return Ok(Err(Refusal::NoSuchPolicy));
                };
                if let Err(refusal) = rules::is_current(&policy, &form) {
                    return Ok(Err(refusal));
                }
                // Between the first look and this one somebody may have switched it on.
                if rules::needs_second(&policy) != asks {
                    return Ok(Err(Refusal::ChangedMeanwhile));
                }
                let after = edited(&policy, edit);
                if asks {
                    let payload = json!({
                        "policy": id, "version": policy.version, "name": after.name, "text": after.text,
                    });
                    return ask(tx, second, (&actor, &policy), EDIT, (Some(&after), payload)).await;
                }
                let changed = Changed {
                    at: now,
                    by: actor.person,
                    agreed_by: None,
                };
                write(tx, &policy, after, changed).await?;
                Ok(Ok(Approved::done()))
            })
        })
        .await
    }

    /// Switches a rule on, at once: that only takes away, or allows what is offered anyway.
    ///
    /// # Errors
    /// When the actor may not, there is none, or it is on.
    pub async fn turn_on(&self, actor: &Actor, id: PolicyId, client: &Client) -> Result<Approved, Error> {
        may(actor)?;
        let act = self.act("policies.turn-on", actor, id.to_string(), client);
        let (actor, now) = (actor.clone(), act.at);
        self.settle(act, move |tx| {
            Box::pin(async move {
                store::bump(tx, actor.tenant()).await?;
                let Some(policy) = store::take(tx, actor.tenant(), id).await? else {
                    return Ok(Err(Refusal::NoSuchPolicy));
                };
                if policy.is_on {
                    return Ok(Err(Refusal::AlreadySo));
                }
                let after = Policy {
                    is_on: true,
                    ..policy.clone()
                };
                let changed = Changed {
                    at: now,
                    by: actor.person,
                    agreed_by: None,
                };
                write(tx, &policy, after, changed).await?;
                Ok(Ok(Approved::done()))
            })
        })
        .await
    }

    /// Switches a rule off: at once, or, where it forbids, when a second administrator agrees.
    ///
    /// # Errors
    /// When the actor may not, there is none, it is off, or the same waits already.
    pub async fn turn_off(&self, actor: &Actor, id: PolicyId, client: &Client) -> Result<Approved, Error> {
        may(actor)?;
        let seen = store::one(self.db(), actor.tenant(), id).await?;
        let asks = seen.as_ref().is_some_and(rules::needs_second);
        let action = if asks {
            "policies.ask-to-turn-off"
        } else {
            TURN_OFF
        };
        let act = self.act(action, actor, id.to_string(), client);
        let (actor, now, second) = (actor.clone(), act.at, self.second.get().cloned());
        self.settle(act, move |tx| {
            Box::pin(async move {
                if !asks {
                    store::bump(tx, actor.tenant()).await?;
                }
                let Some(policy) = store::take(tx, actor.tenant(), id).await? else {
                    return Ok(Err(Refusal::NoSuchPolicy));
                };
                if !policy.is_on {
                    return Ok(Err(Refusal::AlreadySo));
                }
                if rules::needs_second(&policy) != asks {
                    return Ok(Err(Refusal::ChangedMeanwhile));
                }
                if asks {
                    let payload = json!({ "policy": id, "version": policy.version });
                    return ask(tx, second, (&actor, &policy), TURN_OFF, (None, payload)).await;
                }
                let after = Policy {
                    is_on: false,
                    ..policy.clone()
                };
                let changed = Changed {
                    at: now,
                    by: actor.person,
                    agreed_by: None,
                };
                write(tx, &policy, after, changed).await?;
                Ok(Ok(Approved::done()))
            })
        })
        .await
    }

    /// Does what was agreed to, in the transaction of the agreement. `false`: the rule is no longer as it was when it was
    /// asked, and none was changed.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn carry_out(&self, tx: &mut Tx, agreed: &Agreed) -> Result<bool, Error> {
        let tenant = Tenant::of(agreed.ministry);
        let payload = &agreed.payload;
        let id = payload
            .get("policy")
            .and_then(|id| id.as_str())
            .and_then(|id| id.parse().ok());
        let version = payload.get("version").and_then(serde_json::Value::as_i64);
        let (Some(id), Some(version)) = (id, version) else {
            return Ok(false);
        };
        store::bump(tx, tenant).await?;
        let Some(policy) = store::take(tx, tenant, id).await? else {
            return Ok(false);
        };
        if policy.version != version || !policy.is_on {
            return Ok(false);
        }
        let after = match agreed.kind.as_str() {
            TURN_OFF => Policy {
                is_on: false,
                ..policy.clone()
            },
            EDIT => {
                let name = payload.get("name").cloned().map(serde_json::from_value::<Words>);
                let text = payload.get("text").and_then(|text| text.as_str());
                let (Some(Ok(name)), Some(text)) = (name, text) else {
                    return Ok(false);
                };
                let form = PolicyForm {
                    name,
                    text: text.to_owned(),
                    on: true,
                    version: None,
                };
                match self.read(tenant, &form).await {
                    Ok(edit) => edited(&policy, edit),
                    Err(Error::Refused(_)) => return Ok(false),
                    Err(error) => return Err(error),
                }
            }
            _ => return Ok(false),
        };
        let changed = Changed {
            at: agreed.at,
            by: agreed.asked_by,
            agreed_by: Some(agreed.agreed_by),
        };
        write(tx, &policy, after, changed).await?;
        Ok(true)
    }

    /// What a form says, held to the language.
    async fn read(&self, tenant: Tenant, form: &PolicyForm) -> Result<Edit, Error> {
        let name = rules::name(&form.name)?;
        let checked = self.language.check(&form.text).map_err(Refusal::Text)?;
        let is_platforms = self.platform().await? == Some(tenant.ministry());
        if is_platforms && checked.has_permit() {
            return Err(Refusal::PlatformPermits.into());
        }
        Ok(Edit {
            name,
            text: form.text.clone(),
            has_forbid: checked.has_forbid(),
        })
    }
}

fn edited(policy: &Policy, edit: Edit) -> Policy {
    Policy {
        name: edit.name,
        text: edit.text,
        has_forbid: edit.has_forbid,
        ..policy.clone()
    }
}

async fn add(tx: &mut Tx, policy: Policy) -> Result<Settled<PolicyRow>, Error> {
    let tenant = Tenant::of(policy.ministry);
    store::bump(tx, tenant).await?;
    if store::count(tx, tenant).await? >= RULES_PER_MINISTRY_MAX {
        return Ok(Err(Refusal::TooMany));
    }
    store::insert(tx, &policy).await?;
    store::keep(tx, &policy, None).await?;
    tx.about(policy.id);
    tx.note("before", serde_json::Value::Null);
    tx.note("after", policy.noted());
    Ok(Ok(PolicyRow::of(policy)))
}

/// Writes the rule as it is now, as a new version.
async fn write(tx: &mut Tx, before: &Policy, after: Policy, changed: Changed) -> Result<(), Error> {
    let after = Policy {
        version: before.version.saturating_add(1),
        changed_at: changed.at,
        changed_by: Some(changed.by),
        ..after
    };
    store::update(tx, &after).await?;
    store::keep(tx, &after, changed.agreed_by).await?;
    tx.about(after.id);
    tx.note("before", before.noted());
    tx.note("after", after.noted());
    Ok(())
}

/// Writes down what a second administrator must agree to.
async fn ask(
    tx: &mut Tx,
    second: Option<Arc<dyn AsksSecondPerson>>,
    (actor, policy): (&Actor, &Policy),
    kind: &'static str,
    (after, payload): (Option<&Policy>, serde_json::Value),
) -> Result<Settled<Approved>, Error> {
    let after = after.map_or_else(
        || json!({ "name": policy.name, "text": policy.text, "on": false }),
        |after| json!({ "name": after.name, "text": after.text, "on": after.is_on }),
    );
    let summary = json!({ "name": policy.name, "before": policy.noted(), "after": after });
    tx.note("before", policy.noted());
    tx.note("wished", after);
    let Some(second) = second else {
        return Err(Error::Language(
            "nobody keeps what needs a second person".to_owned(),
        ));
    };
    let ask = Ask {
        ministry: actor.ministry,
        kind,
        asked_by: actor.person,
        subject: policy.id.to_string(),
        summary,
        payload,
    };
    let approval: ApprovalId = second.ask(tx, ask).await?;
    Ok(Ok(Approved {
        done: false,
        approval: Some(approval),
    }))
}
