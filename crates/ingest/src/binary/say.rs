//! Ticks in a few letters, for tests: `T` trade, `X` one taken back, `q` quote of the venue, `Q` quote out of the book, `S` snapshot,
//! `D` delta, `G` gap, `t` ticker, `C` bar, `!` state.

use model::{Body, BookChange, GapReason, Level, Levels, Side, Tick};

use crate::capture::Input;
use crate::reader::{Decoder, Step};

fn level(level: &Level) -> String {
    format!("{}x{}", level.price.value().normalize(), level.size)
}

fn levels(levels: &Levels) -> String {
    let side = |side: &[Level]| side.iter().map(level).collect::<Vec<_>>().join(" ");
    format!("{}|{}", side(&levels.bids), side(&levels.asks))
}

pub(super) fn say(tick: &Tick) -> String {
    let best = |side: &Option<Level>| side.as_ref().map_or_else(|| "-".into(), level);
    match &tick.body {
        Body::Trade(trade) | Body::OldTrade(trade) => {
            let side = match trade.side {
                Side::Buy => "+",
                Side::Sell => "-",
                Side::Unknown => "?",
            };
            let (price, id) = (trade.price.value().normalize(), trade.id.as_deref().unwrap_or_default());
            format!("T{price}x{}{side}{id}", trade.size)
        }
        Body::Correction(told) => {
            let original = told.original.as_ref().map(|original| &original.trade);
            let original =
                original.map(|trade| format!(" {}x{}", trade.price.value().normalize(), trade.size));
            format!("X{}{}", told.id, original.unwrap_or_default())
        }
        Body::Quote(quote) => {
            let kind = if quote.derived { "Q" } else { "q" };
            format!("{kind}{}/{}", best(&quote.bid), best(&quote.ask))
        }
        Body::Book(BookChange::Snapshot(book)) => format!("S{}", levels(book)),
        Body::Book(BookChange::Delta(change)) => format!("D{}", levels(change)),
        Body::Book(BookChange::Gap(gap)) => match (gap.reason, gap.venue_from, gap.venue_to) {
            (GapReason::Sequence, Some(from), Some(to)) => format!("G{from}-{to}"),
            (reason, ..) => format!("G({})", reason.as_str()),
        },
        Body::Ticker(ticker) => {
            format!(
                "t{}",
                ticker.last_price.map_or_else(String::new, |price| price.value().normalize().to_string())
            )
        }
        Body::Candle(bar) => {
            let shown =
                [bar.open, bar.high, bar.low, bar.close].map(|price| price.value().normalize().to_string());
            format!("C{} {} {}", bar.interval, shown.join(" "), bar.volume)
        }
        Body::Status(change) => format!("!{} {}", change.state, change.reason),
    }
}

/// What a decoder makes of a file, step by step: what it appended, and faults as `x`, where they stand, and why.
pub(super) fn steps(decoder: &mut dyn Decoder, bytes: Vec<u8>) -> Vec<String> {
    steps_of(decoder, Input::new(Box::new(std::io::Cursor::new(bytes)), None).unwrap())
}

/// As [`steps`], of a file that has a name.
pub(super) fn named_steps(decoder: &mut dyn Decoder, name: &str, bytes: &[u8]) -> Vec<String> {
    let folder = std::env::temp_dir().join(format!("tickwire-{}-{name}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join(name);
    std::fs::write(&path, bytes).unwrap();
    let said = steps_of(decoder, Input::open(&path).unwrap());
    std::fs::remove_dir_all(&folder).unwrap();
    said
}

fn steps_of(decoder: &mut dyn Decoder, input: Input) -> Vec<String> {
    let (mut said, mut ticks) = (Vec::new(), Vec::new());
    decoder.open(input);
    loop {
        let step = decoder.step(&mut ticks);
        let mut words: Vec<_> = ticks.drain(..).map(|tick| say(&tick)).collect();
        match step {
            Step::Ticks => {}
            Step::Broken { spot, error } => words.push(format!("x{spot}: {error}")),
            Step::End => {
                assert_eq!(words, [""; 0], "an end has no ticks");
                return said;
            }
        }
        said.push(words.join(" "));
    }
}
