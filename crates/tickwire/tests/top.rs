//! What a plant does, as its operator sees it.

#![expect(clippy::unwrap_used, reason = "a test")]

mod common;

use std::fs;
use std::process::{Command, Output, Stdio};

use common::{Guard, Plant, text, tickwire, top};
use serde_json::Value;

const SIM: &str = "[[feed]]\nname = \"sim\"\nkind = \"sim\"\nsymbols = 20\nrate = 1000\n";

/// One report, with a token of these scopes.
fn report(plant: &Plant, token: &str, options: &[&str]) -> Output {
    let mut command = tickwire();
    command.args(["top", "--interval", "500ms"]).args(options).env("TICKWIRE_ADMIN_LISTEN", &plant.admin);
    command.env("TICKWIRE_TOKEN", token).stdin(Stdio::null()).output().unwrap()
}

#[test]
fn a_report_says_how_a_plant_is() {
    let plant = Plant::start_plain("", SIM);
    plant.wait_for("/readyz", 200);
    let mut reader = tickwire();
    reader.args(["sub", "--url", &plant.url(), "-c", "trades,quotes", "-s", "*"]);
    reader.env("TICKWIRE_TOKEN", plant.token(&["stream:*"], "10m"));
    let mut reader = Guard(reader.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap());
    // From its first record on it is sent something, and reads it.
    let mut records = reader.0.stdout.take().unwrap();
    std::io::Read::read_exact(&mut records, &mut [0]).unwrap();
    std::thread::spawn(move || std::io::copy(&mut records, &mut std::io::sink()));

    let operator = plant.token_of("olga", "main", &["admin"], "10m");
    let output = report(&plant, &operator, &["--json", "--find", "ali"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(told["status"], "ready");
    assert_eq!(told["version"], env!("CARGO_PKG_VERSION"));
    let number =
        |path: &str| told.pointer(path).and_then(Value::as_f64).unwrap_or_else(|| panic!("{path}: {told}"));
    assert!((0.4..10.0).contains(&number("/seconds")), "{told}");
    assert!(number("/updates/published") > 100.0, "{told}");
    assert!(number("/process/memory_bytes") > 1e6 && number("/process/files") > 5.0, "{told}");
    let (feed, listed) = (&told["feeds"][0], &told["symbols_listed"]);
    assert_eq!((&feed["feed"], &feed["state"], listed), (&"sim".into(), &"open".into(), &20.into()));
    assert!(
        number("/feeds/0/events_per_second") > 100.0 && number("/feeds/0/silent_seconds") < 60.0,
        "{told}"
    );
    assert!(number("/symbols/0/events_per_second") > 0.0, "{told}");
    assert_eq!(told["channels"].as_array().unwrap().len(), 6);
    let session = &told["sessions"][0];
    assert_eq!((&session["subject"], &session["mode"]), (&"alice".into(), &"keeping_up".into()));
    assert!(
        number("/sessions/0/rates/delivered") > 50.0 && number("/waited_for_server/records") > 50.0,
        "{told}"
    );
    assert_eq!((number("/sessions_found"), number("/clients/sessions")), (1.0, 1.0));
    assert_eq!(told["findings"], Value::Array(Vec::new()));

    let output = report(&plant, &operator, &["--once", "--limit", "3"]);
    let page = text(&output.stdout);
    assert!(page.starts_with("tickwire  "), "{page}");
    for part in ["\nplant     cpu ", "\nFEED ", "\nsim             live", "\nCHANNEL", "\nalice ", "\nSYMBOL"]
    {
        assert!(page.contains(part), "{part}: {page}");
    }
    assert!(!page.contains('\x1b'), "no colours where nobody looks: {page}");
    let symbols = page.split("\nSYMBOL").nth(1).unwrap().lines().count();
    assert_eq!(symbols, 4, "{page}");
    // Without a terminal there is a report anyway.
    assert!(text(&report(&plant, &operator, &[]).stdout).starts_with("tickwire  "));
}

#[test]
fn what_stands_in_the_way_is_told() {
    let plant = Plant::start_plain("", SIM);
    let told = |token: &str, options: &[&str]| {
        let output = report(&plant, token, options);
        assert!(output.stdout.is_empty(), "{output:?}");
        (output.status.code().unwrap(), text(&output.stderr))
    };
    let (code, error) = told("", &[]);
    assert!(
        code == 4 && error.contains("a token with the scope admin is needed. TICKWIRE_TOKEN or"),
        "{error}"
    );
    let (code, error) = told(&plant.token(&["stream:*"], "1m"), &[]);
    assert!(code == 4 && error.contains("The token lacks the scope admin."), "{error}");
    let (code, error) = told("not a token", &[]);
    assert!(code == 4 && error.contains("something in it that none has"), "{error}");
    let operator = plant.token(&["admin"], "1m");
    let (code, error) = told(&operator, &["--admin", "127.0.0.1:1"]);
    assert!(code == 3 && error.contains("cannot connect to 127.0.0.1:1"), "{error}");
    let (code, error) = told(&operator, &["--admin", &plant.address]);
    assert!(code == 1 && error.contains("is no admin port of a plant"), "{error}");
    let (code, error) = told(&operator, &["--limit", "0"]);
    assert!(code == 2 && error.contains("a number from 1 to 1000"), "{error}");
    let (code, error) = told("", &["--token-file", "/nowhere/token"]);
    assert!(code == 2 && error.contains("/nowhere/token"), "{error}");
    assert!(!error.contains(&operator));

    let file = plant.folder.path().join("token");
    fs::write(&file, format!("{operator}\n")).unwrap();
    let output = report(&plant, "", &["--once", "--token-file", file.to_str().unwrap()]);
    assert!(output.status.success(), "{}", text(&output.stderr));
}

#[test]
fn the_screen_shows_it_live() {
    let script = top().join("crates/tickwire/tests/python/top.py");
    let mut python = Command::new(common::python());
    let output = python.arg(script).arg(env!("CARGO_BIN_EXE_tickwire")).output().unwrap();
    assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
}
