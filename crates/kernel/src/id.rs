//! Typed identifiers over `UUIDv7` (RFC 9562), one registered kind per thing.

use core::{fmt, marker::PhantomData, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use uuid::Uuid;

use crate::{Entropy, Timestamp};

/// A kind of identifier: gives the prefix of its text form.
pub trait IdKind: Copy + Eq + Ord + fmt::Debug + Send + Sync + 'static {
    /// What stands before the underscore, e.g. `person` in `person_0198…`.
    const PREFIX: &'static str;
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {}
        impl IdKind for $name {
            const PREFIX: &'static str = $prefix;
        }
    )*};
}

kinds! {
    /// Kind of [`crate::PersonId`].
    PersonKind = "person";
    /// Kind of [`crate::MinistryId`].
    MinistryKind = "ministry";
    /// Kind of [`crate::CertificateId`].
    CertificateKind = "certificate";
    /// Kind of [`crate::FactorId`].
    FactorKind = "factor";
    /// Kind of [`crate::LogonId`].
    LogonKind = "logon";
    /// Kind of [`crate::DesktopId`].
    DesktopKind = "desktop";
    /// Kind of [`crate::HostId`].
    HostKind = "host";
    /// Kind of [`crate::AuditId`].
    AuditKind = "audit";
    /// Kind of [`crate::ApplicationId`].
    ApplicationKind = "application";
    /// Kind of [`crate::GroupId`].
    GroupKind = "group";
    /// Kind of [`crate::GrantId`].
    GrantKind = "grant";
    /// Kind of [`crate::ApprovalId`].
    ApprovalKind = "approval";
    /// Kind of [`crate::PolicyId`].
    PolicyKind = "policy";
    /// Kind of [`crate::NoticeId`].
    NoticeKind = "notice";
}

/// An identifier of one kind; its text form is `prefix_` and 32 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id<K: IdKind>(Uuid, PhantomData<K>);

impl<K: IdKind> Id<K> {
    /// Makes an identifier that sorts by `now`; the rest of its bits come from `entropy`.
    #[must_use]
    pub fn new(now: Timestamp, entropy: &dyn Entropy) -> Self {
        let mut random = [0_u8; 10];
        entropy.fill(&mut random);
        let millis = u64::try_from(now.as_millis()).unwrap_or(0);
        Self(
            uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid(),
            PhantomData,
        )
    }

    /// The identifier with these bits; for fixed identifiers such as the platform's own ministry.
    #[must_use]
    pub const fn from_bits(bits: u128) -> Self {
        Self(Uuid::from_u128(bits), PhantomData)
    }
}

impl<K: IdKind> fmt::Display for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}_{}", K::PREFIX, self.0.simple())
    }
}

impl<K: IdKind> fmt::Debug for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A text that is not an identifier of the wanted kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected an identifier like {prefix}_0198… with 32 hexadecimal digits")]
pub struct MalformedId {
    prefix: &'static str,
}

impl<K: IdKind> FromStr for Id<K> {
    type Err = MalformedId;

    fn from_str(text: &str) -> Result<Self, MalformedId> {
        text.strip_prefix(K::PREFIX)
            .and_then(|rest| rest.strip_prefix('_'))
            .filter(|digits| digits.len() == 32)
            .and_then(|digits| Uuid::try_parse(digits).ok())
            .map(|uuid| Self(uuid, PhantomData))
            .ok_or(MalformedId { prefix: K::PREFIX })
    }
}

impl<K: IdKind> Serialize for Id<K> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de, K: IdKind> Deserialize<'de> for Id<K> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}

impl<K: IdKind> schemars::JsonSchema for Id<K> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        format!("{}Id", K::PREFIX).into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "pattern": format!("^{}_[0-9a-f]{{32}}$", K::PREFIX) })
    }
}

#[cfg(test)]
mod tests {
    use crate::PersonId;

    #[test]
    fn text_form_round_trips_and_refuses_another_kind() {
        let id = PersonId::from_bits(7);
        assert_eq!(id.to_string(), "person_00000000000000000000000000000007");
        assert_eq!(id.to_string().parse::<PersonId>(), Ok(id));
        assert!(id.to_string().parse::<crate::DesktopId>().is_err());
        assert!("person_7".parse::<PersonId>().is_err());
    }
}
