//! What an administrator may make of a ministry's corner.

use naru_kernel::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Wrong,
    fields::{self, Needed},
    form, picture,
};
use crate::model::Words;

/// The longest name of a ministry, in characters.
const NAME_CHARACTERS_MAX: usize = 100;
/// The longest heading of a notice, in characters.
const TITLE_CHARACTERS_MAX: usize = 120;
/// The longest text of a notice, in characters.
const BODY_CHARACTERS_MAX: usize = 4_000;

/// A logo in a form.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LogoForm {
    /// As it was.
    #[default]
    Keep,
    /// None.
    Remove,
    /// A PNG, base64, at most 64 KiB.
    Png(String),
}

/// A ministry's name and look, as an administrator writes them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LookForm {
    /// Name.
    pub name: Words,
    /// `#rrggbb`; none for the platform's own colour.
    #[serde(default)]
    pub colour: Option<String>,
    /// Logo.
    #[serde(default)]
    pub logo: LogoForm,
}

/// A look that was checked; a logo that is kept is absent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LookDraft {
    /// Name.
    pub name: Words,
    /// `#rrggbb`, in small letters.
    pub colour: Option<String>,
    /// The new logo, or that there is none.
    pub logo: Option<Option<Vec<u8>>>,
}

impl LookDraft {
    /// Checks a form.
    ///
    /// # Errors
    /// The first field that cannot be taken.
    pub fn of(form: LookForm) -> Result<Self, Wrong> {
        let name = fields::words("name", &form.name, NAME_CHARACTERS_MAX, Needed::Yes)?;
        if name.en.is_empty() {
            return Err(Wrong::new("name", "is needed in English too"));
        }
        let colour = form.colour.map(|colour| colour.to_lowercase());
        if colour.as_deref().is_some_and(|colour| !is_colour(colour)) {
            return Err(Wrong::new("colour", "is no colour like #1a5fb4"));
        }
        let logo = match form.logo {
            LogoForm::Keep => None,
            LogoForm::Remove => Some(None),
            LogoForm::Png(text) => Some(Some(form::png("logo", &text, picture::LOGO)?)),
        };
        Ok(Self { name, colour, logo })
    }
}

/// Whether it is a colour like `#1a5fb4`.
#[must_use]
pub fn is_colour(text: &str) -> bool {
    text.strip_prefix('#')
        .is_some_and(|digits| digits.len() == 6 && digits.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// A notice, as an administrator writes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NoticeForm {
    /// Heading.
    pub title: Words,
    /// Text.
    #[serde(default)]
    pub body: Words,
    /// Whether it stands first.
    #[serde(default)]
    pub urgent: bool,
    /// From when it hangs there; now, if absent.
    #[serde(default)]
    pub shown_from: Option<Timestamp>,
    /// Until when, if it ends.
    #[serde(default)]
    pub shown_until: Option<Timestamp>,
}

/// A notice that was checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoticeDraft {
    /// Heading.
    pub title: Words,
    /// Text.
    pub body: Words,
    /// Whether it stands first.
    pub is_urgent: bool,
    /// From when it hangs there, if that was said.
    pub shown_from: Option<Timestamp>,
    /// Until when, if it ends.
    pub shown_until: Option<Timestamp>,
}

impl NoticeDraft {
    /// Checks a form.
    ///
    /// # Errors
    /// The first field that cannot be taken.
    pub fn of(form: NoticeForm, now: Timestamp) -> Result<Self, Wrong> {
        let from = form.shown_from.unwrap_or(now);
        if form.shown_until.is_some_and(|until| until <= from) {
            return Err(Wrong::new("shown_until", "is not after the beginning"));
        }
        Ok(Self {
            title: fields::words("title", &form.title, TITLE_CHARACTERS_MAX, Needed::Yes)?,
            body: Words {
                ko: fields::text("body", &form.body.ko, BODY_CHARACTERS_MAX, Needed::No)?,
                en: fields::text("body", &form.body.en, BODY_CHARACTERS_MAX, Needed::No)?,
            },
            is_urgent: form.urgent,
            shown_from: form.shown_from,
            shown_until: form.shown_until,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_six_digits() {
        assert!(is_colour("#1a5fb4"));
        for wrong in ["", "red", "#fff", "#1a5fb", "#1a5fb4;", "#1a5fbg"] {
            assert!(!is_colour(wrong), "{wrong}");
        }
    }

    #[test]
    fn a_notice_ends_after_it_begins() {
        let form = |until| NoticeForm {
            title: Words {
                ko: "알림".to_owned(),
                en: String::new(),
            },
            body: Words::default(),
            urgent: false,
            shown_from: Some(Timestamp::from_seconds(10)),
            shown_until: Some(Timestamp::from_seconds(until)),
        };
        let now = Timestamp::from_seconds(0);
        assert!(NoticeDraft::of(form(11), now).is_ok());
        assert_eq!(NoticeDraft::of(form(10), now).unwrap_err().field, "shown_until");
    }
}
