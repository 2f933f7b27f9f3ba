//! Requests about alerts.

use model::{Symbol, decimal};
use rust_decimal::Decimal;

use super::RequestError;
use crate::alert::AlertField;
use crate::fields::Fields;

/// An alert is to be watched for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlertSet {
    /// What the client calls it.
    pub alert: String,
    /// The symbol.
    pub symbol: Symbol,
    /// What is watched.
    pub field: AlertField,
    /// Where it happens.
    pub bound: Bound,
    /// It happens each time that the value crosses.
    pub repeat: bool,
    /// The client knew the value when it was not beyond: where it is now, it has crossed meanwhile.
    pub armed: bool,
}

/// Where an alert happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    /// When the value gets above.
    Above(Decimal),
    /// When the value gets below.
    Below(Decimal),
}

pub(super) const SET_FIELDS: [&str; 9] =
    ["op", "id", "alert", "symbol", "field", "above", "below", "repeat", "armed"];
/// Bytes of an alert's name.
pub(super) const NAME_BYTES_MAX: usize = 64;

pub(super) fn set(fields: &Fields) -> Result<AlertSet, RequestError> {
    let alert = name(fields)?;
    let symbol = fields.required::<String>("symbol", "a symbol")?;
    let symbol = Symbol::parse(&symbol)
        .map_err(|error| RequestError::field("symbol", format!("Field \"symbol\": {error}.")))?;
    let field = fields.optional("field", "last_price, bid_price, ask_price or change_percent")?;
    let bound = match (bound(fields, "above")?, bound(fields, "below")?) {
        (Some(above), None) => Bound::Above(above),
        (None, Some(below)) => Bound::Below(below),
        (None, None) | (Some(_), Some(_)) => {
            let message = "An alert has one of \"above\" and \"below\". For both, set two alerts.";
            return Err(RequestError::field("above", message.to_owned()));
        }
    };
    let repeat = fields.optional("repeat", "true or false")?.unwrap_or_default();
    let armed = fields.optional("armed", "true or false")?.unwrap_or_default();
    Ok(AlertSet { alert, symbol, field: field.unwrap_or_default(), bound, repeat, armed })
}

/// Which alert.
pub(super) fn name(fields: &Fields) -> Result<String, RequestError> {
    let name: String = fields.required("alert", "a text")?;
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._:-".contains(&byte);
    if name.is_empty() || name.len() > NAME_BYTES_MAX || !name.bytes().all(is_plain) {
        let message = format!(
            "Field \"alert\" must be 1 to {NAME_BYTES_MAX} letters, digits, dots, colons, hyphens and underscores."
        );
        return Err(RequestError::field("alert", message));
    }
    Ok(name)
}

fn bound(fields: &Fields, name: &'static str) -> Result<Option<Decimal>, RequestError> {
    let Some(text) = fields.optional::<String>(name, "a decimal number as a text")? else { return Ok(None) };
    let parsed = decimal::parse(&text);
    parsed.map(Some).map_err(|error| RequestError::field(name, format!("Field \"{name}\": {error}.")))
}
