//! What Binance says of its instruments: the answer of `exchangeInfo`.

use std::borrow::Cow;

use model::{Definition, InstrumentKind, Tick};
use serde::Deserialize;

use super::Market;
use crate::board::{Board, Times};
use crate::error::FeedError;
use crate::json::{Millis, PriceText, SizeText};
use crate::quick;

#[derive(Deserialize)]
struct Info<'a> {
    #[serde(borrow)]
    symbols: Vec<Listed<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Listed<'a> {
    #[serde(borrow)]
    symbol: Cow<'a, str>,
    #[serde(borrow)]
    base_asset: Cow<'a, str>,
    #[serde(borrow)]
    quote_asset: Cow<'a, str>,
    #[serde(borrow)]
    contract_type: Option<Cow<'a, str>>,
    delivery_date: Option<Millis>,
    #[serde(borrow, default)]
    filters: Vec<Rule<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Rule<'a> {
    #[serde(borrow)]
    filter_type: Cow<'a, str>,
    tick_size: Option<PriceText>,
    step_size: Option<SizeText>,
}

pub(super) fn read(
    market: Market,
    board: &mut Board,
    times: Times,
    body: &str,
    out: &mut Vec<Tick>,
) -> Result<(), FeedError> {
    let info: Info<'_> = quick::from_str(body)?;
    for listed in info.symbols {
        let rule = |name: &str| listed.filters.iter().find(|rule| rule.filter_type == name);
        let kind = match (market, listed.contract_type.as_deref()) {
            (Market::Spot, _) => InstrumentKind::Spot,
            (_, None | Some("PERPETUAL")) => InstrumentKind::Perp,
            _ => InstrumentKind::Future,
        };
        let ends = kind == InstrumentKind::Future;
        let definition = Definition {
            tick_size: rule("PRICE_FILTER").and_then(|rule| rule.tick_size).map(|step| step.0.value()),
            lot_size: rule("LOT_SIZE").and_then(|rule| rule.step_size).map(|step| step.0.value()),
            price_scale: None,
            kind: Some(kind),
            base: Some(listed.base_asset.as_ref().into()),
            quote: Some(listed.quote_asset.as_ref().into()),
            expiry: listed.delivery_date.filter(|_| ends).map(|at| at.0),
        };
        board.define(&listed.symbol, times, &definition, out);
    }
    Ok(())
}
