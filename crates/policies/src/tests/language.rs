//! What is a rule and what is not; bad input is refused quickly and says where.

use std::sync::LazyLock;

use naru_kernel::{
    MinistryId,
    access::{Assurance, Label},
};
use proptest::prelude::*;

use super::world::{OTHER, OWN, application, question};
use crate::{
    cedar::{Language, base::BASE},
    model::{Effect, Mistake},
    rules::TEXT_BYTES_MAX,
};

/// Read once for all tests.
static LANGUAGE: LazyLock<Language> = LazyLock::new(|| Language::new().unwrap());

fn mistakes(text: &str) -> Vec<Mistake> {
    LANGUAGE.check(text).unwrap_err()
}

#[test]
fn mistakes_say_where_and_what() {
    let wrong_attribute =
        "forbid (principal, action == Action::\"open\", resource)\nwhen { 1 == 1 &&\n  context.hours > 18 };";
    let found = mistakes(wrong_attribute);
    let first = found.first().unwrap();
    assert_eq!((first.line, first.column), (3, 3), "{found:?}");
    assert!(first.message.contains("hours"), "{found:?}");

    let found = mistakes("forbid (principal, action, resource)\nwhen { context.hour > };");
    assert_eq!(found.first().unwrap().line, 2, "{found:?}");

    for (text, said) in [
        ("", "at least one"),
        ("// 아무것도 없음", "at least one"),
        ("permit (principal == ?principal, action, resource);", "slots"),
        (
            "forbid (principal, action, resource) when { context.zone == \"internet\" };",
            "zone",
        ),
        (
            "forbid (principal, action == Action::\"delete\", resource);",
            "delete",
        ),
        ("forbid (principal is Robot, action, resource);", "Robot"),
        (
            "forbid (principal, action, resource) when { resource.label > 3 };",
            "String",
        ),
    ] {
        let found = mistakes(text);
        let all = format!("{found:?}");
        assert!(all.contains(said), "{text}: {all}");
    }
}

#[test]
fn texts_that_would_hurt_are_refused_before_they_are_read() {
    let of = |condition: String| format!("forbid (principal, action, resource) when {{ {condition} }};");
    for text in [
        of("(".repeat(60_000)),
        of(format!("{}true{}", "(".repeat(1_000), ")".repeat(1_000))),
        of("[".repeat(60_000)),
        of("!".repeat(60_000)),
        of("-".repeat(60_000)),
        of(format!("true{}", " || true".repeat(7_000))),
        of(format!("{}true", "if true then true else ".repeat(2_500))),
        of(format!("context{}", ".a".repeat(30_000))),
        "forbid(principal,action,resource);".repeat(1_800),
        "x".repeat(TEXT_BYTES_MAX + 1),
        "\"".repeat(60_000),
        "\\".repeat(60_000),
        "나".repeat(20_000),
    ] {
        let found = mistakes(&text);
        assert!(!found.is_empty() && found.len() <= 20);
    }
    // What is just within bounds is read, and can be judged on the stack of a worker's thread.
    let long = of(format!(
        "context.hour == 1{}",
        " || context.hour == 1".repeat(120)
    ));
    let language = &LANGUAGE;
    assert!(language.check(&long).unwrap().has_forbid());
    let deep = of(format!("{}context.hour == 99{}", "(".repeat(29), ")".repeat(29)));
    assert!(language.check(&deep).is_ok());
}

#[test]
fn built_in_rules_do_what_they_say() {
    let language = &LANGUAGE;
    for rule in BASE {
        let checked = language.check(rule.text).unwrap();
        assert_eq!(checked.has_forbid(), rule.effect == Effect::Forbid, "{}", rule.id);
        assert_eq!(checked.has_permit(), rule.effect == Effect::Permit, "{}", rule.id);
    }
}

fn any_label() -> impl Strategy<Value = Label> {
    prop::sample::select(vec![Label::O, Label::S, Label::C])
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// Without rules of their own, a ministry's people open what is offered to them, unless it is classified; and what is
    /// not offered stays closed at every hour, with every log-on.
    #[test]
    fn own_is_allowed_and_foreign_never(
        label in any_label(),
        at in 0_i64..4_000_000_000,
        assurance in prop::sample::select(Assurance::ALL.to_vec()),
        group in "[가-힣a-z\"\\\\]{0,12}",
        address in "[0-9a-f.:]{0,20}",
    ) {
        let language = &LANGUAGE;
        let mut asked = question(OWN, application(1, OWN, label));
        asked.at = naru_kernel::Timestamp::from_seconds(at);
        asked.assurance = assurance;
        asked.groups.insert(group);
        asked.address = address;
        let own = language.judge(&asked, true, &[]);
        let needs_passkey = label == Label::C && assurance != Assurance::CertificatePasskey;
        prop_assert_eq!(own.is_allowed, !needs_passkey, "{:?}", own);
        prop_assert!(own.errors.is_empty());
        prop_assert_eq!(own.step_up, needs_passkey.then_some(Assurance::CertificatePasskey));

        asked.resource = application(1, OTHER, label);
        // Not even a rule of the person's own ministry opens what another did not offer.
        let permits = crate::model::Policy {
            id: naru_kernel::PolicyId::from_bits(1),
            ministry: MinistryId::from_bits(OWN),
            name: crate::model::Words::default(),
            text: "permit (principal, action, resource);".to_owned(),
            has_forbid: false,
            is_on: true,
            version: 1,
            created_at: asked.at,
            changed_at: asked.at,
            changed_by: None,
        };
        let rules = language.compile(&[permits]).unwrap();
        let theirs = crate::cedar::Asked {
            origin: crate::model::Origin::Ministry,
            ministry: Some(asked.actor.ministry),
            rules: &rules,
        };
        let foreign = language.judge(&asked, false, &[theirs]);
        prop_assert!(!foreign.is_allowed && foreign.step_up.is_none());
    }

    #[test]
    fn no_text_brings_the_reader_down(text in "\\PC{0,200}") {
        drop(LANGUAGE.check(&text));
    }

    #[test]
    fn no_text_of_the_languages_own_words_brings_it_down(
        words in prop::collection::vec(prop::sample::select(vec![
            "permit", "forbid", "(", ")", "principal", "action", "resource", ",", ";", "when", "unless", "{", "}", "==",
            "in", "is", "has", "like", "if", "then", "else", "&&", "||", "!", "-", "context", ".", "hour", "ip", "\"",
            "[", "]", "1", "9223372036854775808", "Person", "::", "@", "?principal", "\n",
        ]), 0..60),
    ) {
        drop(LANGUAGE.check(&words.join(" ")));
    }
}
