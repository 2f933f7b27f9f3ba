//! Values that several requests have.

use model::{Channel, Interval, Pattern};
use serde_json::json;

use super::{LIST_MAX, RequestError};
use crate::code::ErrorCode;
use crate::fields::Fields;
use crate::suggest::hint;

pub(super) fn channels(fields: &Fields) -> Result<Vec<Channel>, RequestError> {
    let mut channels = Vec::new();
    for name in list(fields, "channels")? {
        let channel = name.parse().map_err(|_| {
            let names = Channel::ALL.map(Channel::as_str);
            let message = format!("Unknown channel \"{name}\".{}", hint(&name, names));
            RequestError {
                details: Some(json!({ "channel": name })),
                ..RequestError::new(ErrorCode::UnknownChannel, message)
            }
        })?;
        if !channels.contains(&channel) {
            channels.push(channel);
        }
    }
    Ok(channels)
}

pub(super) fn symbols(fields: &Fields) -> Result<Vec<Pattern>, RequestError> {
    let mut symbols = Vec::new();
    for text in list(fields, "symbols")? {
        let pattern = Pattern::parse(&text)
            .map_err(|error| RequestError::field("symbols", format!("Field \"symbols\": {error}.")))?;
        if !symbols.contains(&pattern) {
            symbols.push(pattern);
        }
    }
    Ok(symbols)
}

pub(super) fn list(fields: &Fields, name: &'static str) -> Result<Vec<String>, RequestError> {
    let list: Vec<String> = fields.required(name, "a list of texts")?;
    if list.is_empty() || list.len() > LIST_MAX {
        let message = format!("Field \"{name}\" must have 1 to {LIST_MAX} entries, not {}.", list.len());
        return Err(RequestError::field(name, message));
    }
    Ok(list)
}

pub(super) fn interval(fields: &Fields) -> Result<Option<Interval>, RequestError> {
    const WANTED: &str = "one of 1s, 1m, 5m, 15m, 1h, 1d";
    let Some(text) = fields.optional::<String>("interval", WANTED)? else { return Ok(None) };
    let refused = |()| RequestError::field("interval", format!("Field \"interval\" must be {WANTED}."));
    text.parse().map(Some).map_err(refused)
}

pub(super) fn bounded(
    fields: &Fields,
    name: &'static str,
    range: std::ops::RangeInclusive<u64>,
) -> Result<Option<u64>, RequestError> {
    let wanted = format!("a whole number from {} to {}", range.start(), range.end());
    match fields.optional::<u64>(name, &wanted)? {
        Some(value) if !range.contains(&value) => {
            Err(RequestError::field(name, format!("Field \"{name}\" must be {wanted}.")))
        }
        value => Ok(value),
    }
}
