//! What people and groups look like to a directory (RFC 7643), and what it may ask of us.

use naru_kernel::Timestamp;
use naru_scim::FILTER_BYTES_MAX;
use serde_json::{Map, Value, json};

use super::PAGE_ROWS_MAX;
use crate::{
    members::Group,
    model::{Person, PersonState},
    store::{groups::Member, scim::User},
};

pub(super) const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
pub(super) const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
pub(super) const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";

/// Kinds of resources.
pub(crate) const RESOURCE_TYPES: [&str; 2] = ["User", "Group"];
/// Schemas that are described.
pub(crate) const SCHEMAS: [&str; 3] = [USER, GROUP, ENTERPRISE];

/// Which attributes a directory wants to see (RFC 7644, 3.9): the top ones only.
#[derive(Clone, Debug, Default)]
pub(crate) struct Attributes {
    wanted: Option<Vec<String>>,
    unwanted: Vec<String>,
}

impl Attributes {
    pub(crate) fn new(attributes: Option<&str>, excluded: Option<&str>) -> Self {
        let names = |text: &str| -> Vec<String> {
            text.split(',')
                .map(|name| {
                    let name = name.trim();
                    let name = name.rsplit_once(':').map_or(name, |(_, name)| name);
                    name.split('.').next().unwrap_or_default().to_lowercase()
                })
                .take(64)
                .collect()
        };
        Self {
            wanted: attributes.filter(|text| !text.trim().is_empty()).map(names),
            unwanted: excluded.map(names).unwrap_or_default(),
        }
    }

    /// The resource with what is wanted of it; `schemas` and `id` always are.
    pub(crate) fn of(&self, resource: Value) -> Value {
        let Value::Object(object) = resource else {
            return resource;
        };
        let stays = |key: &String| {
            let key = key.to_lowercase();
            if key == "schemas" || key == "id" {
                return true;
            }
            // An extension is asked for by its attributes.
            let is_extension = key.starts_with("urn:");
            match &self.wanted {
                Some(wanted) => {
                    wanted.contains(&key) || (is_extension && wanted.iter().any(|one| one == "department"))
                }
                None => !self.unwanted.contains(&key),
            }
        };
        Value::Object(object.into_iter().filter(|(key, _)| stays(key)).collect())
    }
}

/// A moment as the standard writes it.
fn moment(at: Timestamp) -> String {
    let micros = at.as_micros();
    let (seconds, rest) = (micros.div_euclid(1_000_000), micros.rem_euclid(1_000_000));
    let (days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let (year, month, day) = civil(days);
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{rest:06}Z")
}

/// Year, month and day of a day since 1970 in the Gregorian calendar, by counting in eras of 400 years from 1 March.
const fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let day_of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let place = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * place + 2) / 5 + 1;
    let month = if place < 10 { place + 3 } else { place - 9 };
    let year = year_of_era + era * 400 + if month <= 2 { 1 } else { 0 };
    (year, month, day)
}

/// The version of a person: what a directory changes is counted, what administrators do to their state is added.
pub(super) fn user_version(person: &Person, version: i64) -> String {
    let state = if person.state == PersonState::Revoked {
        "r"
    } else {
        "a"
    };
    format!("W/\"{version}{state}\"")
}

pub(super) fn group_version(group: &Group) -> String {
    format!("W/\"{}\"", group.version)
}

fn meta(kind: &str, (created, changed): (Timestamp, Timestamp), id: &str, version: &str) -> Value {
    json!({
        "resourceType": kind, "created": moment(created), "lastModified": moment(changed),
        "location": format!("/scim/v2/{kind}s/{id}"), "version": version,
    })
}

