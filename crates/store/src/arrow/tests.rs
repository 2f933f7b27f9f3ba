//! Tables without a file.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Decimal128Type, Int32Type};
use arrow_schema::DataType;
use model::{Body, Channel, Instrument, Placed, Price, Seq, Side, Size, Symbol, Trade, UnixNanos, Venue};

use super::*;

fn trade(position: u64, ts_recv: u64, price: &str) -> Placed {
    let symbol = Symbol::parse("BTC-USD").unwrap();
    let trade = Trade {
        price: Price::parse(price).unwrap(),
        size: Size::parse("1").unwrap(),
        side: Side::Buy,
        id: None,
    };
    Placed {
        instrument: Arc::new(Instrument::named(symbol, Venue::new("sim"), "BTCUSD")),
        seq: Seq(position),
        position,
        ts_event: UnixNanos(ts_recv),
        ts_source: None,
        ts_recv: UnixNanos(ts_recv),
        body: Body::Trade(trade),
    }
}

/// What was made before a value of many digits came is told with as many, and is the same value.
#[test]
fn earlier_batches_become_as_wide_as_later_ones() {
    widened(Prices::Decimal, DataType::Decimal64(18, 9));
    widened(Prices::Wide, DataType::Decimal128(18, 9));
}

fn widened(prices: Prices, small: DataType) {
    let format = Format { prices, ..Format::default() };
    let mut table = Table::new(Channel::Trades);
    let mut batches = Vec::new();
    let prices = ["68900.50000000", "999999999.999999999", "1000000000", "0.0000000000000000000000000001"];
    for (n, price) in (1..).zip(prices) {
        table.clear();
        table.push(&trade(n, n, price));
        batches.push(table.batch(&table.schema(format), format, Order::Total).unwrap());
    }
    let kinds: Vec<_> =
        batches.iter().map(|batch| batch.column_by_name("price").unwrap().data_type().clone()).collect();
    assert_eq!(kinds, [small.clone(), small, DataType::Decimal128(38, 18), DataType::Decimal128(38, 28)]);
    let schema = table.schema(format);
    let told: Vec<_> = batches
        .into_iter()
        .map(|batch| {
            let batch = widen(batch, &schema).unwrap();
            batch.column_by_name("price").unwrap().as_primitive::<Decimal128Type>().value_as_string(0)
        })
        .collect();
    let zeros = |digits: usize| "0".repeat(digits);
    assert_eq!(told[0], format!("68900.5{}", zeros(27)));
    assert_eq!(told[1], format!("999999999.999999999{}", zeros(19)));
    assert_eq!(told[2], format!("1000000000.{}", zeros(28)));
    assert_eq!(told[3], format!("0.{}1", zeros(27)));
}

/// More digits before the point leave fewer behind it, and all that there are.
#[test]
fn large_values_stand_beside_small_ones() {
    let (mut table, format) = (Table::new(Channel::Trades), Format::default());
    let prices = ["0.000000001", "5000000000.5", "2051597124194058256092.401893"];
    let batches: Vec<_> = (1..)
        .zip(prices)
        .map(|(n, price)| {
            table.clear();
            table.push(&trade(n, n, price));
            table.batch(&table.schema(format), format, Order::Total).unwrap()
        })
        .collect();
    let schema = table.schema(format);
    assert_eq!(schema.field_with_name("price").unwrap().data_type(), &DataType::Decimal128(38, 9));
    let told = batches.into_iter().map(|batch| {
        let batch = widen(batch, &schema).unwrap();
        batch.column_by_name("price").unwrap().as_primitive::<Decimal128Type>().value_as_string(0)
    });
    let known = ["0.000000001", "5000000000.500000000", "2051597124194058256092.401893000"];
    assert_eq!(told.collect::<Vec<_>>(), known);
}

#[test]
fn columns_that_nobody_wants_are_not_there() {
    let mut table = Table::with_columns(Channel::Trades, |name| ["price", "ts_recv"].contains(&name));
    for (position, at) in [(1, 7), (2, 5)] {
        table.push(&trade(position, at, &at.to_string()));
    }
    let schema = table.schema(Format::default());
    let names: Vec<_> = schema.fields().iter().map(|field| field.name().as_str()).collect();
    assert_eq!(names, ["ts_recv", "price"]);
    let format = Format { prices: Prices::Fixed, timestamps: Timestamps::Int64 };
    let schema = table.schema(format);
    for (order, told) in [(Order::Total, [7, 5]), (Order::Received, [5, 7])] {
        let batch = table.batch(&schema, format, order).unwrap();
        let times = batch.column(0).as_primitive::<arrow_array::types::Int64Type>();
        assert_eq!(times.values(), &told);
    }
    let none = Table::with_columns(Channel::Trades, |_| false);
    assert_eq!(none.batch(&none.schema(format), format, Order::Total).unwrap().num_columns(), 0);
}

/// Whoever takes the digits has them, whatever else is taken.
#[test]
fn digits_are_those_of_all_decimals() {
    let (mut all, mut alone) =
        (Table::new(Channel::Trades), Table::with_columns(Channel::Trades, |name| name == "digits"));
    let prices = ["1.50", "2.50", "7", "0.0000000000000000000000000001", "1.5000000000"];
    for (n, price) in (1..).zip(prices) {
        all.push(&trade(n, n, price));
        alone.push(&trade(n, n, price));
    }
    for table in [all, alone] {
        let schema = table.schema(Format::default());
        let batch = table.batch(&schema, Format::default(), Order::Received).unwrap();
        let digits = batch.column(batch.num_columns() - 1).as_dictionary::<Int32Type>();
        let told: Vec<_> = digits.downcast_dict::<arrow_array::StringArray>().unwrap().into_iter().collect();
        assert_eq!(told, ["2 0", "2 0", "0 0", "28 0", "10 0"].map(Some));
        assert_eq!(digits.values().len(), 4);
    }
}

/// Each row has the words of its own instrument, whoever came before it, and after a batch as well.
#[test]
fn words_are_those_of_their_record() {
    let mut table = Table::new(Channel::Trades);
    let mut other = trade(2, 2, "7");
    other.instrument = Arc::new(Instrument::named(Symbol::parse("ETH-USD").unwrap(), Venue::new("sim"), "E"));
    let one = trade(1, 1, "5");
    for order in [[&one, &one, &other, &one], [&other, &other, &one, &other]] {
        table.clear();
        for record in order {
            table.push(record);
        }
        let batch = table.batch(&table.schema(Format::default()), Format::default(), Order::Total).unwrap();
        for (name, words) in [("symbol", ["BTC-USD", "ETH-USD"]), ("venue_symbol", ["BTCUSD", "E"])] {
            let column = batch.column_by_name(name).unwrap().as_dictionary::<Int32Type>();
            let told = column.downcast_dict::<arrow_array::StringArray>().unwrap();
            let wanted = order.map(|record| words[usize::from(record.seq == Seq(2))]);
            assert_eq!(told.into_iter().map(Option::unwrap).collect::<Vec<_>>(), wanted);
        }
    }
}
