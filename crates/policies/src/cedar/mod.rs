//! The language: Cedar with the platform's schema. Pure: text and questions in, mistakes and verdicts out.

pub mod base;
mod check;
mod judge;
mod slice;

use std::{collections::BTreeMap, str::FromStr as _};

use cedar_policy::{
    Authorizer, EntityTypeName, EntityUid, PolicyId as CedarId, PolicySet, Schema, Validator,
};
use naru_kernel::MinistryId;

use crate::{
    Error,
    model::{Because, Effect, Mistake, Origin, Policy, Words},
};

pub use check::Checked;
pub use judge::Verdict;
pub(crate) use slice::korean;

/// What rules can speak of.
pub const SCHEMA: &str = include_str!("schema.cedarschema");

/// Names of the schema, parsed once.
pub(crate) struct Types {
    person: EntityTypeName,
    group: EntityTypeName,
    ministry: EntityTypeName,
    application: EntityTypeName,
    desktop: EntityTypeName,
    open: EntityUid,
}

/// The language of rules, ready to check texts and to judge.
pub struct Language {
    schema: Schema,
    validator: Validator,
    authorizer: Authorizer,
    types: Types,
    base: Compiled,
}

/// One rule among others of its set.
#[derive(Clone, Debug)]
struct Named {
    rule: String,
    version: i64,
    name: Words,
    effect: Effect,
}

/// The rules of one ministry that hold, ready to be asked.
pub struct Compiled {
    set: PolicySet,
    /// By the identifier each has in the set.
    names: BTreeMap<CedarId, Named>,
    /// What its texts are long, for the bound of what is kept in memory.
    pub(crate) bytes: usize,
}

/// Whose rules are asked, and which.
pub struct Asked<'c> {
    /// As the person sees them.
    pub origin: Origin,
    /// The ministry whose they are; the person's groups and unit are shown to their own only. `None` for the built-in.
    pub ministry: Option<MinistryId>,
    /// The rules.
    pub rules: &'c Compiled,
}

fn language(error: impl core::fmt::Display) -> Error {
    Error::Language(error.to_string())
}

impl Language {
    /// Reads the schema and the built-in rules.
    ///
    /// # Errors
    /// [`Error::Language`] when they do not fit each other, which is a defect.
    pub fn new() -> Result<Self, Error> {
        let (schema, _) = Schema::from_cedarschema_str(SCHEMA).map_err(language)?;
        let name = |text: &str| EntityTypeName::from_str(text).map_err(language);
        let mut this = Self {
            validator: Validator::new(schema.clone()),
            schema,
            authorizer: Authorizer::new(),
            types: Types {
                person: name("Person")?,
                group: name("Group")?,
                ministry: name("Ministry")?,
                application: name("Application")?,
                desktop: name("Desktop")?,
                open: EntityUid::from_str("Action::\"open\"").map_err(language)?,
            },
            base: Compiled::empty(),
        };
        let mut compiled = Compiled::empty();
        for rule in base::BASE {
            let checked = this.check(rule.text).map_err(|mistakes| {
                let first = mistakes.first().map(|mistake| mistake.message.clone());
                Error::Language(format!("{}: {}", rule.id, first.unwrap_or_default()))
            })?;
            compiled.add(rule.id, 0, &rule.name(), &checked)?;
        }
        this.base = compiled;
        Ok(this)
    }

    /// The built-in rules.
    pub(crate) const fn base(&self) -> Asked<'_> {
        Asked {
            origin: Origin::Base,
            ministry: None,
            rules: &self.base,
        }
    }

    /// Makes the rules of a ministry ready; those that are switched off are left out.
    ///
    /// # Errors
    /// [`Error::Language`] when the text of one can no longer be read: nothing is opened by rules that are not understood.
    pub fn compile(&self, policies: &[Policy]) -> Result<Compiled, Error> {
        let mut compiled = Compiled::empty();
        for policy in policies.iter().filter(|policy| policy.is_on) {
            let rule = policy.id.to_string();
            let checked = self.check(&policy.text).map_err(|mistakes: Vec<Mistake>| {
                let first = mistakes.into_iter().next().map(|mistake| mistake.message);
                Error::Language(format!("{rule}: {}", first.unwrap_or_default()))
            })?;
            compiled.add(&rule, policy.version, &policy.name, &checked)?;
            compiled.bytes = compiled.bytes.saturating_add(policy.text.len());
        }
        Ok(compiled)
    }
}

impl Compiled {
    fn empty() -> Self {
        Self {
            set: PolicySet::new(),
            names: BTreeMap::new(),
            bytes: 0,
        }
    }

    fn add(&mut self, rule: &str, version: i64, name: &Words, checked: &Checked) -> Result<(), Error> {
        for (number, (policy, effect)) in checked.policies.iter().enumerate() {
            let id = CedarId::new(format!("{rule}#{number}"));
            self.set.add(policy.new_id(id.clone())).map_err(language)?;
            let named = Named {
                rule: rule.to_owned(),
                version,
                name: name.clone(),
                effect: *effect,
            };
            self.names.insert(id, named);
        }
        Ok(())
    }

    /// The rules behind these, each once.
    fn because(&self, ids: impl Iterator<Item = CedarId>, origin: Origin) -> Vec<Because> {
        let mut found = BTreeMap::new();
        for named in ids.filter_map(|id| self.names.get(&id)) {
            found.entry(named.rule.clone()).or_insert_with(|| Because {
                rule: named.rule.clone(),
                version: named.version,
                name: named.name.clone(),
                origin,
                effect: named.effect,
            });
        }
        found.into_values().collect()
    }
}
