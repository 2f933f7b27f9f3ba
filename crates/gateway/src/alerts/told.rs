//! What a client is told of an alert. Its texts are made where nobody waits for them.

use fanout::{Event, SymbolId};
use model::UnixNanos;
use rust_decimal::Decimal;
use wire::{AlertCrossing, AlertEntry, AlertSet, AlertState, Bound};

/// An alert, as it stands.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    pub(crate) symbol: SymbolId,
    pub(crate) set: AlertSet,
    /// Absent while there is no value.
    pub(super) is_beyond: Option<bool>,
    pub(super) fired: u64,
    pub(super) last: Option<Crossing>,
}

/// How an alert happened.
#[derive(Clone, Copy, Debug)]
pub(super) struct Crossing {
    pub(super) value: Decimal,
    pub(super) sequence: u64,
    ts_event: UnixNanos,
    ts_recv: UnixNanos,
}

impl Crossing {
    pub(super) fn of(event: &Event, value: Decimal) -> Self {
        Self { value, sequence: event.seq.0, ts_event: event.ts_event, ts_recv: event.ts_recv }
    }
}

impl Told {
    pub(crate) fn entry(self) -> AlertEntry {
        let AlertSet { alert, symbol, field, bound, repeat, armed: _ } = self.set;
        let state = match self.is_beyond {
            _ if self.fired > 0 && !repeat => AlertState::Done,
            None => AlertState::Waiting,
            Some(true) => AlertState::Beyond,
            Some(false) => AlertState::Armed,
        };
        let (above, below) = match bound {
            Bound::Above(at) => (Some(at.to_string()), None),
            Bound::Below(at) => (None, Some(at.to_string())),
        };
        let last = self.last.map(|crossing| AlertCrossing {
            value: crossing.value.to_string(),
            sequence: crossing.sequence,
            ts_event: crossing.ts_event.to_string(),
            ts_recv: crossing.ts_recv.to_string(),
        });
        let (symbol, fired) = (symbol.to_string(), self.fired);
        AlertEntry { alert, symbol, field, above, below, repeat, state, fired, last }
    }
}
