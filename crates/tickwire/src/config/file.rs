//! The configuration file, and what it comes to.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use fanout::Consolidation;
use fanout::limits::LogLimits;
use gateway::{Delays, Limits, Settings, Tls};
use ingest::feed::{FeedKind, FeedSpec};
use serde::Deserialize;

use super::auth::{AuthTable, Secret};
use super::feed::{self, Feed, FeedFile};
use super::parse::{ConfigError, read};
use super::place;
use super::recording::{self, RecordingTable};
use super::traces::{TracesSpec, TracesTable};
use super::values::{Bytes, OverName, PatternText, Suffix, Time};
use crate::played::{Played, PlayedSpec};

/// The configuration as it is written.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct File {
    feeds: Vec<PathBuf>,
    server: ServerTable,
    auth: AuthTable,
    streams: StreamsTable,
    recording: RecordingTable,
    traces: TracesTable,
    limits: LimitsTable,
    logs: LogsTable,
    feed: Vec<FeedFile>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct ServerTable {
    listen: SocketAddr,
    admin_listen: SocketAddr,
    tls_cert_file: Option<PathBuf>,
    tls_key_file: Option<PathBuf>,
    allow_plain: bool,
    allowed_origins: Vec<String>,
    compression: bool,
    shards: usize,
    drain: Time,
    handover: Option<PathBuf>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct StreamsTable {
    delays: Vec<Time>,
    consolidated: Vec<PatternText>,
    consolidated_suffix: Option<Suffix>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct LimitsTable {
    connections: Option<usize>,
    subject_connections: Option<usize>,
    subject_connections_over: OverName,
    tenant_connections: Option<usize>,
    tenant_subscriptions: Option<usize>,
    subject_bytes_per_second: Option<Bytes>,
    tenant_bytes_per_second: Option<Bytes>,
    address_connections: Option<usize>,
    address_attempts_per_second: Option<u32>,
    symbols: Option<usize>,
    subscriptions: Option<usize>,
    delayed_events: Option<usize>,
    requests_per_second: Option<u32>,
    http_requests_per_second: Option<u32>,
    message_bytes: Option<Bytes>,
    auth_timeout: Option<Time>,
    heartbeat: Option<Time>,
    ping: Option<Time>,
    silence: Option<Time>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct LogsTable {
    events: Option<usize>,
    bytes: Option<Bytes>,
}

impl Default for ServerTable {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            admin_listen: SocketAddr::from(([127, 0, 0, 1], 9090)),
            tls_cert_file: None,
            tls_key_file: None,
            allow_plain: false,
            allowed_origins: Vec::new(),
            compression: false,
            shards: 0,
            drain: Time(Duration::from_secs(10)),
            handover: None,
        }
    }
}

/// What a configuration comes to.
#[derive(Debug)]
pub(crate) struct Config {
    pub(crate) settings: Settings,
    pub(crate) feeds: Vec<FeedSpec>,
    /// Recordings that are feeds.
    pub(crate) played: Vec<PlayedSpec>,
    /// Where a process can ask to go on with this one's work.
    pub(crate) handover: Option<PathBuf>,
    /// Who is told what becomes of some updates.
    pub(crate) traces: Option<TracesSpec>,
    /// Secrets of the keys that can also sign, by the keys' order.
    pub(crate) secrets: Vec<Secret>,
    /// Keys that an identity provider has published.
    pub(crate) jwks_file: Option<PathBuf>,
}

impl Config {
    /// The configuration of a file, or the default, with more feed definitions beside it.
    pub(crate) fn load(path: Option<&Path>, feeds: &[PathBuf]) -> Result<Self, ConfigError> {
        let here = Path::new("");
        let (file, source) = match path {
            Some(path) => (read(path)?, path),
            None => (File::default(), here),
        };
        Self::resolve(file, source, feeds)
    }

    /// The configuration of a text, as if it stood in `source`.
    #[cfg(test)]
    pub(crate) fn from_text(text: &str, source: &Path) -> Result<Self, ConfigError> {
        Self::resolve(super::parse::parse(source, text)?, source, &[])
    }

    /// That somebody can subscribe, and to something.
    pub(crate) fn check_use(&self) -> anyhow::Result<()> {
        anyhow::ensure!(
            !self.settings.keys.current().is_empty() || self.settings.published.is_some(),
            "there is no key to check tokens with, so nobody could subscribe: add [[auth.keys]] to the configuration \
             (tickwire serve --print-default-config shows how)"
        );
        anyhow::ensure!(
            cfg!(feature = "otlp") || self.traces.is_none(),
            "[traces] endpoint: this program is built without OpenTelemetry, so nobody would be told: build it with \
             --features otlp, or leave the key out"
        );
        anyhow::ensure!(
            !self.feeds.is_empty() || !self.played.is_empty(),
            "there is no feed: name feed definitions in the configuration, or with --feed FILE"
        );
        Ok(())
    }

    /// That certificate and key fit, that the files which feeds are to read are there, and that recordings can be written:
    /// better found missing now than at night.
    pub(crate) fn check_files(&self, source: &Path) -> Result<(), ConfigError> {
        if let Some(tls) = &self.settings.tls {
            tls.check().map_err(|error| ConfigError::rule(source, format!("[server] {error}")))?;
        }
        if let Some(path) = &self.handover {
            let found = path.symlink_metadata().map(|found| found.file_type().is_socket());
            let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
            let message = match (found, parent) {
                (Ok(false), _) => Some("exists and is no socket"),
                (Err(_), Some(parent)) if !parent.is_dir() => Some("is in a folder that is not there"),
                _ => None,
            };
            if let Some(message) = message {
                let message = format!("[server] handover = \"{}\": {message}", path.display());
                return Err(ConfigError::rule(source, message));
            }
        }
        if let Some(recording) = &self.settings.recording {
            recording::check(recording, source)?;
        }
        for feed in &self.played {
            // As at the start.
            Played::prepare(feed.clone()).map_err(|error| {
                let message = format!("feed {:?} cannot play its \"recording\": {error}", feed.name);
                ConfigError::rule(source, message)
            })?;
        }
        for feed in &self.feeds {
            let FeedKind::Replay(replay) = &feed.kind else { continue };
            for file in &replay.files {
                if let Some(folder) = recording::recording_of(file) {
                    let message = format!(
                        "feed {:?} is of kind \"replay\", which plays captures, and this is a recording: write kind = \
                         \"recording\" and recording = \"{}\"",
                        feed.name,
                        folder.display()
                    );
                    return Err(ConfigError::rule(file, message));
                }
                if let Err(error) = std::fs::File::open(file) {
                    let message = format!("feed {:?} cannot read what \"files\" names: {error}", feed.name);
                    return Err(ConfigError::rule(file, message));
                }
            }
        }
        Ok(())
    }

    fn resolve(file: File, source: &Path, more: &[PathBuf]) -> Result<Self, ConfigError> {
        let folder = source.parent().unwrap_or(Path::new(""));
        let (keys, secrets) = file.auth.keys(source)?;
        let tls = tls(&file.server, source)?;
        if tls.is_none() && !file.server.allow_plain && !file.server.listen.ip().is_loopback() {
            let message = format!(
                "[server] listen = \"{}\" can be reached by others, and there is no certificate: set tls_cert_file \
                 and tls_key_file, or say allow_plain = true",
                file.server.listen
            );
            return Err(ConfigError::rule(source, message));
        }
        for origin in &file.server.allowed_origins {
            gateway::parse_origin(origin)
                .map_err(|error| ConfigError::rule(source, format!("[server] allowed_origins: {error}")))?;
        }
        let mut all = Vec::new();
        for feed in file.feed {
            all.push(feed.spec(source)?);
        }
        let named = file.feeds.iter().map(|feed| folder.join(feed));
        for feed in named.chain(more.iter().cloned()) {
            all.push(feed::feed(&feed)?);
        }
        let (mut feeds, mut played) = (Vec::new(), Vec::new());
        for feed in all {
            match feed {
                Feed::Read(spec) => feeds.push(spec),
                Feed::Played(spec) => played.push(spec),
            }
        }
        if let Some(name) = twice(&feeds, &played) {
            return Err(ConfigError::rule(source, format!("two feeds have the name {name:?}")));
        }
        let shards = match file.server.shards {
            0 => thread::available_parallelism().map_or(1, |cores| cores.get().saturating_sub(1)).max(1),
            shards => shards,
        };
        let settings = Settings {
            listen: file.server.listen,
            admin_listen: file.server.admin_listen,
            tls,
            keys: keys.into(),
            published: file.auth.published(source)?,
            cookie: file.auth.cookie,
            allowed_origins: file.server.allowed_origins.into(),
            compression: file.server.compression,
            shards,
            drain: file.server.drain.0,
            delays: delays(&file.streams, source)?,
            consolidation: consolidation(file.streams, &feeds, &played),
            recording: file.recording.resolve(source)?,
            // Who serves makes them.
            traces: None,
            // The command line's.
            page: gateway::Page::default(),
            limits: limits(&file.limits, source)?.into(),
            logs: logs(&file.logs, source)?,
        };
        let handover = file.server.handover.map(|path| folder.join(path));
        if handover.is_some() && settings.delays.count() > 0 {
            let message =
                "[server] handover does not go with [streams] delays: what is delayed is not handed over";
            return Err(ConfigError::rule(source, message));
        }
        let traces = file.traces.resolve(source)?;
        let jwks_file = file.auth.jwks_file.map(|path| place::of(source, &path)).transpose()?;
        Ok(Self { settings, feeds, played, handover, traces, secrets, jwks_file })
    }
}

fn tls(table: &ServerTable, source: &Path) -> Result<Option<Tls>, ConfigError> {
    match (&table.tls_cert_file, &table.tls_key_file) {
        (None, None) => Ok(None),
        (Some(cert), Some(key)) => {
            let (cert_file, key_file) = (place::of(source, cert)?, place::of(source, key)?);
            Ok(Some(Tls { cert_file, key_file }))
        }
        _ => Err(ConfigError::rule(source, "[server] tls_cert_file and tls_key_file go together")),
    }
}

fn delays(table: &StreamsTable, source: &Path) -> Result<Delays, ConfigError> {
    let delays = table.delays.iter().map(|delay| delay.0).collect();
    Delays::new(delays).map_err(|error| ConfigError::rule(source, format!("[streams] delays: {error}")))
}

/// What consolidated symbols have behind their names.
const CONSOLIDATED_SUFFIX: &str = ".BBO";

fn consolidation(table: StreamsTable, feeds: &[FeedSpec], played: &[PlayedSpec]) -> Consolidation {
    let suffix = table.consolidated_suffix.map_or_else(|| CONSOLIDATED_SUFFIX.to_owned(), |suffix| suffix.0);
    let own = feeds.iter().map(|feed| &feed.suffix).chain(played.iter().map(|feed| &feed.suffix));
    let wanted = table.consolidated.into_iter().map(|pattern| pattern.0);
    Consolidation::new(wanted.collect(), suffix, own.cloned().collect())
}

fn limits(table: &LimitsTable, source: &Path) -> Result<Limits, ConfigError> {
    let default = Limits::default();
    let time = |given: &Option<Time>, default| given.as_ref().map_or(default, |time| time.0);
    let limits = Limits {
        connections: table.connections.unwrap_or(default.connections),
        subject_connections: table.subject_connections,
        subject_connections_over: table.subject_connections_over.0,
        tenant_connections: table.tenant_connections,
        tenant_subscriptions: table.tenant_subscriptions,
        subject_bytes_per_second: table.subject_bytes_per_second.as_ref().map(|bytes| bytes.0 as u64),
        tenant_bytes_per_second: table.tenant_bytes_per_second.as_ref().map(|bytes| bytes.0 as u64),
        address_connections: table.address_connections,
        address_attempts_per_second: table.address_attempts_per_second,
        symbols: table.symbols.unwrap_or(default.symbols),
        subscriptions: table.subscriptions.unwrap_or(default.subscriptions),
        delayed_events: table.delayed_events.unwrap_or(default.delayed_events),
        requests_per_second: table.requests_per_second.unwrap_or(default.requests_per_second),
        http_requests_per_second: table.http_requests_per_second.unwrap_or(default.http_requests_per_second),
        message_bytes: table.message_bytes.as_ref().map_or(default.message_bytes, |bytes| bytes.0),
        auth_timeout: time(&table.auth_timeout, default.auth_timeout),
        heartbeat: time(&table.heartbeat, default.heartbeat),
        ping: time(&table.ping, default.ping),
        silence: time(&table.silence, default.silence),
    };
    let counts = [
        ("connections", limits.connections),
        ("subject_connections", limits.subject_connections.unwrap_or(1)),
        ("tenant_connections", limits.tenant_connections.unwrap_or(1)),
        ("tenant_subscriptions", limits.tenant_subscriptions.unwrap_or(1)),
        ("address_connections", limits.address_connections.unwrap_or(1)),
        ("address_attempts_per_second", limits.address_attempts_per_second.unwrap_or(1) as usize),
        ("symbols", limits.symbols),
        ("subscriptions", limits.subscriptions),
        ("delayed_events", limits.delayed_events),
        ("requests_per_second", limits.requests_per_second as usize),
        ("http_requests_per_second", limits.http_requests_per_second as usize),
    ];
    if let Some((key, _)) = counts.iter().find(|(_, value)| *value == 0) {
        return Err(ConfigError::rule(source, format!("[limits] {key} = 0: at least 1")));
    }
    if !(1_024..=16 << 20).contains(&limits.message_bytes) {
        return Err(ConfigError::rule(source, "[limits] message_bytes must be from 1KiB to 16MiB"));
    }
    let rates = [
        ("subject_bytes_per_second", limits.subject_bytes_per_second),
        ("tenant_bytes_per_second", limits.tenant_bytes_per_second),
    ];
    if let Some((key, _)) = rates.iter().find(|(_, rate)| rate.is_some_and(|rate| rate < RATE_MIN)) {
        return Err(ConfigError::rule(source, format!("[limits] {key} must be at least 1KiB")));
    }
    let times = [
        ("auth_timeout", limits.auth_timeout),
        ("heartbeat", limits.heartbeat),
        ("ping", limits.ping),
        ("silence", limits.silence),
    ];
    let shortest = std::time::Duration::from_millis(100);
    if let Some((key, _)) = times.iter().find(|(_, time)| *time < shortest) {
        return Err(ConfigError::rule(source, format!("[limits] {key} must be at least 100ms")));
    }
    Ok(limits)
}

/// With less, nobody gets a state in time.
const RATE_MIN: u64 = 1 << 10;

fn logs(table: &LogsTable, source: &Path) -> Result<LogLimits, ConfigError> {
    let default = LogLimits::default();
    let logs = LogLimits {
        events: table.events.unwrap_or(default.events),
        bytes: table.bytes.as_ref().map_or(default.bytes, |bytes| bytes.0),
        ..default
    };
    if !(512..=1 << 20).contains(&logs.events) {
        // A snapshot of trades or candles shows up to 500 of them.
        return Err(ConfigError::rule(source, "[logs] events must be from 512 to 1048576"));
    }
    if logs.bytes < 64 << 10 {
        return Err(ConfigError::rule(source, "[logs] bytes must be at least 64KiB"));
    }
    Ok(logs)
}

fn twice<'a>(feeds: &'a [FeedSpec], played: &'a [PlayedSpec]) -> Option<&'a str> {
    let mut names = HashSet::new();
    let all = feeds.iter().map(|feed| feed.name.as_str()).chain(played.iter().map(|feed| feed.name.as_str()));
    all.into_iter().find(|name| !names.insert(*name))
}
