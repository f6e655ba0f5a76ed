//! Who may: every route, every role, own and foreign ministry. What may not be is refused and changes nothing.

use std::io::Write as _;

use axum::http::StatusCode;
use naru_kernel::Role;
use naru_runtime::{Access, RouteEntry};
use naru_testkit::Browser;
use serde_json::{Value, json};

use crate::{
    calls::{link, rule},
    paths::{Belongings, choices, fill, parameters},
    world::{Member, Side, World},
};

/// Routes that anyone at all may use, and why. The list may only shrink: see [`EXCEPTIONS_MAX`].
const PUBLIC: &[(&str, &str, &str)] = &[
    ("GET", "/api/v1/platform", "what the log-on page shows"),
    ("POST", "/api/v1/logon/challenge", "a log-on begins with it"),
    ("POST", "/api/v1/logon/certificate", "the first factor itself"),
    ("POST", "/api/v1/logon/handover", "its code is the first factor"),
    (
        "GET",
        "/api/v1/logon",
        "tells a browser how far it is, and no more",
    ),
    ("POST", "/fleet/v1/enrol", "its one-time token is what admits"),
    (
        "GET",
        "/.well-known/openid-configuration",
        "what every application must know",
    ),
    ("GET", "/sso/jwks", "public keys"),
    (
        "GET",
        "/sso/authorize",
        "a sign-on begins at an application, without a cookie",
    ),
    ("POST", "/sso/authorize", "the same, by a form"),
    (
        "GET",
        "/sso/logout",
        "a log-out begins at an application, without a cookie",
    ),
    ("POST", "/sso/logout", "the same, by a form"),
    (
        "GET",
        "/sso/answer/{handle}",
        "its one-time handle is what admits",
    ),
    (
        "GET",
        "/sso/saml/metadata",
        "what every service provider must know",
    ),
    (
        "GET",
        "/sso/saml/sign-on",
        "a sign-on begins at a service provider, without a cookie",
    ),
    ("POST", "/sso/saml/sign-on", "the same, by a form"),
    (
        "GET",
        "/sso/saml/logout",
        "a log-out begins at a service provider, without a cookie",
    ),
    ("POST", "/sso/saml/logout", "the same, by a form"),
    (
        "GET",
        "/sso/saml/logout/{handle}",
        "its one-time handle is what admits",
    ),
    (
        "POST",
        "/api/v1/sso/{handle}",
        "its handle is what admits; it asks to log on first",
    ),
    (
        "POST",
        "/api/v1/sso/{handle}/refuse",
        "its handle is what admits; it only refuses",
    ),
];

/// Routes that are read with more than their path; without it they are no question, and refused as such.
const ASKS_MORE: &[&str] = &[
    "/sso/authorize",
    "/sso/logout",
    "/sso/answer/{handle}",
    "/sso/saml/sign-on",
    "/sso/saml/logout",
    "/sso/saml/logout/{handle}",
    "/api/v1/sso/device/{user_code}",
    "/api/v1/audit/proof",
    "/api/v1/audit/consistency",
    "/api/v1/audit/checkpoint",
];

/// Routes whose path may name things of other ministries, and why. May only shrink.
const ACROSS: &[(&str, &str, &str)] = &[
    (
        "POST",
        "/api/v1/hosts/{host}/drain",
        "hosts are the platform's: no ministry has its own",
    ),
    ("POST", "/api/v1/hosts/{host}/resume", "hosts are the platform's"),
    ("POST", "/api/v1/hosts/{host}/remove", "hosts are the platform's"),
    (
        "POST",
        "/api/v1/operate/desktops/{desktop}/end",
        "an operator empties a host, whoever works on it",
    ),
];

/// Lists that show more than one ministry, to whom, and why. May only shrink.
const SEES_ALL: &[(&str, Who, &str)] = &[
    (
        "/api/v1/operate/desktops",
        Who::Operator,
        "an operator sees what runs on the hosts",
    ),
    (
        "/api/v1/audit",
        Who::Auditor,
        "the platform's auditor audits the platform",
    ),
    ("/api/v1/audit.csv", Who::Auditor, "the same as a file"),
    ("/api/v1/audit.json", Who::Auditor, "the same as another file"),
];

/// Whoever adds an exception has to change this number too, and will be asked.
const EXCEPTIONS_MAX: usize = 29;
const _: () = assert!(PUBLIC.len() + ACROSS.len() + SEES_ALL.len() <= EXCEPTIONS_MAX);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Who {
    Nobody,
    FirstFactor,
    Worker,
    MinistryAdmin,
    Operator,
    Auditor,
}

impl Who {
    const fn role(self) -> Option<Role> {
        match self {
            Self::Nobody | Self::FirstFactor => None,
            Self::Worker => Some(Role::Worker),
            Self::MinistryAdmin => Some(Role::MinistryAdmin),
            Self::Operator => Some(Role::Operator),
            Self::Auditor => Some(Role::Auditor),
        }
    }

