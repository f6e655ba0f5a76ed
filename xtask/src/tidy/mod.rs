//! `cargo xtask tidy`: the taste a compiler does not check.

mod arrows;
mod files;
mod json;
mod licences;
mod packages;
mod purity;
mod tree;
mod words;

use crate::{failure::Failure, say};

/// A rule's name, and where it is broken.
pub(crate) type Verdict = (&'static str, Vec<String>);

/// Every rule, held against the working copy.
pub(crate) fn all() -> Result<Vec<Verdict>, Failure> {
    let packages = packages::read()?;
    let files = tree::read()?;
    Ok(vec![
        ("arrows between crates", arrows::broken(&packages)),
        ("licences of crates", licences::of_crates(&packages)),
        ("licences of web packages", licences::of_web_packages()?),
        (
            "every dependency has its reason",
            licences::without_reason(&packages)?,
        ),
        ("pure files", purity::broken(&files)),
        ("length of files", files::too_long(&files)),
        ("module documentation", files::undocumented(&files)),
        ("no test is ignored", files::ignored(&files)),
        ("no large files", files::large(&files)),
        ("no machine paths", words::machine_paths(&files)),
        ("housekeeping is listed", words::housekeeping(&files)),
        ("links in documents", words::dead_links(&files)),
        ("fuzz targets are listed", words::fuzz_targets(&files)),
    ])
}

/// Prints what is broken.
pub(crate) fn tidy() -> Result<(), Failure> {
    let mut broken = 0;
    for (rule, findings) in all()? {
        for finding in &findings {
            say::line(&format!("{rule}: {finding}"));
        }
        broken += findings.len();
    }
    if broken == 0 {
        say::line("tidy");
        Ok(())
    } else {
        Err(Failure::new(format!("{broken} things are not tidy")))
    }
}
