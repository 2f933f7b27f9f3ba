//! Requests about replays.

use std::str::FromStr;

use model::{Channel, Pattern, Speed, UnixNanos};

use super::{CLIENT_RATE_MAX, CLIENT_RATE_MIN, Options, RequestError, STEP_RECORDS_MAX, bounded, subscribe};
use crate::cursor::{Cursor, CursorError};
use crate::fields::Fields;

/// A replay is to begin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplayOpen {
    /// What is played.
    pub source: Source,
    /// The channels.
    pub channels: Vec<Channel>,
    /// Symbols and globs.
    pub symbols: Vec<Pattern>,
    /// How they are to be served.
    pub options: Options,
    /// Bytes a second that a client takes, by the replay's own clock: what it would have got, had it been slow.
    pub client_bytes_per_second: Option<u64>,
}

/// What a replay plays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A recording, by a clock of its own.
    Recording {
        /// The recording's name, as it was written; `None` = the one that is being made.
        name: Option<String>,
        /// Where it begins; `None` = at the recording's beginning.
        from: Option<Place>,
        /// What was received at this time or later is not played.
        to: Option<UnixNanos>,
        /// How fast.
        speed: Speed,
        /// It waits before the first record.
        paused: bool,
        /// At its end it goes on with what is sequenced now.
        live: bool,
        /// Others may play by its clock.
        share: bool,
    },
    /// What another replay plays, by that one's clock.
    Shared {
        /// What that one's `ack` calls it.
        share: String,
    },
}

/// A place in a recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Before what was received at this time.
    Time(UnixNanos),
    /// After the record at this place in the total order.
    Position(u64),
    /// Before what was received so many milliseconds ago.
    Ago(u64),
}

/// What is to become of a replay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It waits.
    Pause,
    /// It goes on.
    Resume,
    /// So many records more, and it waits.
    Step {
        /// How many.
        records: u64,
    },
    /// It goes on from another place.
    Seek {
        /// From where.
        to: Place,
    },
    /// It goes on at another speed.
    Speed {
        /// How fast.
        speed: Speed,
    },
    /// It ends.
    Close,
}

impl Change {
    /// The operation's name.
    #[must_use]
    pub const fn op(self) -> &'static str {
        match self {
            Self::Pause => "replay_pause",
            Self::Resume => "replay_resume",
            Self::Step { .. } => "replay_step",
            Self::Seek { .. } => "replay_seek",
            Self::Speed { .. } => "replay_speed",
            Self::Close => "replay_close",
        }
    }
}

/// What a `replay_open` may say besides what a subscribe does.
const OPEN: [&str; 10] = [
    "recording",
    "from",
    "cursor",
    "to",
    "speed",
    "paused",
    "live",
    "share",
    "join",
    "client_bytes_per_second",
];

pub(super) const OPEN_FIELDS: [&str; OPEN.len() + subscribe::FIELDS.len() - 2] = {
    let mut fields = ["op"; OPEN.len() + subscribe::FIELDS.len() - 2];
    let mut at = 0;
    // All but the last two: a replay goes on by `cursor`, and begins by `from`.
    while at < subscribe::FIELDS.len() - 2 {
        fields[at] = subscribe::FIELDS[at];
        at += 1;
    }
    let mut own = 0;
    while own < OPEN.len() {
        fields[at + own] = OPEN[own];
        own += 1;
    }
    fields
};

pub(super) fn open(fields: &Fields) -> Result<ReplayOpen, RequestError> {
    let subscribe = subscribe::parse(fields)?;
    let client_bytes_per_second =
        bounded(fields, "client_bytes_per_second", CLIENT_RATE_MIN..=CLIENT_RATE_MAX)?;
    Ok(ReplayOpen {
        source: source(fields)?,
        channels: subscribe.channels,
        symbols: subscribe.symbols,
        options: subscribe.options,
        client_bytes_per_second,
    })
}

fn source(fields: &Fields) -> Result<Source, RequestError> {
    if let Some(share) = fields.optional("join", "what the ack of another replay calls its share")? {
        if let Some(other) = OPEN
            .iter()
            .find(|name| !["join", "client_bytes_per_second"].contains(name) && fields.raw(name).is_some())
        {
            let message = format!("Field \"{other}\" is not for who joins: the other replay has decided it.");
            return Err(RequestError::field(other, message));
        }
        return Ok(Source::Shared { share });
    }
    let flag = |name| Ok::<bool, RequestError>(fields.optional(name, "true or false")?.unwrap_or(false));
    let (live, to) = (flag("live")?, time(fields, "to")?);
    if live && to.is_some() {
        let message = "Field \"to\" ends the replay, and \"live\" lets it go on: choose one.";
        return Err(RequestError::field("to", message.to_owned()));
    }
    let share = flag("share")?;
    if live && share {
        let message =
            "What goes on live has no clock that others could share: choose one of \"live\" and \"share\".";
        return Err(RequestError::field("share", message.to_owned()));
    }
    let default = if live { Speed::MAX } else { Speed::REAL };
    Ok(Source::Recording {
        name: fields.optional("recording", "the name of a recording")?,
        from: from(fields)?,
        to,
        speed: speed(fields)?.unwrap_or(default),
        paused: flag("paused")?,
        live,
        share,
    })
}

