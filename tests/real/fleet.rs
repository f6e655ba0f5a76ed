//! Portal, gateway and host as three processes, and desktops on the host.

use std::{collections::BTreeSet, path::Path, process::Command, time::Duration};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use naru_relay::ticket::Claims;
use naru_testkit::{Browser, skip};
use serde_json::{Value, json};

use crate::{process::Running, stage::Stage};

/// Tries to get a place on the host, which has to report first.
const PLACE_TRIES_MAX: u32 = 40;

pub(crate) struct Fleet {
    // Dropped in this order: processes before the accounts they serve.
    pub(crate) host: Running,
    pub(crate) gateway: Running,
    pub(crate) portal: Running,
    pub(crate) accounts: Accounts,
    pub(crate) stage: Stage,
}

/// Accounts the host made for people of this test; removed at the end.
#[derive(Default)]
pub(crate) struct Accounts(BTreeSet<String>);

/// Whether desktops can run here; says so if not.
pub(crate) fn can_run(test: &str) -> bool {
    if !rustix::process::geteuid().is_root() {
        skip(test, "needs root");
    } else if !Path::new("/usr/bin/Xtigervnc").exists() {
        skip(test, "needs Xtigervnc");
    } else {
        return true;
    }
    false
}

impl Fleet {
    pub(crate) async fn start() -> Self {
        let stage = Stage::new();
        stage.ministry();
        let portal = stage.portal().await;
        let token = stage.must(&["admin", "token", "gateway"]);
        let gateway = stage
            .start(
                "gateway",
                &["gateway", "--token", &token],
                stage.ports.gateway_operation,
            )
            .await;
        let token = stage.must(&["admin", "token", "host"]);
        let host = stage
            .start(
                "host",
                &["agent", "host", "--token", &token],
                stage.ports.host_operation,
            )
            .await;
        Self {
            host,
            gateway,
            portal,
            accounts: Accounts::default(),
            stage,
        }
    }

    /// Opens the person's desktop, or the one they have: its id and a ticket.
    pub(crate) async fn open(&mut self, browser: &mut Browser) -> Opened {
        let wish = json!({ "zone": "business", "protocol": "rfb" });
        let mut last = Value::Null;
        for _ in 0..PLACE_TRIES_MAX {
            let answer = browser.post("/api/v1/desktops", &wish).await;
            if answer.body["state"] == "ready" {
                let opened = Opened::read(&answer.body);
                self.accounts.0.insert(opened.claims.account.clone());
                return opened;
            }
            last = answer.body;
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
        panic!("no desktop: {last}");
    }
}

pub(crate) struct Opened {
    pub(crate) ticket: String,
    pub(crate) claims: Claims,
}

impl Opened {
    pub(crate) fn read(body: &Value) -> Self {
        let ticket = body["ticket"].as_str().unwrap().to_owned();
        let (claims, _) = ticket.split_once('.').unwrap();
        let claims = URL_SAFE_NO_PAD.decode(claims).unwrap();
        Self {
            ticket,
            claims: serde_json::from_slice(&claims).unwrap(),
        }
    }
}

/// Living processes of an account: number and command line.
pub(crate) fn processes_of(account: &str) -> Vec<(i32, String)> {
    let output = Command::new("ps")
        .args(["-u", account, "-o", "stat=,pid=,args="])
        .output()
        .unwrap();
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .filter(|line| !line.starts_with('Z'))
        .filter_map(|line| {
            let (_, rest) = line.split_once(' ')?;
            let (pid, command) = rest.trim().split_once(' ')?;
            Some((pid.parse().ok()?, command.to_owned()))
        })
        .collect()
}

/// The display server of an account.
pub(crate) fn display_server_of(account: &str) -> Option<i32> {
    let all = processes_of(account);
    let server = all.iter().find(|(_, command)| command.contains("Xtigervnc"));
    server.map(|(pid, _)| *pid)
}

impl Drop for Accounts {
    fn drop(&mut self) {
        for account in &self.0 {
            for (pid, _) in processes_of(account) {
                let pid = rustix::process::Pid::from_raw(pid).unwrap();
                if rustix::process::kill_process(pid, rustix::process::Signal::KILL).is_err() {
                    eprintln!("{account}: a process was gone already");
                }
            }
            drop(
                Command::new("userdel")
                    .args(["--force", "--remove", account])
                    .output(),
            );
        }
    }
}
