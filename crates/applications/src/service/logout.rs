//! Log-outs: an application asks for one (RP-Initiated Logout 1.0), and applications are told of one (Back-Channel
//! Logout 1.0).

use std::sync::Arc;

use naru_kernel::Seconds;
use naru_runtime::Caller;
use naru_sso::oidc::{
    Code, Params, Refusal as Wrong,
    tokens::{self, LogoutToken},
};
use naru_store::By;

use super::{
    Applications,
    pending::{LogoutPending, Pending, REQUEST_LIFE, Waiting},
    random,
    step::signed_in,
};
use crate::{
    Error,
    model::SsoStep,
    store::{self, devices::LogoutRow},
};

/// Bytes of `state`.
const STATE_BYTES_MAX: usize = 2 * 1024;
/// Log-outs told at once.
const LOGOUTS_AT_ONCE_MAX: i64 = 32;
/// How often it is tried to tell an application.
const TRIES_MAX: i64 = 6;
/// The first wait between two tries; each next is four times as long: about an hour and a half in all.
const RETRY_SECONDS: i64 = 5;

impl Applications {
    /// Takes a log-out in; gives the handle of what waits for the page.
    ///
    /// # Errors
    /// When the store fails.
    pub(crate) async fn begin_logout(&self, params: &Params) -> Result<Result<String, Wrong>, Error> {
        let wrong = |why| Ok(Err(Wrong::new(Code::InvalidRequest, why)));
        if params.has_repeated() {
            return wrong("a parameter is repeated");
        }
        let get = |name: &str| params.get(name).ok().flatten();
        let client_id = get("client_id");
        let hint = match get("id_token_hint") {
            None => None,
            Some(hint) => {
                let keys = self.keys().await?.published();
                match tokens::read_hint(hint, self.config().issuer(), client_id, &keys) {
                    Ok(hint) => Some(hint),
                    Err(_) => return wrong("id_token_hint was not made here for this client"),
                }
            }
        };
        let client_id = hint.as_ref().map(|hint| hint.client_id.as_str()).or(client_id);
        let known = match client_id {
            None => None,
            Some(client_id) => match self.oidc_client(client_id).await? {
                Some(known) => Some(known),
                None => return wrong("there is no such client"),
            },
        };
        let address = match (get("post_logout_redirect_uri"), &known) {
            (None, _) => None,
            (Some(_), None) => return wrong("post_logout_redirect_uri needs id_token_hint or client_id"),
            (Some(address), Some(known)) => {
                if !known
                    .settings
                    .post_logout_redirect_uris
                    .iter()
                    .any(|own| own == address)
                {
                    return wrong("post_logout_redirect_uri is not registered");
                }
                let state = get("state").filter(|state| state.len() <= STATE_BYTES_MAX);
                let state: Vec<(&str, &str)> = state.map(|state| ("state", state)).into_iter().collect();
                Some(naru_sso::oidc::redirect::with_query(address, &state))
            }
        };
        let pending = Pending::Logout(LogoutPending {
            session: hint.as_ref().and_then(|hint| hint.session.clone()),
            subject: hint.map(|hint| hint.subject),
            address,
        });
        let application = known.map(|known| known.application.id);
        self.keep_request(application, &pending, REQUEST_LIFE)
            .await
            .map(Ok)
    }

    /// What the page does for a log-out. The page itself ends the session, by the route that always does.
    pub(crate) async fn logout_step(
        &self,
        waiting: &Waiting,
        pending: &LogoutPending,
        caller: &Caller,
    ) -> Result<SsoStep, Error> {
        let url = pending
            .address
            .clone()
            .unwrap_or_else(|| format!("{}/", self.config().issuer()));
        let Some(actor) = signed_in(caller) else {
            return Ok(SsoStep::Go { url });
        };
        let mut language = "ko".to_owned();
        if let Some(facts) = self.parts.people.subject(actor.ministry, actor.person).await? {
            language = facts.language;
        }
        let (mut is_theirs, mut named) = (false, None);
        if let Some(application) = &waiting.application {
            let keys = self.keys().await?;
            let session = keys.subjects.session(application.ministry, actor.logon);
            let subject = keys.subjects.subject(application.ministry, actor.person);
            is_theirs =
                pending.session.as_ref() == Some(&session) && pending.subject.as_ref() == Some(&subject);
            named = Some(self.named(application, &language).await?);
        }
        Ok(SsoStep::LogOut {
            ask: !is_theirs,
            application: named,
            url,
        })
    }

