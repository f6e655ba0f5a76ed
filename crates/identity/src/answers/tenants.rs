//! Answers about ministries, grants, groups and tokens.

use naru_kernel::{ApprovalId, Grant, GrantId, GroupId, MinistryId, PersonId, Timestamp};
use schemars::JsonSchema;
use serde::Serialize;

use crate::members::{Group, ManagedBy, RoleGrant, ScimAccess, ScimToken, ScimTokenId};

/// A role that was given.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct GrantRow {
    /// Its identifier.
    pub id: GrantId,
    /// Whose.
    pub person: PersonId,
    /// What they are called; empty where the person is known from what surrounds it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub person_name: String,
    /// Role, and where it counts: `role`, `within`, `scope`.
    #[serde(flatten)]
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

impl From<RoleGrant> for GrantRow {
    fn from(grant: RoleGrant) -> Self {
        Self {
            id: grant.id,
            person: grant.person,
            person_name: String::new(),
            grant: grant.grant,
            expires_at: grant.expires_at,
            granted_by: grant.granted_by,
            approved_by: grant.approved_by,
            created_at: grant.created_at,
        }
    }
}

/// What became of a wish: done at once, or waiting for a second administrator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Approved {
    /// Whether it is done.
    pub done: bool,
    /// What waits for a second administrator.
    pub approval: Option<ApprovalId>,
}

/// A ministry one serves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct MyMinistry {
    /// Which.
    pub ministry: MinistryId,
    /// Its name in the person's language.
    pub name: String,
    /// Whether this session serves it.
    pub current: bool,
}

/// A ministry in a list.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct MinistryRow {
    /// Its identifier.
    pub id: MinistryId,
    /// Name in Korean.
    pub name_ko: String,
    /// Name in English.
    pub name_en: String,
    /// Digits by which certificates name it.
    pub agency_code: String,
    /// Whether it runs the platform.
    pub is_platform: bool,
    /// How many serve it; 10,001 stands for more than 10,000.
    pub people: i64,
    /// Since when.
    pub created_at: Timestamp,
}

/// A group in a list.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct GroupRow {
    /// Its identifier.
    pub id: GroupId,
    /// What it is called.
    pub name: String,
    /// Who changes it.
    pub managed_by: ManagedBy,
    /// How many are in it; 10,001 stands for more than 10,000.
    pub members: i64,
    /// Since when.
    pub created_at: Timestamp,
    /// Changed last.
    pub changed_at: Timestamp,
}

impl GroupRow {
    pub(crate) fn new(group: Group, members: i64) -> Self {
        Self {
            id: group.id,
            name: group.name,
            managed_by: group.managed_by,
            members,
            created_at: group.created_at,
            changed_at: group.changed_at,
        }
    }
}

/// Somebody in a group.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct MemberRow {
    /// Who.
    pub person: PersonId,
    /// Name.
    pub name: String,
    /// Unit.
    pub unit: String,
}

/// A unit in which somebody serves.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct UnitRow {
    /// Names from the ministry down with `/` between; empty for the ministry itself.
    pub unit: String,
    /// How many serve in it, units below not counted.
    pub people: i64,
}

/// A directory's token in a list.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ScimTokenRow {
    /// Its identifier.
    pub id: ScimTokenId,
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

impl From<ScimToken> for ScimTokenRow {
    fn from(token: ScimToken) -> Self {
        Self {
            id: token.id,
            name: token.name,
            access: token.access,
            created_at: token.created_at,
            expires_at: token.expires_at,
            last_used_at: token.last_used_at,
        }
    }
}

/// A directory's token, shown once.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct NewScimToken {
    /// What the directory sends as `Authorization: Bearer …`.
    pub secret: String,
    /// The token without it.
    #[serde(flatten)]
    pub token: ScimTokenRow,
}

/// What a synchronisation would do, or did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ImportEffect {
    /// How many join.
    pub joiners: usize,
    /// How many change name, language, unit or groups.
    pub movers: usize,
    /// How many leave.
    pub leavers: usize,
    /// Names of the first 1,000 who join.
    pub joiner_names: Vec<String>,
    /// Names of the first 1,000 who change.
    pub mover_names: Vec<String>,
    /// Names of the first 1,000 who leave.
    pub leaver_names: Vec<String>,
    /// Sessions of leavers that end.
    pub sessions: i64,
    /// Desktops of leavers that end.
    pub desktops: i64,
    /// So many leave that it has to be confirmed.
    pub needs_confirmation: bool,
}
