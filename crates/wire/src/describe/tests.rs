//! The committed document is what the code is, and complete in itself.

use std::path::Path;
use std::{env, fs};

use serde_json::Value;

use super::document::asyncapi;

/// With this set, the test writes the document instead of comparing it.
const WRITE: &str = "TICKWIRE_DESCRIBE";

#[test]
fn describe() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("asyncapi.json");
    let made = format!("{:#}\n", asyncapi());
    if env::var_os(WRITE).is_some() {
        fs::write(&path, &made).unwrap();
    }
    let found = fs::read_to_string(&path).unwrap();
    assert!(
        found == made,
        "asyncapi.json is not what the code is: run `cargo xtask describe` and look at the difference"
    );
}

#[test]
fn what_is_referred_to_is_there() {
    let document = asyncapi();
    let mut seen = 0;
    let mut rest = vec![&document];
    while let Some(value) = rest.pop() {
        match value {
            Value::Array(list) => rest.extend(list),
            Value::Object(fields) => {
                if let Some(path) = fields.get("$ref").and_then(Value::as_str) {
                    let path = path.strip_prefix('#').expect("nothing is elsewhere");
                    assert!(document.pointer(path).is_some(), "{path}");
                    seen += 1;
                }
                rest.extend(fields.values());
            }
            _ => {}
        }
    }
    assert!(seen > 300, "{seen}");
}

/// Whoever reads the schemas as draft 7, as AsyncAPI tools do, reads the same.
#[test]
fn schemas_mean_the_same_to_all() {
    const NEWER: [&str; 9] = [
        "prefixItems",
        "unevaluatedProperties",
        "unevaluatedItems",
        "dependentRequired",
        "dependentSchemas",
        "minContains",
        "maxContains",
        "$defs",
        "$dynamicRef",
    ];
    let text = asyncapi().to_string();
    assert!(NEWER.iter().all(|word| !text.contains(&format!("\"{word}\""))));
}
