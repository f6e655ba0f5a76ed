//! `tenants`: what administrators wait for in an installation with 1,000 ministries and 300,000 people, on both engines.
//!
//! Requests go through the product's own routes and its own SQL, without a network; who asks is put in by the bench, so
//! that looking up a session is not part of it. Four administrators of different ministries ask at the same time, and
//! an operator of the platform among them. Row-level security is on with `PostgreSQL`.

use std::{collections::BTreeMap, sync::Arc};

use anyhow::{Context as _, Result, ensure};
use axum::{Router, extract::Request, middleware::Next};
use naru_identity::{Identity, IdentityConfig, NothingOpen};
use naru_kernel::{Actor, LogonId, MinistryId, PersonId, Role};
use naru_runtime::{
    Caller, PortalOrigins,
    clock::{SystemClock, SystemEntropy},
};
use naru_store::Engine;
use naru_testkit::{Browser, TestDatabase, postgres_url};
use serde_json::{Value, json};

use crate::out;

const ORIGIN: &str = "https://localhost:8443";
const MINISTRIES: i64 = 1_000;
const PEOPLE_EACH: i64 = 300;
/// Administrators who ask at the same time.
const AT_ONCE: usize = 4;
/// Ministries whose administrators ask, one after the other.
const ASKING: usize = 60;

/// What is asked, by the name it has in the table.
const BY_ADMINISTRATOR: &[(&str, &str)] = &[
    ("people, first page", "/api/v1/people?limit=50"),
    (
        "people, by last log-on",
        "/api/v1/people?limit=50&sort=-last_logon_at",
    ),
    (
        "people, search a name",
        "/api/v1/people?limit=50&search=%EA%B9%80%EB%AF%BC",
    ),
    ("people, search a subject", "/api/v1/people?limit=50&search=-12"),
    ("people, of a unit", "/api/v1/people?limit=50&unit=%EA%B5%AD1"),
    ("units", "/api/v1/units"),
    ("groups", "/api/v1/groups"),
    ("role grants", "/api/v1/role-grants"),
    ("alarms", "/api/v1/alarms"),
];
const BY_OPERATOR: &[(&str, &str)] = &[
    ("ministries, first page", "/api/v1/ministries?limit=50"),
    ("ministries, search", "/api/v1/ministries?limit=50&search=77"),
    (
        "ministries, newest first",
        "/api/v1/ministries?limit=50&sort=-created_at",
    ),
];

type Taken = BTreeMap<&'static str, Vec<f64>>;

/// Runs the bench.
pub(crate) fn bench() -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    runtime.block_on(run())
}

async fn run() -> Result<()> {
    let server = postgres_url()
        .context("NARU_TEST_POSTGRES names no server; `cargo xtask bench tenants` starts one")?;
    let sqlite = engine(TestDatabase::open_sqlite().await).await?;
    let postgres = engine(TestDatabase::open_postgres(&server).await).await?;
    let mut rows = vec![
        ["95 of 100 within, ms", "SQLite", "PostgreSQL"]
            .map(str::to_owned)
            .to_vec(),
    ];
    for (name, taken) in &sqlite {
        let other = postgres.get(name).map_or(&[][..], Vec::as_slice);
        rows.push(vec![
            (*name).to_owned(),
            format!("{:.1}", out::percentile(taken, 95)),
            format!("{:.1}", out::percentile(other, 95)),
        ]);
    }
    let all = |taken: &Taken| -> f64 {
        let all: Vec<f64> = taken.values().flatten().copied().collect();
        out::percentile(&all, 95)
    };
    let (sqlite, postgres) = (all(&sqlite), all(&postgres));
    rows.push(vec![
        "all".to_owned(),
        format!("{sqlite:.1}"),
        format!("{postgres:.1}"),
    ]);
    out::line("");
    out::table(&rows);
    out::line("");
    let line = json!({
        "admin_p95_ms": out::round(sqlite.max(postgres), 1),
        "sqlite_p95_ms": out::round(sqlite, 1),
        "postgres_p95_ms": out::round(postgres, 1),
        "ministries": MINISTRIES,
        "people": MINISTRIES * PEOPLE_EACH,
    });
    out::line(&line.to_string());
    Ok(())
}

