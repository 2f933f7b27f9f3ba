//! Records of trades as a client reads them.

use std::borrow::Cow;

use model::{Correction, Original, Side, Trade, TradeSummary};

use super::{DecodeError, Raw, Reader};

impl Reader {
    pub(super) fn trade(self, raw: &Raw<'_>, id: Option<Box<str>>) -> Result<Trade, DecodeError> {
        Ok(Trade {
            price: self.price("price", raw.price.as_ref())?,
            size: self.size("size", raw.size.as_ref())?,
            side: side(self.need("side", raw.side.as_deref())?),
            id,
        })
    }

    pub(super) fn correction(self, raw: &Raw<'_>) -> Result<Correction, DecodeError> {
        let id = raw.trade_id.clone().ok_or(self.missing("trade_id"))?;
        let becomes = match self.need("correction", raw.correction.as_deref())? {
            Correction::CANCEL => None,
            Correction::CORRECT => {
                let id = raw.new_trade_id.clone().unwrap_or_else(|| id.clone());
                Some(self.trade(raw, Some(id))?)
            }
            _ => return Err(self.bad("correction")),
        };
        let told = |price: &Cow<'_, str>| {
            let trade = Trade {
                price: self.price("original_price", Some(price))?,
                size: self.size("original_size", raw.original_size.as_ref())?,
                side: side(self.need("original_side", raw.original_side.as_deref())?),
                id: Some(id.clone()),
            };
            let ts_event = self.time("original_ts_event", raw.original_ts_event.as_deref())?;
            let back = raw.original_sequence.map(|seq| raw.sequence.saturating_sub(seq));
            Ok::<_, DecodeError>(Original { trade, ts_event, back })
        };
        let original = raw.original_price.as_ref().map(told).transpose()?;
        Ok(Correction { id: id.clone(), original, becomes })
    }

    pub(super) fn summary(self, raw: &Raw<'_>) -> Result<TradeSummary, DecodeError> {
        Ok(TradeSummary {
            trades: raw.trades.ok_or(self.missing("trades"))?,
            volume: self.decimal("volume", raw.volume.as_ref())?,
            notional: self.decimal("notional", raw.notional.as_ref())?,
            buy_volume: self.decimal("buy_volume", raw.buy_volume.as_ref())?,
            sell_volume: self.decimal("sell_volume", raw.sell_volume.as_ref())?,
            open: self.price("open", raw.open.as_ref())?,
            high: self.price("high", raw.high.as_ref())?,
            low: self.price("low", raw.low.as_ref())?,
            last: self.price("price", raw.price.as_ref())?,
            first_ts_event: self
                .time("first_ts_event", raw.first_ts_event.as_deref())?
                .ok_or(self.missing("first_ts_event"))?,
            ts_event: self.time("ts_event", raw.ts_event.as_deref())?.ok_or(self.missing("ts_event"))?,
            ts_recv: self.time("ts_recv", raw.ts_recv.as_deref())?.ok_or(self.missing("ts_recv"))?,
        })
    }
}

fn side(name: &str) -> Side {
    match name {
        "buy" => Side::Buy,
        "sell" => Side::Sell,
        _ => Side::Unknown,
    }
}