    /// What the documents say, written down a second time: not how the guard does it.
    fn may(self, access: Access) -> bool {
        match access {
            Access::Anyone => true,
            Access::FirstFactor => self != Self::Nobody,
            Access::SignedIn => self.role().is_some(),
            Access::Role(role) => self.role() == Some(role),
            // Nobody here shows a certificate in TLS, nor has a program's secret.
            Access::ClientCertificate | Access::Node | Access::Machine => false,
        }
    }
}

struct Caller {
    who: Who,
    browser: Browser,
    own: Belongings,
}

/// Callers of one ministry, and a colleague whom they may administer.
struct Ministry {
    callers: Vec<Caller>,
    colleague: Belongings,
}

async fn ministry(world: &World, side: Side) -> Ministry {
    let mut roles = vec![Who::MinistryAdmin, Who::Worker, Who::Auditor];
    if side == Side::Platform {
        roles.push(Who::Operator);
    }
    let mut admin = world.member(side, &[Role::MinistryAdmin]).await;
    let mut colleague = world.member(side, &[Role::Worker]).await;
    let colleague = Belongings::of(world, &mut colleague, &mut admin.browser, &world.host).await;
    let (_, waiting) = world.somebody(side, &[Role::Worker]).await;
    let mut callers = vec![
        Caller {
            who: Who::Nobody,
            browser: world.browser(),
            own: colleague.clone(),
        },
        Caller {
            who: Who::FirstFactor,
            browser: world.first_factor(&waiting).await,
            own: colleague.clone(),
        },
    ];
    for who in roles {
        let mut member: Member = world.member(side, &[who.role().unwrap()]).await;
        let own = Belongings::of(world, &mut member, &mut admin.browser, &world.host).await;
        callers.push(Caller {
            who,
            browser: member.browser,
            own,
        });
    }
    Ministry { callers, colleague }
}

fn is_listed(list: &[(&str, &str, &str)], route: &RouteEntry) -> bool {
    list.iter()
        .any(|(method, path, _)| *method == route.method.as_str() && *path == route.path)
}

/// What is a person's own: even colleagues may not touch it.
fn is_personal(route: &RouteEntry) -> bool {
    route.path.starts_with("/api/v1/me/") || route.path.starts_with("/api/v1/desktops/")
}

/// A program that proved nothing, or a handle that nobody has, is refused in the words of its protocol, often before it is known what it asks.
fn refuses(route: &RouteEntry, status: StatusCode) -> bool {
    let words_of_protocols = [StatusCode::BAD_REQUEST, StatusCode::UNSUPPORTED_MEDIA_TYPE];
    let refusals = [
        StatusCode::UNAUTHORIZED,
        StatusCode::FORBIDDEN,
        StatusCode::NOT_FOUND,
    ];
    let is_protocol = route.access == Access::Machine || route.path.starts_with("/sso/");
    refusals.contains(&status) || (is_protocol && words_of_protocols.contains(&status))
}

/// A body that can be read, so that what refuses is not its shape. Routes that are not named take an empty one.
fn body_of(route: &RouteEntry) -> Value {
    match route.path {
        "/api/v1/applications/{application}" => link("뺏음"),
        "/api/v1/portal/favourites/{application}" => json!({ "favourite": true }),
        "/api/v1/notices/{notice}" => json!({ "title": { "ko": "뺏음" } }),
        "/api/v1/groups/{group}" => json!({ "name": "뺏음" }),
        "/api/v1/policies/{policy}" => rule("뺏음", false),
        "/api/v1/sso/{handle}/consent" | "/api/v1/sso/device/{user_code}" => json!({ "agree": true }),
        _ => json!({}),
    }
}

/// Calls and gives a line if it was not refused.
async fn attempt(caller: &mut Caller, route: &RouteEntry, path: &str) -> Option<String> {
    let body = (route.method != "GET").then(|| body_of(route));
    let answer = caller
        .browser
        .call(route.method.clone(), path, body.as_ref())
        .await;
    let (who, method, status) = (caller.who, &route.method, answer.status);
    (!refuses(route, status)).then(|| format!("{who:?} {method} {path}: {status} {}", answer.code()))
}

/// Reads by those who may: they are answered, and hear nothing of the other ministry.
async fn reads(world: &World, side: Side, own: &mut Ministry, foreign: &Belongings) -> Vec<String> {
    let mut found = Vec::new();
    for route in world.table.iter().filter(|route| route.method == "GET") {
        for caller in own
            .callers
            .iter_mut()
            .filter(|caller| caller.who.may(route.access))
        {
            let own = if is_personal(route) {
                &caller.own
            } else {
                &own.colleague
            };
            let mut path = fill(route, own, own, &[]);
            if route.path == "/api/v1/audit" {
                // The newest entries are many callers' own.
                path.push_str("?limit=200");
            }
            let answer = caller.browser.get(&path).await;
            let is_good = if ASKS_MORE.contains(&route.path) {
                answer.status.is_success()
                    || answer.status.is_client_error()
                    || answer.status.is_redirection()
            } else {
                answer.status.is_success()
            };
            if !is_good {
                let (who, status) = (caller.who, answer.status);
                found.push(format!("{who:?} GET {path}: {status} although they may"));
            }
            let sees_all = side == Side::Platform
                && SEES_ALL
                    .iter()
                    .any(|(path, who, _)| *path == route.path && *who == caller.who);
            let body = String::from_utf8_lossy(&answer.bytes).into_owned();
            let told = foreign.secrets().any(|id| body.contains(id));
            if told != sees_all {
                found.push(format!(
                    "{:?} GET {path}: tells of a foreign ministry: {told}",
                    caller.who
                ));
            }
        }
    }
    found
}

