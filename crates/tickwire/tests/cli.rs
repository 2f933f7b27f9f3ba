//! The command line: data on standard output, talk on standard error, exit codes.

#![expect(clippy::unwrap_used, reason = "a test")]

mod common;

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use common::{Guard, Plant, run, text, tickwire, top};

fn code(output: &Output) -> (Option<i32>, String, String) {
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

/// Runs a command with a text as its standard input.
fn piped(args: &[&str], input: &[u8]) -> Output {
    let mut command = tickwire();
    command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    let writer = thread::spawn(move || stdin.write_all(&input));
    let output = child.wait_with_output().unwrap();
    // A command may end before it has read everything.
    let _ = writer.join().unwrap();
    output
}

fn recording() -> String {
    fs::read_to_string(top().join("feeds/recordings/sim.jsonl")).unwrap()
}

fn expected() -> String {
    fs::read_to_string(top().join("feeds/recordings/sim.expected.ndjson")).unwrap()
}

#[test]
fn normalize_knows_its_feeds() {
    let (status, out, err) = code(&run(&["normalize", "--feed", "binance", "x.gz"]));
    assert_eq!((status, out.as_str()), (Some(2), ""));
    for name in ingest::FEEDS {
        assert!(err.contains(name), "{err}");
    }
    let recording = top().join("feeds/recordings/sim.jsonl");
    let (status, out, err) = code(&run(&["normalize", "--feed", "okx", recording.to_str().unwrap()]));
    assert_eq!((status, out.as_str()), (Some(0), ""));
    assert!(err.contains("is a message of \"okx\": is --feed the right one?"), "{err}");
    let (status, out, err) = code(&run(&["normalize", "--feed", "okx", "/no/such/file"]));
    assert_eq!((status, out.as_str()), (Some(1), ""));
    assert_eq!(err, "error: /no/such/file: No such file or directory (os error 2)\n");
}

#[test]
fn normalize_reads_standard_input_in_every_form() {
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gz.write_all(recording().as_bytes()).unwrap();
    for input in [recording().into_bytes(), gz.finish().unwrap()] {
        let (status, out, err) = code(&piped(&["normalize", "--feed", "sim", "-"], &input));
        assert_eq!((status, err.as_str()), (Some(0), ""));
        assert!(out == expected(), "what is read from a pipe is what is read from a file");
    }
    let (status, out, err) = code(&piped(&["normalize", "--feed", "sim", "-"], b""));
    assert_eq!((status, out.as_str(), err.as_str()), (Some(0), "", ""), "nothing to say");
}

#[test]
fn a_broken_line_is_named_and_the_rest_goes_on() {
    let text = recording();
    let mut lines: Vec<&str> = text.lines().collect();
    lines.insert(500, "{\"t\":\"recv\",\"conn\":\"sim\",");
    let (status, out, err) = code(&piped(&["normalize", "--feed", "sim", "-"], lines.join("\n").as_bytes()));
    assert_eq!(status, Some(1));
    assert!(out == expected(), "nothing else is lost");
    assert!(err.starts_with("-:501: "), "{err}");
    assert!(err.ends_with("1 broken line(s) were passed over\n"), "{err}");
}

#[test]
fn a_reader_that_has_had_enough_is_no_failure() {
    let mut command = tickwire();
    command.args(["normalize", "--feed", "sim"]).arg(top().join("feeds/recordings/sim.jsonl"));
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), text(&output.stderr).as_str()), (Some(0), ""));
}

