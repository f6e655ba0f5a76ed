//! The built-in rules: they hold everywhere, and nobody changes them.

use crate::model::{Effect, Words};

/// A built-in rule.
#[derive(Clone, Copy, Debug)]
pub struct BaseRule {
    /// Its identifier.
    pub id: &'static str,
    /// Its name in Korean.
    pub ko: &'static str,
    /// Its name in English.
    pub en: &'static str,
    /// What it does.
    pub effect: Effect,
    /// The rule in Cedar.
    pub text: &'static str,
}

impl BaseRule {
    pub(crate) fn name(&self) -> Words {
        Words {
            ko: self.ko.to_owned(),
            en: self.en.to_owned(),
        }
    }
}

/// All built-in rules.
pub const BASE: &[BaseRule] = &[
    BaseRule {
        id: "base.offered",
        ko: "부처에 제공된 것은 열 수 있음",
        en: "What is offered to the ministry may be opened",
        effect: Effect::Permit,
        text: r#"permit (
    principal is Person,
    action == Action::"open",
    resource is Application
) when { resource.offered };
"#,
    },
    BaseRule {
        id: "base.not-offered",
        ko: "부처에 제공되지 않은 것은 열 수 없음",
        en: "What is not offered to the ministry stays closed",
        effect: Effect::Forbid,
        text: r#"forbid (
    principal is Person,
    action == Action::"open",
    resource is Application
) unless { resource.offered };
"#,
    },
    BaseRule {
        id: "base.desktops",
        ko: "직원은 데스크톱을 열 수 있음",
        en: "People who work here may open desktops",
        effect: Effect::Permit,
        text: r#"permit (
    principal is Person,
    action == Action::"open",
    resource is Desktop
) when { principal.roles.contains("worker") };
"#,
    },
    BaseRule {
        id: "base.classified-needs-passkey",
        ko: "C 등급은 인증서와 패스키가 필요함",
        en: "Label C needs a certificate and a passkey",
        effect: Effect::Forbid,
        text: r#"forbid (
    principal is Person,
    action == Action::"open",
    resource
) when { resource.label == "C" && context.assurance < 4 };
"#,
    },
    BaseRule {
        id: "base.classified-not-by-internet",
        ko: "C 등급은 인터넷망에서 열 수 없음",
        en: "Label C is never opened by way of the internet zone",
        effect: Effect::Forbid,
        text: r#"forbid (
    principal is Person,
    action == Action::"open",
    resource
) when { resource.label == "C" && context has zone && context.zone == "internet" };
forbid (
    principal is Person,
    action == Action::"open",
    resource is Desktop
) when { resource.label == "C" && resource.zone == "internet" };
"#,
    },
];
