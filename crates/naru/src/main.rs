//! The one program: every role of the platform by subcommand.

mod admin;
mod cli;
mod config;
mod demo;
mod demo_portal;
mod doctor;
mod fleet;
mod record;
mod roles;
mod say;
mod state;

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    let arguments = cli::Arguments::parse();
    naru_runtime::telemetry::start_logging();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            tracing::error!(%error, "the runtime cannot start");
            return ExitCode::FAILURE;
        }
    };
    match runtime.block_on(cli::run(arguments)) {
        Ok(code) => code,
        Err(error) => {
            // People at a terminal read this, not the log.
            #[expect(clippy::print_stderr, reason = "the program's last word")]
            {
                eprintln!("naru: {error:#}");
            }
            ExitCode::FAILURE
        }
    }
}
