//! Kill -9 in the middle of changes: everything that was acknowledged is there, nothing is half there.
//!
//! It runs itself as a child that prints the name of each change once the store said it is kept. So it has its own
//! `main` and speaks the test runner's language.

use std::{
    collections::BTreeSet,
    io::{BufRead as _, BufReader, Write as _},
    process::{Child, Command, ExitCode, Stdio},
};

use naru_kernel::Timestamp;
use naru_store::{Act, By, Db, Error, FromRow, PLATFORM_STREAM, Row, params, verify_stream};

const NAME: &str = "every_acknowledged_change_survives_kill";
const CHILD: &str = "NARU_STORE_KILL_CHILD";
const ROUNDS: u32 = 5;
const WRITERS: u32 = 16;
const ACKNOWLEDGED_BEFORE_KILL: usize = 300;
const PUT: &str = "INSERT INTO secrets (name, value, created_at) VALUES ($1, $2, 0)";
const PUT_TWIN: &str = "INSERT INTO secrets (name, value, created_at) VALUES ('twin of ' || $1, $2, 0)";
const ALL: &str = "SELECT name FROM secrets";

struct Name(String);

impl FromRow for Name {
    fn from_row(row: &Row) -> Result<Self, Error> {
        row.get("name").map(Self)
    }
}

fn main() -> ExitCode {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build();
    let runtime = runtime.expect("a runtime");
    if let Ok(child) = std::env::var(CHILD) {
        runtime.block_on(write_until_killed(&child));
        return ExitCode::SUCCESS;
    }
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let mut out = std::io::stdout();
    if arguments.iter().any(|word| word == "--list") {
        drop(writeln!(out, "{NAME}: test"));
        return ExitCode::SUCCESS;
    }
    let wanted = arguments
        .iter()
        .all(|word| word.starts_with('-') || NAME.contains(word.as_str()));
    if !wanted {
        drop(writeln!(
            out,
            "test result: ok. 0 passed; 0 failed; 0 ignored; 0 measured; 1 filtered out"
        ));
        return ExitCode::SUCCESS;
    }
    let acknowledged = runtime.block_on(kill_and_look());
    drop(writeln!(
        out,
        "test {NAME} ... ok ({acknowledged} changes acknowledged before {ROUNDS} kills)"
    ));
    drop(writeln!(
        out,
        "test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out"
    ));
    ExitCode::SUCCESS
}

async fn kill_and_look() -> usize {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let url = format!("sqlite:{}", directory.path().join("naru.db").display());
    let mut acknowledged = BTreeSet::new();
    for round in 0..ROUNDS {
        let mut child = start_child(&url, round);
        let mut lines = BufReader::new(child.stdout.take().expect("the child's output")).lines();
        for line in lines.by_ref().take(ACKNOWLEDGED_BEFORE_KILL) {
            acknowledged.insert(line.expect("a line of the child"));
        }
        child.kill().expect("the child can be killed");
        // What was printed before the kill counts as well; a line cut in the middle does not.
        acknowledged.extend(lines.map_while(Result::ok).filter(|line| line.ends_with('.')));
        child.wait().expect("the child ends");
        look(&url, &acknowledged).await;
    }
    assert!(
        acknowledged.len() >= ACKNOWLEDGED_BEFORE_KILL,
        "the child did too little"
    );
    acknowledged.len()
}

fn start_child(url: &str, round: u32) -> Child {
    Command::new(std::env::current_exe().expect("this program's path"))
        .env(CHILD, format!("{round} {url}"))
        .stdout(Stdio::piped())
        .spawn()
        .expect("the child starts")
}

async fn look(url: &str, acknowledged: &BTreeSet<String>) {
    let db = Db::open(url).await.expect("the database opens after a kill");
    let there: BTreeSet<String> = db
        .all::<Name>(ALL, Vec::new())
        .await
        .expect("its rows")
        .into_iter()
        .map(|name| name.0)
        .collect();
    for name in acknowledged {
        assert!(there.contains(name), "{name} was acknowledged and is lost");
    }
    for name in there.iter().filter(|name| !name.starts_with("twin of ")) {
        assert!(there.contains(&format!("twin of {name}")), "{name} is half there");
    }
    let changes = i64::try_from(there.len() / 2).expect("a small number");
    let verified = verify_stream(&db, PLATFORM_STREAM)
        .await
        .expect("the record can be read");
    assert_eq!(verified, Ok(changes), "one entry for each change that is there");
    db.close().await;
}

async fn write_until_killed(order: &str) {
    let (round, url) = order.split_once(' ').expect("a round and a URL");
    let db = Db::open(url).await.expect("the database opens");
    let mut writers = tokio::task::JoinSet::new();
    for writer in 0..WRITERS {
        let (db, round) = (db.clone(), round.to_owned());
        writers.spawn(async move {
            for number in 0_u32.. {
                let name = format!("{round}-{writer}-{number}.");
                keep(&db, name.clone()).await.expect("the change is kept");
                let mut line = name;
                line.push('\n');
                // One write: a line is printed whole or not at all.
                drop(std::io::stdout().write_all(line.as_bytes()));
            }
        });
    }
    while writers.join_next().await.is_some() {}
}

async fn keep(db: &Db, name: String) -> Result<(), Error> {
    let act = Act {
        at: Timestamp::from_seconds(0),
        action: "store.test",
        by: By::Platform("test"),
        ministry: None,
        subject: name.clone(),
        address: None,
    };
    db.change(act, move |tx| {
        Box::pin(async move {
            tx.exec(PUT, params![name.as_str(), vec![1_u8]]).await?;
            tx.exec(PUT_TWIN, params![name, vec![2_u8]]).await.map(drop)
        })
    })
    .await
}
