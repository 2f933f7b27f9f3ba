//! What README tells to type works: its shell blocks are run, in order, against a demonstration.

#![expect(clippy::unwrap_used, reason = "a test")]

mod common;

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use common::{Guard, text, tickwire, top};

/// The blocks of one language.
fn blocks(readme: &str, language: &str) -> Vec<String> {
    let fence = format!("```{language}\n");
    readme.split(&fence).skip(1).map(|rest| rest.split("```").next().unwrap().to_owned()).collect()
}

#[test]
fn what_readme_tells_to_type_works() {
    let mut command = tickwire();
    command.args(["demo", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"]);
    let mut demo = Guard(command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap());
    let lines = BufReader::new(demo.0.stdout.take().unwrap()).lines().map(Result::unwrap);
    let said: Vec<String> = lines.take_while(|line| !line.starts_with("ready after")).collect();
    let value = |name: &str| {
        let line = said.iter().find_map(|line| line.strip_prefix(&format!("  {name} "))).unwrap();
        line.split_whitespace().next().unwrap().to_owned()
    };
    let (stream, token) = (value("stream"), value("token"));
    let admin = value("metrics").replace("http://", "").replace("/metrics", "");
    let public = stream.replace("ws://", "").replace("/v1/stream", "");

    // The top folder as a newcomer sees it, but for what the commands write.
    let folder = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(top().join("feeds").canonicalize().unwrap(), folder.path().join("feeds"))
        .unwrap();
    let program = Path::new(env!("CARGO_BIN_EXE_tickwire")).parent().unwrap();
    let path = format!("{}:{}", program.display(), std::env::var("PATH").unwrap());
    let shell = |program: &str, option: &[&str], block: &str| {
        // The demonstration of a test takes the ports that are free.
        let block = block.replace("127.0.0.1:9090", &admin).replace("127.0.0.1:8080", &public);
        let mut command = Command::new(program);
        command.args(option).arg(&block).current_dir(folder.path()).env("PATH", &path);
        command
            .env("TICKWIRE_TOKEN", &token)
            .env("TICKWIRE_URL", &stream)
            .env("TICKWIRE_ADMIN_LISTEN", &admin);
        let output = command.stdin(Stdio::null()).output().unwrap();
        assert!(output.status.success(), "{block}\n{}", text(&output.stderr));
        assert!(!output.stdout.is_empty(), "{block}");
        text(&output.stdout)
    };
    let readme = fs::read_to_string(top().join("README.md")).unwrap();
    let said: Vec<_> =
        blocks(&readme, "sh").iter().map(|block| shell("bash", &["-euo", "pipefail", "-c"], block)).collect();
    assert_eq!(said.len(), 10, "the blocks are found");
    assert_eq!(said[0].lines().count(), 6);
    assert!(said[4].contains("  ok\n") && said[4].contains("\"channel\":\"book\""), "{}", said[4]);
    assert!(said[5].contains("the configuration is good: 2 feed(s)"), "{}", said[5]);
    assert!(said[1].contains("\"type\":\"snapshot\",\"channel\":\"trades\""), "{}", said[1]);
    assert!(said[2].contains("{\"channel\":\"candles\",\"symbol\":\"BTC-USD\""), "{}", said[2]);
    assert!(said[7].contains("tickwire_feed_events_total{feed=\"sim\",kind=\"trades\"}"), "{}", said[7]);
    assert_eq!(said[9].lines().count(), 3, "{}", said[9]);
    assert!(said[8].ends_with("every sequence tiles, every ledger closes\n"), "{}", said[8]);

    // The Python of it, up to its first update.
    let [python, tables] = &blocks(&readme, "python")[..] else { panic!("two blocks of Python") };
    let python = python.replace(
        "        print(message)",
        "        print(message)\n        if '\"update\"' in message: break",
    );
    let python = shell(common::python().to_str().unwrap(), &["-c"], &python);
    assert!(python.contains("\"channel\":\"ticker\""), "{python}");
    let tables = shell(common::python().to_str().unwrap(), &["-c"], tables);
    assert!(tables.contains("BTC-USD"), "{tables}");
}
