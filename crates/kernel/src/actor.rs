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
pub enum Scope {
    /// Things of one person.
    Person(PersonId),
    /// Things of one ministry.
    Ministry(MinistryId),
    /// Things of the whole platform.
    Platform,
}

/// A person who is logged on with every factor that is required.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    /// Who.
    pub person: PersonId,
    /// Of which ministry.
    pub ministry: MinistryId,
    /// What they are.
    pub roles: BTreeSet<Role>,
    /// By which log-on session.
    pub logon: LogonId,
}

/// The actor may not do this. Whoever answers decides between "forbidden" and "no such thing".
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this action is not allowed for you")]
pub struct Denied;

impl Actor {
    /// Whether a role allows the action on the scope; the first line of every use case.
    ///
    /// # Errors
    /// [`Denied`] when no role of the actor allows it, or it is another's or another ministry's.
    pub fn may(&self, action: Action, scope: Scope) -> Result<(), Denied> {
        let role_allows = self.roles.iter().any(|role| role.may(action));
        let scope_fits = match scope {
            Scope::Person(person) => person == self.person,
            Scope::Ministry(ministry) => ministry == self.ministry,
            Scope::Platform => matches!(action, Action::ManageHosts | Action::ManageMinistries),
        };
        if role_allows && scope_fits {
            Ok(())
        } else {
            Err(Denied)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn actor(role: Role) -> Actor {
        Actor {
            person: PersonId::from_bits(1),
            ministry: MinistryId::from_bits(1),
            roles: BTreeSet::from([role]),
            logon: LogonId::from_bits(1),
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
