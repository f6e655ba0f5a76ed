//! What the record says of people beside their identifiers: a chain cannot forget, so names stand in a table of their own.
//!
//! An entry about a person holds, where a name was noted, `{"hidden": HASH}`: SHA-256 over a random salt and the text. Salt
//! and text can be deleted when the person is to be forgotten; the entry, its hash and every proof stay as they were, and
//! without the salt the hash tells nothing.

use aws_lc_rs::{digest, rand};
use naru_kernel::PersonId;
use serde_json::{Map, Value as Json};

use crate::{Error, FromRow, Row, Tx, params};

crate::sql! {
    KEEP = "INSERT INTO audit_personal (stream, sequence, hash, person, salt, value) VALUES ($1, $2, $3, $4, $5, $6)";
}

/// Fields that say who somebody is, wherever they stand.
const PERSONAL_FIELDS: [&str; 7] = [
    "subject_name",
    "displayName",
    "userName",
    "formatted",
    "email",
    "externalId",
    "search_text",
];
/// A field that says who somebody is in notes about a person; other things have names too.
const NAME_FIELD: &str = "name";
/// Fields that say whom notes are about, where the entry's subject does not.
const WHOM_FIELDS: [&str; 3] = ["person", "to", "about"];
/// Notes nested deeper are kept as they are: ours are flat.
const DEPTH_MAX: u32 = 4;
/// What stands in the place of a text.
const MARK: &str = "hidden";

/// A text about a person, beside its entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Personal {
    /// What stands in the entry, hexadecimal.
    pub hash: String,
    /// What is hashed before the text.
    pub salt: Vec<u8>,
    /// The text.
    pub value: String,
}

impl FromRow for Personal {
    fn from_row(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            hash: row.get("hash")?,
            salt: row.get("salt")?,
            value: row.get("value")?,
        })
    }
}

impl Personal {
    fn of(value: String) -> Result<Self, Error> {
        let mut salt = vec![0; 16];
        rand::fill(&mut salt).map_err(|_| Error::NoRandomness)?;
        Ok(Self {
            hash: hash(&salt, &value),
            salt,
            value,
        })
    }
}

fn hash(salt: &[u8], value: &str) -> String {
    let mut context = digest::Context::new(&digest::SHA256);
    context.update(salt);
    context.update(value.as_bytes());
    hex::encode(context.finish())
}

/// Whom an entry is about, if it is a person.
pub(crate) fn whom(subject: &str, notes: &Map<String, Json>) -> Option<PersonId> {
    let named = WHOM_FIELDS
        .iter()
        .filter_map(|field| notes.get(*field).and_then(Json::as_str));
    std::iter::once(subject)
        .chain(named)
        .find_map(|text| text.parse().ok())
}

/// Takes what says who somebody is out of the notes.
pub(crate) fn hide(notes: &mut Map<String, Json>, whom: Option<PersonId>) -> Result<Vec<Personal>, Error> {
    let mut hidden = Vec::new();
    hide_in(notes, whom.is_some(), DEPTH_MAX, &mut hidden)?;
    Ok(hidden)
}

fn hide_in(
    notes: &mut Map<String, Json>,
    names: bool,
    depth: u32,
    hidden: &mut Vec<Personal>,
) -> Result<(), Error> {
    for (field, value) in notes.iter_mut() {
        let is_personal = PERSONAL_FIELDS.contains(&field.as_str()) || (names && field == NAME_FIELD);
        match value {
            Json::String(text) if is_personal => {
                let personal = Personal::of(std::mem::take(text))?;
                *value = Json::Object(Map::from_iter([(
                    MARK.to_owned(),
                    Json::from(personal.hash.as_str()),
                )]));
                hidden.push(personal);
            }
            Json::Object(inner) if depth > 0 => hide_in(inner, names, depth - 1, hidden)?,
            Json::Object(_)
            | Json::String(_)
            | Json::Array(_)
            | Json::Number(_)
            | Json::Bool(_)
            | Json::Null => {}
        }
    }
    Ok(())
}

/// Whether texts are kept beside an entry with this detail.
#[must_use]
pub fn has_hidden(detail: &str) -> bool {
    detail.contains("{\"hidden\":")
}

/// Puts texts that are still known back into their places. One that does not fit its hash is left out.
pub fn reveal(detail: &mut Json, known: &[Personal]) {
    let Json::Object(fields) = detail else { return };
    for value in fields.values_mut() {
        let mark = value.get(MARK).and_then(Json::as_str);
        let found = mark.and_then(|mark| known.iter().find(|personal| personal.hash == mark));
        match found {
            Some(personal) if hash(&personal.salt, &personal.value) == personal.hash => {
                *value = Json::from(personal.value.as_str());
            }
            Some(_) | None => reveal(value, known),
        }
    }
}

/// Keeps what was hidden beside its entry.
pub(crate) async fn keep(
    tx: &mut Tx,
    (stream, sequence): (&str, i64),
    whom: Option<PersonId>,
    hidden: Vec<Personal>,
) -> Result<(), Error> {
    let person = whom.map(|person| person.to_string()).unwrap_or_default();
    for Personal { hash, salt, value } in hidden {
        tx.exec(KEEP, params![stream, sequence, hash, &person, salt, value])
            .await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn names_are_hidden_and_come_back() {
        let before = json!({
            "before": { "name": "홍길동", "unit": "제1과" },
            "after": { "subject_name": "cn=085홍길동001", "deep": { "email": "a@b", "active": true } },
            "roles": "worker",
        });
        let mut notes = before.as_object().unwrap().clone();
        let mut of_a_thing = notes.clone();
        let hidden = hide(&mut notes, Some(PersonId::from_bits(7))).unwrap();
        // Of what is no person the name stays; a certificate's subject never does.
        assert_eq!(hide(&mut of_a_thing, None).unwrap().len(), 2);
        assert_eq!(of_a_thing["before"]["name"], "홍길동");
        let text = Json::Object(notes.clone()).to_string();
        assert_eq!(hidden.len(), 3);
        assert!(has_hidden(&text));
        assert!(!text.contains("홍길동") && !text.contains("a@b") && text.contains("제1과"));
        let mut shown = Json::Object(notes.clone());
        reveal(&mut shown, &hidden);
        assert_eq!(shown, before);
        // Forgotten, or changed: the mark stays.
        let mut forgotten = Json::Object(notes.clone());
        let mut spoiled = hidden.clone();
        for personal in &mut spoiled {
            personal.value.push('!');
        }
        reveal(&mut forgotten, &spoiled);
        reveal(&mut forgotten, &[]);
        assert_eq!(forgotten, Json::Object(notes));
    }

    #[test]
    fn whom_it_is_about_stands_in_the_subject_or_beside_it() {
        let person = PersonId::from_bits(9);
        let notes = json!({ "to": person.to_string() });
        let notes = notes.as_object().unwrap();
        assert_eq!(whom("approval_1", notes), Some(person));
        assert_eq!(whom(&person.to_string(), &Map::new()), Some(person));
        assert_eq!(whom("host_1", &Map::new()), None);
    }

    #[test]
    fn the_same_name_twice_has_two_hashes() {
        let of = |name: &str| Personal::of(name.to_owned()).unwrap().hash;
        assert_ne!(of("홍길동"), of("홍길동"));
    }
}
