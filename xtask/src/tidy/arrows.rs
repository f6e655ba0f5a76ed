//! The arrows between crates point one way. Each rule names what may not be there, and why.

use std::collections::BTreeSet;

use super::packages::Packages;

/// Pure crates: bytes and time in, bytes and decisions out.
const PURE: &[&str] = &["naru-kernel", "naru-pki", "naru-relay", "naru-sso", "naru-scim"];
/// Business parts.
const DOMAINS: &[&str] = &[
    "naru-identity",
    "naru-applications",
    "naru-policies",
    "naru-approvals",
    "naru-desktops",
    "naru-audit",
];
/// Process roles at the edge: they trust signed tickets, not tables.
const EDGE: &[&str] = &["naru-gateway", "naru-agent"];
/// What only the tests of the tests may name.
const DEVELOPMENT: &[&str] = &["naru-testkit", "proptest"];

/// One forbidden arrow.
struct Rule {
    from: &'static [&'static str],
    to: &'static [&'static str],
    /// Also through others.
    deep: bool,
    why: &'static str,
}

const RULES: &[Rule] = &[
    Rule {
        from: PURE,
        to: &["tokio", "axum", "hyper", "sqlx", "sqlx-core", "rusqlite", "rand"],
        deep: true,
        why: "engines do no I/O and draw no random numbers: what they need is handed to them",
    },
    Rule {
        from: &["naru-kernel"],
        to: &[
            "naru-pki",
            "naru-relay",
            "naru-sso",
            "naru-scim",
            "naru-store",
            "naru-runtime",
        ],
        deep: true,
        why: "the kernel is the vocabulary: it knows nobody",
    },
    Rule {
        from: &["naru-pki", "naru-relay", "naru-sso", "naru-scim"],
        to: &[
            "naru-pki",
            "naru-relay",
            "naru-sso",
            "naru-scim",
            "naru-store",
            "naru-runtime",
        ],
        deep: true,
        why: "an engine knows the kernel only",
    },
    Rule {
        from: &["naru-store", "naru-runtime"],
        to: &[
            "naru-identity",
            "naru-applications",
            "naru-policies",
            "naru-approvals",
            "naru-desktops",
            "naru-audit",
            "naru-portal",
            "naru-gateway",
            "naru-agent",
        ],
        deep: true,
        why: "kits serve every slice and shell, so they know none",
    },
    Rule {
        from: DOMAINS,
        to: DOMAINS,
        deep: true,
        why: "domains meet in facts, in traits wired by the portal, and in ids; never in each other's tables",
    },
    Rule {
        from: DOMAINS,
        to: &["naru-portal", "naru-gateway", "naru-agent", "naru"],
        deep: true,
        why: "a slice does not know the shell it runs in",
    },
    Rule {
        from: EDGE,
        to: DOMAINS,
        deep: true,
        why: "gateways and hosts have no tables: they get tickets and orders",
    },
    Rule {
        from: EDGE,
        to: &["naru-portal"],
        deep: true,
        why: "a gateway or host speaks to the portal over the wire, so that it can run elsewhere",
    },
];

/// Every arrow that must not be.
pub(crate) fn broken(packages: &Packages) -> Vec<String> {
    let mut found = Vec::new();
    for package in packages.ours() {
        let direct = packages.direct(package);
        let deep: BTreeSet<&str> = package.deep.iter().map(String::as_str).collect();
        for rule in RULES
            .iter()
            .filter(|rule| rule.from.contains(&package.name.as_str()))
        {
            let there = if rule.deep { &deep } else { &direct };
            for to in rule
                .to
                .iter()
                .filter(|to| **to != package.name && there.contains(**to))
            {
                found.push(format!("{} must not depend on {to}: {}", package.name, rule.why));
            }
        }
        // Rules that hold for everyone but a few.
        for driver in ["sqlx", "rusqlite"] {
            if direct.contains(driver) && package.name != "naru-store" {
                found.push(format!(
                    "{} must not name {driver}: only the store speaks to databases",
                    package.name
                ));
            }
        }
        let is_program =
            ["naru", "naru-tests", "naru-bench", "naru-testkit"].contains(&package.name.as_str());
        if direct.contains("anyhow") && !is_program {
            found.push(format!(
                "{} must not use anyhow: its callers tell errors apart",
                package.name
            ));
        }
        for provider in ["ring", "openssl-sys", "native-tls"] {
            if deep.contains(provider) {
                found.push(format!(
                    "{} must not bring {provider}: aws-lc-rs is the one provider",
                    package.name
                ));
            }
        }
        if !is_program {
            for name in DEVELOPMENT.iter().filter(|name| direct.contains(**name)) {
                found.push(format!("{} must not ship {name}: it is for tests", package.name));
            }
        }
    }
    found.sort();
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::packages::example;

    #[test]
    fn good_arrows_are_left_alone() {
        let packages = example(&[
            ("naru-kernel", &[]),
            ("naru-store", &["naru-kernel", "sqlx"]),
            ("naru-identity", &["naru-kernel", "naru-store"]),
            ("sqlx", &["tokio"]),
            ("tokio", &[]),
        ]);
        assert_eq!(broken(&packages), Vec::<String>::new());
    }

    #[test]
    fn bad_arrows_are_found_however_deep() {
        let packages = example(&[
            ("naru-relay", &["middle"]),
            ("middle", &["tokio"]),
            ("tokio", &[]),
            ("sqlx", &[]),
            ("naru-gateway", &["naru-runtime"]),
            ("naru-runtime", &["naru-identity"]),
            ("naru-identity", &["naru-desktops", "sqlx"]),
            ("naru-desktops", &[]),
        ]);
        let found = broken(&packages).join("\n");
        for expected in [
            "naru-relay must not depend on tokio",
            "naru-gateway must not depend on naru-identity",
            "naru-runtime must not depend on naru-identity",
            "naru-identity must not depend on naru-desktops",
            "naru-identity must not name sqlx",
        ] {
            assert!(found.contains(expected), "{expected} in\n{found}");
        }
    }
}
