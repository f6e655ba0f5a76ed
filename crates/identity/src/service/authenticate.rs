//! Who a request's cookie stands for: one indexed read; now and then a write that keeps the session alive.

use naru_kernel::{Actor, LogonId, Timestamp};
use naru_runtime::{Caller, Client, FirstFactor};
use naru_store::{By, Db};

use super::{Identity, logon::raise, sessions::end_logon};
use crate::{
    Error,
    model::{EndReason, LogonState},
    rules::{Judgement, idle_deadline, judge},
    secret,
    store::{self, sessions::Found},
};

/// The session of a request, for handlers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CurrentLogon {
    /// Which.
    pub logon: LogonId,
    /// When it ends without use.
    pub idle_expires_at: Timestamp,
    /// When it ends in any case.
    pub expires_at: Timestamp,
}

/// What a cookie led to.
#[derive(Clone, Debug, Default)]
pub struct Authenticated {
    /// Who calls.
    pub caller: Caller,
    /// In which session.
    pub current: Option<CurrentLogon>,
    /// The token that replaces the one presented.
    pub new_token: Option<String>,
}

impl Identity {
    /// Finds out who presents this token. `is_active`: the request is a person's doing, not a page's polling.
    ///
    /// # Errors
    /// When the store fails. A token that is not good is no error: its bearer is anyone.
    pub async fn authenticate(
        &self,
        token: &str,
        client: &Client,
        is_active: bool,
    ) -> Result<Authenticated, Error> {
        let now = self.clock.now();
        let hash = secret::sha256(token.as_bytes());
        let Some(found) = store::sessions::find(&self.db, hash.clone(), now).await? else {
            return Ok(Authenticated::default());
        };
        let user_agent_hash = secret::sha256(client.user_agent.as_bytes());
        let judgement = judge(
            &found.presented,
            &user_agent_hash,
            is_active,
            self.tools.lifetimes,
            now,
        );
        match judgement {
            Judgement::Good { touch, rotate } => {
                let mut idle_expires_at = found.presented.idle_expires_at;
                let mut new_token = None;
                if touch {
                    idle_expires_at = idle_deadline(now, found.expires_at, self.tools.lifetimes);
                    new_token = self
                        .keep_alive(&found, rotate.then_some(hash), (now, idle_expires_at))
                        .await?;
                }
                Ok(authenticated(found, idle_expires_at, new_token))
            }
            Judgement::Unknown => Ok(Authenticated::default()),
            Judgement::Reused => {
                self.expel(&found, EndReason::TokenReuse, "identity.token-reuse", client)
                    .await?;
                Ok(Authenticated::default())
            }
            Judgement::Moved => {
                self.expel(&found, EndReason::Moved, "identity.session-moved", client)
                    .await?;
                Ok(Authenticated::default())
            }
        }
    }

    /// Writes down that the session is used, and replaces its token if `replaced` is given.
    async fn keep_alive(
        &self,
        found: &Found,
        replaced: Option<Vec<u8>>,
        (now, idle_expires_at): (Timestamp, Timestamp),
    ) -> Result<Option<String>, Error> {
        let (entropy, logon) = (std::sync::Arc::clone(&self.tools.entropy), found.logon);
        self.db
            .housekeep("identity.touch-session", move |tx| {
                Box::pin(async move {
                    let is_alive = store::sessions::touch(tx, logon, now, idle_expires_at).await?;
                    let Some(old) = replaced.filter(|_| is_alive) else {
                        return Ok(None);
                    };
                    if !store::sessions::replace(tx, old, now).await? {
                        return Ok(None);
                    }
                    let (token, hash) = secret::token(entropy.as_ref());
                    store::sessions::insert(tx, hash, logon, now).await?;
                    Ok(Some(token))
                })
            })
            .await
    }

    /// Ends a session whose token someone else has, with an alarm.
    async fn expel(
        &self,
        found: &Found,
        reason: EndReason,
        alarm: &'static str,
        client: &Client,
    ) -> Result<(), Error> {
        let act = self.act_for("identity.expel", By::Anyone, found.ministry, client);
        let now = act.at;
        let (tools, logon, owner) = (self.tools.clone(), found.logon, (found.person, found.ministry));
        let (address, agent) = (client.address.clone(), client.user_agent.clone());
        let ended: Result<(), Error> = self
            .db
            .change(act, move |tx| {
                Box::pin(async move {
                    tx.about(logon);
                    tx.refused(alarm);
                    if end_logon(tx, &tools, logon, reason, now).await? {
                        let detail = serde_json::json!({
                            "logon": logon.to_string(), "address": address, "user_agent": agent,
                        });
                        raise(tx, &tools, owner, (alarm, detail), now).await?;
                    }
                    Ok(())
                })
            })
            .await;
        self.tools.desktops.wake();
        ended
    }

    /// Says that people are at work in these sessions although they send no requests: what they type and move goes
    /// to their desktops. Sessions that are over stay so.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn active(&self, logons: &[LogonId]) -> Result<(), Error> {
        let (now, lifetimes) = (self.clock.now(), self.tools.lifetimes);
        let logons = logons.to_vec();
        let db: &Db = &self.db;
        db.housekeep("identity.touch-session", move |tx| {
            Box::pin(async move {
                for logon in logons {
                    store::sessions::touch(tx, logon, now, now + lifetimes.idle).await?;
                }
                Ok(())
            })
        })
        .await
    }
}

fn authenticated(found: Found, idle_expires_at: Timestamp, new_token: Option<String>) -> Authenticated {
    let caller = match found.presented.state {
        LogonState::FirstFactor => Caller::FirstFactor(FirstFactor {
            logon: found.logon,
            person: found.person,
            ministry: found.ministry,
        }),
        LogonState::SignedIn => Caller::SignedIn(Actor::new(
            found.person,
            found.ministry,
            found.logon,
            found.grants,
        )),
        LogonState::Ended => Caller::Anyone,
    };
    Authenticated {
        caller,
        current: Some(CurrentLogon {
            logon: found.logon,
            idle_expires_at,
            expires_at: found.expires_at,
        }),
        new_token,
    }
}
