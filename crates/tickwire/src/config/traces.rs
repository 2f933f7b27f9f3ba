//! Where is told what becomes of some updates.

use std::path::{Path, PathBuf};

use gateway::Remote;
use serde::Deserialize;

use super::parse::ConfigError;
use super::place;
use crate::cli::Share;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct TracesTable {
    endpoint: Option<String>,
    ca_file: Option<PathBuf>,
    sample: Option<String>,
    service: Option<String>,
}

/// Who is told, of how many updates, and as whom.
#[derive(Debug)]
#[cfg_attr(not(feature = "otlp"), expect(dead_code, reason = "nobody tells"))]
pub(crate) struct TracesSpec {
    pub(crate) place: Remote,
    /// Of 2^64.
    pub(crate) share: u64,
    pub(crate) service: String,
}

/// Where a collector takes traces, if nothing else is said (OTLP/HTTP).
const PATH: &str = "/v1/traces";
/// One update in a thousand.
const SAMPLE: &str = "0.001";

impl TracesTable {
    pub(super) fn resolve(self, source: &Path) -> Result<Option<TracesSpec>, ConfigError> {
        let refused = |message: String| ConfigError::rule(source, format!("[traces] {message}"));
        let others = [
            ("ca_file", self.ca_file.is_some()),
            ("sample", self.sample.is_some()),
            ("service", self.service.is_some()),
        ];
        let Some(endpoint) = self.endpoint else {
            return match others.into_iter().find(|(_, is_set)| *is_set) {
                Some((key, _)) => {
                    Err(refused(format!("{key} goes with endpoint: without it nobody is told")))
                }
                None => Ok(None),
            };
        };
        let ca = self.ca_file.map(|path| place::of(source, &path)).transpose()?;
        let place = |url: &str| Remote::new(url, ca.as_deref());
        let bare = place(&endpoint).map_err(|error| refused(format!("endpoint = {endpoint:?}: {error}")))?;
        let whole = match bare.url().path() {
            "" | "/" => place(&format!("{}{PATH}", endpoint.trim_end_matches('/'))),
            _ => Ok(bare),
        };
        let place = whole.map_err(|error| refused(format!("endpoint = {endpoint:?}: {error}")))?;
        let sample = self.sample.as_deref().unwrap_or(SAMPLE);
        let share = sample.parse::<Share>();
        let share = share.map_err(|rule| refused(format!("sample = {sample:?}: {rule}")))?.of_all();
        let service = self.service.unwrap_or_else(|| "tickwire".to_owned());
        if service.trim().is_empty() {
            return Err(refused("service = \"\" is no name".to_owned()));
        }
        Ok(Some(TracesSpec { place, share, service }))
    }
}
