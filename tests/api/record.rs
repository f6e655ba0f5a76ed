//! Every change leaves an entry in the record: each route that changes something is called with success.

use std::collections::BTreeSet;

use axum::http::StatusCode;
use naru_kernel::Role;
use naru_store::HOUSEKEEPING;

use crate::{calls::Scene, world::Side};

/// Routes that leave no entry, and why. May only shrink: see [`SILENT_MAX`].
const SILENT: &[(&str, &str, &str)] = &[
    (
        "POST",
        "/api/v1/logon/challenge",
        "keeps nothing: the challenge carries its own proof",
    ),
    (
        "POST",
        "/api/v1/logon/passkey/start",
        "an offer; the answer to it is recorded",
    ),
    (
        "POST",
        "/api/v1/logon/enrol/passkey/start",
        "an offer; the answer to it is recorded",
    ),
    (
        "POST",
        "/api/v1/logon/enrol/totp/start",
        "an offer; the answer to it is recorded",
    ),
    (
        "POST",
        "/api/v1/logon/step-up/passkey/start",
        "an offer; the answer to it is recorded",
    ),
    ("POST", "/api/v1/logon/extend", "being active is not a decision"),
    (
        "POST",
        "/sso/authorize",
        "keeps a request for ten minutes; the person's answer is recorded",
    ),
    (
        "POST",
        "/sso/par",
        "keeps a request for a minute; the person's answer is recorded",
    ),
    ("POST", "/sso/introspect", "only reads"),
    ("POST", "/sso/userinfo", "only reads"),
    (
        "POST",
        "/sso/logout",
        "keeps a request for ten minutes; the log-out is recorded",
    ),
    (
        "POST",
        "/sso/saml/sign-on",
        "keeps a request for ten minutes; the person's answer is recorded",
    ),
    (
        "POST",
        "/api/v1/sso/saml/leave",
        "keeps a request for ten minutes; what it leads to is recorded",
    ),
    ("POST", "/api/v1/policies/check", "only reads what it is sent"),
    (
        "POST",
        "/api/v1/applications/read-metadata",
        "only reads what it is sent",
    ),
    (
        "POST",
        "/witness/v1/checkpoint",
        "what another log shows is kept itself; two that witness each other would never end writing",
    ),
    (
        "POST",
        "/fleet/v1/sync",
        "heartbeats every two seconds; what follows from them is recorded",
    ),
];

const SILENT_MAX: usize = 17;
const _: () = assert!(SILENT.len() <= SILENT_MAX);

#[tokio::test]
async fn every_change_leaves_an_entry() {
    let mut scene = Scene::new().await;
    let mut found = Vec::new();
    let table = scene.world.table.clone();
    for route in table.iter().filter(|route| route.method != "GET") {
        let call = if (route.method.as_str(), route.path) == ("POST", "/api/v1/logon/certificate") {
            None
        } else {
            Some(scene.prepare(route).await)
        };
        let before = scene.world.entries().await;
        let answer = match call {
            Some(call) => call.make(route.method.clone()).await,
            // Asks for a challenge on the way, which is silent itself.
            None => {
                let (_, identity) = scene.world.somebody(Side::Ordinary, &[Role::Worker]).await;
                let created = scene.world.entries().await;
                assert!(created > before);
                let answer = scene.world.show(&mut scene.world.browser(), &identity).await;
                assert!(scene.world.entries().await > created, "a log-on left no entry");
                answer
            }
        };
        let is_good = answer.status.is_success() || answer.status == StatusCode::SEE_OTHER;
        let name = format!("{} {}", route.method, route.path);
        assert!(
            is_good,
            "{name} was to succeed: {} {:?}",
            answer.status, answer.body
        );
        let added = scene.world.entries().await - before;
        let is_silent = SILENT
            .iter()
            .any(|(method, path, _)| *method == route.method.as_str() && *path == route.path);
        if is_silent != (added == 0) {
            found.push(format!("{name}: {added} entries, excepted: {is_silent}"));
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
    for (method, path, why) in SILENT {
        assert!(
            table
                .iter()
                .any(|route| route.method == *method && route.path == *path),
            "{method} {path} is gone: take it from the list"
        );
        assert!(!why.is_empty());
    }
    for stream in [
        naru_store::PLATFORM_STREAM.to_owned(),
        scene.world.ministry(Side::Ordinary).to_string(),
    ] {
        let entries = naru_store::verify_stream(&scene.world.database.db, &stream)
            .await
            .unwrap();
        assert!(entries.unwrap() > 0, "{stream}");
    }
}

#[test]
fn housekeeping_is_what_the_code_does_and_no_more() {
    let crates = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates");
    let mut used = BTreeSet::new();
    let mut folders = vec![crates];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let path = entry.path();
            let is_test = ["tests", "tests.rs"].iter().any(|name| path.ends_with(name));
            if path.is_dir() && !is_test {
                folders.push(path);
            } else if path.extension().is_some_and(|kind| kind == "rs") && !is_test {
                let code = std::fs::read_to_string(&path).unwrap();
                for call in code.split(".housekeep(").skip(1) {
                    let name = call
                        .trim_start()
                        .strip_prefix('"')
                        .and_then(|rest| rest.split('"').next());
                    // A name that is not written at the call could be anything.
                    let name =
                        name.unwrap_or_else(|| panic!("{}: housekeep needs a literal", path.display()));
                    used.insert(name.to_owned());
                }
            }
        }
    }
    let listed: BTreeSet<String> = HOUSEKEEPING.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(used, listed);
    assert!(HOUSEKEEPING.iter().all(|(_, why)| !why.is_empty()));
}
