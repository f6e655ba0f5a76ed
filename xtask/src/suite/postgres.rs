//! A `PostgreSQL` 15 of our own for the tests, on a private Unix socket.
//!
//! Tests use it as a plain user, as installations must: row-level security does not hold a superuser.
//!
//! A guardian shell starts the server and waits at the end of a pipe that we hold: when we end, however we end, the
//! pipe closes, and the guardian stops the server and removes its directory.

use std::{
    env, fs,
    path::PathBuf,
    process::{Child, ChildStdin, Command, Stdio},
    thread,
    time::Duration,
};

use crate::{
    failure::{Failure, While as _},
    machine::is_root,
    place, run,
};

const PROGRAMS: &str = "/usr/lib/postgresql/15/bin";
const START_SECONDS_MAX: u64 = 60;
/// Each test opens pools of its own.
const CONNECTIONS_MAX: u32 = 800;

const GUARDIAN: &str = r#"
trap '' INT TERM HUP
cd /
"$0/initdb" --pgdata="$1/data" --username=postgres --auth=trust --encoding=UTF8 --locale=C.UTF-8 --no-sync >"$1/log" 2>&1 &&
"$0/pg_ctl" --pgdata="$1/data" --log="$1/log" --wait --silent --options="-c listen_addresses='' -c unix_socket_directories='$1' -c fsync=off -c max_connections=$2" start &&
"$0/createuser" --host="$1" --username=postgres --no-superuser --no-createrole naru &&
"$0/createdb" --host="$1" --username=postgres --owner=naru naru
read -r _
"$0/pg_ctl" --pgdata="$1/data" --mode=immediate --wait --silent stop >>"$1/log" 2>&1
rm -rf "$1"
"#;

/// A running server; stopped and removed when dropped.
pub(crate) struct Postgres {
    directory: PathBuf,
    guardian: Child,
    pipe: Option<ChildStdin>,
}

impl Postgres {
    /// Starts one; as the user `postgres` when we are root, which the server refuses to be.
    pub(crate) fn start() -> Result<Self, Failure> {
        // Socket paths have at most 107 bytes, so not below target/.
        let directory = env::temp_dir().join(format!("naru-postgres-{}", std::process::id()));
        fs::create_dir_all(&directory).or_could_not("make a directory for PostgreSQL")?;
        let mut command = if is_root() {
            run::must(
                "hand over directory",
                10,
                Command::new("chown").arg("postgres").arg(&directory),
            )?;
            let mut command = Command::new("runuser");
            command.args(["--user", "postgres", "--", "sh"]);
            command
        } else {
            Command::new("sh")
        };
        command
            .args(["-c", GUARDIAN, PROGRAMS])
            .arg(&directory)
            .arg(CONNECTIONS_MAX.to_string());
        let mut guardian = command
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .or_could_not("start PostgreSQL's guardian")?;
        let pipe = guardian.stdin.take();
        let server = Self {
            directory,
            guardian,
            pipe,
        };
        server.wait()?;
        Ok(server)
    }

    /// How tests reach it.
    pub(crate) fn url(&self) -> String {
        format!("postgres://naru@localhost/naru?host={}", self.directory.display())
    }

    fn wait(&self) -> Result<(), Failure> {
        let started = run::instant();
        while started.elapsed().as_secs() < START_SECONDS_MAX {
            // Ready once the user and its database are made, not when the server answers.
            let mut question = Command::new(format!("{PROGRAMS}/psql"));
            question
                .args([
                    "--username=naru",
                    "--dbname=naru",
                    "--no-psqlrc",
                    "--command=SELECT 1",
                    "--host",
                ])
                .arg(&self.directory);
            if run::text_of(&mut question).is_some() {
                return Ok(());
            }
            thread::sleep(Duration::from_millis(200));
        }
        let log = fs::read_to_string(self.directory.join("log")).unwrap_or_default();
        // The directory vanishes with the server, so its log is kept elsewhere.
        drop(fs::write(place::own().join("logs/postgres.log"), &log));
        let last: Vec<&str> = log.lines().rev().take(5).collect();
        Err(Failure::new(format!(
            "PostgreSQL did not start: {}",
            last.join(" | ")
        )))
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.pipe.take();
        drop(self.guardian.wait());
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn it_answers_and_leaves_nothing_behind() {
        if !Path::new(PROGRAMS).exists() {
            return;
        }
        let server = Postgres::start().unwrap();
        let directory = server.directory.clone();
        assert!(directory.join("data/PG_VERSION").exists());
        drop(server);
        assert!(!directory.exists());
    }
}
