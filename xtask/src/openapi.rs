//! `cargo xtask openapi`: writes `docs/openapi.json` from the code's table of routes.

use std::{fs, process::Command};

use crate::{
    failure::{Failure, While as _},
    place, run, say,
};

/// Builds the program in its quick profile and asks it.
pub(crate) fn write() -> Result<(), Failure> {
    crate::up::build("debug")?;
    let text = run::text_of(Command::new(place::program("debug")).arg("openapi"))
        .ok_or_else(|| Failure::new("`naru openapi` gave no description"))?;
    let path = place::root().join("docs/openapi.json");
    fs::write(&path, format!("{text}\n")).or_could_not("write docs/openapi.json")?;
    say::line(&format!("wrote {}", path.display()));
    Ok(())
}
