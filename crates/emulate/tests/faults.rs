//! Every kind of fault at every venue: counted, marked, healed, and never a wrong book.

#![expect(clippy::unwrap_used, reason = "a test")]

mod common;

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::thread;

use common::{Golden, Live, Venue, counted, made, spec, until};
use emulate::{Fault, Kind, Script};
use ingest::live::LiveChannel;
use model::{Speed, State};

/// Cases at the same time.
const WORKERS: usize = 8;

/// What must be counted of a fault; one of these is enough.
fn counts(kind: Kind, feed: &str) -> &'static [&'static str] {
    let is_checked = feed == "kraken-v2";
    match kind {
        Kind::Refuse | Kind::GarbageHandshake | Kind::BadAccept => {
            &["reconnects handshake", "reconnects broken", "reconnects protocol"]
        }
        Kind::Hang => &["reconnects connect_timeout"],
        Kind::Connect429 | Kind::Connect418 => &["reconnects limited"],
        Kind::Connect503 => &["reconnects handshake"],
        Kind::RefuseSubscribe => &["errors refused", "reconnects handshake"],
        Kind::LoseAck => &["reconnects no_answer"],
        Kind::IgnorePing | Kind::Freeze | Kind::HalfOpen => &["reconnects silent"],
        Kind::LoseSubscribe | Kind::NoSnapshot => &["resyncs"],
        Kind::Duplicate | Kind::Repeat => &["duplicates"],
        Kind::Reorder if is_numbered(feed) => &["errors early"],
        Kind::Reorder | Kind::Drop | Kind::BadChecksum | Kind::WrongSequence => &["sequence_gaps"],
        Kind::Cut | Kind::Reset | Kind::Eof => &["reconnects broken"],
        Kind::Close | Kind::Lifetime => &["reconnects closed"],
        Kind::Maintenance => &["errors leaving", "reconnects closed"],
        Kind::SequenceReset => &["errors sequence_reset"],
        Kind::Huge => &["reconnects too_large"],
        Kind::BadUtf8 => &["reconnects utf8", "reconnects broken", "reconnects protocol"],
        Kind::Binary => &["errors binary"],
        Kind::BadOpcode | Kind::ReservedBits | Kind::Masked => &["reconnects protocol"],
        Kind::NotJson | Kind::Truncated | Kind::EmptyText => &["errors json"],
        Kind::WrongTypes => &["errors shape", "errors number"],
        Kind::LongNumber | Kind::NotNumber | Kind::NegativeSize => &["errors number"],
        Kind::Crossed if is_checked => &["sequence_gaps"],
        Kind::Crossed => &["errors crossed"],
        Kind::UnknownSymbol => &["errors unasked"],
        Kind::Rest429 | Kind::Rest418 => &["errors rest_limited"],
        Kind::Rest500 => &["errors rest_status"],
        Kind::RestTimeout => &["errors rest_timeout"],
        Kind::RestReset | Kind::RestTruncated => &["errors rest_broken"],
        Kind::RestGarbage => &["errors json", "errors shape"],
        Kind::RestStale => &["errors rest_stale"],
        Kind::RestRefuse => &["errors rest_refused"],
        Kind::RestBadUtf8 => &["errors utf8"],
        _ => {
            assert!(is_harmless(kind), "{kind:?} is counted as nothing");
            &["messages"]
        }
    }
}

/// What may not disturb anything, and so is counted as nothing: it is late, or more than was asked for.
const fn is_harmless(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::SlowHandshake
            | Kind::LateSnapshot
            | Kind::Delay
            | Kind::Trickle
            | Kind::ClockForward
            | Kind::ClockBack
            | Kind::UnknownChannel
            | Kind::ExtraFields
            | Kind::EmptyUpdate
    )
}

/// Whether it ends a connection that has brought books.
const fn cuts(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::Cut
            | Kind::Reset
            | Kind::Eof
            | Kind::Close
            | Kind::Lifetime
            | Kind::Maintenance
            | Kind::Freeze
            | Kind::HalfOpen
            | Kind::Huge
            | Kind::BadUtf8
            | Kind::BadOpcode
            | Kind::ReservedBits
            | Kind::Masked
    )
}

/// Whether the venue numbers its updates the same on every connection.
fn is_numbered(feed: &str) -> bool {
    matches!(feed, "bybit" | "okx") || feed.starts_with("binance")
}

/// Whether a fault means something at a venue.
fn applies(kind: Kind, feed: &str) -> bool {
    let rest = kind.name().starts_with("rest_");
    match kind {
        _ if rest => feed.starts_with("binance"),
        Kind::BadChecksum => feed == "kraken-v2",
        Kind::WrongSequence => feed != "kraken-v2",
        Kind::SequenceReset => is_numbered(feed),
        // Its venue tells no answers to subscriptions apart from streams that begin.
        Kind::LoseAck | Kind::LoseSubscribe | Kind::NoSnapshot | Kind::LateSnapshot => {
            !feed.starts_with("binance")
        }
        _ => true,
    }
}

