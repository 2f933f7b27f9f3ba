//! What a plant says of itself at one time.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::commands::admin::{Admin, Answer};
use crate::commands::samples::Samples;
use crate::exit::{Failure, Outcome};

/// What is asked for.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Question {
    /// Which sessions come first.
    pub(super) sort: &'static str,
    /// What is to be in a session.
    pub(super) find: String,
    /// So many sessions and symbols.
    pub(super) limit: usize,
    /// How long is looked at what they are sent.
    pub(super) seconds: f64,
}

/// What it said.
#[derive(Debug)]
pub(super) struct Look {
    pub(super) ready: Ready,
    pub(super) before: Samples,
    pub(super) after: Samples,
    /// Between the two.
    pub(super) seconds: f64,
    pub(super) sessions: Sessions,
    /// Those that are furthest behind, whichever are asked for.
    pub(super) slow: Sessions,
    pub(super) symbols: Symbols,
}

#[derive(Debug, Deserialize)]
pub(super) struct Ready {
    pub(super) status: String,
    pub(super) feeds: BTreeMap<String, String>,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct Sessions {
    pub(super) total: usize,
    pub(super) sessions: Vec<Session>,
}

#[derive(Clone, Debug, Deserialize, serde::Serialize)]
pub(super) struct Session {
    #[serde(rename = "session")]
    pub(super) name: String,
    pub(super) subject: Option<String>,
    pub(super) tenant: Option<String>,
    pub(super) address: Option<String>,
    pub(super) door: String,
    pub(super) encoding: String,
    pub(super) open_seconds: u64,
    pub(super) subscriptions: u64,
    pub(super) mode: String,
    pub(super) oldest_pending_ms: u64,
    pub(super) source_lag_ms: u64,
    pub(super) sent_bytes: u64,
    /// What it may be sent; 0 = any number.
    pub(super) bytes_per_second: u64,
    pub(super) delivered: u64,
    pub(super) coalesced: u64,
    pub(super) skipped: u64,
    pub(super) pending: u64,
    pub(super) rates: Option<Rates>,
}

/// The mode of a session that reads nothing.
pub(super) const STALLED: &str = "stalled";

impl Session {
    /// Whether it reads less than there is for it.
    pub(super) fn is_slow(&self) -> bool {
        self.mode == "coalescing" || self.mode == STALLED
    }
}

/// In a second.
#[derive(Clone, Copy, Debug, Default, Deserialize, serde::Serialize)]
pub(super) struct Rates {
    pub(super) sent_bytes: f64,
    pub(super) delivered: f64,
    pub(super) coalesced: f64,
    pub(super) skipped: f64,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct Symbols {
    pub(super) listed: usize,
    pub(super) symbols: Vec<Symbol>,
}

#[derive(Clone, Debug, Deserialize, serde::Serialize)]
pub(super) struct Symbol {
    #[serde(rename = "symbol")]
    pub(super) name: String,
    pub(super) events: u64,
    pub(super) events_per_second: f64,
}

/// Looks again and again at one plant.
pub(super) struct Looker {
    admin: Admin,
    /// Where the token stands; read at each look, for it may be changed for a newer one.
    token_file: Option<PathBuf>,
    /// The newest counters, and when they were told.
    base: Option<(Instant, Samples)>,
}

/// When the process began.
pub(super) const STARTED: &str = "process_start_time_seconds";
/// How long an answer may take that needs no waiting.
const PATIENCE: Duration = Duration::from_secs(5);
/// Those furthest behind: enough to tell whether it is one subject or all of them.
const SLOW: usize = 50;

impl Looker {
    pub(super) const fn new(admin: Admin, token_file: Option<PathBuf>) -> Self {
        Self { admin, token_file, base: None }
    }

    pub(super) const fn admin(&mut self) -> &mut Admin {
        &mut self.admin
    }

