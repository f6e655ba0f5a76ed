//! An installation of its own: directory, ports, authority, configuration, people.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::atomic::{AtomicU16, Ordering},
};

use naru_kernel::{Clock as _, Timestamp};
use naru_pki::{
    Reason,
    demo::{self, DemoIdentity, DemoOptions, DemoPerson, DemoPki, KeyKind},
};
use naru_runtime::clock::{SystemClock, SystemEntropy};
use naru_testkit::{Browser, enrol_totp, show_certificate};

use crate::{
    ports::Ports,
    process::{Running, program},
    wire,
};

static SEQUENCE: AtomicU16 = AtomicU16::new(1);

pub(crate) fn now() -> Timestamp {
    SystemClock.now()
}

pub(crate) struct Stage {
    directory: tempfile::TempDir,
    state: PathBuf,
    pub(crate) ports: Ports,
    pub(crate) pki: DemoPki,
}

/// A person of the installation.
pub(crate) struct Person {
    pub(crate) identity: DemoIdentity,
    pub(crate) subject: String,
}

impl Stage {
    /// With the portal's state in a directory of its own.
    pub(crate) fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let state = directory.path().join("portal");
        Self::set(directory, state)
    }

    /// With the portal's state somewhere else.
    pub(crate) fn with_state(state: &Path) -> Self {
        Self::set(tempfile::tempdir().unwrap(), state.to_owned())
    }

    fn set(directory: tempfile::TempDir, state: PathBuf) -> Self {
        let options = DemoOptions {
            keys: KeyKind::P256,
            ..DemoOptions::default()
        };
        let pki = demo::make(now(), &SystemEntropy, &[], options).unwrap();
        let stage = Self {
            directory,
            state,
            ports: Ports::free(),
            pki,
        };
        fs::write(stage.path("root.cer"), &stage.pki.root.certificate).unwrap();
        fs::write(stage.path("people.cer"), &stage.pki.issuing.certificate).unwrap();
        stage.publish_lists();
        fs::write(stage.path("naru.toml"), stage.configuration()).unwrap();
        stage
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// The portal's database.
    pub(crate) fn store_url(&self) -> String {
        format!("sqlite:{}", self.state.join("naru.db").display())
    }

    fn configuration(&self) -> String {
        let Ports {
            portal,
            fleet,
            gateway,
            host,
            ..
        } = self.ports;
        let file = |name: &str| format!("{:?}", self.path(name).display().to_string());
        let policies = self.pki.profile().policies;
        format!(
            "[portal]\nport = {portal}\nlisten = \"127.0.0.1:{portal}\"\nfleet_listen = \"127.0.0.1:{fleet}\"\n\
             [gateway]\nlisten = \"127.0.0.1:{gateway}\"\npublic_url = \"wss://localhost:{gateway}\"\n\
             [agent]\nlisten = \"127.0.0.1:{host}\"\nkeep_sessions = false\n\
             [node]\nportal = \"localhost:{fleet}\"\n\
             [identity]\nrevocation_lists = [{}, {}]\n\
             [[identity.profiles]]\nname = \"demo\"\nroots = [{}]\nintermediates = [{}]\npolicies = {policies:?}\n\
             common_name = {{ kind = \"agency_name_sequence\", agency_digits = 3, sequence_digits = 3 }}\n",
            file("root.crl"),
            file("people.crl"),
            file("root.cer"),
            file("people.cer"),
        )
    }

    fn publish_lists(&self) {
        let [root, people] = self.pki.crls(now()).unwrap();
        fs::write(self.path("root.crl"), root).unwrap();
        fs::write(self.path("people.crl"), people).unwrap();
    }

    /// Puts a person's certificate on the authority's list; the portal reads it at its next start.
    pub(crate) fn revoke_certificate(&mut self, person: &Person) {
        let serial = person.identity.sign.serial();
        self.pki.revoke(&serial, now(), Reason::KeyCompromise);
        self.publish_lists();
    }

    /// The program with this installation's configuration and a state directory.
    pub(crate) fn command(&self, state: &Path, operation: u16) -> Command {
        let mut command = Command::new(program());
        command
            .arg("--config")
            .arg(self.path("naru.toml"))
            .arg("--state")
            .arg(state)
            .env("NARU__OPERATION__LISTEN", format!("127.0.0.1:{operation}"))
            .env_remove("NARU_TOKEN");
        command
    }

    /// The program with the portal's state, run to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        let mut command = self.command(&self.state, self.ports.spare_operation);
        command.args(arguments).output().unwrap()
    }

    /// The same, when it must succeed; what it printed.
    pub(crate) fn must(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {said}");
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// Starts a role and waits until it is ready.
    pub(crate) async fn start(&self, name: &str, arguments: &[&str], operation: u16) -> Running {
        let state = self.path(name);
        let mut running = Running::start(
            self.command(&state, operation).args(arguments),
            self.path(&format!("{name}.log")),
        );
        running.ready(operation).await;
        running
    }

    /// Starts the portal.
    pub(crate) async fn portal(&self) -> Running {
        let mut command = self.command(&self.state, self.ports.portal_operation);
        let mut running = Running::start(command.arg("portal"), self.path("portal.log"));
        running.ready(self.ports.portal_operation).await;
        running
    }

    /// The ministry of everyone here.
    pub(crate) fn ministry(&self) {
        self.must(&[
            "admin",
            "ministry",
            "--code",
            "085",
            "--name-ko",
            "행정안전부",
            "--name-en",
            "Ministry of the Interior and Safety",
            "--platform",
        ]);
    }

    /// Adds a person with these roles.
    pub(crate) fn person(&self, roles: &[&str]) -> Person {
        let person = DemoPerson {
            ministry: "행정안전부".to_owned(),
            agency_code: "085".to_owned(),
            name: "홍길동".to_owned(),
            sequence: SEQUENCE.fetch_add(1, Ordering::SeqCst),
            password: "password".to_owned(),
        };
        let identity = self.pki.issue(&person, now(), &SystemEntropy).unwrap();
        let subject = person.subject();
        let mut arguments = vec![
            "admin",
            "person",
            "--ministry",
            "085",
            "--name",
            "홍길동",
            "--subject",
            &subject,
        ];
        arguments.extend(roles.iter().flat_map(|role| ["--role", role]));
        self.must(&arguments);
        Person { identity, subject }
    }

    pub(crate) fn activation_code(&self, person: &Person) -> String {
        self.must(&["admin", "activation-code", "--subject", &person.subject])
    }

    /// The authority that made the doors' certificates.
    pub(crate) fn authority(&self) -> String {
        fs::read_to_string(self.state.join("authority.pem")).unwrap()
    }

    /// A browser in front of the portal's public door.
    pub(crate) fn browser(&self) -> Browser {
        let door = wire::Door::new(self.ports.portal, "localhost", &self.authority());
        Browser::new(door.router(), &self.origin())
    }

    pub(crate) fn origin(&self) -> String {
        format!("https://localhost:{}", self.ports.portal)
    }

    /// The first factor.
    pub(crate) async fn show(&self, browser: &mut Browser, person: &Person) -> naru_testkit::Answer {
        show_certificate(browser, &person.identity, &self.pki.issuing.certificate, now()).await
    }

    /// The whole first log-on of a person; gives the browser that is signed in.
    pub(crate) async fn sign_in(&self, person: &Person) -> Browser {
        let code = self.activation_code(person);
        let mut browser = self.browser();
        let shown = self.show(&mut browser, person).await;
        assert_eq!(
            shown.body["next"], "activate",
            "{} {:?}",
            shown.status, shown.body
        );
        enrol_totp(&mut browser, &code, now()).await;
        browser
    }

    /// Whether the whole record verifies, by the program's own word.
    pub(crate) fn record_is_whole(&self) -> bool {
        self.run(&["audit", "verify"]).status.success()
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        // The agent's run directory: people must be able to pass through it, so it cannot lie in ours.
        let run = format!("/run/naru/agent-{}", self.ports.host);
        // Most tests run no agent.
        drop(fs::remove_dir_all(run));
    }
}