/// Everything that must be refused, with own and foreign ids.
async fn refusals(world: &World, own: &mut Ministry, foreign: &Belongings) -> (Vec<String>, usize) {
    let (mut found, mut tried) = (Vec::new(), 0);
    for route in &world.table {
        for caller in &mut own.callers {
            let mut paths = Vec::new();
            if !caller.who.may(route.access) {
                paths.push(fill(route, &own.colleague, foreign, &[]));
                paths.push(fill(route, &own.colleague, foreign, &parameters(route)));
            } else if !is_listed(ACROSS, route) {
                for choice in choices(route) {
                    let mine = if is_personal(route) {
                        &caller.own
                    } else {
                        &own.colleague
                    };
                    paths.push(fill(route, mine, foreign, &choice));
                    if is_personal(route) {
                        paths.push(fill(route, mine, &own.colleague, &choice));
                    }
                }
            }
            paths.dedup();
            for path in paths {
                tried += 1;
                found.extend(attempt(caller, route, &path).await);
            }
        }
    }
    (found, tried)
}

#[tokio::test]
async fn every_door_is_shut_to_those_who_may_not() {
    let world = World::new().await;
    let mut platform = ministry(&world, Side::Platform).await;
    let mut ordinary = ministry(&world, Side::Ordinary).await;
    let (of_platform, of_ordinary) = (platform.colleague.clone(), ordinary.colleague.clone());

    let mut found = reads(&world, Side::Platform, &mut platform, &of_ordinary).await;
    found.extend(reads(&world, Side::Ordinary, &mut ordinary, &of_platform).await);
    let before = world.snapshot().await;
    let mut tried = 0;
    for (own, foreign) in [(&mut platform, &of_ordinary), (&mut ordinary, &of_platform)] {
        let (more, count) = refusals(&world, own, foreign).await;
        found.extend(more);
        tried += count;
    }
    let routes = world.table.len();
    writeln!(
        std::io::stderr(),
        "{tried} calls of {routes} routes were to be refused"
    )
    .unwrap();
    assert!(tried >= 1_000, "only {tried} calls");
    assert!(
        found.is_empty(),
        "{} doors are open:\n{}",
        found.len(),
        found.join("\n")
    );
    assert_eq!(world.snapshot().await, before, "a refused call changed something");
}

#[tokio::test]
async fn the_exceptions_are_routes_that_need_to_be() {
    let world = World::new().await;
    for route in &world.table {
        let is_public = route.access == Access::Anyone;
        assert_eq!(
            is_public,
            is_listed(PUBLIC, route),
            "{} {}",
            route.method,
            route.path
        );
    }
    for (method, path, why) in PUBLIC.iter().chain(ACROSS) {
        let known = world
            .table
            .iter()
            .any(|route| route.method == *method && route.path == *path);
        assert!(known, "{method} {path} is gone: take it from the list");
        assert!(!why.is_empty());
    }
}

#[tokio::test]
async fn an_administrator_cannot_touch_another_ministry() {
    let world = World::new().await;
    // The platform's own ministry has no more right to others than any.
    for side in [Side::Ordinary, Side::Platform] {
        let mut admin = world.member(side, &[Role::MinistryAdmin]).await;
        let mut their_admin = world.member(side.other(), &[Role::MinistryAdmin]).await;
        let mut them = world.member(side.other(), &[Role::Worker]).await;
        let theirs = Belongings::of(&world, &mut them, &mut their_admin.browser, &world.host).await;
        let before = world.snapshot().await;
        let detail = format!("/api/v1/people/{}", them.id);
        let seen_before = their_admin.browser.get(&detail).await.body;
        let administrative = world
            .table
            .iter()
            .filter(|route| route.access == Access::Role(Role::MinistryAdmin))
            .filter(|route| !parameters(route).is_empty());
        for route in administrative {
            let path = fill(route, &theirs, &theirs, &[]);
            let body = (route.method != "GET").then(|| body_of(route));
            let answer = admin
                .browser
                .call(route.method.clone(), &path, body.as_ref())
                .await;
            // Not 403: whether there is such a person is none of their business.
            assert_eq!(answer.status, StatusCode::NOT_FOUND, "{} {path}", route.method);
        }
        assert_eq!(world.snapshot().await, before);
        assert_eq!(their_admin.browser.get(&detail).await.body, seen_before);
        assert!(them.browser.get("/api/v1/me").await.status.is_success());
    }
}
