//! `cargo xtask test`: every test there is, in the order of what they cost.

mod count;
mod postgres;
mod stages;

use std::fs;

use crate::{
    failure::{Failure, While as _},
    machine::{debian, node::Node, web},
    place, run, say,
};
use count::Count;

pub(crate) use postgres::Postgres;

/// What a stage needs from the set-up.
pub(crate) struct Setting {
    /// Node.js and the web packages.
    node: Node,
    /// Tests that cannot run here add a line to this file.
    skips: std::path::PathBuf,
}

/// A stage: its name, and what it does.
type Stage = (&'static str, fn(&Setting) -> Result<Count, Failure>);

const STAGES: &[Stage] = &[
    ("format", stages::format),
    ("lint", stages::lint),
    ("tidy", stages::tidy),
    ("dependencies", stages::dependencies),
    ("sqlite", stages::sqlite),
    ("postgres", stages::postgres),
    ("web", stages::web),
    ("api", stages::api),
    ("browser", stages::browser),
];

/// Sets up, runs all stages or the named ones, prints the counts; the last line has them alone.
pub(crate) fn test(arguments: &[String]) -> Result<(), Failure> {
    for name in arguments {
        if !STAGES.iter().any(|(known, _)| known == name) {
            let names: Vec<&str> = STAGES.iter().map(|(name, _)| *name).collect();
            return Err(Failure::new(format!(
                "there is no stage {name}; there are {}",
                names.join(", ")
            )));
        }
    }
    debian::ensure(debian::For::Tests)?;
    let node = Node::ensure()?;
    web::ensure_build(&node)?;
    let skips = place::own().join("skipped.txt");
    fs::create_dir_all(place::own()).or_could_not("make a directory below target/")?;
    let setting = Setting { node, skips };

    let mut rows = Vec::new();
    let mut all = Count::default();
    for (name, stage) in STAGES {
        if !arguments.is_empty() && !arguments.iter().any(|wanted| wanted == name) {
            continue;
        }
        let started = run::instant();
        fs::write(&setting.skips, "").or_could_not("empty the list of skipped tests")?;
        let counted = stage(&setting).unwrap_or_else(|failure| {
            say::error(&failure.to_string());
            Count::failed_one()
        });
        let skipped = fs::read_to_string(&setting.skips).unwrap_or_default();
        let count = counted.less_skipped(&skipped);
        for line in skipped.lines() {
            say::line(&format!("  skipped: {line}"));
        }
        let row = format!("{name:<13} {count}   {:>5} s", started.elapsed().as_secs());
        say::line(&row);
        rows.push(row);
        all = all.plus(&count);
    }
    say::line("");
    rows.iter().for_each(|row| say::line(row));
    say::line("");
    say::line(&all.sentence());
    if all.is_good() {
        Ok(())
    } else {
        Err(Failure::new("not everything passed"))
    }
}