#[test]
fn the_feed_definitions_are_good() {
    let around = tempfile::tempdir().unwrap();
    let folder = around.path().join("feeds");
    fs::create_dir_all(folder.join("recordings")).unwrap();
    fs::write(folder.join("secret.key"), common::SECRET).unwrap();
    let mut record = tickwire();
    record.args(["record", "--feed", "sim", "-o"]).arg(around.path().join("rec"));
    let recorded = record.arg(top().join("feeds/recordings/sim.jsonl")).output().unwrap();
    assert!(recorded.status.success(), "{recorded:?}");
    for mapping in ["recordings/trades.map.toml", "recordings/messages.map.toml"] {
        fs::copy(top().join("feeds").join(mapping), folder.join(mapping)).unwrap();
    }
    let mut names = Vec::new();
    for entry in fs::read_dir(top().join("feeds")).unwrap().map(Result::unwrap) {
        if entry.path().extension().is_some_and(|ending| ending == "toml") {
            let name = entry.file_name().into_string().unwrap();
            fs::copy(entry.path(), folder.join(&name)).unwrap();
            names.push(name);
        }
    }
    assert!(names.len() >= 12, "{names:?}");
    let config =
        format!("feeds = {names:?}\n[[auth.keys]]\nalgorithm = \"HS256\"\nsecret_file = \"secret.key\"\n");
    let path = folder.join("tickwire.toml");
    fs::write(&path, config).unwrap();
    let check = || code(&tickwire().args(["serve", "--check-config", "-c"]).arg(&path).output().unwrap());
    // The captures are not there: that is told, one by one, until they are.
    loop {
        let (status, out, err) = check();
        if status == Some(0) {
            assert_eq!(out, format!("the configuration is good: {} feed(s)\n", names.len()));
            break;
        }
        assert!(status == Some(2) && err.contains("cannot read what \"files\" names"), "{err}");
        let file = err.strip_prefix("error: ").unwrap().split(": feed").next().unwrap();
        fs::write(file, "").unwrap();
    }
}

/// What would only show at night is refused at the start.
#[test]
fn feeds_that_cannot_be_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("secret.key"), common::SECRET).unwrap();
    let path = folder.path().join("tickwire.toml");
    let recording = top().join("feeds/recordings/sim.jsonl").canonicalize().unwrap();
    let serve = |feeds: &str| {
        let keys = "[[auth.keys]]\nalgorithm = \"HS256\"\nsecret_file = \"secret.key\"\n";
        let server = "[server]\nlisten = \"127.0.0.1:0\"\nadmin_listen = \"127.0.0.1:0\"\n";
        fs::write(&path, format!("{server}{keys}{feeds}")).unwrap();
        code(&tickwire().args(["serve", "-c"]).arg(&path).output().unwrap())
    };
    let replay = |name: &str, feed: &str| {
        let file = recording.display();
        format!("[[feed]]\nname = \"{name}\"\nkind = \"replay\"\nfeed = \"{feed}\"\nfiles = [\"{file}\"]\n")
    };
    let (status, _, err) = serve(&format!("{}{}", replay("one", "sim"), replay("two", "sim")));
    assert_eq!(status, Some(2));
    let says = "feeds \"one\" and \"two\" both list BTC-USD: give one of them a symbol_suffix";
    assert!(err.contains(says), "{err}");
    let (status, _, err) = serve(&replay("one", "okx"));
    assert_eq!(status, Some(2));
    assert!(err.contains("feed \"one\": nothing in its files is a message of \"okx\""), "{err}");
}

#[test]
fn a_slip_in_the_configuration_is_shown() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tickwire.toml");
    fs::write(&path, "[server]\nlisten = \"127.0.0.1:0\"\n\n[limits]\nheartbeet = \"5s\"\n").unwrap();
    let (status, out, err) = code(&tickwire().args(["serve", "-c"]).arg(&path).output().unwrap());
    assert_eq!((status, out.as_str()), (Some(2), ""));
    assert!(err.contains("line 5, column 1") && err.contains("did you mean \"heartbeat\"?"), "{err}");
    // What is printed as the default is a configuration.
    let template = run(&["serve", "--print-default-config"]);
    fs::write(&path, &template.stdout).unwrap();
    let (status, _, err) =
        code(&tickwire().args(["serve", "--check-config", "-c"]).arg(&path).output().unwrap());
    assert!(status == Some(2) && err.contains("there is no key to check tokens with"), "{err}");
    // Where recordings cannot be written, it is said before the first start.
    fs::write(folder.path().join("secret.key"), common::SECRET).unwrap();
    for (place, good) in [("recordings/live", true), ("tickwire.toml/live", false)] {
        let key = "[[auth.keys]]\nalgorithm = \"HS256\"\nsecret_file = \"secret.key\"\n";
        fs::write(
            &path,
            format!("[recording]\nfolder = \"{place}\"\n{key}[[feed]]\nname = \"a\"\nkind = \"sim\"\n"),
        )
        .unwrap();
        let (status, _, err) =
            code(&tickwire().args(["serve", "--check-config", "-c"]).arg(&path).output().unwrap());
        assert_eq!(status == Some(0), good, "{err}");
        assert!(good || err.contains("cannot be written to"), "{err}");
    }
    assert!(!folder.path().join("recordings").exists(), "nothing is made");
}

