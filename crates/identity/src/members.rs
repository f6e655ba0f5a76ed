//! What ministries make of people: memberships, grants of roles, groups, tokens of directories.

use std::collections::BTreeSet;

use naru_kernel::{Grant, GrantId, GroupId, Id, IdKind, MinistryId, PersonId, Role, Timestamp, Within};
use serde::{Deserialize, Serialize};

use crate::model::UnknownWord;

/// Kind of [`ScimTokenId`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ScimTokenKind {}

impl IdKind for ScimTokenKind {
    const PREFIX: &'static str = "scimtoken";
}

/// What a ministry's directory proves itself with.
pub type ScimTokenId = Id<ScimTokenKind>;

crate::model::words! {
    /// Whether a person serves a ministry.
    MembershipState {
        /// They do.
        Active = "active",
        /// They did.
        Ended = "ended",
    }
}

crate::model::words! {
    /// Who changes a group.
    ManagedBy {
        /// Administrators, on the pages.
        Hand = "hand",
        /// The ministry's directory.
        Scim = "scim",
    }
}

crate::model::words! {
    /// What a directory may do with its token.
    ScimAccess {
        /// Read.
        Read = "read",
        /// Read and change.
        Write = "write",
    }
}

/// A person as one ministry knows them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Membership {
    /// Who.
    pub person: PersonId,
    /// Which ministry they serve.
    pub ministry: MinistryId,
    /// Names from the ministry down with `/` between; empty if unknown.
    pub unit: String,
    /// Mail address there.
    pub email: Option<String>,
    /// The directory's own name for them.
    pub external_id: Option<String>,
    /// POSIX login name on desktop hosts.
    pub account: String,
    /// Whether they serve it now.
    pub state: MembershipState,
    /// Whether it is the ministry their certificate names.
    pub is_home: bool,
    /// Counts changes.
    pub version: i64,
    /// Since when.
    pub created_at: Timestamp,
    /// Changed last.
    pub changed_at: Timestamp,
}

/// A role that was given to a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoleGrant {
    /// Its identifier.
    pub id: GrantId,
    /// Whose.
    pub person: PersonId,
    /// Where.
    pub ministry: MinistryId,
    /// What, and where in the ministry.
    pub grant: Grant,
    /// Until when; absent is for good.
    pub expires_at: Option<Timestamp>,
    /// Who gave it: a person, or `platform`.
    pub granted_by: String,
    /// The administrator who agreed.
    pub approved_by: Option<PersonId>,
    /// Since when.
    pub created_at: Timestamp,
}

/// A group of people of a ministry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Its identifier.
    pub id: GroupId,
    /// Whose.
    pub ministry: MinistryId,
    /// What it is called; one of a kind in the ministry.
    pub name: String,
    /// The directory's own name for it.
    pub external_id: Option<String>,
    /// Who changes it.
    pub managed_by: ManagedBy,
    /// Counts changes.
    pub version: i64,
    /// Since when.
    pub created_at: Timestamp,
    /// Changed last.
    pub changed_at: Timestamp,
}

/// A token of a directory, without its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScimToken {
    /// Its identifier.
    pub id: ScimTokenId,
    /// Whose people it reaches.
    pub ministry: MinistryId,
    /// What administrators call it.
    pub name: String,
    /// What it may do.
    pub access: ScimAccess,
    /// Since when.
    pub created_at: Timestamp,
    /// Until when.
    pub expires_at: Timestamp,
    /// Used last, to ten minutes.
    pub last_used_at: Option<Timestamp>,
}

/// A place in a ministry from its two columns.
///
/// # Errors
/// When the word is none of `ministry`, `unit`, `centre`.
pub fn within_of(word: &str, scope: String) -> Result<Within, UnknownWord> {
    match word {
        "ministry" => Ok(Within::Ministry),
        "unit" => Ok(Within::Unit(scope)),
        "centre" => Ok(Within::Centre(scope)),
        other => Err(UnknownWord::new(other)),
    }
}

/// The roles among some grants, as one text for the record.
#[must_use]
pub fn roles_text(roles: &BTreeSet<Role>) -> String {
    let words: Vec<&str> = roles.iter().map(|role| role.as_str()).collect();
    words.join(" ")
}
