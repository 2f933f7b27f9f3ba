//! Subscribe requests.

use model::{Channel, Filter, Price, Side, Size};

use super::{Options, Overflow, RequestError, Subscribe, bounded, channels, interval, list, symbols};
use crate::cursor::Cursor;
use crate::fields::Fields;
use crate::suggest::hint;
use crate::view::{View, fields_of};

/// Depths a book can be asked for: levels a side, 0 = all.
pub const DEPTHS: [usize; 6] = [0, 1, 5, 10, 20, 50];
/// Longest time between two updates, in milliseconds. An hour: above it a snapshot now and then serves better.
pub const CONFLATE_MS_MAX: u64 = 3_600_000;
pub(super) const MAX_AGE_MS_MAX: u64 = 3_600_000;
/// How far back a subscription may begin, in milliseconds: a week.
pub(super) const REWIND_MS_MAX: u64 = 604_800_000;
pub(super) const SNAPSHOT_LIMIT_MAX: usize = 500;

/// What a subscribe may say.
pub(super) const FIELDS: [&str; 19] = [
    "op",
    "id",
    "channels",
    "symbols",
    "snapshot",
    "snapshot_limit",
    "depth",
    "interval",
    "conflate_ms",
    "overflow",
    "checksum",
    "stamp",
    "max_age_ms",
    "trade_safe",
    "priority",
    "fields",
    "filter",
    "rewind_ms",
    "resume",
];

/// What a subscribe asks; fields that the operation does not have are not there.
pub(super) fn parse(fields: &Fields) -> Result<Subscribe, RequestError> {
    let (channels, symbols) = (channels(fields)?, symbols(fields)?);
    let default = Options::default();
    let flag =
        |name, default| Ok::<bool, RequestError>(fields.optional(name, "true or false")?.unwrap_or(default));
    let options = Options {
        snapshot: flag("snapshot", default.snapshot)?,
        snapshot_limit: bounded(fields, "snapshot_limit", 1..=SNAPSHOT_LIMIT_MAX as u64)?
            .map(|limit| usize::try_from(limit).unwrap_or(SNAPSHOT_LIMIT_MAX)),
        depth: depth(fields)?.unwrap_or(default.depth),
        interval: interval(fields)?.unwrap_or(default.interval),
        conflate_ms: bounded(fields, "conflate_ms", 0..=CONFLATE_MS_MAX)?.unwrap_or(default.conflate_ms),
        overflow: fields
            .optional("overflow", "\"coalesce\", \"gap\" or \"disconnect\"")?
            .unwrap_or(default.overflow),
        checksum: flag("checksum", default.checksum)?,
        stamp: flag("stamp", default.stamp)?,
        max_age_ms: bounded(fields, "max_age_ms", 0..=MAX_AGE_MS_MAX)?.unwrap_or(default.max_age_ms),
        trade_safe: flag("trade_safe", default.trade_safe)?,
        priority: fields.optional("priority", "\"high\", \"normal\" or \"low\"")?.unwrap_or(default.priority),
        view: view(fields, &channels)?,
        filter: filter(fields, &channels)?,
    };
    if options.max_age_ms > 0 && options.overflow == Overflow::Disconnect {
        let message = "Field \"max_age_ms\" withholds what is old, and \"overflow\":\"disconnect\" loses nothing: \
                       choose one.";
        return Err(RequestError::field("max_age_ms", message.to_owned()));
    }
    let (resume, rewind_ms) = (resume(fields)?, bounded(fields, "rewind_ms", 1..=REWIND_MS_MAX)?);
    if resume.is_some() && rewind_ms.is_some() {
        let message = "Fields \"resume\" and \"rewind_ms\" both say where to begin: choose one.";
        return Err(RequestError::field("rewind_ms", message.to_owned()));
    }
    Ok(Subscribe { channels, symbols, options, resume, rewind_ms })
}

fn depth(fields: &Fields) -> Result<Option<usize>, RequestError> {
    const WANTED: &str = "1, 5, 10, 20, 50 or 0 for all";
    match fields.optional("depth", WANTED)? {
        Some(depth) if !DEPTHS.contains(&depth) => {
            Err(RequestError::field("depth", format!("Field \"depth\" must be {WANTED}.")))
        }
        depth => Ok(depth),
    }
}

fn resume(fields: &Fields) -> Result<Option<Cursor>, RequestError> {
    const WANTED: &str = "a cursor, as it came in a message of this server";
    let Some(text) = fields.optional::<String>("resume", WANTED)? else { return Ok(None) };
    let refused = |_| RequestError::field("resume", format!("Field \"resume\" must be {WANTED}."));
    text.parse().map(Some).map_err(refused)
}

/// Only fields that some record of these channels has.
fn view(fields: &Fields, channels: &[Channel]) -> Result<View, RequestError> {
    if fields.raw("fields").is_none() {
        return Ok(View::ALL);
    }
    let mut view = View::ALL;
    for name in list(fields, "fields")? {
        let known = || channels.iter().flat_map(|&channel| fields_of(channel));
        if !known().any(|field| field == name) || !view.add(&name) {
            let message =
                format!("No record of these channels has a field \"{name}\".{}", hint(&name, known()));
            return Err(RequestError::field("fields", message));
        }
    }
    Ok(view)
}

/// What a filter may ask.
pub(super) const FILTER: [&str; 4] = ["min_size", "side", "min_price", "max_price"];

fn filter(fields: &Fields, channels: &[Channel]) -> Result<Option<Filter>, RequestError> {
    let Some(inner) = fields.optional::<Fields>("filter", "an object")? else { return Ok(None) };
    inner.permit(&FILTER)?;
    if !channels.iter().any(|channel| matches!(channel, Channel::Trades | Channel::Quotes)) {
        let message = "Field \"filter\" is for the channels trades and quotes.";
        return Err(RequestError::field("filter", message.to_owned()));
    }
    let filter = Filter {
        min_size: number(&inner, "min_size", Size::parse)?,
        side: side(&inner)?,
        min_price: number(&inner, "min_price", Price::parse)?,
        max_price: number(&inner, "max_price", Price::parse)?,
    };
    if filter.min_price.zip(filter.max_price).is_some_and(|(min, max)| min > max) {
        let message = "Field \"min_price\" is above \"max_price\": nothing is between them.";
        return Err(RequestError::field("min_price", message.to_owned()));
    }
    Ok((filter != Filter::default()).then_some(filter))
}

fn number<T, E>(
    fields: &Fields,
    name: &'static str,
    parse: impl Fn(&str) -> Result<T, E>,
) -> Result<Option<T>, RequestError> {
    const WANTED: &str = "a decimal number as a text, such as \"0.5\"";
    let Some(text) = fields.optional::<String>(name, WANTED)? else { return Ok(None) };
    let refused = |_| RequestError::field(name, format!("Field \"{name}\" must be {WANTED}."));
    parse(&text).map(Some).map_err(refused)
}

fn side(fields: &Fields) -> Result<Option<Side>, RequestError> {
    const WANTED: &str = "\"buy\" or \"sell\"";
    match fields.optional::<String>("side", WANTED)?.as_deref() {
        None => Ok(None),
        Some("buy") => Ok(Some(Side::Buy)),
        Some("sell") => Ok(Some(Side::Sell)),
        Some(_) => Err(RequestError::field("side", format!("Field \"side\" must be {WANTED}."))),
    }
}
