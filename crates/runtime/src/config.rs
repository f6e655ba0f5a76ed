//! One TOML file, overridden by `NARU__SECTION__KEY` variables; unknown keys are refused.

use std::path::{Path, PathBuf};

use figment::{
    Figment,
    providers::{Env, Format as _, Toml},
};
use serde::de::DeserializeOwned;

/// Why the configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The named file is not there.
    #[error("configuration file {0} is not there")]
    Missing(PathBuf),
    /// It does not fit; the text names key and file.
    #[error("configuration: {0}")]
    Unfit(Box<figment::Error>),
}

/// Reads the configuration: defaults of `T`, then the file if one is named, then the environment.
///
/// # Errors
/// When the named file is missing, or a key is unknown or of the wrong type.
pub fn load<T: DeserializeOwned>(file: Option<&Path>) -> Result<T, ConfigError> {
    let mut figment = Figment::new();
    if let Some(file) = file {
        if !file.is_file() {
            return Err(ConfigError::Missing(file.to_owned()));
        }
        figment = figment.merge(Toml::file_exact(file));
    }
    figment
        .merge(Env::prefixed("NARU__").split("__"))
        .extract()
        .map_err(|error| ConfigError::Unfit(Box::new(error)))
}
