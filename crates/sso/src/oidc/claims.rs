//! The `claims` parameter (`OpenID` Connect Core 5.5) and which claims a scope stands for (5.4).

use std::collections::BTreeMap;

use naru_kernel::access::Assurance;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Refusal, error::invalid, scope::Scopes};

/// Bytes of the parameter.
const BYTES_MAX: usize = 8 * 1024;
/// Claims in each of its two parts.
const CLAIMS_MAX: usize = 64;
/// Values asked for of one claim.
const VALUES_MAX: usize = 16;

/// One claim asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wish {
    /// Without it the sign-on is worth less.
    pub essential: bool,
    /// Values that would do; empty for any.
    pub values: Vec<Value>,
}

/// Claims asked for by name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ClaimsRequest {
    /// In the ID token.
    pub id_token: BTreeMap<String, Wish>,
    /// At the `userinfo` endpoint.
    pub userinfo: BTreeMap<String, Wish>,
}

impl ClaimsRequest {
    /// Reads the parameter.
    ///
    /// # Errors
    /// `invalid_request` when it is no JSON of the right shape, or too large.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        if text.len() > BYTES_MAX {
            return Err(invalid("claims is too long"));
        }
        let root: Map<String, Value> =
            serde_json::from_str(text).map_err(|_| invalid("claims is no JSON object"))?;
        let part = |name: &str| match root.get(name) {
            None | Some(Value::Null) => Ok(BTreeMap::new()),
            Some(Value::Object(wishes)) if wishes.len() <= CLAIMS_MAX => wishes
                .iter()
                .map(|(name, wish)| Ok((name.clone(), parse_wish(wish)?)))
                .collect(),
            Some(_) => Err(invalid("claims has a part that is no object, or too many claims")),
        };
        Ok(Self {
            id_token: part("id_token")?,
            userinfo: part("userinfo")?,
        })
    }

    /// The assurances that `acr` was asked to have, and whether the sign-on must fail without one of them
    /// (`OpenID` Connect Core 5.5.1.1). Values nobody knows are left out.
    #[must_use]
    pub fn acr(&self) -> Option<(Vec<Assurance>, bool)> {
        let wish = self.id_token.get("acr")?;
        let known = wish
            .values
            .iter()
            .filter_map(Value::as_str)
            .filter_map(Assurance::of_acr);
        Some((known.collect(), wish.essential && !wish.values.is_empty()))
    }

    /// The subject the sign-on must be of, if one was named.
    #[must_use]
    pub fn subject(&self) -> Option<&str> {
        self.id_token.get("sub")?.values.first()?.as_str()
    }

    /// Whether `auth_time` was asked for.
    #[must_use]
    pub fn wants_auth_time(&self) -> bool {
        self.id_token.contains_key("auth_time")
    }
}

fn parse_wish(wish: &Value) -> Result<Wish, Refusal> {
    let wish = match wish {
        Value::Null => return Ok(Wish::default()),
        Value::Object(wish) => wish,
        Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            return Err(invalid("a claim is asked for by null or an object"));
        }
    };
    let essential = match wish.get("essential") {
        None => false,
        Some(Value::Bool(essential)) => *essential,
        Some(_) => return Err(invalid("essential is true or false")),
    };
    let values = match (wish.get("value"), wish.get("values")) {
        (Some(value), None) => vec![value.clone()],
        (None, Some(Value::Array(values))) if values.len() <= VALUES_MAX => values.clone(),
        (None, None) => Vec::new(),
        (Some(_) | None, Some(_)) => return Err(invalid("value and values do not go together")),
    };
    Ok(Wish { essential, values })
}

/// The claims a scope stands for; `naru` is ours.
const OF_SCOPES: &[(&str, &[&str])] = &[
    ("profile", &["name", "preferred_username", "locale", "zoneinfo"]),
    ("email", &["email", "email_verified"]),
    ("groups", &["groups"]),
    (
        "naru",
        &["naru_ministry", "naru_ministry_name", "naru_unit", "naru_roles"],
    ),
];

/// Every claim that can be released.
pub fn known() -> impl Iterator<Item = &'static str> {
    OF_SCOPES.iter().flat_map(|(_, claims)| claims.iter().copied())
}

/// Of all that is known of a person, what the scopes release, and what was asked for by name.
///
/// The latter only where a scope the application may have would release it too (`allowed`), so that a name is no way
/// around a scope.
#[must_use]
pub fn released(
    all: &Map<String, Value>,
    granted: &Scopes,
    allowed: &Scopes,
    by_name: &BTreeMap<String, Wish>,
) -> Map<String, Value> {
    let mut out = Map::new();
    for (scope, claims) in OF_SCOPES {
        for claim in *claims {
            let named = by_name.contains_key(*claim) && allowed.has(scope);
            if (granted.has(scope) || named)
                && let Some(value) = all.get(*claim)
            {
                out.insert((*claim).to_owned(), value.clone());
            }
        }
    }
    out
}
