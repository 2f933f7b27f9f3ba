//! Replays through the real threads: order, rounds, waiting, broken lines.

#![expect(clippy::unwrap_used, reason = "a test")]

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ingest::Options;
use ingest::feed::{self, Batch, FeedKind, FeedSpec, Gate, ReplaySpec, SimSpec, Stop};
use model::{Body, BookChange, Speed, State, Tick};
use tokio::sync::mpsc;

/// A file that goes away with the test.
struct TempFile(PathBuf);

impl TempFile {
    fn new(name: &str, text: &str) -> Self {
        let path = std::env::temp_dir().join(format!("tickwire-{}-{name}", std::process::id()));
        std::fs::write(&path, text).unwrap();
        Self(path)
    }
}

impl Drop for TempFile {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

fn spec(files: &[&TempFile], repeat: bool, wait_for_subscriber: bool) -> FeedSpec {
    spec_of("sim", files, repeat, wait_for_subscriber)
}

fn spec_of(feed: &str, files: &[&TempFile], repeat: bool, wait_for_subscriber: bool) -> FeedSpec {
    let replay = ReplaySpec {
        feed: feed.into(),
        options: Options::default(),
        files: files.iter().map(|file| file.0.clone()).collect(),
        speed: Speed::MAX,
        repeat,
        wait_for_subscriber,
    };
    let stale_after = Duration::from_secs(60);
    FeedSpec { name: "test".into(), suffix: String::new(), stale_after, kind: FeedKind::Replay(replay) }
}

fn trade(conn: &str, second: f64, id: u32) -> String {
    let data = format!(
        r#"{{\"e\":\"trade\",\"s\":\"A\",\"t\":{id},\"i\":\"{id}\",\"p\":\"1.0\",\"q\":\"1\",\"d\":\"buy\"}}"#
    );
    format!(r#"{{"t":"recv","conn":"{conn}","ts":{second},"data":"{data}"}}"#)
}

fn lines(lines: &[String]) -> String {
    lines.iter().fold(String::new(), |mut text, line| {
        writeln!(text, "{line}").unwrap();
        text
    })
}

/// Everything a feed sends until it ends by itself.
fn play(spec: FeedSpec) -> Vec<Tick> {
    let (sink, mut source) = mpsc::channel::<Batch>(4);
    let thread = feed::prepare(spec).unwrap().start(sink, Gate::default(), Stop::default(), None).unwrap();
    let mut ticks = Vec::new();
    while let Some(batch) = source.blocking_recv() {
        ticks.extend(batch);
    }
    thread.join().unwrap();
    ticks
}

fn trade_ids(ticks: &[Tick]) -> Vec<&str> {
    let ids = ticks.iter().filter_map(|tick| match &tick.body {
        Body::Trade(trade) => trade.id.as_deref(),
        _ => None,
    });
    ids.collect()
}

fn states(ticks: &[Tick]) -> Vec<(State, &str)> {
    let states = ticks.iter().filter_map(|tick| match &tick.body {
        Body::Status(change) => Some((change.state, &*change.reason)),
        _ => None,
    });
    states.collect()
}

/// Rows are played in the order in which they stand, whatever their times; broken ones are passed over.
#[test]
fn rows_are_played_as_they_stand() {
    let rows = "timestamp,price,quantity,tradeId\n1750536000955,1,1,a\n1750536000001,2,1,b\nx,3,1,c\n1750535000000,4,1,d\n1750536000955,5,1,e\n";
    let file = TempFile::new("LTCUSDT_rows.csv", rows);
    let mut spec = spec_of("csv", &[&file], false, false);
    spec.suffix = "-R".to_owned();
    let FeedKind::Replay(replay) = &mut spec.kind else { unreachable!() };
    replay.options.symbol = Some("LTCUSDT".into());
    // A second of the file is a millisecond.
    replay.speed = "1000x".parse().unwrap();
    let ticks = play(spec);
    assert_eq!(trade_ids(&ticks), ["a", "b", "d", "e"]);
    let trade = ticks.iter().find(|tick| matches!(tick.body, Body::Trade(_))).unwrap();
    assert_eq!(trade.instrument.symbol.as_str(), "LTC-USDT-R");
    let malformed = TempFile::new("nothing.csv", "a,b\n1,2\n");
    let refused = feed::prepare(spec_of("csv", &[&malformed], false, false)).err().unwrap().to_string();
    assert!(refused.contains("no mapping is known for the columns a, b"), "{refused}");
}

#[test]
fn connections_written_one_after_the_other_are_played_together() {
    let file = TempFile::new(
        "apart.jsonl",
        &lines(&[
            r#"{"t":"header","format":2}"#.into(),
            trade("a", 10.0, 1),
            trade("a", 12.0, 3),
            trade("a", 14.0, 5),
            trade("b", 11.0, 2),
            trade("b", 13.0, 4),
        ]),
    );
    let ticks = play(spec(&[&file], false, false));
    assert_eq!(trade_ids(&ticks), ["1", "2", "3", "4", "5"]);
    let (closed, open, down) = (
        (State::Closed, "the replay has not begun"),
        (State::Open, "first event"),
        (State::SourceDown, "the replay has ended"),
    );
    assert_eq!(states(&ticks), [closed, open, down]);
}

/// Times beyond all bounds are nonsense that no thread dies of, round after round.
#[test]
fn absurd_times_are_survived() {
    let absurd = trade("a", 11.0, 2).replace(r#"\"t\":2"#, r#"\"t\":18446744073709551615"#);
    assert!(absurd.contains("18446744073709551615"));
    let file = TempFile::new("absurd.jsonl", &lines(&[trade("a", 10.0, 1), absurd, trade("a", 12.0, 3)]));
    let (sink, mut source) = mpsc::channel::<Batch>(4);
    let stop = Stop::default();
    let feed = feed::prepare(spec(&[&file], true, false)).unwrap();
    let thread = feed.start(sink, Gate::default(), stop.clone(), None).unwrap();
    let mut rounds = 0;
    while rounds < 5 {
        let batch = source.blocking_recv().expect("the feed goes on");
        rounds += trade_ids(&batch).iter().filter(|id| **id == "3").count();
    }
    stop.stop();
    while source.blocking_recv().is_some() {}
    thread.join().expect("nothing overflows");
}

/// What is not a message reaches the normaliser, too: the header, and frames that are not text.
#[test]
fn headers_and_binary_frames_are_played() {
    let trade = r#"{\"e\":\"trade\",\"s\":\"BTCUSD\",\"t\":7,\"p\":\"1\",\"q\":\"1\",\"T\":1,\"m\":true}"#;
    let file = TempFile::new(
        "header.jsonl",
        &lines(&[
            r#"{"t":"header","format":2,"exchange":"BINANCE_US"}"#.into(),
            format!(r#"{{"t":"recv","conn":"b","ts":12,"data":"{trade}"}}"#),
            format!(r#"{{"t":"recv","conn":"a","ts":11,"data":"{trade}"}}"#),
        ]),
    );
    let ticks = play(spec_of("binance-json", &[&file], false, false));
    assert_eq!(trade_ids(&ticks), ["7", "7"]);
    assert!(ticks.iter().all(|tick| tick.instrument.venue.as_str() == "binance-us"));

    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    let trade = r#"{"ch":"market.btcusdt.trade.detail","ts":1,"tick":{"data":[{"ts":1,"tradeId":9,"amount":1,"price":1,"direction":"buy"}]}}"#;
    encoder.write_all(trade.as_bytes()).unwrap();
    let packed = BASE64.encode(encoder.finish().unwrap());
    let frame = format!(r#"{{"t":"recv","conn":"h","ts":11,"b64":"{packed}"}}"#);
    let broken = r#"{"t":"recv","conn":"h","ts":11,"b64":"AQID"}"#.into();
    let file = TempFile::new("binary.jsonl", &lines(&[broken, frame]));
    assert_eq!(trade_ids(&play(spec_of("huobi", &[&file], false, false))), ["9"]);
}

#[test]
fn broken_lines_are_passed_over() {
    let good = trade("a", 11.0, 2);
    let file = TempFile::new(
        "broken.jsonl",
        &lines(&[
            trade("a", 10.0, 1),
            "{rubbish".into(),
            trade("a", 10.5, 9).replace("1.0", "1..0"),
            good,
            trade("a", 12.0, 3)[..40].into(),
        ]),
    );
    assert_eq!(trade_ids(&play(spec(&[&file], false, false))), ["1", "2"]);
}

#[test]
fn rounds_follow_each_other_in_time() {
    let file = TempFile::new("rounds.jsonl", &lines(&[trade("a", 10.0, 1), trade("a", 12.0, 2)]));
    let (sink, mut source) = mpsc::channel::<Batch>(1);
    let stop = Stop::default();
    let thread = feed::prepare(spec(&[&file], true, false))
        .unwrap()
        .start(sink, Gate::default(), stop.clone(), None)
        .unwrap();
    let (mut times, mut ids) = (Vec::new(), Vec::new());
    while times.len() < 6 {
        for tick in source.blocking_recv().unwrap() {
            if let Body::Trade(trade) = &tick.body {
                times.push(tick.ts_recv.unwrap().0 / 1_000_000_000);
                ids.push(trade.id.clone().unwrap());
            }
        }
    }
    stop.stop();
    drop(source);
    thread.join().unwrap();
    assert_eq!(times[..6], [10, 12, 13, 15, 16, 18]);
    assert_eq!(ids[..4].iter().map(|id| &**id).collect::<Vec<_>>(), ["1", "2", "1", "2"]);
}

#[test]
fn a_replay_can_wait_for_its_first_subscriber() {
    let file = TempFile::new("gate.jsonl", &lines(&[trade("a", 10.0, 1)]));
    let (sink, mut source) = mpsc::channel::<Batch>(4);
    let gate = Gate::default();
    let thread = feed::prepare(spec(&[&file], false, true))
        .unwrap()
        .start(sink, gate.clone(), Stop::default(), None)
        .unwrap();
    let first = source.blocking_recv().unwrap();
    assert_eq!(states(&first), [(State::Closed, "the replay has not begun")]);
    assert!(source.try_recv().is_err());
    gate.open();
    let mut rest = Vec::new();
    while let Some(batch) = source.blocking_recv() {
        rest.extend(batch);
    }
    thread.join().unwrap();
    assert_eq!(trade_ids(&rest), ["1"]);
}

#[test]
fn pacing_follows_the_receive_times() {
    let file = TempFile::new("pace.jsonl", &lines(&[trade("a", 10.0, 1), trade("a", 40.0, 2)]));
    let mut spec = spec(&[&file], false, false);
    let FeedKind::Replay(replay) = &mut spec.kind else { unreachable!() };
    replay.speed = "100x".parse().unwrap();
    let began = std::time::Instant::now();
    assert_eq!(trade_ids(&play(spec)), ["1", "2"]);
    // Thirty seconds at a hundred times the speed; later only on a loaded machine, never earlier.
    assert!(began.elapsed() >= Duration::from_millis(300));
}

#[test]
fn a_simulation_runs_until_it_is_stopped() {
    let sim = SimSpec { seed: 1, symbols: 2, rate: 5_000 };
    let spec = FeedSpec {
        name: "sim".into(),
        suffix: ".X".into(),
        stale_after: Duration::from_secs(60),
        kind: FeedKind::Sim(sim),
    };
    let (sink, mut source) = mpsc::channel::<Batch>(4);
    let stop = Stop::default();
    let thread = feed::prepare(spec).unwrap().start(sink, Gate::default(), stop.clone(), None).unwrap();
    let mut ticks = Vec::new();
    while ticks.len() < 1_000 {
        ticks.extend(source.blocking_recv().unwrap());
    }
    stop.stop();
    while let Some(batch) = source.blocking_recv() {
        ticks.extend(batch);
    }
    thread.join().unwrap();
    assert!(ticks.iter().all(|tick| tick.instrument.symbol.as_str().strip_suffix(".X").is_some()));
    assert_eq!(states(&ticks).last(), Some(&(State::SourceDown, "simulation stopped")));
}

/// Another process goes on with the next line, and with the totals as they were.
#[test]
fn a_replay_goes_on_elsewhere() {
    let trades: Vec<_> = (1..=3_000_u32).map(|id| trade("a", f64::from(id) / 40.0, id)).collect();
    let file = TempFile::new("handover.jsonl", &lines(&trades));
    let whole = play(spec(&[&file], false, false));
    let (mut ticks, mut place) = (Vec::new(), None);
    for leg in 0..4 {
        let (sink, mut source) = mpsc::channel::<Batch>(1);
        let stop = Stop::default();
        let feed = feed::prepare(spec(&[&file], false, false)).unwrap();
        let thread = feed.start(sink, Gate::default(), stop.clone(), place.take()).unwrap();
        let enough = if leg == 3 { usize::MAX } else { ticks.len() + 700 };
        while let Some(batch) = source.blocking_recv() {
            ticks.extend(batch);
            if ticks.len() > enough {
                stop.hand_over();
            }
        }
        let left = serde_json::to_string(&thread.join().unwrap().unwrap()).unwrap();
        place = Some(serde_json::from_str(&left).unwrap());
    }
    assert_eq!(ticks, whole);
    assert_eq!(trade_ids(&ticks).len(), 3_000);

    // What has ended is not played again, and what is another recording begins anew.
    let (sink, mut source) = mpsc::channel::<Batch>(4);
    let feed = feed::prepare(spec(&[&file], false, false)).unwrap();
    let thread = feed.start(sink, Gate::default(), Stop::default(), place.take()).unwrap();
    assert!(source.blocking_recv().is_none());
    let ended = thread.join().unwrap();
    let other = TempFile::new("other.jsonl", &lines(&[trade("a", 10.0, 1)]));
    let (sink, mut source) = mpsc::channel::<Batch>(4);
    let feed = feed::prepare(spec(&[&other], false, false)).unwrap();
    feed.start(sink, Gate::default(), Stop::default(), ended).unwrap();
    let first = source.blocking_recv().unwrap();
    assert_eq!(states(&first)[0], (State::Closed, "the replay has not begun"));
}

/// Symbols under other names are others: the old ones say that their source is gone, the new ones begin anew.
#[test]
fn another_suffix_is_another_feed() {
    let sim = SimSpec { seed: 3, symbols: 2, rate: 20_000 };
    let stale_after = Duration::from_secs(60);
    let mut place = None;
    let mut said = Vec::new();
    for suffix in ["", ".X"] {
        let spec =
            FeedSpec { name: "sim".into(), suffix: suffix.into(), stale_after, kind: FeedKind::Sim(sim) };
        let (sink, mut source) = mpsc::channel::<Batch>(64);
        let stop = Stop::default();
        let feed = feed::prepare(spec).unwrap();
        let thread = feed.start(sink, Gate::default(), stop.clone(), place.take()).unwrap();
        said.clear();
        while let Some(batch) = source.blocking_recv() {
            said.extend(batch);
            if said.len() > 100 {
                stop.hand_over();
            }
        }
        place = thread.join().unwrap();
    }
    let old =
        said.iter().filter(|tick| tick.instrument.symbol.as_str().strip_suffix(".X").is_none()).cloned();
    let old: Vec<_> = old.collect();
    assert_eq!(states(&old), [(State::SourceDown, "the feed is gone"); 2]);
    assert!(said.iter().any(|tick| matches!(tick.body, Body::Book(BookChange::Snapshot(_)))));
}

/// Trades of a simulation are numbered by symbol: none is missing, none comes twice, nothing is said of it.
#[test]
fn a_simulation_goes_on_elsewhere() {
    let sim = SimSpec { seed: 3, symbols: 1, rate: 20_000 };
    let stale_after = Duration::from_secs(60);
    let (mut ticks, mut place) = (Vec::new(), None);
    for _ in 0..3 {
        let spec =
            FeedSpec { name: "sim".into(), suffix: String::new(), stale_after, kind: FeedKind::Sim(sim) };
        let (sink, mut source) = mpsc::channel::<Batch>(4);
        let stop = Stop::default();
        let feed = feed::prepare(spec).unwrap();
        let thread = feed.start(sink, Gate::default(), stop.clone(), place.take()).unwrap();
        let enough = ticks.len() + 2_000;
        while let Some(batch) = source.blocking_recv() {
            ticks.extend(batch);
            if ticks.len() > enough {
                stop.hand_over();
            }
        }
        let left = serde_json::to_string(&thread.join().unwrap().unwrap()).unwrap();
        place = Some(serde_json::from_str(&left).unwrap());
    }
    let ids: Vec<u64> = trade_ids(&ticks).iter().map(|id| id.parse().unwrap()).collect();
    assert!(ids.len() > 100);
    assert!(ids.windows(2).all(|two| two[1] == two[0] + 1));
    let snapshots = ticks.iter().filter(|tick| matches!(tick.body, Body::Book(BookChange::Snapshot(_))));
    assert_eq!(snapshots.count(), 1, "the book went on");
    assert!(states(&ticks).iter().all(|(state, _)| *state != State::SourceDown));
}

#[test]
fn a_file_that_is_not_there_is_said_before_anything_starts() {
    let mut spec = spec(&[], false, false);
    let FeedKind::Replay(replay) = &mut spec.kind else { unreachable!() };
    replay.files = vec!["/nowhere/x.gz".into()];
    let error = feed::prepare(spec).unwrap_err();
    assert_eq!(error.to_string(), "/nowhere/x.gz: No such file or directory (os error 2)");
}
