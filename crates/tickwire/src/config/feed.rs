//! A feed definition, in a file of its own or in the configuration.

mod live;

use std::path::{Path, PathBuf};
use std::time::Duration;

use ingest::Options;
use ingest::feed::{FeedKind, FeedSpec, ReplaySpec, SimSpec};
use model::Speed;
use serde::Deserialize;

use super::parse::{ConfigError, read};
use super::values::{Day, FeedKindName, FeedName, LiveChannelName, SpeedText, Suffix, Symbols, Time};
use crate::maps;
use crate::played::PlayedSpec;

/// What a definition comes to.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "one for each feed of a configuration")]
pub(crate) enum Feed {
    /// A simulation, or captures of a venue.
    Read(FeedSpec),
    /// A recording.
    Played(PlayedSpec),
}

/// The feed that a file defines.
pub(crate) fn feed(path: &Path) -> Result<Feed, ConfigError> {
    read::<FeedFile>(path)?.spec(path)
}

/// A feed definition as it is written.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FeedFile {
    name: FeedName,
    kind: Kind,
    #[serde(default)]
    symbol_suffix: Option<Suffix>,
    #[serde(default)]
    stale_after: Option<Time>,
    seed: Option<u64>,
    symbols: Option<Symbols>,
    rate: Option<u32>,
    feed: Option<FeedKindName>,
    files: Option<Vec<PathBuf>>,
    map: Option<String>,
    symbol: Option<Box<str>>,
    venue: Option<Box<str>>,
    date: Option<Day>,
    recording: Option<PathBuf>,
    speed: Option<SpeedText>,
    repeat: Option<bool>,
    wait_for_subscriber: Option<bool>,
    market: Option<String>,
    channels: Option<Vec<LiveChannelName>>,
    depth: Option<u32>,
    ws_url: Option<String>,
    rest_url: Option<String>,
    ca_file: Option<PathBuf>,
    arbitration: Option<u8>,
    raw_folder: Option<PathBuf>,
    answer_after: Option<Time>,
    silence_after: Option<Time>,
    idle_after: Option<Time>,
    backoff_max: Option<Time>,
    renew_after: Option<Time>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Sim,
    Replay,
    Recording,
    Live,
}

const STALE_AFTER: Duration = Duration::from_secs(5);

impl FeedFile {
    /// The feed it defines; files are relative to `source`, the file it stands in.
    pub(crate) fn spec(self, source: &Path) -> Result<Feed, ConfigError> {
        let name = self.name.0.clone();
        let kind = match self.kind {
            Kind::Sim => {
                let foreign = [
                    ("feed", self.feed.is_some()),
                    ("files", self.files.is_some()),
                    ("map", self.map.is_some()),
                    ("symbol", self.symbol.is_some()),
                    ("venue", self.venue.is_some()),
                    ("date", self.date.is_some()),
                    ("recording", self.recording.is_some()),
                    ("speed", self.speed.is_some()),
                    ("repeat", self.repeat.is_some()),
                    ("wait_for_subscriber", self.wait_for_subscriber.is_some()),
                ];
                only_its_own(source, &name, "sim", &[&foreign[..], &self.live_keys()].concat())?;
                FeedKind::Sim(self.sim(source)?)
            }
            Kind::Replay => {
                let foreign = [
                    ("seed", self.seed.is_some()),
                    ("symbols", self.symbols.is_some()),
                    ("rate", self.rate.is_some()),
                    ("recording", self.recording.is_some()),
                ];
                only_its_own(source, &name, "replay", &[&foreign[..], &self.live_keys()].concat())?;
                FeedKind::Replay(self.replay(source)?)
            }
            Kind::Recording => {
                let foreign = [
                    ("seed", self.seed.is_some()),
                    ("symbols", self.symbols.is_some()),
                    ("rate", self.rate.is_some()),
                    ("feed", self.feed.is_some()),
                    ("files", self.files.is_some()),
                    ("map", self.map.is_some()),
                    ("symbol", self.symbol.is_some()),
                    ("venue", self.venue.is_some()),
                    ("date", self.date.is_some()),
                    ("stale_after", self.stale_after.is_some()),
                ];
                only_its_own(source, &name, "recording", &[&foreign[..], &self.live_keys()].concat())?;
                return Ok(Feed::Played(self.played(source)?));
            }
            Kind::Live => {
                let foreign = [
                    ("seed", self.seed.is_some()),
                    ("rate", self.rate.is_some()),
                    ("files", self.files.is_some()),
                    ("recording", self.recording.is_some()),
                    ("speed", self.speed.is_some()),
                    ("repeat", self.repeat.is_some()),
                    ("wait_for_subscriber", self.wait_for_subscriber.is_some()),
                ];
                only_its_own(source, &name, "live", &foreign)?;
                let feed = self.feed.as_ref().map(|feed| feed.0.clone());
                FeedKind::Live(self.live(source, feed)?)
            }
        };
        Ok(Feed::Read(FeedSpec {
            name,
            suffix: self.symbol_suffix.map(|suffix| suffix.0).unwrap_or_default(),
            stale_after: self.stale_after.map_or(STALE_AFTER, |time| time.0),
            kind,
        }))
    }

