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

/// Puts what was taken of another configuration into the one that is shown; the names of the other keys that have
/// changed, and wait for a restart.
pub(crate) fn adopt(shown: &mut Value, next: &Value, is_taken: &impl Fn(&str) -> bool) -> Vec<String> {
    let mut waiting = Vec::new();
    adopt_table(shown, next, "", is_taken, &mut waiting);
    waiting
}

fn adopt_table(
    shown: &mut Value,
    next: &Value,
    table: &str,
    is_taken: &impl Fn(&str) -> bool,
    waiting: &mut Vec<String>,
) {
    let (Some(held), Some(fields)) = (shown.as_object_mut(), next.as_object()) else { return };
    let mut keys: Vec<_> = held.keys().chain(fields.keys()).cloned().collect();
    keys.sort_unstable();
    keys.dedup();
    for key in keys {
        let name = format!("{table}{key}");
        let before = held.entry(key.as_str()).or_insert(Value::Null);
        let after = fields.get(&key).unwrap_or(&Value::Null);
        if after.as_object().is_some_and(|fields| !fields.contains_key("origin")) {
            adopt_table(before, after, &format!("{name}."), is_taken, waiting);
        } else if is_taken(&name) {
            *before = after.clone();
        } else if before.get("value") != after.get("value") {
            waiting.push(name);
        }
    }
    // What stands in none of both files has no value and no origin.
    held.retain(|_, value| !value.is_null());
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
    fn what_is_taken_is_shown_and_the_rest_waits() {
        let of = |text: &str| merged(&parse(Path::new("default"), TEMPLATE).unwrap(), &text.parse().unwrap());
        let mut shown =
            of("[limits]\nsymbols = 3\naddress_connections = 9\n[server]\nshards = 2\ndrain = \"1s\"");
        let next = of("[limits]\nsymbols = 4\n[server]\nshards = 3\ndrain = \"1s\"\n[[feed]]\nname = \"a\"");
        let waiting = adopt(&mut shown, &next, &|key: &str| key.starts_with("limits."));
        assert_eq!(waiting, ["feed", "server.shards"]);
        assert_eq!(shown["limits"]["symbols"]["value"], 4);
        assert_eq!(shown["limits"].get("address_connections"), None, "it was taken out");
        assert_eq!(shown.get("feed"), None);
        assert_eq!(shown["server"]["shards"]["value"], 2, "it is still in force");
    }

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