/// Where a replay begins.
fn from(fields: &Fields) -> Result<Option<Place>, RequestError> {
    let from = fields.optional::<String>("from", FROM)?;
    let ago = from.as_deref().and_then(|text| text.strip_prefix('-'));
    let place = match ago {
        Some(ago) => Some(Place::Ago(
            millis(ago)
                .ok_or_else(|| RequestError::field("from", format!("Field \"from\" must be {FROM}.")))?,
        )),
        None => time(fields, "from")?.map(Place::Time),
    };
    let cursor = cursor(fields)?;
    if place.is_some() && cursor.is_some() {
        let message = "Fields \"from\" and \"cursor\" both say where to begin: choose one.";
        return Err(RequestError::field("cursor", message.to_owned()));
    }
    Ok(place.or(cursor))
}

const FROM: &str = "a time such as 2026-11-20T14:30:00.5Z, or how long ago, such as -5m or -30s";

/// `90s` or `5m` or `2h`.
fn millis(text: &str) -> Option<u64> {
    let unit = text.find(|letter: char| !letter.is_ascii_digit())?;
    let (number, unit) = text.split_at(unit);
    let factor = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(factor)
}

pub(super) fn change(op: &str, fields: &Fields) -> Result<Option<Change>, RequestError> {
    Ok(Some(match op {
        "replay_pause" => Change::Pause,
        "replay_resume" => Change::Resume,
        "replay_step" => {
            Change::Step { records: bounded(fields, "records", 1..=STEP_RECORDS_MAX)?.unwrap_or(1) }
        }
        "replay_seek" => match (time(fields, "to")?, cursor(fields)?) {
            (Some(time), None) => Change::Seek { to: Place::Time(time) },
            (None, Some(to)) => Change::Seek { to },
            _ => {
                let message = "A seek goes \"to\" a time or behind a \"cursor\": give one of them.";
                return Err(RequestError::field("to", message.to_owned()));
            }
        },
        "replay_speed" => {
            let missing = || format!("Field \"speed\" is missing; it must be {SPEED}.");
            let speed = speed(fields)?.ok_or_else(|| RequestError::field("speed", missing()))?;
            Change::Speed { speed }
        }
        "replay_close" => Change::Close,
        _ => return Ok(None),
    }))
}

/// Which replay is meant.
pub(super) fn name(fields: &Fields) -> Result<String, RequestError> {
    fields.required("replay", "what the ack of replay_open calls it, such as \"r1\"")
}

const SPEED: &str = "a number from 0.001 to 1000, or \"max\"";

fn speed(fields: &Fields) -> Result<Option<Speed>, RequestError> {
    let Some(raw) = fields.raw("speed") else { return Ok(None) };
    let text = raw.get();
    // A number, or the one text; `"10"` is a slip.
    let known = if text == "\"max\"" { Ok(Speed::MAX) } else { Speed::from_str(text) };
    let known =
        known.ok().filter(|_| text == "\"max\"" || text.starts_with(|first: char| first.is_ascii_digit()));
    let known = known.filter(|_| !text.ends_with('x'));
    known.map(Some).ok_or_else(|| RequestError::field("speed", format!("Field \"speed\" must be {SPEED}.")))
}

fn time(fields: &Fields, name: &'static str) -> Result<Option<UnixNanos>, RequestError> {
    const WANTED: &str = "a time such as 2026-11-20T14:30:00.5Z";
    let Some(text) = fields.optional::<String>(name, WANTED)? else { return Ok(None) };
    let wanted = if name == "from" { FROM } else { WANTED };
    let refused = |_| RequestError::field(name, format!("Field \"{name}\" must be {wanted}."));
    UnixNanos::from_rfc3339(&text).map(Some).map_err(refused)
}

fn cursor(fields: &Fields) -> Result<Option<Place>, RequestError> {
    const WANTED: &str = "a cursor, as it came in a message of a replay of this recording";
    let Some(text) = fields.optional::<String>("cursor", WANTED)? else { return Ok(None) };
    let refused = |_| RequestError::field("cursor", format!("Field \"cursor\" must be {WANTED}."));
    let cursor: Cursor = text.parse().map_err(refused)?;
    // One of the live stream is of another order.
    let number = cursor.epoch.as_str().strip_prefix('r').unwrap_or_default();
    if number.is_empty() || !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(refused(CursorError));
    }
    Ok(Some(Place::Position(cursor.position)))
}