async fn engine(database: TestDatabase) -> Result<Taken> {
    let name = match database.db.engine() {
        Engine::Sqlite => "SQLite",
        Engine::Postgres => "PostgreSQL",
    };
    let config = IdentityConfig {
        origin: ORIGIN.to_owned(),
        ..IdentityConfig::default()
    };
    let identity = Identity::open(
        config,
        database.db.clone(),
        Arc::new(SystemClock),
        Arc::new(SystemEntropy),
        Arc::new(NothingOpen),
    )
    .await?;
    out::line(&format!(
        "{name}: {} people in {MINISTRIES} ministries",
        MINISTRIES * PEOPLE_EACH
    ));
    let made = identity.seed_ministries(MINISTRIES, PEOPLE_EACH).await?;
    // Far apart, so that their rows do not lie beside each other.
    let asking: Vec<(MinistryId, PersonId)> = made.into_iter().step_by(16).take(ASKING).collect();
    for (ministry, person) in &asking {
        identity.seed_administrator(*ministry, *person).await?;
    }
    let identity = Arc::new(identity);
    let mut taken = Taken::new();
    for some in asking.chunks(AT_ONCE) {
        let mut administrators = tokio::task::JoinSet::new();
        for (ministry, person) in some.iter().copied() {
            administrators.spawn(day(Arc::clone(&identity), ministry, person));
        }
        while let Some(done) = administrators.join_next().await {
            for (name, each) in done?? {
                taken.entry(name).or_default().extend(each);
            }
        }
    }
    database.db.close().await;
    Ok(taken)
}

/// An administrator looks through their ministry, and an operator through all.
async fn day(identity: Arc<Identity>, ministry: MinistryId, person: PersonId) -> Result<Taken> {
    let mut taken = Taken::new();
    let mut administrator = browser(&identity, ministry, person, Role::MinistryAdmin);
    for (name, path) in BY_ADMINISTRATOR {
        let first = timed(&mut administrator, path, name, &mut taken).await?;
        if *name == "people, first page" {
            follow(&mut administrator, path, &first, &mut taken).await?;
        }
    }
    let mut operator = browser(&identity, ministry, person, Role::Operator);
    for (name, path) in BY_OPERATOR {
        timed(&mut operator, path, name, &mut taken).await?;
    }
    Ok(taken)
}

async fn follow(browser: &mut Browser, path: &str, first: &Value, taken: &mut Taken) -> Result<()> {
    let next = first
        .get("next")
        .and_then(Value::as_str)
        .context("a next page of people")?;
    let after: String = url::form_urlencoded::byte_serialize(next.as_bytes()).collect();
    let second = timed(
        browser,
        &format!("{path}&after={after}"),
        "people, next page",
        taken,
    )
    .await?;
    let person = second
        .pointer("/items/0/id")
        .and_then(Value::as_str)
        .context("a person")?;
    timed(browser, &format!("/api/v1/people/{person}"), "one person", taken).await?;
    Ok(())
}

async fn timed(browser: &mut Browser, path: &str, name: &'static str, taken: &mut Taken) -> Result<Value> {
    let began = naru_runtime::clock::instant();
    let answer = browser.get(path).await;
    let milliseconds = began.elapsed().as_secs_f64() * 1_000.0;
    ensure!(
        answer.status.is_success(),
        "{path}: {} {}",
        answer.status,
        answer.body
    );
    taken.entry(name).or_default().push(milliseconds);
    Ok(answer.body)
}

fn browser(identity: &Arc<Identity>, ministry: MinistryId, person: PersonId, role: Role) -> Browser {
    let actor = Actor::with_roles(person, ministry, LogonId::from_bits(1), [role]);
    let (router, _) = naru_identity::routes(Arc::clone(identity)).finish();
    let router: Router = router.layer(axum::middleware::from_fn(
        move |mut request: Request, next: Next| {
            request.extensions_mut().insert(Caller::SignedIn(actor.clone()));
            request
                .extensions_mut()
                .insert(PortalOrigins(Arc::from([ORIGIN.to_owned()])));
            next.run(request)
        },
    ));
    Browser::new(router, ORIGIN)
}
