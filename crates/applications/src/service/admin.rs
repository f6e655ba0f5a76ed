//! The same checks, for the platform itself: the demo and the command line.

use naru_kernel::{ApplicationId, NoticeId, Tenant};
use naru_store::{Act, By};

use super::{Applications, applications::wants_secret};
use crate::{
    Error, Refusal,
    answers::SecretMade,
    model::{Look, Notice},
    rules::{
        Wrong,
        corner::{NoticeDraft, NoticeForm, is_colour},
        form::ApplicationForm,
    },
    store,
};

impl Applications {
    fn platform_act(&self, action: &'static str, tenant: Tenant) -> Act {
        self.act(action, By::Platform("admin"), Some(tenant.ministry()), "")
    }

    /// Whether a ministry has an application.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn has_any(&self, tenant: Tenant) -> Result<bool, Error> {
        Ok(store::applications::has_any(&self.parts.db, tenant).await?)
    }

    /// Adds an application to a ministry, with its secret if it needs one.
    ///
    /// # Errors
    /// As [`Applications::create`].
    pub async fn admin_create(
        &self,
        tenant: Tenant,
        form: ApplicationForm,
    ) -> Result<(ApplicationId, Option<SecretMade>), Error> {
        let act = self.platform_act("applications.create-application", tenant);
        let draft = self.checked(form, tenant).await??;
        let id = self.create_in(act, tenant, draft).await?;
        let made = store::applications::of_ministry(&self.parts.db, tenant, id).await?;
        if !made.is_some_and(|application| wants_secret(&application)) {
            return Ok((id, None));
        }
        let (secret, sha256) = self.new_secret();
        let act = self.platform_act("applications.make-secret", tenant);
        let now = act.at;
        self.decide(act, move |tx| {
            Box::pin(async move {
                tx.about(id);
                store::applications::set_secret(tx, tenant, id, Some(sha256), now).await?;
                Ok(Ok(()))
            })
        })
        .await?;
        Ok((id, Some(SecretMade { secret })))
    }

    /// Hangs up a notice.
    ///
    /// # Errors
    /// When a field is wrong, or the store fails.
    pub async fn admin_hang_notice(&self, tenant: Tenant, form: NoticeForm) -> Result<NoticeId, Error> {
        let act = self.platform_act("applications.hang-notice", tenant);
        let now = act.at;
        let draft = NoticeDraft::of(form, now).map_err(Refusal::from)?;
        let notice = Notice {
            id: NoticeId::new(now, self.parts.entropy.as_ref()),
            title: draft.title,
            body: draft.body,
            is_urgent: draft.is_urgent,
            shown_from: draft.shown_from.unwrap_or(now),
            shown_until: draft.shown_until,
            created_by: None,
            created_at: now,
            changed_at: now,
        };
        self.decide(act, move |tx| {
            Box::pin(async move {
                tx.about(notice.id);
                store::corner::insert(tx, tenant, &notice).await?;
                Ok(Ok(notice.id))
            })
        })
        .await
    }

    /// Gives a ministry its colour.
    ///
    /// # Errors
    /// When it is no colour, or the store fails.
    pub async fn admin_colour(&self, tenant: Tenant, colour: &str) -> Result<(), Error> {
        if !is_colour(colour) {
            return Err(Refusal::from(Wrong::new("colour", "is no colour like #1a5fb4")).into());
        }
        let act = self.platform_act("applications.change-ministry", tenant);
        let (now, colour) = (act.at, colour.to_owned());
        self.decide(act, move |tx| {
            Box::pin(async move {
                tx.about(tenant);
                tx.note("after", serde_json::json!({ "colour": colour }));
                let look = Look {
                    colour: Some(colour),
                    changed_at: Some(now),
                    ..store::corner::look_in(tx, tenant).await?
                };
                store::corner::set_look(tx, tenant, &look).await?;
                Ok(Ok(()))
            })
        })
        .await
    }
}
