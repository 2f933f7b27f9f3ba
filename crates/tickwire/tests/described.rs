//! What a real server says is what its descriptions say, to the last field.

#![expect(clippy::unwrap_used, reason = "a test")]

mod common;
#[path = "../../wire/tests/judge/mod.rs"]
mod judge;

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use common::{Plant, text};
use jsonschema::Validator;
use judge::{Judge, close, validator};
use serde_json::Value;

const SIM: &str = "[[feed]]\nname = \"sim\"\nkind = \"sim\"\nsymbols = 20\nrate = 2000\n";

/// Kinds that a session of some seconds need not have, or cannot: the examples of PROTOCOL.md are held against
/// their schemas.
const RARE: [&str; 5] = ["draining", "token_expiring", "heartbeat", "notice", "update status"];

#[test]
fn a_server_says_what_it_is_said_to_say() {
    let recording = format!("[recording]\nfolder = \"recordings\"\n{SIM}");
    let plant = Plant::start_with(
        "allowed_origins = [\"https://good.example\"]\n[auth]\nguests = [\"stream:*\"]\n",
        &recording,
    );
    plant.wait_for("/readyz", 200);
    let script = common::top().join("crates/tickwire/tests/python/described.py");
    let mut python = Command::new(common::python());
    python.arg(script).arg(&plant.address).arg(plant.ca());
    let output = python.env("TICKWIRE_TOKEN", plant.token(&["stream:*", "replay"], "10m")).output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));

    let (judge, doors) = (Judge::new(), Doors::new());
    let mut seen = BTreeSet::new();
    for line in text(&output.stdout).lines() {
        let (kind, said) = line.split_once('\t').unwrap();
        let mut said: Value = serde_json::from_str(said).unwrap();
        if kind == "message" {
            seen.insert(judge.key(&said));
        } else {
            seen.insert(kind.to_owned());
            doors.check(kind, &said);
        }
        if kind == "StateAnswer" {
            // Beside what it is more than a message.
            said.as_object_mut().unwrap().remove("rejected").unwrap();
        }
        if matches!(kind, "message" | "StateAnswer") {
            judge.message(&said).unwrap_or_else(|why| panic!("{why}: {said}"));
        }
    }
    let wanted = judge.kinds().filter(|kind| !RARE.contains(kind)).chain(ANSWERS);
    let missing: Vec<_> = wanted.filter(|kind| !seen.contains(*kind)).collect();
    assert!(missing.is_empty(), "never said: {missing:?}");
}

/// The schemas of what is said over plain HTTP.
const ANSWERS: [&str; 12] = [
    "PollAnswer",
    "StateAnswer",
    "HistoryAnswer",
    "CandlesAnswer",
    "SymbolsAnswer",
    "RecordingsAnswer",
    "RecordingAnswer",
    "BookSnapshot",
    "TicketAnswer",
    "GuestAnswer",
    "EventMessage",
    "Problem",
];

/// Knows what the answers over plain HTTP look like.
struct Doors(BTreeMap<&'static str, Validator>);

impl Doors {
    fn new() -> Self {
        let document: Value = serde_json::from_str(wire::OPENAPI).unwrap();
        let open = document["components"]["schemas"].clone();
        let mut closed = open.clone();
        closed.as_object_mut().unwrap().values_mut().for_each(close);
        // A state has one field more than the messages that it is.
        let schemas = |name| if name == "StateAnswer" { &open } else { &closed };
        Self(ANSWERS.map(|name| (name, validator(name, schemas(name)))).into())
    }

    fn check(&self, name: &str, said: &Value) {
        let checked = self.0[name].validate(said).map_err(|error| error.to_string());
        checked.unwrap_or_else(|why| panic!("{name}: {why}: {said}"));
    }
}
