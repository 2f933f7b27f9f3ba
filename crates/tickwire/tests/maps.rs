//! Files of rows from the command line and as feeds: mappings by name and by path, and what is said of mistakes.

#![expect(clippy::unwrap_used, reason = "a test")]

mod common;

use std::fs;
use std::path::Path;

use common::{run, text, tickwire, top};

/// Runs `normalize --feed csv`; exit code, standard output, standard error.
fn rows(args: &[&str], file: &Path) -> (Option<i32>, String, String) {
    let output = tickwire().args(["normalize", "--feed", "csv"]).args(args).arg(file).output().unwrap();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

#[test]
fn mappings_are_listed_printed_and_looked_up() {
    let list = text(&run(&["map"]).stdout);
    for name in ["lobster", "dukascopy", "truefx", "lean-equity-trade", "lean-equity-quote", "ccxt"] {
        assert!(list.lines().any(|line| line.starts_with(&format!("{name} "))), "{name}: {list}");
        let output = run(&["map", name]);
        assert!(output.status.success() && text(&output.stdout).contains("[instrument]"), "{name}");
    }
    assert!(text(&run(&["normalize", "--help"]).stdout).contains("lean-equity-quote"));
    let (code, out, err) = rows(&["--map", "lobstr"], Path::new("x.csv"));
    assert_eq!((code, out.as_str()), (Some(2), ""));
    assert!(err.contains("dukascopy") && err.contains("Did you mean \"lobster\"?"), "{err}");
    let output = tickwire().args(["normalize", "--feed", "sim", "--map", "lobster", "x"]).output().unwrap();
    assert_eq!(
        (output.status.code(), text(&output.stderr).as_str()),
        (Some(2), "error: \"sim\" takes no \"map\"\n")
    );
}

#[test]
fn a_mapping_that_is_wrong_says_where() {
    let folder = tempfile::tempdir().unwrap();
    let good = fs::read_to_string(top().join("feeds/recordings/trades.map.toml")).unwrap();
    let path = folder.path().join("mine.toml");
    fs::write(&path, good.replace("delimiter =", "delimeter =")).unwrap();
    let line = 1 + good.lines().position(|line| line.starts_with("delimiter")).unwrap();
    let (code, out, err) =
        rows(&["--map", path.to_str().unwrap()], &top().join("feeds/recordings/trades.csv"));
    assert_eq!((code, out.as_str()), (Some(2), ""));
    for part in [
        path.to_str().unwrap(),
        &format!("line {line}, column 1"),
        "`delimeter`",
        "did you mean \"delimiter\"?",
    ] {
        assert!(err.contains(part), "{part}: {err}");
    }
    // Said of a feed, too, before a port opens.
    let feed =
        "name = \"csv\"\nkind = \"replay\"\nfeed = \"csv\"\nmap = \"mine.toml\"\nfiles = [\"x.csv\"]\n";
    let definition = folder.path().join("csv.toml");
    fs::write(&definition, feed).unwrap();
    let serve = || tickwire().args(["serve", "--check-config", "--feed"]).arg(&definition).output().unwrap();
    assert!(text(&serve().stderr).contains("did you mean \"delimiter\"?"), "{:?}", serve());
    fs::write(&definition, feed.replace("feed = \"csv\"", "feed = \"sim\"")).unwrap();
    fs::write(&path, good).unwrap();
    assert!(text(&serve().stderr).contains("\"sim\" takes no \"map\""), "{:?}", serve());
}

#[test]
fn rows_are_records_and_broken_ones_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("LTCUSDT_trades.csv");
    fs::write(
        &file,
        "timestamp,price,quantity,side,tradeId\n1750536000955,81.010,0.495,sell,7\nx,1,1,buy,8\n",
    )
    .unwrap();
    let (code, out, err) = rows(&["--venue", "binance"], &file);
    let wanted = concat!(
        r#"{"channel":"trades","venue":"binance","venue_symbol":"LTCUSDT","symbol":"LTC-USDT","sequence":1,"#,
        r#""trade_id":"7","price":"81.010","size":"0.495","side":"sell","ts_event":"2025-06-21T20:00:00.955000000Z"}"#,
    );
    assert_eq!((code, out.trim_end()), (Some(1), wanted));
    let broken = format!(
        "{}:3: column 1 (timestamp, the mapping's time.column), \"x\": not an instant\n1 broken line(s) were passed over\n",
        file.display()
    );
    assert_eq!(err, broken);
}

#[test]
fn messages_are_read_by_a_mapping() {
    let folder = tempfile::tempdir().unwrap();
    let (map, capture) =
        (top().join("feeds/recordings/messages.map.toml"), top().join("feeds/recordings/messages.jsonl"));
    let json = |map: &Path| {
        let mut command = tickwire();
        command.args(["normalize", "--feed", "json", "--map"]).arg(map).arg(&capture).output().unwrap()
    };
    let output = json(&map);
    assert!(output.status.success(), "{output:?}");
    let lines = text(&output.stdout);
    for channel in ["trades", "quotes", "book"] {
        let of_venue =
            format!("{{\"channel\":\"{channel}\",\"venue\":\"example\",\"venue_symbol\":\"ETH-EUR\"");
        assert!(lines.lines().any(|line| line.starts_with(&of_venue)), "{channel}: {lines}");
    }
    assert!(run(&["map", map.to_str().unwrap()]).status.success());
    // Without one, and with a wrong one.
    let none = run(&["normalize", "--feed", "json", capture.to_str().unwrap()]);
    assert!(
        none.status.code() == Some(2) && text(&none.stderr).contains("\"json\" needs a mapping"),
        "{none:?}"
    );
    let wrong = folder.path().join("wrong.toml");
    fs::write(&wrong, fs::read_to_string(&map).unwrap().replace("refused =", "refuse =")).unwrap();
    let wrong = json(&wrong);
    assert_eq!(wrong.status.code(), Some(2));
    assert!(text(&wrong.stderr).contains("did you mean \"refused\"?"), "{wrong:?}");
}

#[test]
fn rows_become_recordings() {
    let folder = tempfile::tempdir().unwrap();
    let (file, rec) = (folder.path().join("A_trades.csv"), folder.path().join("rec"));
    fs::write(&file, "time,price,size\n1750536000955,81.010,1\n1750536001955,81.020,2\n").unwrap();
    let mut record = tickwire();
    record.args(["record", "--feed", "csv", "-o"]).arg(&rec);
    assert!(record.arg(&file).output().unwrap().status.success());
    let replayed = tickwire().args(["replay", "-c", "trades"]).arg(&rec).output().unwrap();
    assert_eq!(text(&replayed.stdout).lines().count(), 2, "{replayed:?}");
}
