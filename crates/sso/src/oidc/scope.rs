//! Scopes: what an application asks to be told or allowed.

use core::fmt;
use std::collections::BTreeSet;

use super::{Code, Refusal};

/// A sign-on with an ID token.
pub const OPENID: &str = "openid";
/// Refresh tokens that live on after the session.
pub const OFFLINE_ACCESS: &str = "offline_access";
/// All scopes there are.
pub const KNOWN: &[&str] = &[OPENID, "profile", "email", "groups", "naru", OFFLINE_ACCESS];
/// Characters of a scope parameter.
const CHARACTERS_MAX: usize = 512;

/// A set of scopes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scopes(BTreeSet<String>);

impl Scopes {
    /// Reads a `scope` parameter. Scopes nobody knows are left out (`OpenID` Connect Core 3.1.2.1 says they should be).
    ///
    /// # Errors
    /// `invalid_scope` when it is too long or has characters a scope cannot have (RFC 6749 3.3).
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        let is_sound = text.len() <= CHARACTERS_MAX
            && text
                .bytes()
                .all(|byte| matches!(byte, 0x20 | 0x21 | 0x23..=0x5b | 0x5d..=0x7e));
        if !is_sound {
            return Err(Refusal::new(Code::InvalidScope, "the scope is malformed"));
        }
        Ok(Self::of(text.split(' ').filter(|scope| KNOWN.contains(scope))))
    }

    /// Of these words.
    pub fn of<S: AsRef<str>>(scopes: impl IntoIterator<Item = S>) -> Self {
        Self(
            scopes
                .into_iter()
                .map(|scope| scope.as_ref().to_owned())
                .collect(),
        )
    }

    /// Whether this is among them.
    #[must_use]
    pub fn has(&self, scope: &str) -> bool {
        self.0.contains(scope)
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What both have.
    #[must_use]
    pub fn narrowed_to(&self, allowed: &Self) -> Self {
        Self(self.0.intersection(&allowed.0).cloned().collect())
    }

    /// Without this one.
    #[must_use]
    pub fn without(mut self, scope: &str) -> Self {
        self.0.remove(scope);
        self
    }

    /// Whether all of these are among the others.
    #[must_use]
    pub fn is_within(&self, others: &Self) -> bool {
        self.0.is_subset(&others.0)
    }

    /// Each.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, scope) in self.0.iter().enumerate() {
            if place > 0 {
                f.write_str(" ")?;
            }
            f.write_str(scope)?;
        }
        Ok(())
    }
}
