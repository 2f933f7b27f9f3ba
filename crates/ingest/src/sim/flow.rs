//! The order flow of one symbol: orders arrive, are cancelled, are hit.

use std::sync::Arc;

use model::{
    Body, BookChange, BookSide, Instrument, Level, Levels, Price, Quote, Side, Size, State, StatusChange,
    Symbol, Tick, Trade, UnixNanos, Venue,
};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::ladder::Ladder;
use super::listing::Listing;
use super::random::Random;
use crate::venue::SIM_VENUE;

/// Levels a side at the start.
const LEVELS_START: usize = 30;
/// A side is not thinned below this.
const LEVELS_MIN: usize = 25;
/// A side's worst level goes when there are more.
const LEVELS_MAX: usize = 80;
/// Parts of a tick in which the fair price moves.
const PARTS: i64 = 256;
/// A halt follows a move of one in this many within [`HALT_WINDOW`].
const HALT_MOVE: i64 = 20;
const HALT_WINDOW: u64 = 60_000_000_000;
const HALT_LENGTH: u64 = 10_000_000_000;
/// A halt also comes by chance, once in this many actions.
const HALT_CHANCE: u64 = 250_000;
/// Money that a typical order is worth, in the quote currency.
const ORDER_VALUE: i128 = 4_000;

#[derive(Serialize, Deserialize)]
pub(crate) struct Flow {
    instrument: Arc<Instrument>,
    price_scale: u32,
    size_scale: u32,
    lot_step: i64,
    /// Lots of a typical order.
    order_lots: u64,
    /// Ticks between neighbouring levels, about.
    spacing: u64,
    /// How far the fair price moves in a calm action, in parts.
    stride: i64,
    ladder: Ladder,
    /// What the symbol is worth, in parts of a tick: where the orders go.
    fair: i64,
    /// How restless the symbol is: 1 when calm.
    heat: i64,
    /// Fair price and time at the start of the halt window.
    reference: (i64, u64),
    halted_until: Option<u64>,
    trades: u64,
    best: (Option<Level>, Option<Level>),
}

impl Flow {
    pub(crate) fn new(listing: &Listing) -> Self {
        let symbol = Symbol::parse(&listing.symbol).expect("listed symbols are of our form");
        let mut instrument = Instrument::named(symbol, Venue::new(SIM_VENUE), &listing.symbol);
        instrument.definition.tick_size = Some(Decimal::new(1, listing.price_scale));
        instrument.definition.lot_size = Some(Decimal::new(listing.lot_step, listing.size_scale));
        let scales = 10_i128.pow(listing.price_scale + listing.size_scale);
        let order_lots = ORDER_VALUE * scales / (i128::from(listing.start) * i128::from(listing.lot_step));
        Self {
            instrument: Arc::new(instrument),
            price_scale: listing.price_scale,
            size_scale: listing.size_scale,
            lot_step: listing.lot_step,
            order_lots: u64::try_from(order_lots).unwrap_or(u64::MAX).clamp(2, 1 << 40),
            spacing: (listing.start.unsigned_abs() / 200_000).max(1),
            stride: (listing.start * PARTS / 500_000).max(24),
            ladder: Ladder::default(),
            fair: listing.start * PARTS,
            heat: 1,
            reference: (listing.start * PARTS, 0),
            halted_until: None,
            trades: 0,
            best: (None, None),
        }
    }

    /// Opens the symbol with a full book.
    pub(crate) fn open(&mut self, random: &mut Random, at: u64, out: &mut Vec<Tick>) {
        let middle = self.fair / PARTS;
        let (mut bid, mut ask) = (middle, middle);
        for _ in 0..LEVELS_START {
            bid -= 1 + self.gap(random);
            ask += 1 + self.gap(random);
            let (bid_lots, ask_lots) = (self.lots(random), self.lots(random));
            self.ladder.add(BookSide::Bid, bid.max(1), bid_lots);
            self.ladder.add(BookSide::Ask, ask, ask_lots);
        }
        self.reference = (self.fair, at);
        self.status(State::Open, "opened", at, out);
        let side = |side| {
            let levels = self.ladder.levels(side).into_iter();
            levels.map(|(tick, lots)| self.level(tick, lots)).collect()
        };
        let levels = Levels { bids: side(BookSide::Bid), asks: side(BookSide::Ask) };
        out.push(self.tick(at, Body::Book(BookChange::Snapshot(levels))));
        self.quote(at, out);
    }

