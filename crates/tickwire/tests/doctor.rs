//! What stands in the way of a server is found before it is one.

#![expect(clippy::unwrap_used, clippy::print_stderr, reason = "a test")]

mod common;

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime};

use common::{Plant, text, tickwire};
use serde_json::Value;
use tempfile::TempDir;

const SECRET: &str = "Zk3u9QmX7tVhB2sLw8RpYc5NfJ4gD6eA1oKiTzUxMqE";
const FEED: &str = "[[feed]]\nname = \"sim\"\nkind = \"sim\"\nsymbols = 20\n";

/// A configuration in a folder of its own, with nothing wrong in it.
struct Case(TempDir);

impl Case {
    fn new(server: &str, more: &str) -> Self {
        let case = Self(tempfile::tempdir().unwrap());
        case.secret("secret.key", SECRET);
        let keys = "[[auth.keys]]\nalgorithm = \"HS256\"\nsecret_file = \"secret.key\"\n";
        let ports = "listen = \"127.0.0.1:0\"\nadmin_listen = \"127.0.0.1:0\"\n";
        let is_said = |line: &str| server.lines().any(|own| own.starts_with(&line[..8]));
        let ports: Vec<_> = ports.lines().filter(|line| !is_said(line)).collect();
        let ports = ports.join("\n");
        case.write("tickwire.toml", &format!("[server]\n{ports}\n{server}{keys}{FEED}{more}"));
        case
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    fn secret(&self, name: &str, text: &str) {
        self.write(name, text);
        fs::set_permissions(self.path(name), fs::Permissions::from_mode(0o600)).unwrap();
    }

    /// A certificate that is good from so many days and a half on, until so many days and a half on.
    fn certificate(&self, days: (i64, i64)) {
        let mut wanted =
            rcgen::CertificateParams::new(["localhost".to_owned(), "plant.example".to_owned()]).unwrap();
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
        let day = |days: i64| {
            let seconds = now.checked_add_signed(days * 86_400 + 43_200).unwrap();
            SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
        };
        (wanted.not_before, wanted.not_after) = (day(days.0).into(), day(days.1).into());
        let key = rcgen::KeyPair::generate().unwrap();
        self.write("cert.pem", &wanted.self_signed(&key).unwrap().pem());
        self.secret("key.pem", &key.serialize_pem());
    }

    fn doctor(&self) -> Command {
        let mut command = tickwire();
        // What is set for the tests is none of its matters.
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("TICKWIRE_") {
                command.env_remove(name);
            }
        }
        command.args(["doctor", "--json", "-c"]).arg(self.path("tickwire.toml"));
        command
    }

    fn told(&self, options: &[&str]) -> Told {
        told(self.doctor().args(options))
    }
}

/// What the doctor said, and how it ended.
struct Told(i32, Value);

fn told(command: &mut Command) -> Told {
    let output = command.stdin(Stdio::null()).output().unwrap();
    let told = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"));
    Told(output.status.code().unwrap(), told)
}

impl Told {
    /// What is not ok, as area, name and level, but for what a machine of tests may be like.
    fn wrong(&self) -> Vec<String> {
        let checks = self.1["checks"].as_array().unwrap().iter();
        let wrong = checks.filter(|check| check["level"] == "warn" || check["level"] == "fail");
        let wrong = wrong.filter(|check| check["name"] != "synchronised" && check["area"] != "machine");
        let part = |check: &Value, key: &str| check[key].as_str().unwrap().to_owned();
        wrong.map(|check| ["area", "name", "level"].map(|key| part(check, key)).join(" ")).collect()
    }

    /// How a check ended, what was seen and what is advised.
    fn check(&self, area: &str, name: &str) -> (String, String) {
        let of = |check: &&Value| check["area"] == area && check["name"] == name;
        let checks: Vec<_> = self.1["checks"].as_array().unwrap().iter().filter(of).collect();
        let worst = checks.iter().find(|check| check["level"] == "fail" || check["level"] == "warn");
        let check = worst.or(checks.first()).unwrap_or_else(|| panic!("no {area} {name}: {}", self.1));
        let part = |key: &str| check[key].as_str().unwrap_or_default();
        (part("level").to_owned(), format!("{} → {}", part("seen"), part("advice")))
    }

    fn expect(&self, area: &str, name: &str, level: &str, parts: &[&str]) {
        let (found, seen) = self.check(area, name);
        assert_eq!(found, level, "{area} {name}: {seen}");
        for part in parts {
            assert!(seen.contains(part), "{part:?} in {seen:?}");
        }
        assert_eq!(self.0, i32::from(self.1["fail"] != 0), "the exit code says whether anything fails");
    }
}

