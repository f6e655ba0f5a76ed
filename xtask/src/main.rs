//! The project's commands. This crate is compiled first on a fresh machine, so it uses the standard library alone.

mod bench;
mod failure;
mod fuzz;
mod machine;
mod openapi;
mod place;
mod run;
mod say;
mod suite;
mod tidy;
mod up;

use std::process::ExitCode;

use failure::Failure;

const HELP: &str = "\
cargo xtask COMMAND

  up [ARGS]            install what is missing, build everything, run `naru up --demo ARGS`
     --exit-after-ready   stop again once it is ready: shows that everything works
  test [STAGE ...]     install what is missing, run every test; or only the named stages
  bench NAME [ARGS]    relay | logon | open | footprint: a table, and one JSON object as the last line
  tidy                 what no compiler checks: arrows between crates, pure files, lengths, words
  openapi              write docs/openapi.json from the code
  fuzz [TARGET] [SECONDS]   run one fuzz target, or each of them (default 20 s each)
  doctor               what this machine has and lacks for all of the above";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match command(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            say::error(&failure.to_string());
            ExitCode::FAILURE
        }
    }
}

fn command(arguments: &[String]) -> Result<(), Failure> {
    let (name, rest) = match arguments.split_first() {
        Some((name, rest)) => (name.as_str(), rest),
        None => ("help", arguments),
    };
    match name {
        "up" => up::up(rest),
        "test" => suite::test(rest),
        "bench" => bench::bench(rest),
        "tidy" => tidy::tidy(),
        "openapi" => openapi::write(),
        "fuzz" => fuzz::fuzz(rest),
        "doctor" => machine::doctor(),
        "help" | "--help" | "-h" => {
            say::line(HELP);
            Ok(())
        }
        other => Err(Failure::new(format!("there is no command {other}\n\n{HELP}"))),
    }
}
