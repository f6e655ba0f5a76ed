//! Revocation lists: read again and again from where they are published, kept in the store, believed only when signed.
//!
//! When a source cannot be read, the list that is loaded stays in use; each profile says for how long after its
//! `nextUpdate` (`refuse_when_stale_hours`). After that, log-ons it covers are refused with
//! `identity.crl-stale` until a newer list is there. Who is signed in stays in, unless a list revokes their certificate.

use std::sync::{Arc, PoisonError};

use naru_kernel::Timestamp;
use naru_pki::{CrlFacts, Trust};
use naru_store::{Act, By};
use serde::Serialize;

use super::{Identity, fetch, sessions::end_logon};
use crate::{
    Error,
    model::{Certificate, EndReason},
    store,
};

/// How a revocation list's source is doing, for operation and the doctor.
#[derive(Clone, Debug, Serialize)]
pub struct ListStatus {
    /// File or address.
    pub source: String,
    /// When the list in use should be replaced, if one is.
    pub next_update: Option<Timestamp>,
    /// Why the newest attempt failed, if it did.
    pub error: Option<String>,
}

impl Identity {
    /// Loads what earlier runs or other portals stored.
    pub(super) async fn load_stored_lists(&self) -> Result<(), Error> {
        let stored = store::keys::lists(&self.db).await?;
        for list in stored {
            if !self.config.revocation_lists.contains(&list.source) {
                continue;
            }
            match self.load(&list.list) {
                Ok(_) => self.note_list(&list.source, Some(list.next_update), None),
                // Its authority is no longer configured, say: not believed, and fetched again below.
                Err(error) => {
                    tracing::warn!(source = list.source, %error, "a stored revocation list is not usable")
                }
            }
        }
        Ok(())
    }

    /// Reads every configured list again. One that fails leaves the others and its own last good copy alone.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn refresh_revocations(&self) -> Result<(), Error> {
        for source in &self.config.revocation_lists {
            let loaded = match fetch::read(source).await {
                Ok(bytes) => self.take(source, bytes).await?,
                Err(error) => Err(error.to_string()),
            };
            if let Err(why) = loaded {
                tracing::warn!(source, why, "a revocation list could not be refreshed");
                metrics::counter!("naru_revocation_refresh_total", "outcome" => "failed").increment(1);
                let known = self
                    .list_status()
                    .into_iter()
                    .find(|status| status.source == *source);
                self.note_list(source, known.and_then(|status| status.next_update), Some(why));
            }
        }
        self.end_listed().await
    }

    /// Ends the sessions of certificates that a list revokes by now: who came in before the list is out with it.
    async fn end_listed(&self) -> Result<(), Error> {
        let trust = self.trust();
        let mut after = String::new();
        loop {
            let page = store::certificates::in_use(&self.db, &after).await?;
            let Some(last) = page.last() else { return Ok(()) };
            after = last.id.to_string();
            for certificate in page {
                if trust.revokes(&certificate.issuer, &certificate.serial) {
                    self.end_of_certificate(certificate).await?;
                    self.tools.desktops.wake();
                }
            }
        }
    }

    async fn end_of_certificate(&self, certificate: Certificate) -> Result<(), Error> {
        let Some(person) = store::people::person(&self.db, certificate.person).await? else {
            return Ok(());
        };
        let (tools, now) = (self.tools.clone(), self.clock.now());
        let act = Act {
            at: now,
            action: "identity.end-revoked",
            by: By::Platform("identity"),
            ministry: Some(person.ministry),
            subject: certificate.id.to_string(),
            address: None,
        };
        let ended = self.db.change(act, move |tx| {
            Box::pin(async move {
                tx.note("person", person.id.to_string());
                tx.note("serial", certificate.serial);
                // Whichever of their ministries they serve in it.
                tx.across_ministries().await?;
                for logon in store::logons::open_of(tx, person.id).await? {
                    if logon.certificate == certificate.id {
                        end_logon(tx, &tools, logon.id, EndReason::Revoked, now).await?;
                    }
                }
                Ok::<_, Error>(())
            })
        });
        ended.await
    }

    async fn take(&self, source: &str, bytes: Vec<u8>) -> Result<Result<(), String>, Error> {
        let facts = match self.load(&bytes) {
            Ok(facts) => facts,
            // The same list, or an older copy of it: what is loaded is as good.
            Err(naru_pki::Error::CrlOlder) => return Ok(Ok(())),
            Err(error) => return Ok(Err(error.to_string())),
        };
        metrics::counter!("naru_revocation_refresh_total", "outcome" => "done").increment(1);
        let times = (self.clock.now(), facts.this_update, facts.next_update);
        let name = source.to_owned();
        self.db
            .housekeep("identity.refresh-revocations", move |tx| {
                Box::pin(async move { Ok::<_, Error>(store::keys::set_list(tx, &name, bytes, times).await?) })
            })
            .await?;
        self.note_list(source, Some(facts.next_update), None);
        Ok(Ok(()))
    }

    /// Puts a list into a copy of the trust, and the copy in its place.
    fn load(&self, bytes: &[u8]) -> Result<CrlFacts, naru_pki::Error> {
        let mut trust = Trust::clone(&self.trust());
        let facts = trust.load_crl(bytes)?;
        *self.trust.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(trust);
        Ok(facts)
    }

    fn note_list(&self, source: &str, next_update: Option<Timestamp>, error: Option<String>) {
        let mut lists = self.lists.write().unwrap_or_else(PoisonError::into_inner);
        lists.retain(|status| status.source != source);
        lists.push(ListStatus {
            source: source.to_owned(),
            next_update,
            error,
        });
    }

    /// How each source of revocation lists is doing.
    #[must_use]
    pub fn list_status(&self) -> Vec<ListStatus> {
        self.lists.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
