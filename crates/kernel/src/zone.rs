//! Network zones by name: which there are is configuration, not code.

use core::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// The name of a network zone, such as `business` or `internet`.
#[derive(
    Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(try_from = "String", into = "String")]
pub struct Zone(String);

/// A text that cannot name a zone.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a zone name has 1 to 32 characters of a-z, 0-9 and hyphen")]
pub struct MalformedZone;

impl Zone {
    /// The longest name, in characters.
    pub const LENGTH_MAX: usize = 32;

    /// The zone of office work.
    #[must_use]
    pub fn business() -> Self {
        Self("business".to_owned())
    }

    /// The zone that reaches the internet.
    #[must_use]
    pub fn internet() -> Self {
        Self("internet".to_owned())
    }

    /// Its name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Zone {
    type Err = MalformedZone;

    fn from_str(text: &str) -> Result<Self, MalformedZone> {
        let fits = (1..=Self::LENGTH_MAX).contains(&text.len())
            && text
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        if fits {
            Ok(Self(text.to_owned()))
        } else {
            Err(MalformedZone)
        }
    }
}

impl TryFrom<String> for Zone {
    type Error = MalformedZone;
    fn try_from(text: String) -> Result<Self, MalformedZone> {
        text.parse()
    }
}

impl From<Zone> for String {
    fn from(zone: Zone) -> Self {
        zone.0
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
