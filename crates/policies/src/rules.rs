//! What may be written, and what needs a second person.

use crate::model::{Mistake, Policy, PolicyForm, Words};

/// The longest text of one rule.
pub const TEXT_BYTES_MAX: usize = 64 * 1024;
/// How many rules a ministry has at most, switched off ones included.
pub const RULES_PER_MINISTRY_MAX: i64 = 200;
/// The longest name.
pub const NAME_CHARACTERS_MAX: usize = 100;
/// How many Cedar policies one rule's text holds at most.
pub const POLICIES_PER_RULE_MAX: usize = 50;
/// How many mistakes of a text are told at once.
pub const MISTAKES_MAX: usize = 20;
/// How deep brackets and braces of a text may nest.
pub const NESTING_MAX: usize = 32;
/// How many characters of operators one policy may have: what is chained is evaluated by recursion.
pub const OPERATOR_CHARACTERS_MAX: usize = 1_000;

/// Why it is not done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// No role of the actor allows it.
    #[error("this is not allowed for you")]
    Denied,
    /// There is none in the actor's ministry.
    #[error("there is no such rule")]
    NoSuchPolicy,
    /// The dry run names somebody the ministry does not know.
    #[error("there is no such person")]
    NoSuchPerson,
    /// The dry run names something that is not there.
    #[error("there is no such application or zone")]
    NoSuchResource,
    /// A field is wrong.
    #[error("{field}: {why}")]
    Field {
        /// Which.
        field: &'static str,
        /// What is wrong.
        why: &'static str,
    },
    /// The text is no rule.
    #[error("the text of the rule has mistakes")]
    Text(Vec<Mistake>),
    /// The platform's rules hold for all, and so may only refuse.
    #[error("a rule of the platform holds for every ministry and may only forbid")]
    PlatformPermits,
    /// Somebody changed it since it was read.
    #[error("this rule was changed meanwhile; reload it")]
    ChangedMeanwhile,
    /// It is so already.
    #[error("this rule is switched that way already")]
    AlreadySo,
    /// The ministry has as many as it may.
    #[error("a ministry has at most 200 rules")]
    TooMany,
    /// The same waits for a second person already.
    #[error("the same request is already waiting for a second person")]
    AlreadyAsked,
    /// Too much waits in the ministry.
    #[error("too many requests are waiting; decide some of them first")]
    TooMuchAsked,
}

impl Refusal {
    /// Its stable name.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Denied => "policies.denied",
            Self::NoSuchPolicy => "policies.no-such-policy",
            Self::NoSuchPerson => "policies.no-such-person",
            Self::NoSuchResource => "policies.no-such-resource",
            Self::Field { .. } => "policies.malformed-field",
            Self::Text(_) => "policies.mistakes",
            Self::PlatformPermits => "policies.platform-permits",
            Self::ChangedMeanwhile => "policies.changed-meanwhile",
            Self::AlreadySo => "policies.already-so",
            Self::TooMany => "policies.too-many",
            Self::AlreadyAsked => "policies.already-asked",
            Self::TooMuchAsked => "policies.too-much-asked",
        }
    }
}

/// The name as it is kept.
///
/// # Errors
/// When it is empty, too long, or has control characters.
pub fn name(words: &Words) -> Result<Words, Refusal> {
    let field = "name";
    let kept = Words {
        ko: words.ko.trim().to_owned(),
        en: words.en.trim().to_owned(),
    };
    if kept.ko.is_empty() {
        return Err(Refusal::Field {
            field,
            why: "a rule needs a name",
        });
    }
    for text in [&kept.ko, &kept.en] {
        if text.chars().count() > NAME_CHARACTERS_MAX {
            return Err(Refusal::Field {
                field,
                why: "a name has at most 100 characters",
            });
        }
        if text.chars().any(char::is_control) {
            return Err(Refusal::Field {
                field,
                why: "a name has no control characters",
            });
        }
    }
    Ok(kept)
}

/// Whether this change of the rule could let somebody in who was kept out: any edit, and switching it off, while it
/// holds and forbids. What an edit means is not judged: two people do that.
#[must_use]
pub const fn needs_second(policy: &Policy) -> bool {
    policy.is_on && policy.has_forbid
}

/// Whether the form edits what is there now.
///
/// # Errors
/// When it was read before the last change, or does not tell.
pub fn is_current(policy: &Policy, form: &PolicyForm) -> Result<(), Refusal> {
    match form.version {
        None => Err(Refusal::Field {
            field: "version",
            why: "say which version is edited",
        }),
        Some(version) if version == policy.version => Ok(()),
        Some(_) => Err(Refusal::ChangedMeanwhile),
    }
}
