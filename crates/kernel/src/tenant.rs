//! Whose rows a query may see.

use core::fmt;

use crate::{Actor, MinistryId};

/// The rows of one ministry. Functions that read or write a ministry's rows take one, so that a query without a
/// ministry does not compile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tenant(MinistryId);

impl Tenant {
    /// For work that no person asked for, where a row names the ministry it is done for; a person's requests use
    /// [`Actor::tenant`].
    #[must_use]
    pub const fn of(ministry: MinistryId) -> Self {
        Self(ministry)
    }

    /// Which ministry.
    #[must_use]
    pub const fn ministry(self) -> MinistryId {
        self.0
    }
}

impl fmt::Display for Tenant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Actor {
    /// The rows this person works with: those of the ministry they serve in this session.
    #[must_use]
    pub const fn tenant(&self) -> Tenant {
        Tenant(self.ministry)
    }
}
