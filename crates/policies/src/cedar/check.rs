//! Whether a text is a rule: it parses, fits the schema strictly, and stays within bounds.

use cedar_policy::{Effect as CedarEffect, Policy, PolicySet, ValidationMode};
use miette::Diagnostic;

use super::Language;
use crate::{
    model::{Effect, Mistake},
    rules::{MISTAKES_MAX, NESTING_MAX, OPERATOR_CHARACTERS_MAX, POLICIES_PER_RULE_MAX, TEXT_BYTES_MAX},
};

/// A text that is a rule.
#[derive(Debug)]
pub struct Checked {
    /// Its Cedar policies, in no order that matters, and what each does.
    pub(super) policies: Vec<(Policy, Effect)>,
}

impl Checked {
    /// Whether any of it refuses.
    #[must_use]
    pub fn has_forbid(&self) -> bool {
        self.policies.iter().any(|(_, effect)| *effect == Effect::Forbid)
    }

    /// Whether any of it allows.
    #[must_use]
    pub fn has_permit(&self) -> bool {
        self.policies.iter().any(|(_, effect)| *effect == Effect::Permit)
    }
}

/// Line and column, from 1, of a byte of the text.
fn place(text: &str, offset: usize) -> (usize, usize) {
    let mut place = (1, 1);
    for (_, character) in text.char_indices().take_while(|(at, _)| *at < offset) {
        if character == '\n' {
            place = (place.0 + 1, 1);
        } else {
            place.1 += 1;
        }
    }
    place
}

fn mistake(text: &str, offset: usize, message: String, help: Option<String>) -> Mistake {
    let (line, column) = place(text, offset);
    Mistake {
        line,
        column,
        message,
        help,
    }
}

fn of(text: &str, error: &dyn Diagnostic) -> Mistake {
    let offset = error
        .labels()
        .and_then(|mut labels| labels.next())
        .map_or(0, |label| label.offset());
    // The names a validator's message carries are ours: without them it says the same.
    let message = error.to_string();
    let message = match message
        .strip_prefix("for policy `")
        .and_then(|rest| rest.split_once("`, "))
    {
        Some((_, said)) => said.to_owned(),
        None => message,
    };
    mistake(text, offset, message, error.help().map(|help| help.to_string()))
}

/// What the parser and the evaluator do by recursion is bounded before they see it.
fn bounded(text: &str) -> Result<(), Mistake> {
    if text.len() > TEXT_BYTES_MAX {
        let message = format!("a rule has at most {TEXT_BYTES_MAX} bytes");
        return Err(mistake(text, 0, message, None));
    }
    let (mut depth, mut operators) = (0_usize, 0_usize);
    let mut in_string = false;
    let mut characters = text.char_indices().peekable();
    while let Some((at, character)) = characters.next() {
        if in_string {
            match character {
                '\\' => drop(characters.next()),
                '"' => in_string = false,
                _ => {}
            }
            continue;
        }
        match character {
            '"' => in_string = true,
            '/' if characters.peek().is_some_and(|(_, next)| *next == '/') => {
                while characters.next_if(|(_, next)| *next != '\n').is_some() {}
            }
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            '|' | '&' | '+' | '-' | '*' | '!' | '.' | '<' | '>' | '=' => operators += 1,
            'i' if text.get(at..).is_some_and(|rest| rest.starts_with("if")) => operators += 1,
            ';' => operators = 0,
            _ => {}
        }
        if depth > NESTING_MAX {
            let message = format!("brackets nest at most {NESTING_MAX} deep");
            return Err(mistake(text, at, message, None));
        }
        if operators > OPERATOR_CHARACTERS_MAX {
            let message =
                format!("one policy has at most {OPERATOR_CHARACTERS_MAX} characters of operators; split it");
            return Err(mistake(text, at, message, None));
        }
    }
    Ok(())
}

impl Language {
    /// Reads a rule's text and holds it to the schema, strictly.
    ///
    /// # Errors
    /// What is wrong and where, at most [`MISTAKES_MAX`].
    pub fn check(&self, text: &str) -> Result<Checked, Vec<Mistake>> {
        bounded(text).map_err(|mistake| vec![mistake])?;
        let set = text.parse::<PolicySet>().map_err(|errors| {
            let found = errors.iter().take(MISTAKES_MAX);
            found.map(|error| of(text, error)).collect::<Vec<_>>()
        })?;
        if set.templates().next().is_some() {
            let message = "a rule has no slots such as ?principal".to_owned();
            return Err(vec![mistake(text, text.find('?').unwrap_or(0), message, None)]);
        }
        let policies: Vec<(Policy, Effect)> = set
            .policies()
            .map(|policy| {
                let effect = match policy.effect() {
                    CedarEffect::Permit => Effect::Permit,
                    CedarEffect::Forbid => Effect::Forbid,
                };
                (policy.clone(), effect)
            })
            .collect();
        if policies.is_empty() {
            let message = "write at least one permit or forbid".to_owned();
            return Err(vec![mistake(text, 0, message, None)]);
        }
        if policies.len() > POLICIES_PER_RULE_MAX {
            let message = format!("one rule holds at most {POLICIES_PER_RULE_MAX} policies");
            return Err(vec![mistake(text, 0, message, None)]);
        }
        let result = self.validator.validate(&set, ValidationMode::Strict);
        let mut mistakes: Vec<Mistake> = result
            .validation_errors()
            .take(MISTAKES_MAX)
            .map(|error| of(text, error))
            .collect();
        if mistakes.is_empty() {
            Ok(Checked { policies })
        } else {
            mistakes.sort_by_key(|mistake| (mistake.line, mistake.column));
            mistakes.dedup();
            Err(mistakes)
        }
    }
}