#[test]
fn tokens_are_minted_and_checked() {
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("secret.key");
    fs::write(&key, common::SECRET).unwrap();
    let key = key.to_str().unwrap();
    let mint = |scope| code(&run(&["token", "mint", "--key-file", key, "--sub", "alice", "--scope", scope]));
    let (status, token, _) = mint("stream:BTC-*/trades");
    assert_eq!(status, Some(0));
    let (status, out, _) = code(&run(&["token", "check", "--key-file", key, token.trim()]));
    let grant: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(
        (status, &grant["subject"], &grant["scopes"][0]),
        (Some(0), &"alice".into(), &"stream:BTC-*/trades".into())
    );
    let (status, out, err) = code(&run(&["token", "check", "--key-file", key, &token.trim()[1..]]));
    assert_eq!((status, out.as_str()), (Some(4), ""), "{err}");
    let (status, _, err) = mint("strem:*");
    assert!(status == Some(2) && err.contains("strem:*"), "{err}");
}

#[test]
fn exit_codes_say_whose_fault_it_is() {
    let plant = Plant::start("[[feed]]\nname = \"sim\"\nkind = \"sim\"\nsymbols = 3\nrate = 200\n");
    plant.wait_for("/readyz", 200);
    let (url, ca) = (plant.url(), plant.ca());
    let sub = |token: &str, more: &[&str]| {
        let mut command = tickwire();
        command.args(["sub", "-c", "trades", "--url", &url, "--ca"]).arg(&ca).env("TICKWIRE_TOKEN", token);
        code(&command.args(more).output().unwrap())
    };
    let token = plant.token(&["stream:*"], "10m");
    let (status, out, _) = sub(&token, &["-s", "BTC-USD", "--count", "3"]);
    assert_eq!((status, out.lines().count()), (Some(0), 3));
    assert!(out.lines().all(|line| line.starts_with("{\"symbol\":\"BTC-USD\",\"sequence\":")), "{out}");
    let (status, out, err) = sub(&token, &["-s", "BTC-USDD", "--count", "1"]);
    assert_eq!((status, out.as_str()), (Some(2), ""));
    assert!(err.contains("Did you mean BTC-USD?"), "{err}");
    let (status, _, err) = sub("rubbish", &["-s", "BTC-USD", "--count", "1"]);
    assert_eq!(status, Some(4), "{err}");
    let (status, _, err) = sub(&token, &["-s", "BTC-USD", "--url", "ws://127.0.0.1:1/v1/stream"]);
    assert!(status == Some(2) || status == Some(3), "{err}");
    assert_eq!(code(&run(&["health", "--admin", &plant.admin])).0, Some(0));
    assert_eq!(code(&run(&["health", "--admin", &format!("http://{}/", plant.admin)])).0, Some(0));
    assert_eq!(code(&run(&["health", "--admin", "127.0.0.1:1"])).0, Some(3));
    let (status, _, err) = sub("", &["-s", "BTC-USD"]);
    assert!(status == Some(4), "{status:?} {err}");
    let narrow = plant.token(&["stream:ETH-*"], "10m");
    assert_eq!(sub(&narrow, &["-s", "BTC-USD"]).0, Some(4));
    let mut watch = tickwire();
    watch.args(["watch", "NO-SUCH", "--url", &url, "--ca"]).arg(&ca).env("TICKWIRE_TOKEN", &token);
    assert_eq!(code(&watch.output().unwrap()).0, Some(2));

    let bench = |token: &str, more: &[&str]| {
        let mut command = tickwire();
        command.args(["bench", "--clients", "20", "--duration", "1s", "--url", &url, "--ca"]).arg(&ca);
        code(&command.args(more).env("TICKWIRE_TOKEN", token).output().unwrap())
    };
    let (status, out, err) =
        bench(&token, &["-c", "trades,book", "--slow-share", "0.25", "--slow-bytes", "500"]);
    assert!(status == Some(0) && err.is_empty(), "{status:?} {out} {err}");
    for part in ["20 clients, 3 symbols of trades, book", "slow          5  ", "healthy      15  ", "p99.9"] {
        assert!(out.contains(part), "{part}: {out}");
    }
    assert!(out.ends_with("every sequence tiles, every ledger closes\n"), "{out}");
    assert_eq!(bench("rubbish", &[]).0, Some(4));
    assert_eq!(bench(&token, &["-s", "BTC-USDD"]).0, Some(2));
    assert_eq!(bench(&token, &["--slow-share", "0.6", "--frozen-share", "0.6"]).0, Some(2));
    assert_eq!(bench(&token, &["--slow-share", "1.5"]).0, Some(2));

    // A second server on the same port says which settings choose it.
    let (status, _, err) = code(&run(&["demo", "--listen", &plant.address, "--admin-listen", "127.0.0.1:0"]));
    assert!(status == Some(1) && err.contains("--listen") && err.contains(&plant.address), "{err}");
}

