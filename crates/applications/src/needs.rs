//! What this domain needs from others; the portal wires it.

use std::collections::BTreeMap;

use naru_kernel::{
    LogonId, MinistryId, PersonId, Role, Timestamp,
    access::{AccessDecision, AccessQuestion, Assurance},
};
use naru_store::{BoxFuture, Error, Tx};

/// What applications may be told about a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubjectFacts {
    /// Who.
    pub person: PersonId,
    /// In which ministry they work in this session.
    pub ministry: MinistryId,
    /// Its name in Korean.
    pub ministry_name_ko: String,
    /// Its name in English.
    pub ministry_name_en: String,
    /// Its digits.
    pub agency_code: String,
    /// Name.
    pub name: String,
    /// Unit: names from the ministry down, with `/` between; empty if unknown.
    pub unit: String,
    /// Mail address, if one is known.
    pub email: Option<String>,
    /// Groups they are in, by name.
    pub groups: Vec<String>,
    /// What they are to the platform.
    pub roles: Vec<Role>,
    /// `ko` or `en`.
    pub language: String,
    /// POSIX login name on hosts.
    pub account: String,
}

/// How the first factor of a log-on was shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogonMethod {
    /// A challenge signed in the browser.
    Certificate,
    /// A TLS client certificate.
    Tls,
    /// Another provider vouched.
    Upstream,
}

/// What is known of a log-on session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogonFacts {
    /// Whose.
    pub person: PersonId,
    /// In which ministry they work in it.
    pub ministry: MinistryId,
    /// How the first factor was shown.
    pub method: LogonMethod,
    /// How much it proved, step ups included.
    pub assurance: Assurance,
    /// Authentication methods, words of RFC 8176.
    pub amr: Vec<&'static str>,
    /// When a factor was shown last.
    pub authenticated_at: Timestamp,
    /// Whether it is signed in and not over.
    pub alive: bool,
}

/// A ministry, as pages name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MinistryFacts {
    /// Name in Korean.
    pub name_ko: String,
    /// Name in English.
    pub name_en: String,
    /// Its digits.
    pub agency_code: String,
}

impl MinistryFacts {
    /// Its name in a language.
    #[must_use]
    pub fn name(&self, language: &str) -> &str {
        if language == "en" {
            &self.name_en
        } else {
            &self.name_ko
        }
    }
}

/// Tells who people are and how they logged on: identity knows.
pub trait KnowsPeople: Send + Sync + 'static {
    /// A person who may work in this ministry now; `None` for one who is revoked or not there.
    fn subject(
        &self,
        ministry: MinistryId,
        person: PersonId,
    ) -> BoxFuture<'_, Result<Option<SubjectFacts>, Error>>;

    /// A log-on session, over or not; `None` for one that is forgotten.
    fn logon(&self, logon: LogonId) -> BoxFuture<'_, Result<Option<LogonFacts>, Error>>;

    /// These ministries; those that are not there are left out.
    fn ministries(
        &self,
        ministries: Vec<MinistryId>,
    ) -> BoxFuture<'_, Result<BTreeMap<MinistryId, MinistryFacts>, Error>>;

    /// Gives a ministry other names, in the transaction that changes its look.
    fn rename_ministry<'t>(
        &'t self,
        tx: &'t mut Tx,
        ministry: MinistryId,
        name_ko: String,
        name_en: String,
    ) -> BoxFuture<'t, Result<(), Error>>;
}

/// Answers what the site's rules say: policies know.
pub trait DecidesAccess: Send + Sync + 'static {
    /// May this person open this, here and now?
    fn decide(&self, question: AccessQuestion) -> BoxFuture<'_, Result<AccessDecision, Error>>;
}
