//! A ministry's corner: its name and look, its notices.

use naru_kernel::{Action, Actor, NoticeId, Page, Scope};
use naru_runtime::Client;
use serde_json::{Value as Json, json};

use super::{Applications, granted};
use crate::{
    Error, Refusal,
    answers::{ListQuery, MinistryCorner, NoticeRow},
    model::{Look, Notice, Words},
    rules::{
        Wrong,
        changes::difference,
        corner::{LookDraft, LookForm, NoticeDraft, NoticeForm},
        fields::pattern,
    },
    store,
};

/// Notices of one ministry.
const NOTICES_MAX: i64 = 500;

/// Where a ministry's logo is; it changes with the look, so that it may be kept.
pub(super) fn logo_path(look: &Look) -> Option<String> {
    let at = look.changed_at?;
    look.logo_png.as_ref()?;
    Some(format!("/api/v1/portal/logo?at={}", at.as_micros()))
}

impl Applications {
    /// The ministry's name and look.
    ///
    /// # Errors
    /// When the actor may not, or the store fails.
    pub async fn ministry(&self, actor: &Actor) -> Result<MinistryCorner, Error> {
        actor.may(Action::ManageMinistry, Scope::Ministry(actor.ministry))?;
        let look = store::corner::look(&self.parts.db, actor.tenant()).await?;
        let mut facts = self.parts.people.ministries(vec![actor.ministry]).await?;
        let facts = facts.remove(&actor.ministry).ok_or(Refusal::NoSuchMinistry)?;
        Ok(MinistryCorner {
            ministry: actor.ministry,
            name: Words {
                ko: facts.name_ko,
                en: facts.name_en,
            },
            agency_code: facts.agency_code,
            logo: logo_path(&look),
            colour: look.colour,
        })
    }

    /// Changes the ministry's name and look.
    ///
    /// # Errors
    /// When the actor may not, or a field is wrong.
    pub async fn change_ministry(
        &self,
        actor: &Actor,
        form: LookForm,
        client: &Client,
    ) -> Result<MinistryCorner, Error> {
        let act = self.admin_act(
            Action::ManageMinistry,
            "applications.change-ministry",
            actor,
            client,
        )?;
        let before = self.ministry(actor).await?;
        let draft = match LookDraft::of(form) {
            Ok(draft) => draft,
            Err(wrong) => return Err(self.refuse(act, wrong.into(), json!({})).await),
        };
        let (tenant, now, people) = (actor.tenant(), act.at, std::sync::Arc::clone(&self.parts.people));
        self.decide(act, move |tx| {
            Box::pin(async move {
                tx.about(tenant);
                let old = store::corner::look_in(tx, tenant).await?;
                let new = Look {
                    colour: draft.colour,
                    logo_png: draft.logo.unwrap_or_else(|| old.logo_png.clone()),
                    changed_at: Some(now),
                };
                let (was, is) = difference(&told(&before.name, &old), &told(&draft.name, &new));
                tx.note("before", was);
                tx.note("after", is);
                if before.name != draft.name {
                    let Words { ko, en } = draft.name;
                    people.rename_ministry(tx, tenant.ministry(), ko, en).await?;
                }
                store::corner::set_look(tx, tenant, &new).await?;
                Ok(Ok(()))
            })
        })
        .await?;
        self.ministry(actor).await
    }

