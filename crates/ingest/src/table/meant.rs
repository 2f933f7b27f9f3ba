//! Which columns a mapping means.

use super::column::{Column, Names};
use super::field::Number;
use super::mapping::{Format, Header, LEVELS_MAX, LadderTable, Written};
use super::side::Condition;
use super::time::Unit;

impl Written {
    pub(super) fn conditions(&self) -> impl Iterator<Item = (&'static str, &Condition)> {
        let skip = self.rows.skip.iter().map(|condition| ("[rows] skip", condition));
        let trade = self.trade.iter().flat_map(|table| &table.when).map(|when| ("[trade] when", when));
        let quote = self.quote.iter().flat_map(|table| &table.when).map(|when| ("[quote] when", when));
        let book = self.book.iter().flat_map(|table| &table.when).map(|when| ("[book] when", when));
        let change = self.change.iter().flat_map(|table| &table.when).map(|when| ("[change] when", when));
        let status = self.status.iter().flat_map(|table| &table.when).map(|when| ("[status] when", when));
        let whole = self.book.iter().filter_map(|table| table.snapshot.as_ref());
        let whole = whole.map(|condition| ("[book] snapshot", condition));
        let snapshot = self.change.iter().filter_map(|table| table.snapshot.as_ref());
        let snapshot = snapshot.map(|condition| ("[change] snapshot", condition)).chain(whole);
        skip.chain(trade).chain(quote).chain(book).chain(change).chain(status).chain(snapshot)
    }

    /// The columns that a file of this kind must have.
    fn columns(&self) -> Vec<&Column> {
        let times = [&self.time, &self.recv].into_iter().flatten().filter(|time| !time.optional);
        let dates = [&self.time, &self.recv].into_iter().flatten();
        // Times that tell their unit may have their day in them.
        let dates = dates.filter(|time| time.unit != Unit::Auto).filter_map(|time| time.date.as_ref());
        let trade = self.trade.iter().flat_map(|table| [&table.price, &table.size]);
        let quote = self.quote.iter().flat_map(|table| [&table.bid, &table.ask]);
        let sizes = self.quote.iter().flat_map(|table| [&table.bid_size, &table.ask_size]).flatten();
        let change = self.change.iter().flat_map(|table| [&table.price, &table.size]);
        let order = self.order.iter().flat_map(|table| [&table.price, &table.size]);
        let numbers = trade.chain(quote).chain(sizes).chain(change).chain(order);
        let numbers = numbers.filter(|number| !number.text.optional).map(|number| &number.text.column);
        let sides = self.trade.iter().filter_map(|table| table.side.as_ref());
        let sides = sides.chain(self.change.iter().map(|table| &table.side));
        let sides = sides.filter(|side| !side.optional).filter_map(|side| side.column.as_ref());
        let orders = self
            .order
            .iter()
            .flat_map(|table| [&table.id.column, &table.event].into_iter().chain(&table.side.column));
        let ids = self.trade.iter().filter_map(|table| table.id.as_ref()).filter(|id| !id.optional);
        let conditions = self.conditions().map(|(_, condition)| &condition.column);
        let all = times.map(|time| &time.column).chain(dates).chain(numbers).chain(sides);
        all.chain(ids.map(|id| &id.column)).chain(conditions).chain(orders).collect()
    }

    /// How many of its columns a file with these names has by name; `None` where it lacks one.
    pub(super) fn fits(&self, names: &Names) -> Option<usize> {
        if self.rows.format != Format::Text || self.rows.header == Header::No {
            return None;
        }
        let found = self.columns().into_iter().map(|column| column.named(names));
        let found = found.collect::<Option<Vec<_>>>()?.len();
        let ladders = self.book.iter().flat_map(|book| [&book.bids, &book.asks]);
        let levels = ladders.map(|ladder| ladder.named(names)).collect::<Option<Vec<_>>>()?;
        let told = self.instrument.symbol.named(names) + self.instrument.venue.named(names);
        Some(found + levels.iter().sum::<usize>() + told)
    }

    /// All columns that it means, but those inside of lists of levels.
    pub(super) fn columns_mut(&mut self) -> Vec<&mut Column> {
        let mut all = Vec::new();
        for time in [&mut self.time, &mut self.recv].into_iter().flatten() {
            all.push(&mut time.column);
            all.extend(&mut time.date);
        }
        if let Some(table) = &mut self.trade {
            all.extend(table.when.iter_mut().map(|when| &mut when.column));
            all.extend([&mut table.price, &mut table.size].map(|number| &mut number.text.column));
            let sides = table.side.iter_mut().chain(&mut table.sides);
            all.extend(sides.filter_map(|side| side.column.as_mut()));
            all.extend(table.id.iter_mut().map(|id| &mut id.column));
        }
        if let Some(table) = &mut self.quote {
            all.extend(table.when.iter_mut().map(|when| &mut when.column));
            all.extend([&mut table.bid, &mut table.ask].map(|number| &mut number.text.column));
            let sizes = [&mut table.bid_size, &mut table.ask_size].into_iter().flatten();
            all.extend(sizes.map(|number| &mut number.text.column));
        }
        if let Some(table) = &mut self.book {
            let when = table.when.iter_mut().chain(&mut table.snapshot);
            all.extend(when.map(|when| &mut when.column));
            all.extend([&mut table.bids, &mut table.asks].into_iter().filter_map(|side| side.list.as_mut()));
        }
        if let Some(table) = &mut self.change {
            let when = table.when.iter_mut().chain(&mut table.snapshot);
            all.extend(when.map(|when| &mut when.column));
            all.extend([&mut table.price, &mut table.size].map(|number| &mut number.text.column));
            all.extend(&mut table.side.column);
            all.extend(&mut table.message);
        }
        if let Some(table) = &mut self.order {
            all.extend([&mut table.price, &mut table.size].map(|number| &mut number.text.column));
            all.extend(&mut table.side.column);
            all.extend([&mut table.id.column, &mut table.event]);
        }
        if let Some(table) = &mut self.status {
            all.extend(table.when.iter_mut().map(|when| &mut when.column));
            all.push(&mut table.column);
        }
        all
    }
}

impl LadderTable {
    /// The column of a level's price, or of its size.
    pub(super) fn column(number: &Number, level: usize, names: &Names) -> Option<usize> {
        number.text.column.level(level).named(names)
    }

    /// How many columns of levels there are by name; `None` where not even two levels are.
    fn named(&self, names: &Names) -> Option<usize> {
        if let Some(list) = &self.list {
            return list.named(names).map(|_| 1);
        }
        let both = |level: &usize| {
            let column = |number| Self::column(number, *level, names).is_some();
            column(&self.price) && column(&self.size)
        };
        let levels = (self.first..).take(LEVELS_MAX).take_while(both).count();
        (levels > 1).then_some(2 * levels)
    }
}