    /// Whether trading is halted at this time; ends a halt that is over.
    pub(crate) fn is_halted(&mut self, at: u64, out: &mut Vec<Tick>) -> bool {
        match self.halted_until {
            Some(until) if at < until => true,
            Some(_) => {
                self.halted_until = None;
                // What moved the price is in it now.
                self.heat = 1;
                self.fair = self.middle() * PARTS;
                self.reference = (self.fair, at);
                self.status(State::Open, "trading resumed", at, out);
                false
            }
            None => false,
        }
    }

    /// One order arrives, is cancelled or hits the book.
    pub(crate) fn act(&mut self, random: &mut Random, at: u64, out: &mut Vec<Tick>) {
        self.wander(random);
        if self.must_halt(random, at, out) {
            return;
        }
        let mut touched = Levels::default();
        let fair = self.fair / PARTS;
        let above = self.ladder.best(BookSide::Ask).is_some_and(|(ask, _)| fair > ask);
        let below = self.ladder.best(BookSide::Bid).is_some_and(|(bid, _)| fair < bid);
        match random.below(100) {
            0..35 if above => self.hit(BookSide::Ask, random, at, &mut touched, out),
            0..35 if below => self.hit(BookSide::Bid, random, at, &mut touched, out),
            0..8 => self.hit(any_side(random), random, at, &mut touched, out),
            8..60 => self.rest(any_side(random), random, &mut touched),
            _ => self.cancel(any_side(random), random, &mut touched),
        }
        if touched.is_empty() {
            return;
        }
        out.push(self.tick(at, Body::Book(BookChange::Delta(touched))));
        self.quote(at, out);
    }

    /// The fair price moves, by more while the symbol is restless.
    fn wander(&mut self, random: &mut Random) {
        if random.once_in(2_000) {
            self.heat = (self.heat * 5).min(64);
        } else if random.once_in(48) {
            self.heat = (self.heat - self.heat / 8 - 1).max(1);
        }
        let step = self.stride * self.heat * (1 + random.geometric()) / 2;
        let up = random.next() & 1 == 0;
        let floor = 100 * PARTS;
        self.fair = (self.fair + if up { step } else { -step }).max(floor);
    }

    fn must_halt(&mut self, random: &mut Random, at: u64, out: &mut Vec<Tick>) -> bool {
        let (reference, since) = self.reference;
        if at.saturating_sub(since) > HALT_WINDOW {
            self.reference = (self.fair, at);
        }
        let reason = if (self.fair - reference).abs() > reference / HALT_MOVE {
            "volatility pause"
        } else if random.once_in(HALT_CHANCE) {
            "news pending"
        } else {
            return false;
        };
        self.halted_until = Some(at + HALT_LENGTH);
        self.status(State::Halted, reason, at, out);
        true
    }

    /// A market order takes from `side`.
    fn hit(
        &mut self,
        side: BookSide,
        random: &mut Random,
        at: u64,
        touched: &mut Levels,
        out: &mut Vec<Tick>,
    ) {
        let mut wanted = self.lots(random) * (1 + random.geometric());
        let taker = if side == BookSide::Ask { Side::Buy } else { Side::Sell };
        while wanted > 0 && self.ladder.len(side) > 2 {
            let Some((tick, lots)) = self.ladder.best(side) else { break };
            let taken = lots.min(wanted);
            wanted -= taken;
            self.trades += 1;
            let Level { price, size } = self.level(tick, taken);
            let id = Some(self.trades.to_string().into());
            out.push(self.tick(at, Body::Trade(Trade { price, size, side: taker, id })));
            self.change(side, tick, -taken, touched);
        }
    }