    fn played(&self, source: &Path) -> Result<PlayedSpec, ConfigError> {
        let missing = || ConfigError::rule(source, "a recording needs \"recording\", its folder".to_owned());
        let folder = source.parent().unwrap_or(Path::new(""));
        Ok(PlayedSpec {
            name: self.name.0.clone(),
            suffix: self.symbol_suffix.as_ref().map(|suffix| suffix.0.clone()).unwrap_or_default(),
            folder: folder.join(self.recording.as_ref().ok_or_else(missing)?),
            speed: self.speed.as_ref().map_or(Speed::REAL, |speed| speed.0),
            repeat: self.repeat.unwrap_or(false),
            wait_for_subscriber: self.wait_for_subscriber.unwrap_or(false),
        })
    }

    fn sim(&self, source: &Path) -> Result<SimSpec, ConfigError> {
        use ingest::sim::Settings;
        let symbols = match &self.symbols {
            None => 50,
            Some(Symbols::Count(count)) => *count,
            Some(Symbols::Names(_)) => {
                return Err(ConfigError::rule(source, "a simulation names its symbols itself: say how many"));
            }
        };
        let rate = self.rate.unwrap_or(2_000);
        if !(1..=Settings::SYMBOLS_MAX).contains(&symbols) {
            let message =
                format!("symbols = {symbols}: a simulation has 1 to {} symbols", Settings::SYMBOLS_MAX);
            return Err(ConfigError::rule(source, message));
        }
        if !(1..=Settings::RATE_MAX).contains(&rate) {
            let message =
                format!("rate = {rate}: a simulation makes 1 to {} events a second", Settings::RATE_MAX);
            return Err(ConfigError::rule(source, message));
        }
        Ok(SimSpec { seed: self.seed.unwrap_or(1), symbols, rate })
    }

    fn replay(&self, source: &Path) -> Result<ReplaySpec, ConfigError> {
        let missing = |key| ConfigError::rule(source, format!("a replay needs {key:?}"));
        let folder = source.parent().unwrap_or(Path::new(""));
        let files = self.files.as_ref().filter(|files| !files.is_empty()).ok_or_else(|| missing("files"))?;
        let feed = self.feed.as_ref().ok_or_else(|| missing("feed"))?.0.clone();
        let options = Options {
            date: self.date.as_ref().map(|day| day.0),
            map: self.map.as_ref().map(|name| maps::load(&feed, name, folder)).transpose()?,
            symbol: self.symbol.clone(),
            venue: self.venue.clone(),
        };
        ingest::reader(&feed, &options).map_err(|error| ConfigError::rule(source, error.to_string()))?;
        Ok(ReplaySpec {
            feed,
            options,
            files: files.iter().map(|file| folder.join(file)).collect(),
            speed: self.speed.as_ref().map_or(Speed::REAL, |speed| speed.0),
            repeat: self.repeat.unwrap_or(false),
            wait_for_subscriber: self.wait_for_subscriber.unwrap_or(false),
        })
    }
}

/// A key that means nothing for this kind of feed is a slip, not a wish.
fn only_its_own(source: &Path, name: &str, kind: &str, keys: &[(&str, bool)]) -> Result<(), ConfigError> {
    match keys.iter().find(|(_, set)| *set) {
        Some((key, _)) => {
            Err(ConfigError::rule(source, format!("feed {name:?}: {key:?} is not a key of a {kind} feed")))
        }
        None => Ok(()),
    }
}