#[test]
fn nothing_is_wrong_with_what_is_good() {
    let case = Case::new(
        "tls_cert_file = \"cert.pem\"\ntls_key_file = \"key.pem\"\n",
        "[recording]\nfolder = \"rec\"\n",
    );
    case.certificate((-1, 300));
    let good = case.told(&["--name", "plant.example"]);
    assert_eq!(good.wrong(), Vec::<String>::new(), "{}", good.1);
    assert_eq!(good.0, 0, "{}", good.1);
    assert!(good.1["ok"].as_u64().unwrap() > 20, "{}", good.1);
    good.expect("certificate", "validity", "ok", &["ends in 300d 12h"]);
    good.expect("disk", "fdatasync", "ok", &["64 KiB are safe after"]);
    good.expect("clock", "steadiness", "ok", &["apart from the monotonic one"]);
    assert!(!case.path("rec").exists(), "it leaves nothing behind");
    assert_eq!(case.0.path().read_dir().unwrap().count(), 4);

    // For people: areas, aligned, a sum at the end, no colours where nobody looks.
    let mut command = tickwire();
    let output = command.args(["doctor", "-c"]).arg(case.path("tickwire.toml")).output().unwrap();
    let page = text(&output.stdout);
    assert!(page.starts_with("configuration\n  ok      environment "), "{page}");
    assert!(page.contains("\n\ncertificate\n  ok      tls_key_file         "), "{page}");
    assert!(
        page.trim_end().ends_with(" 0 fail") && !page.contains('\x1b') && !page.contains(SECRET),
        "{page}"
    );
}

/// A demonstration has just been started, and somebody asks the doctor.
#[test]
fn there_is_no_false_alarm_beside_a_running_plant() {
    let plant = Plant::start_plain("", FEED);
    plant.wait_for("/readyz", 200);
    let (listen, admin) = (&plant.address, &plant.admin);
    let case = Case::new(&format!("listen = \"{listen}\"\nadmin_listen = \"{admin}\"\n"), "");
    let beside = case.told(&[]);
    assert_eq!((beside.wrong(), beside.0), (Vec::new(), 0), "{}", beside.1);
    beside.expect("ports", "listen", "ok", &["had by the plant that runs (process "]);
    beside.expect("running plant", "health", "ok", &["ready"]);
    beside.expect("running plant", "version", "ok", &[env!("CARGO_PKG_VERSION")]);
    // Without any configuration the machine is looked at.
    let machine = told(tickwire().args(["doctor", "--json"]));
    machine.expect("configuration", "file", "ok", &["none"]);
}

#[test]
fn a_broken_configuration_is_told() {
    let case = Case::new("listn = 1\n", "");
    case.told(&[]).expect(
        "configuration",
        "tickwire.toml",
        "fail",
        &["unknown field `listn`", "did you mean \"listen\"?"],
    );
    let case = Case::new("", "");
    fs::remove_file(case.path("secret.key")).unwrap();
    case.told(&[]).expect("configuration", "tickwire.toml", "fail", &["secret.key: No such file"]);
    let case = Case::new(
        "",
        "[[feed]]\nname = \"old\"\nkind = \"replay\"\nfeed = \"sim\"\nfiles = [\"gone.jsonl\"]\n",
    );
    let gone = case.told(&[]);
    gone.expect("configuration", "files", "fail", &["\"old\"", "gone.jsonl"]);
    gone.expect("feeds", "old", "fail", &["gone.jsonl", "files"]);
    let case = Case::new("", "[[feed]]\nname = \"twin\"\nkind = \"sim\"\n");
    case.told(&[]).expect("feeds", "symbols", "fail", &["both list", "symbol_suffix"]);
    let case = Case::new("", "");
    case.write("tickwire.toml", FEED);
    case.told(&[]).expect("configuration", "use", "fail", &["there is no key"]);
    let wrong = told(case.doctor().env("TICKWIRE_TOKN", "x"));
    wrong.expect("configuration", "environment", "warn", &["TICKWIRE_TOKN", "did you mean TICKWIRE_TOKEN?"]);
    // What is no configuration does not keep it from looking at the clock.
    let none = told(tickwire().args(["doctor", "--json", "-c", "/nowhere/tickwire.toml"]));
    none.expect("configuration", "tickwire.toml", "fail", &["No such file"]);
    assert!(!none.check("clock", "time").1.is_empty());
}

#[test]
fn certificates_are_read_as_clients_read_them() {
    let tls = "tls_cert_file = \"cert.pem\"\ntls_key_file = \"key.pem\"\n";
    let case = Case::new(tls, "");
    for (days, level, seen) in [
        ((-30, -2), "fail", "ended 1d 12h"),
        ((3, 300), "fail", "begins in 3d 12h"),
        ((-300, 5), "warn", "ends in 5d 12h"),
        ((-1, 6), "ok", "ends in 6d 12h"),
    ] {
        case.certificate(days);
        case.told(&[]).expect("certificate", "validity", level, &[seen]);
    }
    case.certificate((-1, 300));
    case.told(&["--name", "other.example"]).expect(
        "certificate",
        "names",
        "fail",
        &["localhost, plant.example, and not for other.example"],
    );
    case.told(&["--name", "no name"]).expect("certificate", "names", "fail", &["is no name"]);
    case.told(&[]).expect("certificate", "chain", "ok", &["signed by itself"]);
    // Another key.
    case.secret("key.pem", &rcgen::KeyPair::generate().unwrap().serialize_pem());
    case.told(&[]).expect("certificate", "chain and key", "fail", &["cannot be used", "tls_key_file"]);
    case.write("cert.pem", "nothing");
    case.told(&[]).expect("certificate", "chain and key", "fail", &["cert.pem: no certificate in PEM form"]);
    let plain = Case::new("listen = \"0.0.0.0:0\"\nallow_plain = true\n", "");
    plain.told(&[]).expect("certificate", "TLS", "warn", &["everybody on the way", "tls_cert_file"]);
}