    /// A limit order comes to rest, near the fair price more often than far from it.
    fn rest(&mut self, side: BookSide, random: &mut Random, touched: &mut Levels) {
        let fair = self.fair / PARTS;
        let mut away = 0;
        for _ in 0..random.geometric() {
            away += self.gap(random);
        }
        let best = |side| self.ladder.best(side).map(|(tick, _)| tick);
        let tick = match side {
            BookSide::Bid => (fair - away).min(best(BookSide::Ask).map_or(i64::MAX, |ask| ask - 1)).max(1),
            BookSide::Ask => (fair + 1 + away).max(best(BookSide::Bid).map_or(1, |bid| bid + 1)),
        };
        let lots = self.lots(random);
        // Room first: the order itself must not be what is thrown out, or nothing would have happened.
        if self.ladder.len(side) >= LEVELS_MAX
            && let Some((worst, lots)) = self.ladder.at_rank(side, usize::MAX)
            && worst != tick
        {
            self.change(side, worst, -lots, touched);
        }
        self.change(side, tick, lots, touched);
    }

    /// An order is cancelled, in part or wholly. Where too few rest, one comes instead.
    fn cancel(&mut self, side: BookSide, random: &mut Random, touched: &mut Levels) {
        if self.ladder.len(side) <= LEVELS_MIN {
            return self.rest(side, random, touched);
        }
        let rank = random.below(self.ladder.len(side) as u64);
        let Some((tick, lots)) = self.ladder.at_rank(side, usize::try_from(rank).unwrap_or(0)) else {
            return;
        };
        let part = if random.once_in(3) { (lots / 2).max(1) } else { lots };
        self.change(side, tick, -part, touched);
    }

    fn change(&mut self, side: BookSide, tick: i64, lots: i64, touched: &mut Levels) {
        let left = self.ladder.add(side, tick, lots);
        let level = self.level(tick, left);
        let levels = touched.side_mut(side);
        match levels.iter_mut().find(|known| known.price == level.price) {
            Some(known) => *known = level,
            None => levels.push(level),
        }
    }

    fn gap(&self, random: &mut Random) -> i64 {
        i64::try_from(random.below(2 * self.spacing)).unwrap_or(0)
    }

    fn lots(&self, random: &mut Random) -> i64 {
        let lots = 1 + random.below(self.order_lots);
        // Now and then a large one.
        i64::try_from(lots << random.geometric().min(8) >> 1).unwrap_or(1).max(1)
    }

    fn middle(&self) -> i64 {
        let best = |side| self.ladder.best(side).map_or(self.fair / PARTS, |(tick, _)| tick);
        i64::midpoint(best(BookSide::Bid), best(BookSide::Ask))
    }

    fn quote(&mut self, at: u64, out: &mut Vec<Tick>) {
        let best = |side| self.ladder.best(side).map(|(tick, lots)| self.level(tick, lots));
        let best = (best(BookSide::Bid), best(BookSide::Ask));
        if best != self.best {
            self.best = best;
            out.push(self.tick(at, Body::Quote(Quote::of(best.0, best.1, false))));
        }
    }

    fn status(&self, state: State, reason: &str, at: u64, out: &mut Vec<Tick>) {
        let change = StatusChange { state, reason: reason.into(), feed: SIM_VENUE.into(), since: None };
        out.push(self.tick(at, Body::Status(Box::new(change))));
    }

    fn level(&self, tick: i64, lots: i64) -> Level {
        let size = Decimal::new(lots.saturating_mul(self.lot_step), self.size_scale);
        Level {
            price: Price::new(Decimal::new(tick, self.price_scale)),
            size: Size::new(size).expect("lots are never negative"),
        }
    }

    fn tick(&self, at: u64, body: Body) -> Tick {
        let at = Some(UnixNanos(at));
        Tick { instrument: Arc::clone(&self.instrument), ts_event: at, ts_source: None, ts_recv: at, body }
    }
}

fn any_side(random: &mut Random) -> BookSide {
    if random.next() & 1 == 0 { BookSide::Bid } else { BookSide::Ask }
}
