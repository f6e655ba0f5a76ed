//! Who acts, and what they may do.

use core::{fmt, str::FromStr};
use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::{LogonId, MinistryId, PersonId};

/// What a person is to the platform.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Logs on and works.
    Worker,
    /// Runs the people of one ministry.
    MinistryAdmin,
    /// Runs hosts and gateways; sees no one's audit.
    Operator,
    /// Reads the record; changes nothing.
    Auditor,
}

impl Role {
    /// All roles, in order.
    pub const ALL: [Self; 4] = [Self::Worker, Self::MinistryAdmin, Self::Operator, Self::Auditor];

    /// Its name in tables and messages.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Worker => "worker",
            Self::MinistryAdmin => "ministry_admin",
            Self::Operator => "operator",
            Self::Auditor => "auditor",
        }
    }

    /// Whether the role may do this at all, whatever it is done to.
    #[must_use]
    pub const fn may(self, action: Action) -> bool {
        match action {
            Action::OpenDesktop | Action::ManageOwnSecurity => matches!(self, Self::Worker),
            Action::ManagePeople
            | Action::ManageApplications
            | Action::ManagePolicies
            | Action::ManageMinistry
            | Action::Approve => matches!(self, Self::MinistryAdmin),
            Action::ManageHosts | Action::ManageMinistries => matches!(self, Self::Operator),
            Action::ReadRecord => matches!(self, Self::Auditor),
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A text that names no role.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a role is worker, ministry_admin, operator or auditor")]
pub struct UnknownRole;

impl FromStr for Role {
    type Err = UnknownRole;
    fn from_str(text: &str) -> Result<Self, UnknownRole> {
        Self::ALL
            .into_iter()
            .find(|role| role.as_str() == text)
            .ok_or(UnknownRole)
    }
}

/// What can be done; every use case names one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    /// Open, leave, restart or end one's own desktop.
    OpenDesktop,
    /// See and change one's own factors and sessions.
    ManageOwnSecurity,
    /// See and change the people of one's ministry, their certificates, factors and sessions.
    ManagePeople,
    /// See and change hosts, gateways and running desktops.
    ManageHosts,
    /// Read, verify and export the record of one's ministry.
    ReadRecord,
    /// See and change the applications of one's ministry.
    ManageApplications,
    /// See, try and change the rules of one's ministry.
    ManagePolicies,
    /// Change the name, logo and notices of one's ministry.
    ManageMinistry,
    /// Agree to or refuse what another administrator of one's ministry asked.
    Approve,
    /// Make ministries.
    ManageMinistries,
}

/// What an action is done to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope<'u> {
    /// Things of one person.
    Person(PersonId),
    /// Things of one ministry, all of them.
    Ministry(MinistryId),
    /// Things of one unit of a ministry.
    Unit {
        /// Whose unit.
        ministry: MinistryId,
        /// Names from the ministry down with `/` between; empty for the ministry itself.
        unit: &'u str,
    },
    /// Things of the whole platform.
    Platform,
}

/// Where a role counts, within the ministry it was given in.
#[derive(
    Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case", tag = "within", content = "scope")]
pub enum Within {
    /// Everywhere in it.
    Ministry,
    /// In a unit and all units below it: names from the ministry down with `/` between.
    Unit(String),
    /// In one centre.
    Centre(String),
}

impl Within {
    /// Its word in tables.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Ministry => "ministry",
            Self::Unit(_) => "unit",
            Self::Centre(_) => "centre",
        }
    }

    /// Which unit or centre; empty for the ministry.
    #[must_use]
    pub fn scope(&self) -> &str {
        match self {
            Self::Ministry => "",
            Self::Unit(scope) | Self::Centre(scope) => scope,
        }
    }
}

/// Whether `inner` is the unit `outer` or lies below it.
#[must_use]
pub fn is_unit_within(inner: &str, outer: &str) -> bool {
    !outer.is_empty()
        && inner
            .strip_prefix(outer)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// A role a person holds now, and where it counts.
#[derive(
    Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
pub struct Grant {
    /// Which role.
    pub role: Role,
    /// Where.
    #[serde(flatten)]
    pub within: Within,
}

impl Grant {
    /// A role that counts in the whole ministry.
    #[must_use]
    pub const fn everywhere(role: Role) -> Self {
        Self {
            role,
            within: Within::Ministry,
        }
    }
}

/// How far an actor's right to do something goes within their ministry: what a list shows them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reach<'a> {
    /// Nowhere.
    Nothing,
    /// The whole ministry.
    Ministry,
    /// These units and what is below them.
    Units(Vec<&'a str>),
}

/// A person who is logged on with every factor that is required.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    /// Who.
    pub person: PersonId,
    /// The ministry they serve in this session.
    pub ministry: MinistryId,
    /// What they are there, wherever in the ministry it counts; follows from `grants`.
    pub roles: BTreeSet<Role>,
    /// What they are there, and where it counts.
    pub grants: Vec<Grant>,
    /// By which log-on session.
    pub logon: LogonId,
}

/// The actor may not do this. Whoever answers decides between "forbidden" and "no such thing".
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this action is not allowed for you")]
pub struct Denied;

impl Actor {
    /// A person with what was granted to them in the ministry they serve.
    #[must_use]
    pub fn new(person: PersonId, ministry: MinistryId, logon: LogonId, grants: Vec<Grant>) -> Self {
        Self {
            person,
            ministry,
            roles: grants.iter().map(|grant| grant.role).collect(),
            grants,
            logon,
        }
    }

