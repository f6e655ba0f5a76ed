//! Tokens with which a ministry's directory comes in: shown once, kept as a hash, gone at once when taken away.

use naru_kernel::{Actor, Seconds, Timestamp};
use naru_runtime::Client;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use super::{Identity, granted, groups::clean_name, memberships::whole};
use crate::{
    Error, Refusal,
    answers::{NewScimToken, ScimTokenRow},
    members::{ScimAccess, ScimToken, ScimTokenId},
    secret, store,
};

/// Tokens of one ministry.
const TOKENS_MAX: i64 = 20;
/// The longest life of a token, in days.
const TOKEN_DAYS_MAX: i64 = 366;
/// How often it is written down that a token is used.
const USED_EVERY: Seconds = Seconds::minutes(10);
/// What every token begins with, so that scanners of leaked secrets know it.
const PREFIX: &str = "naru_scim_";
/// The longest token that is looked at, in bytes.
const TOKEN_BYTES_MAX: usize = 128;

/// A token that is wished for.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScimTokenForm {
    /// What administrators call it.
    pub name: String,
    /// What it may do.
    pub access: ScimAccess,
    /// For how many days, at most 366.
    pub days: i64,
}

impl Identity {
    /// Tokens of the actor's ministry.
    ///
    /// # Errors
    /// When the actor may not, or the store fails.
    pub async fn scim_tokens(&self, actor: &Actor) -> Result<Vec<ScimTokenRow>, Error> {
        whole(actor)?;
        let tokens = store::scim_tokens::list(self.db.within(actor.tenant())).await?;
        Ok(tokens.into_iter().map(ScimTokenRow::from).collect())
    }

    /// Makes a token for the directory of the actor's ministry.
    ///
    /// # Errors
    /// When the actor may not, a field is wrong, or there are too many.
    pub async fn create_scim_token(
        &self,
        actor: &Actor,
        form: &ScimTokenForm,
        client: &Client,
    ) -> Result<NewScimToken, Error> {
        let act = self.admin_act("identity.create-scim-token", actor, client)?;
        let name = clean_name(&form.name)?;
        if !(1..=TOKEN_DAYS_MAX).contains(&form.days) {
            let (field, problem) = ("days", "a token is good for 1 to 366 days");
            return Err(Refusal::Field { field, problem }.into());
        }
        let (tools, now, actor) = (self.tools.clone(), act.at, actor.clone());
        let (access, lifetime) = (form.access, Seconds::hours(form.days.saturating_mul(24)));
        self.decide(act, move |tx| {
            Box::pin(async move {
                if store::scim_tokens::count(tx, actor.tenant()).await? >= TOKENS_MAX {
                    return Ok(Err(Refusal::TooMany));
                }
                let (random, _) = secret::token(tools.entropy.as_ref());
                let secret = format!("{PREFIX}{random}");
                let token = ScimToken {
                    id: ScimTokenId::new(now, tools.entropy.as_ref()),
                    ministry: actor.ministry,
                    name,
                    access,
                    created_at: now,
                    expires_at: now + lifetime,
                    last_used_at: None,
                };
                tx.about(token.id);
                tx.note(
                    "after",
                    json!({ "name": token.name, "access": access, "expires_at": token.expires_at }),
                );
                let hash = secret::sha256(secret.as_bytes());
                store::scim_tokens::insert(tx, &token, hash, actor.person.to_string()).await?;
                Ok(Ok(NewScimToken {
                    secret,
                    token: token.into(),
                }))
            })
        })
        .await
    }

    /// Takes a token away: it is worth nothing from then on.
    ///
    /// # Errors
    /// When the actor may not, or there is no such token.
    pub async fn remove_scim_token(
        &self,
        actor: &Actor,
        id: ScimTokenId,
        client: &Client,
    ) -> Result<(), Error> {
        let act = self.admin_act("identity.remove-scim-token", actor, client)?;
        let tenant = actor.tenant();
        self.decide(act, move |tx| {
            Box::pin(async move {
                tx.about(id);
                let removed = store::scim_tokens::remove(tx, id, tenant).await?;
                let removed = granted!(removed.ok_or(Refusal::NoSuch("token")));
                tx.note(
                    "before",
                    json!({ "name": removed.name, "access": removed.access }),
                );
                Ok(Ok(()))
            })
        })
        .await
    }

    /// The token a directory shows, if it is good.
    ///
    /// # Errors
    /// When the store fails.
    pub(crate) async fn scim_token(&self, shown: &str) -> Result<Option<ScimToken>, Error> {
        if shown.len() > TOKEN_BYTES_MAX || !shown.starts_with(PREFIX) {
            return Ok(None);
        }
        let now = self.clock.now();
        let token = store::scim_tokens::by_hash(&self.db, secret::sha256(shown.as_bytes())).await?;
        let Some(token) = token.filter(|token| now < token.expires_at) else {
            return Ok(None);
        };
        self.note_use(&token, now).await?;
        Ok(Some(token))
    }

    async fn note_use(&self, token: &ScimToken, now: Timestamp) -> Result<(), Error> {
        if token.last_used_at.is_some_and(|at| now < at + USED_EVERY) {
            return Ok(());
        }
        let id = token.id;
        self.db
            .housekeep("identity.touch-scim-token", move |tx| {
                Box::pin(async move { Ok::<_, Error>(store::scim_tokens::used(tx, id, now).await?) })
            })
            .await
    }
}