/// A person, without their groups.
pub(super) fn user(user: &User) -> Value {
    let (person, membership) = (&user.person, &user.membership);
    let id = person.id.to_string();
    let version = user_version(person, membership.version);
    let times = (membership.created_at, membership.changed_at);
    let mut object = Map::new();
    object.insert("schemas".to_owned(), json!([USER, ENTERPRISE]));
    object.insert("id".to_owned(), json!(id));
    if let Some(external_id) = &membership.external_id {
        object.insert("externalId".to_owned(), json!(external_id));
    }
    object.insert("userName".to_owned(), json!(person.subject_name));
    object.insert("name".to_owned(), json!({ "formatted": person.name }));
    object.insert("displayName".to_owned(), json!(person.name));
    object.insert("preferredLanguage".to_owned(), json!(person.language));
    object.insert("active".to_owned(), json!(person.state != PersonState::Revoked));
    if let Some(email) = &membership.email {
        object.insert(
            "emails".to_owned(),
            json!([{ "value": email, "type": "work", "primary": true }]),
        );
    }
    object.insert(ENTERPRISE.to_owned(), json!({ "department": membership.unit }));
    object.insert("meta".to_owned(), meta("User", times, &id, &version));
    Value::Object(object)
}

/// A group with its people.
pub(super) fn group(group: &Group, members: Option<&[Member]>) -> Value {
    let id = group.id.to_string();
    let version = group_version(group);
    let times = (group.created_at, group.changed_at);
    let mut object = Map::new();
    object.insert("schemas".to_owned(), json!([GROUP]));
    object.insert("id".to_owned(), json!(id));
    if let Some(external_id) = &group.external_id {
        object.insert("externalId".to_owned(), json!(external_id));
    }
    object.insert("displayName".to_owned(), json!(group.name));
    if let Some(members) = members {
        let members: Vec<Value> = members
            .iter()
            .map(|member| {
                let person = member.person.to_string();
                let address = format!("/scim/v2/Users/{person}");
                json!({ "value": person, "display": member.name, "$ref": address, "type": "User" })
            })
            .collect();
        object.insert("members".to_owned(), Value::Array(members));
    }
    object.insert("meta".to_owned(), meta("Group", times, &id, &version));
    Value::Object(object)
}

/// What this server can do (RFC 7643, 5).
pub(crate) fn configuration() -> Value {
    json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"],
        "documentationUri": "https://www.rfc-editor.org/rfc/rfc7644",
        "patch": { "supported": true },
        "bulk": { "supported": false, "maxOperations": 0, "maxPayloadSize": 0 },
        "filter": { "supported": true, "maxResults": PAGE_ROWS_MAX, "maxLength": FILTER_BYTES_MAX },
        "changePassword": { "supported": false },
        "sort": { "supported": true },
        "etag": { "supported": true },
        "authenticationSchemes": [{
            "type": "oauthbearertoken", "name": "Bearer token", "primary": true,
            "description": "A token of one ministry, made by its administrator",
        }],
        "meta": { "resourceType": "ServiceProviderConfig", "location": "/scim/v2/ServiceProviderConfig" },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_written_as_the_standard_wants() {
        assert_eq!(moment(Timestamp::from_micros(0)), "1970-01-01T00:00:00.000000Z");
        assert_eq!(
            moment(Timestamp::from_micros(1_772_323_199_000_001)),
            "2026-02-28T23:59:59.000001Z"
        );
        assert_eq!(
            moment(Timestamp::from_seconds(951_782_400)),
            "2000-02-29T00:00:00.000000Z"
        );
    }

    #[test]
    fn only_what_is_wanted_is_shown() {
        let user = || json!({ "schemas": [], "id": "1", "userName": "a", "active": true, "name": {} });
        let some = Attributes::new(Some("userName, name.formatted"), None).of(user());
        assert_eq!(
            some,
            json!({ "schemas": [], "id": "1", "userName": "a", "name": {} })
        );
        let rest = Attributes::new(None, Some("userName,id")).of(user());
        assert_eq!(
            rest,
            json!({ "schemas": [], "id": "1", "active": true, "name": {} })
        );
    }
}
