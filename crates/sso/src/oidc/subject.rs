//! Pairwise subjects: what a person is called towards one ministry's applications (`OpenID` Connect Core 8.1).

use aws_lc_rs::hmac;
use naru_kernel::{LogonId, MinistryId, PersonId};

use crate::jose::encode;

/// The installation's key for subjects.
#[derive(Clone, Debug)]
pub struct SubjectKey(hmac::Key);

impl SubjectKey {
    /// From 256 random bits that are never changed: every subject would change with them.
    #[must_use]
    pub fn new(secret: &[u8; 32]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, secret))
    }

    /// The person as the applications of one ministry know them: the same for all of these, different for another's.
    #[must_use]
    pub fn subject(&self, ministry: MinistryId, person: PersonId) -> String {
        self.code("subject", &ministry.to_string(), &person.to_string())
    }

    /// The session as the applications of one ministry know it (`sid`).
    #[must_use]
    pub fn session(&self, ministry: MinistryId, logon: LogonId) -> String {
        self.code("session", &ministry.to_string(), &logon.to_string())
    }

    fn code(&self, purpose: &str, ministry: &str, of: &str) -> String {
        let code = hmac::sign(&self.0, format!("{purpose}\n{ministry}\n{of}").as_bytes());
        encode(code.as_ref())
    }
}
