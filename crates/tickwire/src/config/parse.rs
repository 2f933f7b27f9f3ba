//! Reading TOML so that an error says where, what and what instead.

use std::io;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

/// Why a configuration is not one.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConfigError {
    /// The file cannot be read.
    #[error("{}: {error}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// A key or a value is wrong.
    #[error("{}: {message}", path.display())]
    Parse {
        /// The file.
        path: PathBuf,
        /// Where and what, with the line and a mark under the place.
        message: String,
    },
    /// Values that do not go together.
    #[error("{}: {message}", path.display())]
    Rule {
        /// The file.
        path: PathBuf,
        /// What.
        message: String,
    },
}

impl ConfigError {
    pub(crate) fn rule(path: &Path, message: impl Into<String>) -> Self {
        Self::Rule { path: path.to_owned(), message: message.into() }
    }
}

/// The value of a TOML file.
pub(crate) fn read<T: DeserializeOwned>(path: &Path) -> Result<T, ConfigError> {
    let text =
        std::fs::read_to_string(path).map_err(|error| ConfigError::Read { path: path.to_owned(), error })?;
    parse(path, &text)
}

pub(crate) fn parse<T: DeserializeOwned>(path: &Path, text: &str) -> Result<T, ConfigError> {
    toml::from_str(text).map_err(|error| {
        let hint = suggestion(error.message()).map(|near| format!("help: did you mean {near:?}?"));
        // The text of the error ends with a line break.
        let message = format!("{error}{}", hint.unwrap_or_default());
        ConfigError::Parse { path: path.to_owned(), message: message.trim_end().to_owned() }
    })
}

/// The key that was most likely meant: serde names the unknown one and all that are known.
fn suggestion(message: &str) -> Option<&str> {
    let mut names = message.strip_prefix("unknown field ")?.split('`').skip(1).step_by(2);
    let unknown = names.next()?;
    wire::closest(unknown, names)
}