    /// Takes as long as the question says.
    pub(super) async fn look(&mut self, question: &Question) -> Outcome<Look> {
        self.read_token()?;
        let Question { sort, find, limit, seconds } = question;
        let find = if find.is_empty() { String::new() } else { format!("&find={}", escaped(find)) };
        let patience = PATIENCE + Duration::from_secs_f64(*seconds);
        loop {
            let (began, before) = match self.base.take() {
                Some(base) => base,
                None => (Instant::now(), self.metrics().await?),
            };
            let sessions = format!("/v1/sessions?sort={sort}&limit={limit}&seconds={seconds}{find}");
            let symbols = format!("/v1/symbols?limit={limit}&seconds={seconds}");
            let (sessions, symbols) =
                tokio::join!(self.told(&sessions, patience), self.told(&symbols, patience));
            let (sessions, symbols): (Sessions, Symbols) = (sessions?, symbols?);
            let slow = format!("/v1/sessions?sort=lag&limit={SLOW}");
            let (slow, ready, after) = tokio::join!(self.told(&slow, PATIENCE), self.ready(), self.metrics());
            let (slow, ready, after) = (slow?, ready?, after?);
            let now = Instant::now();
            self.base = Some((now, after.clone()));
            // Another process counts from nothing: what it has counted takes another look.
            if before.sum(STARTED) == after.sum(STARTED) {
                let seconds = (now - began).as_secs_f64();
                return Ok(Look { ready, before, after, seconds, sessions, slow, symbols });
            }
        }
    }

    /// What was counted before says nothing about what comes.
    pub(super) fn forget(&mut self) {
        self.base = None;
    }

    fn read_token(&mut self) -> Outcome {
        let Some(file) = &self.token_file else { return Ok(()) };
        let name = || format!("--token-file {}", file.display());
        let token = std::fs::read_to_string(file).with_context(name).map_err(Failure::usage)?;
        self.admin.set_token(&token).with_context(name).map_err(Failure::auth)
    }

    async fn metrics(&self) -> Outcome<Samples> {
        let answer = self.admin.get("/metrics", PATIENCE).await.map_err(Failure::connect)?;
        Ok(Samples::parse(&answer.body))
    }

    /// 503 is an answer, too.
    async fn ready(&self) -> Outcome<Ready> {
        let answer = self.admin.get("/readyz", PATIENCE).await.map_err(Failure::connect)?;
        self.read(&answer)
    }

    async fn told<T: DeserializeOwned>(&self, path: &str, patience: Duration) -> Outcome<T> {
        let answer = self.admin.get(path, patience).await.map_err(Failure::connect)?;
        if answer.status == 200 {
            return self.read(&answer);
        }
        let problem: Problem = serde_json::from_str(&answer.body).unwrap_or_default();
        let told = format!("{} refuses: {}", self.admin.address(), problem.detail);
        Err(match answer.status {
            401 | 403 => Failure::auth(anyhow!("{told} {HINT}")),
            404 => {
                anyhow!("{} is no admin port of a plant: see admin_listen of [server]", self.admin.address())
                    .into()
            }
            status => anyhow!("{told} ({status})").into(),
        })
    }

    fn read<T: DeserializeOwned>(&self, answer: &Answer) -> Outcome<T> {
        let read = serde_json::from_str(&answer.body);
        let what = || format!("{} answers what no plant of this version does", self.admin.address());
        Ok(read.with_context(what)?)
    }
}

pub(super) const HINT: &str = "TICKWIRE_TOKEN or --token-file gives one; `tickwire token mint -c FILE --sub NAME \
                               --scope admin` makes one.";

#[derive(Default, Deserialize)]
#[serde(default)]
struct Problem {
    detail: String,
}

/// As a query wants it.
fn escaped(text: &str) -> String {
    text.bytes().fold(String::new(), |mut escaped, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            // Writing to memory does not fail.
            let _ = write!(escaped, "%{byte:02X}");
        }
        escaped
    })
}
