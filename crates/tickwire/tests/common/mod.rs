//! The plant as its users have it: the binary, a configuration, real sockets.

#![allow(dead_code, reason = "each test takes what it needs")]
#![allow(clippy::print_stderr, reason = "what a test has to say")]

pub(crate) mod recorded;

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, ExitStatus, Output, Stdio};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

/// How long anything may take before a test gives up: long, for machines that are busy.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);
pub(crate) const SECRET: &str = "a secret of at least thirty-two bytes";

pub(crate) fn tickwire() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tickwire"));
    for name in ["TOKEN", "URL", "CA", "CONFIG", "LISTEN", "ADMIN_LISTEN", "LOG", "LOG_FORMAT"] {
        command.env_remove(format!("TICKWIRE_{name}"));
    }
    command
}

/// Runs the binary to its end.
pub(crate) fn run(args: &[&str]) -> Output {
    tickwire().args(args).stdin(Stdio::null()).output().unwrap()
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// The project's own top folder.
pub(crate) fn top() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The recordings of others, where they are; where they are not, says so.
pub(crate) fn shared(path: &str) -> Option<PathBuf> {
    let file = top().join("../shared/data").join(path);
    if file.exists() {
        return Some(file);
    }
    eprintln!("nothing tested: {} is not there", file.display());
    None
}

/// Python with the packages that the tests need.
pub(crate) fn python() -> PathBuf {
    let python = top().join("target/venv/bin/python3");
    assert!(python.exists(), "no {}: `cargo xtask test` makes it", python.display());
    python
}

/// Where Node finds the packages that the tests need; where there is no Node, says so.
pub(crate) fn node_packages() -> Option<PathBuf> {
    if Command::new("node").arg("--version").output().is_err() {
        eprintln!("nothing tested: Node is not there");
        return None;
    }
    let packages = top().join("target/node/node_modules");
    for name in ["ws", "playwright-core", "socket.io-client"] {
        let package = packages.join(name);
        assert!(package.exists(), "no {}: `cargo xtask test` makes it", package.display());
    }
    Some(packages)
}

/// Chromium, where there is one; where there is none, says so.
pub(crate) fn browser() -> Option<PathBuf> {
    let places = [top().join("target/chromium/chromium"), PathBuf::from("/usr/bin/chromium-headless-shell")];
    let found = places.into_iter().find(|place| place.exists());
    if found.is_none() {
        eprintln!("nothing tested: there is no Chromium; `cargo xtask test` fetches one from Debian");
    }
    found
}

/// A process that ends with the value, also when a test fails.
pub(crate) struct Guard(pub(crate) Child);

impl Drop for Guard {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A running plant; it ends with the value.
pub(crate) struct Plant {
    process: Guard,
    pub(crate) folder: Arc<TempDir>,
    /// Where clients connect: `127.0.0.1:port`.
    pub(crate) address: String,
    /// Where metrics are.
    pub(crate) admin: String,
    scheme: String,
    log: Arc<Mutex<String>>,
}

impl Plant {
    /// A plant with TLS, one HS256 key, and what `config` adds.
    pub(crate) fn start(config: &str) -> Self {
        Self::start_with("", config)
    }

    /// The same, with more keys in `[server]`.
    pub(crate) fn start_with(server: &str, config: &str) -> Self {
        Self::start_among(&[], server, config)
    }

    /// The same, with files beside the configuration.
    pub(crate) fn start_among(files: &[(&str, &str)], server: &str, config: &str) -> Self {
        let tls = "tls_cert_file = \"cert.pem\"\ntls_key_file = \"key.pem\"\n";
        Self::start_anyhow(files, &format!("{tls}{server}"), config)
    }

    /// A plant without TLS.
    pub(crate) fn start_plain(server: &str, config: &str) -> Self {
        Self::start_anyhow(&[], server, config)
    }

    /// A plant without TLS whose sessions all share one thread.
    pub(crate) fn start_narrow(config: &str) -> Self {
        let mut command = tickwire();
        command.env("TOKIO_WORKER_THREADS", "1");
        Self::start_by(command, &[], "", config)
    }

    fn start_anyhow(files: &[(&str, &str)], server: &str, config: &str) -> Self {
        Self::start_by(tickwire(), files, server, config)
    }

    fn start_by(command: Command, files: &[(&str, &str)], server: &str, config: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
        let made = rcgen::generate_simple_self_signed(names).unwrap();
        fs::write(folder.path().join("cert.pem"), made.cert.pem()).unwrap();
        fs::write(folder.path().join("key.pem"), made.signing_key.serialize_pem()).unwrap();
        fs::write(folder.path().join("secret.key"), SECRET).unwrap();
        for (name, text) in files {
            fs::write(folder.path().join(name), text).unwrap();
        }
        let always = "[server]\nlisten = \"127.0.0.1:0\"\nadmin_listen = \"127.0.0.1:0\"\n";
        let keys = "[[auth.keys]]\nid = \"main\"\nalgorithm = \"HS256\"\nsecret_file = \"secret.key\"\n";
        fs::write(folder.path().join("tickwire.toml"), format!("{always}{server}{keys}{config}")).unwrap();
        Self::run(Arc::new(folder), command)
    }

    /// Another process with the same configuration.
    pub(crate) fn again(&self) -> Self {
        Self::run(Arc::clone(&self.folder), tickwire())
    }

    /// A plant in plain, to which the system gives so many open files.
    pub(crate) fn start_poor(files: u32, config: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("secret.key"), SECRET).unwrap();
        let always = "[server]\nlisten = \"127.0.0.1:0\"\nadmin_listen = \"127.0.0.1:0\"\n";
        let keys = "[[auth.keys]]\nid = \"main\"\nalgorithm = \"HS256\"\nsecret_file = \"secret.key\"\n";
        fs::write(folder.path().join("tickwire.toml"), format!("{always}{keys}{config}")).unwrap();
        let mut shell = Command::new("sh");
        let script = format!("ulimit -n {files}; exec \"$0\" \"$@\"");
        shell.args(["-c", &script, env!("CARGO_BIN_EXE_tickwire")]);
        Self::run(Arc::new(folder), shell)
    }

    fn run(folder: Arc<TempDir>, mut command: Command) -> Self {
        command.args(["serve", "--log-format", "json", "-c"]).arg(folder.path().join("tickwire.toml"));
        let mut child = command.stdin(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let log = child.stderr.take().unwrap();
        let process = Guard(child);
        let kept = Arc::default();
        let [scheme, address, admin] = addresses(log, Arc::clone(&kept));
        Self { process, folder, address, admin, scheme, log: kept }
    }

    /// Waits until something is in its log.
    pub(crate) fn wait_for_log(&self, text: &str) {
        let began = Instant::now();
        while !self.log().contains(text) {
            assert!(began.elapsed() < PATIENCE, "never said: {text}");
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Waits until so many lines of its log have a text.
    pub(crate) fn wait_for_log_lines(&self, text: &str, count: usize) {
        let began = Instant::now();
        while self.log().matches(text).count() < count {
            assert!(began.elapsed() < PATIENCE, "not {count} times: {text}");
            thread::sleep(Duration::from_millis(50));
        }
    }

    /// What it has logged so far.
    pub(crate) fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    pub(crate) fn id(&self) -> u32 {
        self.process.0.id()
    }

    /// Waits for its end.
    pub(crate) fn wait(&mut self, patience: Duration) -> ExitStatus {
        let until = Instant::now() + patience;
        loop {
            if let Some(status) = self.process.0.try_wait().unwrap() {
                return status;
            }
            assert!(Instant::now() < until, "the plant goes on");
            thread::sleep(Duration::from_millis(20));
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("{}://{}/v1/stream", self.scheme, self.address)
    }

    pub(crate) fn ca(&self) -> PathBuf {
        self.folder.path().join("cert.pem")
    }

    /// A token made by `tickwire token mint`.
    pub(crate) fn token(&self, scopes: &[&str], ttl: &str) -> String {
        self.token_of("alice", "main", scopes, ttl)
    }

    pub(crate) fn token_of(&self, subject: &str, kid: &str, scopes: &[&str], ttl: &str) -> String {
        self.mint(&["--sub", subject, "--kid", kid, "--ttl", ttl], scopes)
    }

    /// A token of a subject of a tenant.
    pub(crate) fn token_within(&self, tenant: &str, subject: &str, scopes: &[&str]) -> String {
        self.mint(&["--tenant", tenant, "--sub", subject, "--kid", "main"], scopes)
    }

    fn mint(&self, options: &[&str], scopes: &[&str]) -> String {
        let mut command = tickwire();
        command.args(["token", "mint"]).args(options).arg("-c");
        command.arg(self.folder.path().join("tickwire.toml"));
        for scope in scopes {
            command.args(["--scope", scope]);
        }
        let output = command.output().unwrap();
        assert!(output.status.success(), "{output:?}");
        text(&output.stdout).trim().to_owned()
    }

    /// Waits until the admin port answers a GET with this status.
    pub(crate) fn wait_for(&self, path: &str, status: u16) -> String {
        let began = Instant::now();
        loop {
            let (got, body) = get(&self.admin, path);
            if got == status {
                return body;
            }
            assert!(began.elapsed() < PATIENCE, "{path}: {got} {body}");
            thread::sleep(Duration::from_millis(20));
        }
    }
}

/// Scheme and addresses out of the log; the rest of it goes to the test's own standard error.
fn addresses(log: ChildStderr, kept: Arc<Mutex<String>>) -> [String; 3] {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(log).lines().map_while(Result::ok) {
            kept.lock().unwrap().extend([line.as_str(), "\n"]);
            let said: Value = serde_json::from_str(&line).unwrap_or_default();
            let message = said["message"].as_str().unwrap_or(&line).to_owned();
            if let Some(rest) = message.strip_prefix("serving ") {
                let (scheme, rest) = rest.split_once("://").unwrap();
                let (address, rest) = rest.split_once("/v1/stream, metrics at http://").unwrap();
                let admin = rest.trim_end_matches("/metrics");
                let _ = sender.send([scheme, address, admin].map(ToOwned::to_owned));
            }
            if message != "session closed" {
                eprintln!("plant: {message}");
            }
        }
    });
    receiver.recv_timeout(PATIENCE).expect("the plant starts")
}

/// A plain GET: status and body.
pub(crate) fn get(address: &str, path: &str) -> (u16, String) {
    get_saying(address, path, "")
}

/// A plain GET with a token.
pub(crate) fn get_as(address: &str, path: &str, token: &str) -> (u16, String) {
    get_saying(address, path, &format!("Authorization: Bearer {token}\r\n"))
}

/// A plain GET with lines of headers.
pub(crate) fn get_saying(address: &str, path: &str, header: &str) -> (u16, String) {
    use std::io::{Read, Write};
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n{header}\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
    let body = answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned()).unwrap_or_default();
    (status, body)
}
