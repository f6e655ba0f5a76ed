//! The command line.

use std::{path::PathBuf, process::ExitCode};

use clap::{Args, Parser, Subcommand};

use crate::{admin, config::Config, doctor, record, roles, state::StateDirectory};

/// Naru: smart work centre platform
#[derive(Parser, Debug)]
#[command(name = "naru", version, about)]
pub(crate) struct Arguments {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    command: Command,
}

#[derive(Args, Debug, Clone)]
pub(crate) struct Common {
    /// Configuration file (TOML); variables like `NARU__PORTAL__LISTEN` override it
    #[arg(long, global = true, env = "NARU_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    /// Where keys, the database and sessions are kept
    #[arg(long, global = true, env = "NARU_STATE", value_name = "DIRECTORY")]
    state: Option<PathBuf>,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// Run every role in one process
    Up(Up),
    /// Run the portal: pages, log-on, broker, administration
    Portal,
    /// Run a gateway: relays desktops between browsers and hosts
    Gateway(Enrol),
    /// Run an agent on a machine
    #[command(subcommand)]
    Agent(Agent),
    /// Look at the installation and say what is wrong and how to mend it
    Doctor,
    /// Check, prove and retire the record
    #[command(subcommand)]
    Audit(record::Record),
    /// Print the OpenAPI description
    Openapi,
    /// Administer at the command line
    #[command(subcommand)]
    Admin(admin::Admin),
}

#[derive(Args, Debug)]
pub(crate) struct Up {
    /// Fill an empty installation with a demo authority, ministries and people
    #[arg(long)]
    pub(crate) demo: bool,
    /// Do not run desktops on this machine
    #[arg(long)]
    pub(crate) no_host: bool,
    /// Stop as soon as everything is ready: to try an installation
    #[arg(long)]
    pub(crate) exit_after_ready: bool,
}

#[derive(Args, Debug, Clone)]
pub(crate) struct Enrol {
    /// The portal's fleet door, at the first start
    #[arg(long, value_name = "HOST:PORT")]
    pub(crate) portal: Option<String>,
    /// The one-time enrolment token, at the first start
    #[arg(long, env = "NARU_TOKEN", hide_env_values = true)]
    pub(crate) token: Option<String>,
}

#[derive(Subcommand, Debug)]
enum Agent {
    /// Run desktops on this machine
    Host(Enrol),
    /// Check a one-time password (called by PAM)
    #[command(hide = true)]
    OtpCheck {
        /// The agent's socket
        #[arg(long)]
        socket: PathBuf,
    },
}

pub(crate) async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    // PAM waits for this one, and it needs neither configuration nor state.
    if let Command::Agent(Agent::OtpCheck { socket }) = &arguments.command {
        return Ok(naru_agent::otp_check(socket));
    }
    // Whoever checks a proof may be elsewhere.
    if let Command::Audit(record::Record::VerifyEntry { file, key }) = &arguments.command {
        return record::verify_entry(file, key.as_deref());
    }
    let state = StateDirectory::open(arguments.common.state)?;
    let config = Config::load(arguments.common.config.as_deref(), &state)?;
    match arguments.command {
        Command::Up(up) => roles::up(config, state, up).await,
        Command::Portal => roles::portal(config, state).await,
        Command::Gateway(enrol) => roles::gateway(config, state, enrol).await,
        Command::Agent(Agent::Host(enrol)) => roles::host(config, state, enrol).await,
        Command::Agent(Agent::OtpCheck { socket }) => Ok(naru_agent::otp_check(&socket)),
        Command::Doctor => doctor::run(&config, &state).await,
        Command::Audit(command) => record::run(command, config).await,
        Command::Openapi => admin::print_openapi(&state).await,
        Command::Admin(command) => admin::run(command, config, state).await,
    }
}