    /// Tells applications of sessions that are over; gives how many were told.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn tell_logouts(self: &Arc<Self>) -> Result<usize, Error> {
        let due = store::devices::due(&self.parts.db, self.now(), LOGOUTS_AT_ONCE_MAX).await?;
        let mut told = 0;
        // At once, but no more than the limit above: one that does not answer holds up nobody else for long.
        let telling = due.into_iter().map(|row| self.tell(row));
        for done in futures_util::future::join_all(telling).await {
            if done? {
                told += 1;
            }
        }
        Ok(told)
    }

    async fn tell(&self, row: LogoutRow) -> Result<bool, Error> {
        let known = self.oidc_client(&row.application.to_string()).await?;
        let wanted = known.and_then(|known| {
            let address = known.settings.backchannel_logout_uri.clone()?;
            Some((known, address))
        });
        let Some((known, address)) = wanted else {
            self.forget_logout(row).await?;
            return Ok(false);
        };
        let (keys, now) = (self.keys().await?, self.now());
        let token = LogoutToken {
            issuer: self.config().issuer(),
            client_id: &known.client_id(),
            subject: &row.subject,
            session: &row.session,
            number: &random::name(self.parts.entropy.as_ref()),
            now,
        };
        let key = keys.signing(known.settings.id_token_algorithm, now)?;
        let token = token.sign(key).map_err(|_| Error::Key)?;
        let form = format!("logout_token={token}");
        let outcome = self.sign_on.outbound.post_form(&address, form).await;
        let (tries, why) = match outcome {
            Ok(status) if (200..300).contains(&status) => {
                self.settle_logout(&known, row, Ok(())).await?;
                return Ok(true);
            }
            Ok(status) => (row.tries + 1, format!("status {status}")),
            Err(error) => (row.tries + 1, error.to_string()),
        };
        tracing::warn!(application = %row.application, tries, why, "an application could not be told of a log-out");
        if tries >= TRIES_MAX {
            self.settle_logout(&known, row, Err(why)).await?;
            return Ok(false);
        }
        let wait = RETRY_SECONDS * 4_i64.pow(u32::try_from(tries - 1).unwrap_or(0));
        self.parts
            .db
            .housekeep("applications.tell-logout", move |tx| {
                Box::pin(async move {
                    store::devices::later(tx, &row, tries, now + Seconds(wait)).await?;
                    Ok::<_, Error>(false)
                })
            })
            .await
    }

    async fn forget_logout(&self, row: LogoutRow) -> Result<(), Error> {
        self.parts
            .db
            .housekeep("applications.tell-logout", move |tx| {
                Box::pin(async move { Ok::<_, Error>(store::devices::told(tx, &row).await?) })
            })
            .await
    }

    /// The end of a log-out that was told, or given up, with its entry in the record of the application's ministry.
    async fn settle_logout(
        &self,
        known: &super::authorize::OidcClient,
        row: LogoutRow,
        outcome: Result<(), String>,
    ) -> Result<(), Error> {
        metrics::counter!("naru_sso_logouts_total", "told" => if outcome.is_ok() { "yes" } else { "no" })
            .increment(1);
        let by = By::Platform("applications");
        let mut act = self.act("applications.tell-logout", by, None, "");
        act.subject = known.application.id.to_string();
        let owner = known.application.ministry;
        self.parts
            .db
            .change(act, move |tx| {
                Box::pin(async move {
                    tx.by(by, Some(owner));
                    tx.note("subject", row.subject.as_str());
                    tx.note("tries", row.tries + 1);
                    if let Err(why) = outcome {
                        tx.note("why", why);
                        tx.refused("applications.logout-not-told");
                    }
                    store::devices::told(tx, &row).await?;
                    Ok::<_, Error>(())
                })
            })
            .await
    }
}
