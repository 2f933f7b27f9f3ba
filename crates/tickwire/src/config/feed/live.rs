//! The keys of a live feed.

use std::path::Path;

use ingest::live::{LIVE_FEEDS, LiveChannel, LiveError, LiveSpec, Timing};

use super::FeedFile;
use crate::config::parse::ConfigError;
use crate::config::values::{Symbols, Time};

/// What a feed subscribes to unless it says.
const CHANNELS: [LiveChannel; 4] =
    [LiveChannel::Trades, LiveChannel::Quotes, LiveChannel::Ticker, LiveChannel::Book];

impl FeedFile {
    /// Which of the keys that only a live feed has are there.
    pub(super) fn live_keys(&self) -> Vec<(&'static str, bool)> {
        vec![
            ("market", self.market.is_some()),
            ("channels", self.channels.is_some()),
            ("depth", self.depth.is_some()),
            ("ws_url", self.ws_url.is_some()),
            ("rest_url", self.rest_url.is_some()),
            ("ca_file", self.ca_file.is_some()),
            ("arbitration", self.arbitration.is_some()),
            ("raw_folder", self.raw_folder.is_some()),
            ("answer_after", self.answer_after.is_some()),
            ("silence_after", self.silence_after.is_some()),
            ("idle_after", self.idle_after.is_some()),
            ("backoff_max", self.backoff_max.is_some()),
            ("renew_after", self.renew_after.is_some()),
        ]
    }

    /// The feed; files are relative to `source`, the file it stands in.
    pub(super) fn live(&self, source: &Path, feed: Option<String>) -> Result<LiveSpec, ConfigError> {
        let refused = |message: String| ConfigError::rule(source, message);
        let feed =
            feed.ok_or_else(|| refused(format!("a live feed needs \"feed\": {}", LIVE_FEEDS.join(", "))))?;
        let symbols = if let Some(Symbols::Names(names)) = &self.symbols {
            names.clone()
        } else {
            let example = "a live feed needs \"symbols\", as the venue writes them: symbols = [\"BTCUSDT\"]";
            return Err(refused(example.to_owned()));
        };
        let folder = source.parent().unwrap_or(Path::new(""));
        let default = Timing::default();
        let or = |time: &Option<Time>, default| time.as_ref().map_or(default, |time| time.0);
        let mut channels: Vec<LiveChannel> = match &self.channels {
            Some(channels) => channels.iter().map(|channel| channel.0).collect(),
            None => CHANNELS.to_vec(),
        };
        channels.sort_unstable();
        channels.dedup();
        let spec = LiveSpec {
            feed,
            market: self.market.clone(),
            symbols,
            channels,
            depth: self.depth,
            ws_url: self.ws_url.clone(),
            rest_url: self.rest_url.clone(),
            ca: self.ca_file.as_ref().map(|file| folder.join(file)),
            arbitration: self.arbitration.unwrap_or(1),
            raw: self.raw_folder.as_ref().map(|file| folder.join(file)),
            timing: Timing {
                answer_after: or(&self.answer_after, default.answer_after),
                silence_after: or(&self.silence_after, default.silence_after),
                idle_after: or(&self.idle_after, default.idle_after),
                backoff_max: or(&self.backoff_max, default.backoff_max),
                renew_after: self.renew_after.as_ref().map(|time| time.0),
                ..default
            },
        };
        spec.check().map_err(|error| refused(format!("{error}{}", hint(&error))))?;
        Ok(spec)
    }
}

/// What was meant, perhaps.
fn hint(error: &LiveError) -> String {
    let LiveError::Feed(given) = error else { return String::new() };
    wire::closest(given, LIVE_FEEDS).map(|near| format!(". Did you mean {near:?}?")).unwrap_or_default()
}