#[test]
fn keys_are_weighed() {
    let case = Case::new("", "");
    fs::set_permissions(case.path("secret.key"), fs::Permissions::from_mode(0o644)).unwrap();
    case.told(&[]).expect("keys", "secret", "warn", &["everybody (0644)", "chmod 600 "]);
    case.secret("secret.key", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
    case.told(&[]).expect("keys", "secret", "warn", &["0 bits of chance", "/dev/urandom"]);
    case.secret("secret.key", "a secret of at least thirty-two bytes");
    case.told(&[]).expect("keys", "secret", "warn", &["made of words"]);
    let case = Case::new("", "[auth]\njwks_url = \"http://127.0.0.1:1/keys\"\n");
    let told = case.told(&[]);
    told.expect("keys", "jwks_url", "fail", &["http://127.0.0.1:1/keys: "]);
    told.expect("keys", "issuer", "warn", &["issuer and audience of [auth]"]);
}

#[test]
fn a_port_that_is_taken_says_by_whom() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let case = Case::new(&format!("listen = \"{address}\"\n"), "");
    let told = case.told(&[]);
    told.expect(
        "ports",
        "listen",
        "fail",
        &["is taken by", &format!("process {}", std::process::id()), "listen of [server]"],
    );
    drop(taken);
    case.told(&[]).expect("ports", "listen", "ok", &["is free"]);
    let case = Case::new("listen = \"203.0.113.7:0\"\nallow_plain = true\n", "");
    case.told(&[]).expect(
        "ports",
        "listen",
        "fail",
        &["no interface of this machine has the address 203.0.113.7"],
    );
    let case = Case::new("listen = \"127.0.0.1:40123\"\nadmin_listen = \"127.0.0.1:40123\"\n", "");
    case.told(&[]).expect("ports", "listen", "fail", &["both listen and admin_listen"]);
    let case = Case::new("admin_listen = \"0.0.0.0:0\"\n", "");
    case.told(&[]).expect("ports", "admin_listen", "warn", &["can be reached by others"]);
}

#[test]
fn limits_are_held_against_what_is_wanted() {
    let case = Case::new("", "[limits]\nconnections = 1000\n");
    let limited = |files: u32| {
        let mut shell = Command::new("sh");
        let script = format!("ulimit -n {files}; exec \"$0\" \"$@\"");
        shell.args(["-c", &script, env!("CARGO_BIN_EXE_tickwire"), "doctor", "--json", "-c"]);
        told(shell.arg(case.path("tickwire.toml")))
    };
    limited(1_064).expect("machine", "open files", "ok", &["1064"]);
    limited(256).expect(
        "machine",
        "open files",
        "fail",
        &["256: 192 of the 1000 connections", "LimitNOFILE=1064"],
    );
    // Who has said nothing has a trial.
    case.write(
        "tickwire.toml",
        &fs::read_to_string(case.path("tickwire.toml")).unwrap().replace("connections = 1000", ""),
    );
    limited(1_064).expect("machine", "open files", "ok", &["which does for a trial"]);
    limited(100).expect("machine", "open files", "fail", &["36 of the 15000"]);
}

#[test]
fn a_disk_without_room_is_told() {
    let case = Case::new("", "[recording]\nfolder = \"small/rec\"\n");
    let small = case.path("small");
    fs::create_dir(&small).unwrap();
    case.told(&[]).expect("disk", "space", "ok", &["free"]);
    if !mounted(&small) {
        eprintln!("nothing tested of a full disk: no tmpfs can be mounted here");
        return;
    }
    let full = case.told(&[]);
    Command::new("umount").arg(&small).status().unwrap();
    full.expect("disk", "space", "fail", &["nothing can be recorded", "keep_bytes in [recording]"]);
    full.expect("disk", "kind", "warn", &["it is memory"]);
}

/// A file system of a megabyte, where we may make one.
fn mounted(folder: &Path) -> bool {
    let mut mount = Command::new("mount");
    mount.args(["-t", "tmpfs", "-o", "size=1m", "tmpfs"]).arg(folder).stderr(Stdio::null());
    mount.status().is_ok_and(|status| status.success())
}