/// What came of a fault, in a line; or why that is wrong.
fn case(feed: &'static str, kind: Kind) -> Result<String, String> {
    let frames = made::capture(feed, 7, 240);
    let golden = Golden::of(feed, &frames);
    let mut fault = Fault::new(kind);
    fault.ms = 300;
    // Its answer to a subscription names all that stand: only the last can be missed.
    fault.at = if (feed, kind) == ("coinbase", Kind::LoseAck) { 1 } else { fault.at };
    let mut faults = vec![fault];
    if kind == Kind::RestStale {
        // Both books are there, and one is asked for again.
        faults[0].at = 2;
        faults.push(Fault::new(Kind::Drop));
    }
    let script = Script::of(feed, frames.iter().cloned()).unwrap();
    let name = format!("{feed}/{}", kind.name());
    let venue = Venue::start(script, "4".parse::<Speed>().unwrap(), faults);
    let mut spec = spec(feed, &venue.address, &made::symbols(feed));
    if matches!(kind, Kind::LoseAck | Kind::LoseSubscribe | Kind::NoSnapshot | Kind::LateSnapshot) {
        // The first subscription is that of the books then.
        spec.channels = vec![LiveChannel::Book];
    }
    let live = Live::start(&name, spec, &golden);
    let done = until(|| {
        let (played, all) = venue.watch.progress();
        let counts_now = counted::of(&name);
        let is_counted = counts(kind, feed).iter().any(|count| counts_now.contains_key(*count));
        played == all && venue.watch.struck(kind) > 0 && is_counted && live.seen().is_healed(&golden)
    });
    let (seen, counts_now) = (live.seen(), counted::of(&name));
    let told = || {
        format!(
            "{name}: progress {:?}, struck {}, states {:?}, counts {counts_now:?}",
            venue.watch.progress(),
            venue.watch.struck(kind),
            seen.states
        )
    };
    if !done {
        return Err(format!("not healed, or not counted as {:?}: {}", counts(kind, feed), told()));
    }
    if let Some(wrong) = seen.wrong.first() {
        return Err(format!("a wrong book: {wrong}; {}", told()));
    }
    if seen.trades.iter().any(|trade| !golden.trades.contains(trade)) {
        return Err(format!("a trade that never was; {}", told()));
    }
    let gaps = counts_now.get("sequence_gaps").copied().unwrap_or(0);
    let marked = seen.states.values().flatten().filter(|state| **state == State::Suspect).count();
    if gaps > 0 && marked == 0 {
        return Err(format!("a gap that no symbol was marked for: {}", told()));
    }
    let downs = |states: &Vec<State>| states.iter().filter(|state| **state == State::SourceDown).count();
    let is_down = seen.states.values().any(|states| downs(states) > 1);
    let is_cut = |count: &String| count.strip_prefix("reconnects ").is_some_and(|why| why != "renewed");
    if cuts(kind) && !is_down && counts_now.keys().any(is_cut) {
        return Err(format!("a connection is gone that no symbol was marked for: {}", told()));
    }
    let disturbed = |count: &String| count.starts_with("reconnects") || count == "sequence_gaps";
    if is_harmless(kind) && counts_now.keys().any(disturbed) {
        return Err(format!("it did harm: {}", told()));
    }
    let said: usize = live.end().len();
    let told: Vec<String> = counts_now
        .iter()
        .filter(|(count, _)| {
            !matches!(
                &***count,
                "connections" | "events" | "lag_seconds" | "last_event_timestamp_seconds" | "received_bytes"
            )
        })
        .map(|(count, value)| format!("{count} {value}"))
        .collect();
    let states: Vec<String> =
        seen.states.values().next().into_iter().flatten().map(ToString::to_string).collect();
    Ok(format!("{name:30} {said} ticks, {}; {}", told.join(", "), states.join(" > ")))
}

#[expect(clippy::print_stdout, reason = "what was counted of each fault, with --nocapture")]
fn all(feed: &'static str) {
    counted::begin();
    let only = std::env::var("FAULT").ok();
    let kinds = Kind::ALL.iter().copied().filter(|kind| applies(*kind, feed));
    let kinds: Vec<Kind> =
        kinds.filter(|kind| only.as_ref().is_none_or(|only| kind.name() == only)).collect();
    assert!(only.is_some() || kinds.len() >= 40, "{} kinds", kinds.len());
    let (queue, lines, failures) =
        (Mutex::new(kinds), Mutex::new(BTreeMap::new()), Mutex::new(BTreeMap::new()));
    thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                while let Some(kind) = { queue.lock().unwrap().pop() } {
                    match case(feed, kind) {
                        Ok(told) => lines.lock().unwrap().insert(kind, told),
                        Err(failure) => failures.lock().unwrap().insert(kind, failure),
                    };
                }
            });
        }
    });
    for line in lines.into_inner().unwrap().values() {
        println!("{line}");
    }
    let failures = failures.into_inner().unwrap();
    let told: Vec<&String> = failures.values().collect();
    assert!(failures.is_empty(), "{} fault(s) of {feed}:\n{told:#?}", failures.len());
}

#[test]
fn bybit() {
    all("bybit");
}

#[test]
fn kraken() {
    all("kraken-v2");
}

#[test]
fn binance() {
    all("binance-usdm");
}

#[test]
fn okx() {
    all("okx");
}

#[test]
fn coinbase() {
    all("coinbase");
}

#[test]
fn binance_spot() {
    all("binance-spot");
}
