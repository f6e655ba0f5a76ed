//! Which certificate policies hold along a path.
//!
//! RFC 5280 6.1 builds a tree because of policy mappings. Mappings are not supported here (a critical one is
//! refused, another ignored), and without them the tree is the intersection of the policies named down the path.

use std::collections::BTreeSet;

use const_oid::ObjectIdentifier;

use crate::{certificate::Certificate, oid};

/// The policies still valid while walking down from the root.
#[derive(Debug)]
pub(crate) struct Policies {
    /// `None`: any.
    valid: Option<BTreeSet<ObjectIdentifier>>,
    /// Certificates left until an explicit policy is required; `None`: never asked for.
    explicit_after: Option<u32>,
    /// Certificates left until anyPolicy no longer counts.
    inhibit_any_after: Option<u32>,
}

impl Policies {
    pub(crate) const fn any() -> Self {
        Self {
            valid: None,
            explicit_after: None,
            inhibit_any_after: None,
        }
    }

    /// Takes in the next certificate below (RFC 5280 6.1.3 d, e).
    pub(crate) fn descend(&mut self, certificate: &Certificate, is_last: bool) {
        let is_self_issued = certificate.subject_key == certificate.issuer_key;
        let Some(named) = &certificate.extensions.policies else {
            self.valid = Some(BTreeSet::new());
            return;
        };
        let any_counts = self.inhibit_any_after != Some(0) || (!is_last && is_self_issued);
        if any_counts && named.contains(&oid::ANY_POLICY) {
            return;
        }
        let named = named.iter().copied().filter(|policy| *policy != oid::ANY_POLICY);
        self.valid = Some(match &self.valid {
            None => named.collect(),
            Some(valid) => named.filter(|policy| valid.contains(policy)).collect(),
        });
    }

    /// Takes in what an authority demands of the certificates below it (RFC 5280 6.1.4 h, i, j).
    pub(crate) fn constrain(&mut self, authority: &Certificate) {
        if authority.subject_key != authority.issuer_key {
            self.explicit_after = self.explicit_after.map(|left| left.saturating_sub(1));
            self.inhibit_any_after = self.inhibit_any_after.map(|left| left.saturating_sub(1));
        }
        let explicit = authority.extensions.policy_constraints.as_ref();
        self.explicit_after = lower(
            self.explicit_after,
            explicit.and_then(|constraints| constraints.require_explicit_policy),
        );
        self.inhibit_any_after = lower(self.inhibit_any_after, authority.extensions.inhibit_any_policy);
    }

    /// Whether the path's end may be used under `allowed` (empty: under any policy or none).
    pub(crate) fn allow(&self, last: &Certificate, allowed: &BTreeSet<ObjectIdentifier>) -> bool {
        let asked_by_itself = last
            .extensions
            .policy_constraints
            .as_ref()
            .is_some_and(|constraints| constraints.require_explicit_policy == Some(0));
        // RFC 5280 6.1.5 a: the counter is lowered once more at the end.
        let is_explicit = asked_by_itself || self.explicit_after.is_some_and(|left| left <= 1);
        if is_explicit && self.valid.as_ref().is_some_and(BTreeSet::is_empty) {
            return false;
        }
        allowed.is_empty() || self.matching(last, allowed).is_some()
    }

    /// The allowed policy that the last certificate itself names and its authorities allow. anyPolicy in a
    /// person's certificate says nothing about them, so it does not count.
    pub(crate) fn matching(
        &self,
        last: &Certificate,
        allowed: &BTreeSet<ObjectIdentifier>,
    ) -> Option<ObjectIdentifier> {
        let named = last.extensions.policies.as_deref().unwrap_or_default();
        named
            .iter()
            .copied()
            .filter(|policy| self.valid.as_ref().is_none_or(|valid| valid.contains(policy)))
            .find(|policy| allowed.contains(policy))
    }
}

fn lower(left: Option<u32>, given: Option<u32>) -> Option<u32> {
    match (left, given) {
        (Some(left), Some(given)) => Some(left.min(given)),
        (left, given) => left.or(given),
    }
}
