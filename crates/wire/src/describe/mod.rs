//! The protocol, told to machines: `asyncapi.json` beside this crate's sources is made here, and a test fails
//! where it is not what the code is.
//!
//! Nothing of this is in the program, which has the document as a text. The schemas are JSON Schema 2020-12 and
//! say nothing that draft 7 does not understand, since AsyncAPI 3.0 takes its own schemas for such.

mod document;
mod messages;
mod records;
#[cfg(test)]
mod tests;
mod words;

pub(crate) use messages::pascal;
pub(crate) use words::one;

use serde_json::{Map, Value};

use crate::request::described as requests;

/// All schemas, by name.
fn schemas() -> Map<String, Value> {
    let (_, messages) = messages::messages();
    let mut all = words::schemas();
    all.extend(requests::schemas());
    all.extend(requests::requests().into_iter().map(|(_, name, schema)| (name, schema)));
    for (name, schema) in messages {
        assert!(all.insert(name.clone(), schema).is_none(), "two schemas are called {name}");
    }
    all
}
