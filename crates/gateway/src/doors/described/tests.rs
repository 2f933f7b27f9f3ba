//! The committed document is what the code is.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::{env, fs};

use model::{Instrument, Symbol, Venue};
use serde_json::{Map, Value};

use super::document::openapi;
use crate::auth::{Grant, Scope};
use crate::doors::{Catalogue, Tickets};

/// With this set, the test writes the document instead of comparing it.
const WRITE: &str = "TICKWIRE_DESCRIBE";

#[test]
fn describe() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../wire/openapi.json");
    let made = format!("{:#}\n", openapi());
    if env::var_os(WRITE).is_some() {
        fs::write(&path, &made).unwrap();
    }
    let found = fs::read_to_string(&path).unwrap();
    assert!(
        found == made,
        "openapi.json is not what the code is: run `cargo xtask describe` and look at the difference"
    );
}

/// Every route of the protocol has its place.
#[test]
fn every_door_is_described() {
    let sources = [include_str!("../mod.rs"), include_str!("../../routes.rs")];
    let routes = sources.iter().flat_map(|source| source.split(".route(\"").skip(1));
    let routes: BTreeSet<_> =
        routes.filter_map(|rest| rest.split('"').next()).filter(|route| route.starts_with("/v1/")).collect();
    let document = openapi();
    let described: BTreeSet<_> = document["paths"].as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(routes, described);
}

fn grant() -> Grant {
    let scopes = [Scope::parse("stream:*").unwrap()].into();
    Grant { scopes, ..Grant::for_tests("alice") }
}

fn names(value: &Value) -> BTreeSet<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

/// What is written here by hand has the fields that the answers have.
#[tokio::test]
async fn answers_have_the_fields_that_are_told() {
    let document = openapi();
    let told = |name: &str| names(&document["components"]["schemas"][name]["properties"]);
    let one = Some(model::Size::parse("0.01").unwrap().value());
    let symbol = Symbol::parse("BTC-USD").unwrap();
    let named = Instrument::named(symbol, Venue::new("sim"), "BTCUSD");
    // Without `..`: who adds a field to it has to look here.
    let defined = model::Definition {
        tick_size: one,
        lot_size: one,
        price_scale: Some(2),
        kind: Some(model::InstrumentKind::Future),
        base: Some("BTC".into()),
        quote: Some("USD".into()),
        expiry: Some(model::UnixNanos(1)),
    };
    let aliases = vec![Symbol::parse("BTCUSD").unwrap()];
    let catalogue = Catalogue::default();
    catalogue.list(&[Arc::new(Instrument { definition: defined, aliases, ..named })]);
    let answer: Value = serde_json::from_slice(&catalogue.answer(&grant(), &Map::new()).unwrap()).unwrap();
    assert_eq!(names(&answer), told("SymbolsAnswer"));
    assert_eq!(names(&answer["symbols"][0]), told("Instrument"));

    let issued = Tickets::default().issue(grant()).unwrap().into_body();
    let issued = axum::body::to_bytes(issued, 1 << 10).await.unwrap();
    assert_eq!(names(&serde_json::from_slice(&issued).unwrap()), told("TicketAnswer"));
}
