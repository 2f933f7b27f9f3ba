//! The doors, told to machines: `openapi.json` beside the protocol is made here, and a test fails where it is not
//! what the code is.
//!
//! Schemas are those of `asyncapi.json`; parameters are the options of a subscribe, whatever they are; refusals
//! have the codes that [`Problem`] knows.
//!
//! [`Problem`]: crate::problem::Problem

mod answers;
mod document;
mod parameters;
mod refusals;
#[cfg(test)]
mod tests;

use serde_json::{Value, json};

/// The schema of that name.
fn one(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}