    /// A person with roles that count in the whole ministry.
    #[must_use]
    pub fn with_roles(
        person: PersonId,
        ministry: MinistryId,
        logon: LogonId,
        roles: impl IntoIterator<Item = Role>,
    ) -> Self {
        let grants = roles.into_iter().map(Grant::everywhere).collect();
        Self::new(person, ministry, logon, grants)
    }

    /// Whether a role allows the action on the scope; the first line of every use case.
    ///
    /// # Errors
    /// [`Denied`] when no role of the actor allows it there, or it is another's or another ministry's.
    pub fn may(&self, action: Action, scope: Scope<'_>) -> Result<(), Denied> {
        let is_theirs = match scope {
            Scope::Person(person) => person == self.person,
            Scope::Ministry(ministry) | Scope::Unit { ministry, .. } => ministry == self.ministry,
            Scope::Platform => matches!(action, Action::ManageHosts | Action::ManageMinistries),
        };
        let counts_there = |within: &Within| match scope {
            Scope::Person(_) => true,
            Scope::Ministry(_) | Scope::Platform => *within == Within::Ministry,
            Scope::Unit { unit, .. } => match within {
                Within::Ministry => true,
                Within::Unit(outer) => is_unit_within(unit, outer),
                Within::Centre(_) => false,
            },
        };
        let is_granted = self
            .grants
            .iter()
            .any(|grant| grant.role.may(action) && counts_there(&grant.within));
        if is_theirs && is_granted {
            Ok(())
        } else {
            Err(Denied)
        }
    }

    /// How far the right to an action goes in the actor's ministry; the first line of use cases that list.
    #[must_use]
    pub fn reach(&self, action: Action) -> Reach<'_> {
        let mut units = Vec::new();
        for grant in self.grants.iter().filter(|grant| grant.role.may(action)) {
            match &grant.within {
                Within::Ministry => return Reach::Ministry,
                Within::Unit(unit) => units.push(unit.as_str()),
                Within::Centre(_) => {}
            }
        }
        if units.is_empty() {
            Reach::Nothing
        } else {
            Reach::Units(units)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn actor(role: Role) -> Actor {
        granted([Grant::everywhere(role)])
    }

    fn granted(grants: impl Into<Vec<Grant>>) -> Actor {
        let (person, ministry) = (PersonId::from_bits(1), MinistryId::from_bits(1));
        Actor::new(person, ministry, LogonId::from_bits(1), grants.into())
    }

    fn admin_of(unit: &str) -> Grant {
        Grant {
            role: Role::MinistryAdmin,
            within: Within::Unit(unit.to_owned()),
        }
    }

    #[test]
    fn a_unit_administrator_reaches_the_unit_and_what_is_below_it() {
        let actor = granted([admin_of("감사단"), Grant::everywhere(Role::Worker)]);
        let ministry = actor.ministry;
        let may = |unit| actor.may(Action::ManagePeople, Scope::Unit { ministry, unit });
        assert_eq!(may("감사단"), Ok(()));
        assert_eq!(may("감사단/제1과"), Ok(()));
        for beyond in ["", "감사단장", "감사", "인사과", "인사과/감사단"] {
            assert_eq!(may(beyond), Err(Denied), "{beyond}");
        }
        let (unit, foreign) = ("감사단", MinistryId::from_bits(2));
        let theirs = Scope::Unit {
            ministry: foreign,
            unit,
        };
        assert_eq!(actor.may(Action::ManagePeople, theirs), Err(Denied));
        assert_eq!(
            actor.may(Action::ManagePeople, Scope::Ministry(ministry)),
            Err(Denied)
        );
        assert_eq!(actor.reach(Action::ManagePeople), Reach::Units(vec!["감사단"]));
        assert_eq!(actor.reach(Action::ReadRecord), Reach::Nothing);
        let both = granted([admin_of("감사단"), Grant::everywhere(Role::MinistryAdmin)]);
        assert_eq!(both.reach(Action::ManagePeople), Reach::Ministry);
    }

    #[test]
    fn a_unit_without_a_name_is_nowhere() {
        let ministry = MinistryId::from_bits(1);
        for unit in ["", "감사단", "/감사단"] {
            let scope = Scope::Unit { ministry, unit };
            assert_eq!(
                granted([admin_of("")]).may(Action::ManagePeople, scope),
                Err(Denied)
            );
        }
    }

    #[test]
    fn nobody_reaches_another_ministry() {
        for role in Role::ALL {
            for action in [Action::ManagePeople, Action::ReadRecord, Action::OpenDesktop] {
                assert_eq!(
                    actor(role).may(action, Scope::Ministry(MinistryId::from_bits(2))),
                    Err(Denied)
                );
                assert_eq!(
                    actor(role).may(action, Scope::Person(PersonId::from_bits(2))),
                    Err(Denied)
                );
            }
        }
    }

    #[test]
    fn duties_are_separate() {
        let ministry = Scope::Ministry(MinistryId::from_bits(1));
        assert_eq!(actor(Role::Auditor).may(Action::ReadRecord, ministry), Ok(()));
        assert_eq!(
            actor(Role::Operator).may(Action::ReadRecord, ministry),
            Err(Denied)
        );
        assert_eq!(
            actor(Role::Auditor).may(Action::ManagePeople, ministry),
            Err(Denied)
        );
        assert_eq!(
            actor(Role::Operator).may(Action::ManageHosts, Scope::Platform),
            Ok(())
        );
    }
}
