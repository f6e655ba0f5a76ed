//! What a person's data must be: for one entered by hand and for each line of a list.

use std::collections::BTreeSet;

use naru_kernel::Role;

use super::units::{clean_unit, unit_of_subject};

/// The longest name, in characters.
const NAME_CHARACTERS_MAX: usize = 100;
/// The longest subject name, in bytes: what an index takes on every engine.
const SUBJECT_BYTES_MAX: usize = 1_024;
/// The languages of the pages.
pub const LANGUAGES: [&str; 2] = ["ko", "en"];

/// A person's data, found good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewPerson {
    /// Name.
    pub name: String,
    /// The certificate's subject as written.
    pub subject_name: String,
    /// The same, folded for comparison.
    pub subject_key: String,
    /// What they are.
    pub roles: BTreeSet<Role>,
    /// `ko` or `en`.
    pub language: String,
    /// Their unit; the one their certificate names unless another is given.
    pub unit: String,
}

/// A field that is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wrong {
    /// Which.
    pub field: &'static str,
    /// What is wrong.
    pub problem: &'static str,
}

/// Whether people of a ministry may hold a role. Operators run the hosts of all ministries, so no ministry's
/// administrator can make one, save the platform's.
#[must_use]
pub fn may_hold(role: Role, is_platform: bool) -> bool {
    match role {
        Role::Worker | Role::MinistryAdmin | Role::Auditor => true,
        Role::Operator => is_platform,
    }
}

impl NewPerson {
    /// Reads a person's data; empty `roles` means worker, empty `language` Korean.
    ///
    /// # Errors
    /// The first field that is wrong.
    pub fn parse(
        name: &str,
        subject_name: &str,
        roles: &[&str],
        language: &str,
        is_platform: bool,
    ) -> Result<Self, Wrong> {
        let wrong = |field, problem| Err(Wrong { field, problem });
        let name = name.trim();
        if name.is_empty() || name.chars().count() > NAME_CHARACTERS_MAX {
            return wrong("name", "a name has 1 to 100 characters");
        }
        if name.chars().any(char::is_control) {
            return wrong("name", "a name has no control characters");
        }
        let subject_name = subject_name.trim();
        if subject_name.len() > SUBJECT_BYTES_MAX {
            return wrong("subject_name", "a subject name has at most 1024 bytes");
        }
        let key = naru_pki::name::fold_text(subject_name).filter(|key| key.len() <= SUBJECT_BYTES_MAX);
        let Some(subject_key) = key else {
            return wrong(
                "subject_name",
                "this is not a subject name such as CN=…,OU=…,O=…,C=KR",
            );
        };
        let mut set = BTreeSet::new();
        for word in roles
            .iter()
            .map(|word| word.trim())
            .filter(|word| !word.is_empty())
        {
            let Ok(role) = word.parse::<Role>() else {
                return wrong("roles", "a role is worker, ministry_admin, operator or auditor");
            };
            if !may_hold(role, is_platform) {
                return wrong("roles", "operators belong to the platform's ministry");
            }
            set.insert(role);
        }
        if set.is_empty() {
            set.insert(Role::Worker);
        }
        let language = match language.trim() {
            "" => "ko",
            language if LANGUAGES.contains(&language) => language,
            _ => return wrong("language", "a language is ko or en"),
        };
        Ok(Self {
            name: name.to_owned(),
            subject_name: subject_name.to_owned(),
            subject_key,
            roles: set,
            language: language.to_owned(),
            unit: unit_of_subject(subject_name),
        })
    }

    /// Puts the person into a unit; an empty text leaves them where their certificate says.
    ///
    /// # Errors
    /// When it is no unit.
    pub fn in_unit(mut self, unit: &str) -> Result<Self, Wrong> {
        if !unit.trim().is_empty() {
            self.unit = clean_unit(unit)?;
        }
        Ok(self)
    }

    /// What a search looks through.
    #[must_use]
    pub fn search_text(&self) -> String {
        search_text(&self.name, &self.subject_name)
    }
}

/// What a search for people looks through.
#[must_use]
pub fn search_text(name: &str, subject_name: &str) -> String {
    format!("{name} {subject_name}").to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SUBJECT: &str = "CN=085홍길동001,OU=people,O=Government of Korea,C=KR";

    fn parse(name: &str, subject: &str, role: &str, language: &str) -> Result<NewPerson, &'static str> {
        NewPerson::parse(name, subject, &[role], language, false).map_err(|wrong| wrong.field)
    }

    #[test]
    fn good_data_is_read_and_defaults_are_filled_in() {
        let person = parse(" 홍길동 ", SUBJECT, "", "").unwrap();
        assert_eq!(person.name, "홍길동");
        assert_eq!(person.roles, BTreeSet::from([Role::Worker]));
        assert_eq!(person.language, "ko");
        let spelled = parse(
            "홍길동",
            "cn=085홍길동001, ou=people, o=government of korea, c=kr",
            "auditor",
            "en",
        );
        assert_eq!(spelled.unwrap().subject_key, person.subject_key);
    }

    #[test]
    fn each_wrong_field_is_named() {
        assert_eq!(parse("", SUBJECT, "", ""), Err("name"));
        assert_eq!(parse("홍\u{7}길동", SUBJECT, "", ""), Err("name"));
        assert_eq!(parse(&"가".repeat(101), SUBJECT, "", ""), Err("name"));
        assert!(parse(&"가".repeat(100), SUBJECT, "", "").is_ok());
        assert_eq!(parse("홍길동", "not a name", "", ""), Err("subject_name"));
        assert_eq!(
            parse("홍길동", &format!("CN={}", "a".repeat(1_022)), "", ""),
            Err("subject_name")
        );
        assert_eq!(parse("홍길동", SUBJECT, "king", ""), Err("roles"));
        assert_eq!(parse("홍길동", SUBJECT, "worker", "fr"), Err("language"));
    }

    #[test]
    fn only_the_platforms_ministry_has_operators() {
        assert_eq!(parse("홍길동", SUBJECT, "operator", ""), Err("roles"));
        assert!(NewPerson::parse("홍길동", SUBJECT, &["operator"], "", true).is_ok());
    }
}
