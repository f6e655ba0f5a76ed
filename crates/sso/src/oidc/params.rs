//! Parameters of a query or form.

use std::collections::BTreeMap;

use super::{Refusal, error::invalid};

/// Parameters in one request.
const PARAMETERS_MAX: usize = 64;
/// Bytes of one value; a `claims` parameter or a token hint is the longest.
const VALUE_BYTES_MAX: usize = 16 * 1024;
/// Bytes of a name.
const NAME_BYTES_MAX: usize = 64;
/// Bytes of the whole.
const BYTES_MAX: usize = 64 * 1024;

/// The parameters of a request, each at most once (RFC 6749 3.1). An empty value counts as absent (the same section).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Params {
    values: BTreeMap<String, String>,
    repeated: BTreeMap<String, ()>,
}

impl Params {
    /// Reads `application/x-www-form-urlencoded`.
    ///
    /// # Errors
    /// `invalid_request` when it is too large. What was sent twice is refused when it is asked for.
    pub fn parse(encoded: &[u8]) -> Result<Self, Refusal> {
        if encoded.len() > BYTES_MAX {
            return Err(invalid("the request is too long"));
        }
        let mut params = Self::default();
        for (count, (name, value)) in url::form_urlencoded::parse(encoded).enumerate() {
            if count >= PARAMETERS_MAX {
                return Err(invalid("there are too many parameters"));
            }
            if name.len() > NAME_BYTES_MAX || value.len() > VALUE_BYTES_MAX {
                return Err(invalid("a parameter is too long"));
            }
            if value.is_empty() {
                continue;
            }
            if params.values.contains_key(&*name) {
                params.repeated.insert(name.into_owned(), ());
            } else {
                params.values.insert(name.into_owned(), value.into_owned());
            }
        }
        Ok(params)
    }

    /// Of these pairs, the last of a name counts.
    #[must_use]
    pub fn of(pairs: impl IntoIterator<Item = (String, String)>) -> Self {
        Self {
            values: pairs.into_iter().collect(),
            repeated: BTreeMap::new(),
        }
    }

    /// A parameter.
    ///
    /// # Errors
    /// `invalid_request` when it was sent more than once.
    pub fn get(&self, name: &str) -> Result<Option<&str>, Refusal> {
        if self.repeated.contains_key(name) {
            return Err(invalid("a parameter is repeated"));
        }
        Ok(self.values.get(name).map(String::as_str))
    }

    /// A parameter that must be there.
    ///
    /// # Errors
    /// `invalid_request` with `why`, also when it was sent more than once.
    pub fn demand(&self, name: &str, why: &'static str) -> Result<&str, Refusal> {
        self.get(name)?.ok_or(invalid(why))
    }

    /// Whether any parameter was sent twice.
    #[must_use]
    pub fn has_repeated(&self) -> bool {
        !self.repeated.is_empty()
    }

    /// All pairs; what was repeated stands once.
    pub fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.values
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }
}
