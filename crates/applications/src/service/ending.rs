//! What ends when a log-on ends or a person is revoked: called by identity, in its transaction.

use naru_kernel::{LogonId, MinistryId, PersonId, Timestamp};
use naru_store::Tx;

use super::Applications;
use crate::store;

/// Whose single sign-on ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closed {
    /// What was opened in one session.
    Logon(LogonId),
    /// All of a person's: also what lives longer than a session.
    Person(PersonId),
    /// All of a person's as one of this ministry, which they serve no more.
    Membership(PersonId, MinistryId),
}

impl Applications {
    /// Ends grants, tokens and sessions at applications, in the transaction that ends the log-on or revokes the person.
    /// Each protocol has its part here.
    ///
    /// # Errors
    /// When the store fails; the whole transaction fails with it.
    pub async fn logon_ended_in(
        &self,
        tx: &mut Tx,
        closed: Closed,
        at: Timestamp,
    ) -> Result<(), naru_store::Error> {
        let ended = match closed {
            Closed::Logon(logon) => store::grants::end_of_logon(tx, logon, at).await?,
            Closed::Person(person) => store::grants::end_of_person(tx, person, at).await?,
            Closed::Membership(person, ministry) => {
                store::grants::end_of_membership(tx, person, ministry, at).await?
            }
        };
        let left = match closed {
            Closed::Logon(logon) => store::saml::end_of_logon(tx, logon, at).await?,
            Closed::Person(person) => store::saml::end_of_person(tx, person, at).await?,
            Closed::Membership(person, ministry) => {
                store::saml::end_of_membership(tx, person, ministry, at).await?
            }
        };
        if ended > 0 {
            tx.note("sign_ons_ended", ended);
        }
        if left > 0 {
            tx.note("saml_sessions_ended", left);
        }
        Ok(())
    }

    /// Called after the commit of what [`Applications::logon_ended_in`] wrote: log-out messages go out at once.
    pub fn wake(&self) {
        self.sign_on.logouts.notify_one();
    }
}
