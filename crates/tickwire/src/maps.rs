//! Mappings of columns and of messages: those that come with the program, and files.

use std::path::Path;

use ingest::Map;
use ingest::table::{self, Mapping, Messages};

use crate::config::{ConfigError, parse};

/// The feed of messages that a mapping describes; any other has rows.
const MESSAGES: &str = "json";

/// The mapping of this name: one that comes with the program, or a file, relative to `folder`.
pub(crate) fn load(feed: &str, name: &str, folder: &Path) -> Result<Map, ConfigError> {
    let path = folder.join(name);
    // Read here, where an error says on which line and what was meant.
    if feed == MESSAGES {
        let text = read(&path)?;
        parse::<Messages>(&path, &text)?;
        return Ok(Map { name: path.display().to_string(), text });
    }
    if let Some(known) = table::shipped().iter().find(|shipped| shipped.name == name) {
        return Ok(Map { name: name.to_owned(), text: known.text.to_owned() });
    }
    if !path.exists() {
        let hint = wire::closest(name, table::shipped().iter().map(|shipped| shipped.name));
        let hint = hint.map(|near| format!(" Did you mean {near:?}?")).unwrap_or_default();
        let known = table::known();
        let message =
            format!("no such file, and no mapping that comes with the program; these do: {known}.{hint}");
        return Err(ConfigError::rule(&path, message));
    }
    let text = read(&path)?;
    parse::<Mapping>(&path, &text)?;
    Ok(Map { name: path.display().to_string(), text })
}

/// As [`load()`], of rows or of messages: a file tells which.
pub(crate) fn load_any(name: &str) -> Result<Map, ConfigError> {
    let is_of_messages =
        std::fs::read_to_string(name).is_ok_and(|text| text.lines().any(|line| line.trim() == "[[message]]"));
    load(if is_of_messages { MESSAGES } else { "" }, name, Path::new(""))
}

fn read(path: &Path) -> Result<String, ConfigError> {
    std::fs::read_to_string(path).map_err(|error| ConfigError::Read { path: path.to_owned(), error })
}
