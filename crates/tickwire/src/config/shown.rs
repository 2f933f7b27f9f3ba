//! The configuration as it is in force, with where each value is from.

use std::path::Path;

use serde_json::{Map, Value, json};
use toml::Table;

use super::TEMPLATE;
use super::parse::{ConfigError, parse, read};

/// Every key with its value and its origin: `file`, or `default`. Of keys, secrets and certificates there are the
/// names of their files, never what is in them.
///
/// # Errors
/// The file cannot be read any more, or is none.
pub(crate) fn shown(path: Option<&Path>) -> Result<Value, ConfigError> {
    let default: Table = parse(Path::new("default"), TEMPLATE)?;
    let file: Table = path.map(read).transpose()?.unwrap_or_default();
    Ok(merged(&default, &file))
}

fn merged(default: &Table, file: &Table) -> Value {
    let mut keys: Vec<_> = default.keys().chain(file.keys()).collect();
    keys.sort_unstable();
    keys.dedup();
    let mut shown = Map::new();
    for key in keys {
        let none = Table::new();
        let value = match (default.get(key), file.get(key)) {
            (Some(toml::Value::Table(default)), None) => merged(default, &none),
            (None, Some(toml::Value::Table(file))) => merged(&none, file),
            (Some(toml::Value::Table(default)), Some(toml::Value::Table(file))) => merged(default, file),
            (_, Some(value)) => json!({ "value": masked(key, value), "origin": "file" }),
            (value, None) => json!({ "value": value, "origin": "default" }),
        };
        shown.insert(key.clone(), value);
    }
    Value::Object(shown)
}

/// What may hold a secret itself is shown without it: the query of a URL.
fn masked(key: &str, value: &toml::Value) -> toml::Value {
    match value.as_str().filter(|_| key.ends_with("_url")).and_then(|text| text.split_once('?')) {
        Some((url, _)) => format!("{url}?\u{2026}").into(),
        None => value.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_value_says_where_it_is_from() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("tickwire.toml");
        let text = "[server]\nlisten = \"127.0.0.1:1\"\n[limits]\nsubject_connections = 3\n\
                    [auth]\njwks_url = \"https://idp.example/keys?key=secret\"\n\
                    [[auth.keys]]\nalgorithm = \"HS256\"\nsecret_file = \"secret.key\"\n";
        std::fs::write(&file, text).unwrap();
        let shown = shown(Some(&file)).unwrap();
        assert_eq!(shown["server"]["listen"], json!({ "value": "127.0.0.1:1", "origin": "file" }));
        assert_eq!(shown["server"]["drain"], json!({ "value": "10s", "origin": "default" }));
        assert_eq!(shown["limits"]["subject_connections"], json!({ "value": 3, "origin": "file" }));
        assert_eq!(shown["auth"]["issuer"]["origin"], "default");
        assert_eq!(shown["auth"]["jwks_url"]["value"], "https://idp.example/keys?\u{2026}");
        assert_eq!(shown["auth"]["keys"]["value"][0]["secret_file"], "secret.key");
    }
}
