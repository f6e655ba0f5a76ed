//! Benches: each prints a table and, as its last line, one JSON object with its figures.
//!
//! What counts is CPU time, read from `/proc` for the process under test alone; wall times of a busy machine do not.

mod footprint;
mod logon;
mod out;
mod process;
mod relay;

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["relay", rest @ ..] => relay::bench(rest),
        ["logon", ..] => logon::bench(),
        ["footprint", ..] => footprint::bench(),
        // A process of its own for what is measured.
        ["relay-gateway", directory] => relay::gateway(directory),
        _ => Err(anyhow::anyhow!("name a bench: relay, logon, footprint")),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            out::error(&format!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}