    /// The logo of the person's ministry.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn logo(&self, actor: &Actor) -> Result<Option<Vec<u8>>, Error> {
        Ok(store::corner::look(&self.parts.db, actor.tenant())
            .await?
            .logo_png)
    }

    /// Notices of the actor's ministry, newest first unless asked otherwise.
    ///
    /// # Errors
    /// When the actor may not, the order is unknown, or the store fails.
    pub async fn notices(&self, actor: &Actor, query: &ListQuery) -> Result<Page<NoticeRow>, Error> {
        actor.may(Action::ManageMinistry, Scope::Ministry(actor.ministry))?;
        let is_oldest_first = match query.sort.as_deref() {
            None | Some("-shown") => false,
            Some("shown") => true,
            Some(_) => return Err(Refusal::from(Wrong::new("sort", "is shown or -shown")).into()),
        };
        let (pattern, rows) = (pattern(query.search.as_deref()), query.rows());
        let (mut notices, total) = store::corner::list(
            &self.parts.db,
            actor.tenant(),
            (&pattern, query.after.as_deref()),
            rows,
            is_oldest_first,
        )
        .await?;
        let next = super::next_of(&mut notices, rows, |notice| notice.id.to_string());
        Ok(Page {
            items: notices.into_iter().map(NoticeRow::from).collect(),
            next,
            total,
        })
    }

    /// Hangs up a notice.
    ///
    /// # Errors
    /// When the actor may not, a field is wrong, or too many hang there.
    pub async fn hang_notice(
        &self,
        actor: &Actor,
        form: NoticeForm,
        client: &Client,
    ) -> Result<NoticeRow, Error> {
        let act = self.admin_act(Action::ManageMinistry, "applications.hang-notice", actor, client)?;
        let (tenant, now) = (actor.tenant(), act.at);
        let draft = match NoticeDraft::of(form, now) {
            Ok(draft) => draft,
            Err(wrong) => return Err(self.refuse(act, wrong.into(), json!({})).await),
        };
        let notice = Notice {
            id: NoticeId::new(now, self.parts.entropy.as_ref()),
            title: draft.title,
            body: draft.body,
            is_urgent: draft.is_urgent,
            shown_from: draft.shown_from.unwrap_or(now),
            shown_until: draft.shown_until,
            created_by: Some(actor.person),
            created_at: now,
            changed_at: now,
        };
        self.decide(act, move |tx| {
            Box::pin(async move {
                tx.about(notice.id);
                tx.note("after", difference(&json!({}), &told_notice(&notice)).1);
                if store::corner::count(tx, tenant).await? >= NOTICES_MAX {
                    return Ok(Err(Refusal::TooMany));
                }
                store::corner::insert(tx, tenant, &notice).await?;
                Ok(Ok(NoticeRow::from(notice)))
            })
        })
        .await
    }

    /// Changes a notice.
    ///
    /// # Errors
    /// When the actor may not, there is none, or a field is wrong.
    pub async fn change_notice(
        &self,
        actor: &Actor,
        id: NoticeId,
        form: NoticeForm,
        client: &Client,
    ) -> Result<NoticeRow, Error> {
        let act = self.admin_act(
            Action::ManageMinistry,
            "applications.change-notice",
            actor,
            client,
        )?;
        let (tenant, now) = (actor.tenant(), act.at);
        self.decide(act, move |tx| {
            Box::pin(async move {
                tx.about(id);
                let before = store::corner::notice_in(tx, tenant, id).await?;
                let before = granted!(before.ok_or(Refusal::NoSuchNotice));
                let draft = granted!(NoticeDraft::of(form, before.shown_from));
                let after = Notice {
                    title: draft.title,
                    body: draft.body,
                    is_urgent: draft.is_urgent,
                    shown_from: draft.shown_from.unwrap_or(before.shown_from),
                    shown_until: draft.shown_until,
                    changed_at: now,
                    ..before.clone()
                };
                let (was, is) = difference(&told_notice(&before), &told_notice(&after));
                tx.note("before", was);
                tx.note("after", is);
                store::corner::update(tx, tenant, &after).await?;
                Ok(Ok(NoticeRow::from(after)))
            })
        })
        .await
    }

    /// Takes a notice down.
    ///
    /// # Errors
    /// When the actor may not, or there is none.
    pub async fn take_notice_down(&self, actor: &Actor, id: NoticeId, client: &Client) -> Result<(), Error> {
        let act = self.admin_act(
            Action::ManageMinistry,
            "applications.take-notice-down",
            actor,
            client,
        )?;
        let tenant = actor.tenant();
        self.decide(act, move |tx| {
            Box::pin(async move {
                tx.about(id);
                let before = store::corner::notice_in(tx, tenant, id).await?;
                let before = granted!(before.ok_or(Refusal::NoSuchNotice));
                tx.note("before", difference(&json!({}), &told_notice(&before)).1);
                store::corner::remove(tx, tenant, id).await?;
                Ok(Ok(()))
            })
        })
        .await
    }
}

/// A look as the record tells it.
fn told(name: &Words, look: &Look) -> Json {
    let logo = look
        .logo_png
        .as_ref()
        .map(|png| hex::encode(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, png)));
    json!({ "name": name, "colour": look.colour, "logo_sha256": logo })
}

/// A notice as the record tells it.
fn told_notice(notice: &Notice) -> Json {
    json!({
        "title": notice.title,
        "body": notice.body,
        "urgent": notice.is_urgent,
        "shown_from": notice.shown_from,
        "shown_until": notice.shown_until,
    })
}