/// The demonstration prints what there is to try, and ends when told to, also when the reader of its
/// log is gone.
#[test]
fn the_demonstration_begins_and_ends() {
    let mut command = tickwire();
    command.args(["demo", "--tls", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"]);
    let mut demo = Guard(command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap());
    drop(demo.0.stderr.take());
    let mut lines = BufReader::new(demo.0.stdout.take().unwrap()).lines().map(Result::unwrap);
    let said: Vec<String> = lines.by_ref().take_while(|line| !line.starts_with("ready after")).collect();
    let line = |start: &str| {
        said.iter().find_map(|line| line.strip_prefix(start)).expect("a line of this").to_owned()
    };
    let watch = line("  TICKWIRE_TOKEN=");
    assert!(watch.contains(" watch --url wss://127.0.0.1:") && watch.contains(" --ca "), "{watch}");

    // The lines are ready: what they say works.
    let python =
        line("  python3 -c '").trim_end_matches('\'').replace("for m in c]", "for m, _ in zip(c, range(4))]");
    let output = Command::new(common::python()).args(["-W", "error", "-c", &python]).output().unwrap();
    let (status, out, err) = code(&output);
    assert!(status == Some(0) && out.lines().nth(3).unwrap().contains("\"update\""), "{out} {err}");
    let words: Vec<&str> = watch.split(' ').collect();
    // A shell would take the quotation marks away.
    let mut watching = tickwire();
    watching.env("TICKWIRE_TOKEN", words[0]).args(words[2..].iter().map(|word| word.trim_matches('\'')));
    let mut watching = Guard(watching.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap());
    let first = BufReader::new(watching.0.stdout.take().unwrap()).lines().nth(10).unwrap().unwrap();
    drop(watching);
    assert!(first.contains("-USD") || first.contains("AAPL"), "{first}");

    let id = demo.0.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
    assert_eq!(wait(&mut demo.0).code(), Some(0));
}

/// Waits for the end of a process, with patience.
fn wait(child: &mut Child) -> ExitStatus {
    let began = Instant::now();
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status;
        }
        assert!(began.elapsed() < common::PATIENCE, "it does not end");
        thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn the_protocol_is_described() {
    for (what, version) in [("asyncapi", "3.0.0"), ("openapi", "3.1.0")] {
        let (status, out, _) = code(&run(&["describe", what]));
        let document: serde_json::Value = serde_json::from_str(&out).unwrap();
        assert_eq!((status, document[what].as_str()), (Some(0), Some(version)), "{what}");
    }
    assert_eq!(code(&run(&["describe", "everything"])).0, Some(2));
}

#[test]
fn every_shell_gets_completions() {
    for shell in ["bash", "zsh", "fish"] {
        let (status, out, _) = code(&run(&["completions", shell]));
        assert!(status == Some(0) && out.contains("normalize"), "{shell}");
    }
}
