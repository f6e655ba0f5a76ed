//! Benches: each prints a table and, as its last line, one JSON object with its figures.
//!
//! What counts is CPU time, read from `/proc` for the process under test alone; wall times of a busy machine do not.

mod footprint;
mod logon;
mod oidc;
mod out;
mod process;
mod record;
mod relay;
mod tenants;

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["relay", rest @ ..] => relay::bench(rest),
        ["logon", ..] => logon::bench(),
        ["footprint", ..] => footprint::bench(),
        ["oidc", rest @ ..] => oidc::bench(rest),
        ["tenants", ..] => tenants::bench(),
        ["record", rest @ ..] => record::bench(rest),
        // A process of its own for what is measured.
        ["record-verify", url] => record::verify(url),
        ["oidc-portal", directory, people, redirect] => oidc::portal(directory, people, redirect),
        ["relay-gateway", directory] => relay::gateway(directory),
        _ => Err(anyhow::anyhow!(
            "name a bench: relay, logon, oidc, tenants, footprint, record"
        )),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            out::error(&format!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}
