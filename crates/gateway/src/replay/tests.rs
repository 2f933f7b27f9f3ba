//! Replays of small recordings, told in short: what is played, what was lost, what is merged and when.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;

use model::{Channel, Pattern, Speed, UnixNanos};
use serde_json::Value;
use store::{At, Journal, Settings};
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};
use wire::{Options, ReplayState};

use super::{Clock, Opened, Replay, Rest, Role, Sink, Start, Tape, Target, WishKind, Wishes};
use crate::auth::{Grant, Scope};
use crate::clock;
use crate::recordings::Recordings;
use crate::shard::tests::{Feed, short};

/// A recording of words such as `tA` and `qB*9`; those with a `-` were lost. Each is a millisecond after the one before.
fn recorded(words: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let mut journal = Journal::create(&folder.path().join("r"), Settings::new(wire::line)).unwrap();
    let (mut feed, mut at) = (Feed::default(), 0);
    for word in words.split(' ') {
        let (word, is_lost) = word.strip_prefix('-').map_or((word, false), |word| (word, true));
        let (event, count) = word.split_once('*').unwrap_or((word, "1"));
        let (letter, symbol) = event.split_at(1);
        for _ in 0..count.parse().unwrap() {
            at += 1_000_000;
            let mut record = feed.event(letter.chars().next().unwrap(), symbol).record.clone();
            (record.ts_event, record.ts_recv) = (UnixNanos(at), UnixNanos(at));
            if is_lost {
                journal.lose(record.position, record.position, 1, "a test");
            } else {
                journal.push(&record);
            }
        }
    }
    journal.finish().unwrap();
    folder
}

/// A replay that is as far as it comes by itself.
struct Stage {
    replay: Replay,
    _folder: TempDir,
}

impl Stage {
    fn open(words: &str, options: Options, speed: &str, client: Option<u64>) -> Self {
        let folder = recorded(words);
        let wishes = Arc::new(Wishes {
            channels: Channel::ALL.to_vec(),
            symbols: vec![Pattern::parse("*").unwrap()],
            options,
            client,
            grant: Grant { scopes: [Scope::parse("stream:*").unwrap()].into(), ..Grant::for_tests("alice") },
            delays: crate::delay::Delays::default(),
            most: 100,
            kind: WishKind::Played,
        });
        let opened: Opened =
            Tape::open((&folder.path().join("r"), false), Arc::clone(&wishes), None, None, clock::wall())
                .unwrap();
        let speed: Speed = speed.parse().unwrap();
        let clock = Clock::new(speed, true, clock::now(), UnixNanos(0));
        let playing = Arc::new(Recordings::default().play(&Grant::for_tests("alice")).unwrap());
        let start = Start { name: "r1".to_owned(), wishes, clock, live: false, role: Role::Alone, playing };
        Self { replay: Replay::new(start, opened, "s1", clock::now()), _folder: folder }
    }

    /// All that it says until it waits for something to be asked of it, with so much room at a time.
    fn plays(&mut self, room: usize) -> Vec<Value> {
        let mut said = Vec::new();
        let runtime = Builder::new_current_thread().build().unwrap();
        runtime.block_on(poll_fn(|cx| {
            loop {
                let mut send = |message: ws::Message| {
                    said.push(serde_json::from_slice::<Value>(message.payload()).unwrap());
                };
                let mut sink = Sink { send: &mut send, room, events: 512 };
                match self.replay.play(cx, clock::now(), &mut sink) {
                    Rest::More => {}
                    Rest::Until(None) if self.replay.is_at_rest() => return Poll::Ready(()),
                    Rest::Until(None) => return Poll::Pending,
                    Rest::Until(Some(_)) => std::thread::yield_now(),
                }
            }
        }));
        said.retain(|message| message["type"] != "replay");
        said
    }

    /// What it says of itself, once it is where it was sent to.
    fn says_there(&mut self, runtime: &Runtime) -> Vec<String> {
        let mut said = Vec::new();
        runtime.block_on(poll_fn(|cx| {
            let mut send = |message: ws::Message| {
                let message = serde_json::from_slice::<Value>(message.payload()).unwrap();
                said.extend(message["state"].as_str().map(str::to_owned));
            };
            let room = if self.replay.state == ReplayState::Seeking { 0 } else { 1 << 20 };
            let _ = self.replay.play(cx, clock::now(), &mut Sink { send: &mut send, room, events: 512 });
            cx.waker().wake_by_ref();
            if room > 0 { Poll::Ready(()) } else { Poll::Pending }
        }));
        said
    }
}

/// What of a recording comes out.
fn check(words: &str, expected: &str) {
    for room in [1, 700, 1 << 20] {
        let said = Stage::open(words, Options::default(), "max", None).plays(room);
        assert_eq!(short(&said), expected, "{words} with room for {room}");
    }
}

#[test]
fn all_in_one_order() {
    check("tA tB qA tA", "t1+t1 q1 t2");
    check("BA bA tA bA bA", "Sb1 b2 t1 b3+b4");
    check("tA hA tA oA", "t1 s1 t2 s2");
    check("tA tB tA tB tB tA", "t1+t1+t2+t2+t3+t3");
}

#[test]
fn what_was_lost_is_told_where_it_was() {
    check("tA tA -tA*3 tA", "t1+t2 G3-5 t6");
    check("tA -tA qA -qA qA tA", "t1 q1 G2-2 q3 G2-2 t3");
    check("-tA tA", "t2");
    // Of a book that lacks something nothing is told before it is told whole.
    check("BA bA -bA bA bA BA bA", "Sb1 b2 G3-3 Sb6 b7");
    check("tA -tA tB tB", "t1+t1+t2");
}

#[test]
fn the_account_closes() {
    let mut stage = Stage::open("BA bA -bA bA BA tA*5 -tA*2 tA qA", Options::default(), "max", None);
    stage.plays(1 << 20);
    let (ledgers, _) = stage.replay.ledgers();
    assert_eq!(ledgers.len(), 3);
    for ledger in ledgers {
        let sum = ledger.delivered + ledger.coalesced + ledger.skipped + ledger.pending;
        assert_eq!((ledger.published, ledger.pending), (sum, 0), "{ledger:?}");
    }
}

/// What is merged goes by the clock of the recording, however fast it is played and however much room there is.
#[test]
fn conflation_is_of_the_recording() {
    let options = Options { conflate_ms: 10, ..Options::default() };
    let words = "BA tA*25 qA*25 bA*25";
    let once = short(&Stage::open(words, options, "max", None).plays(1 << 20));
    assert_eq!(once.split(' ').collect::<Vec<_>>()[..3], ["Sb1", "t1", "t10(8)"], "{once}");
    for (speed, room) in [("max", 1), ("1000", 500), ("10", 1 << 20)] {
        assert_eq!(short(&Stage::open(words, options, speed, None).plays(room)), once, "{speed} {room}");
    }
    let slow =
        |speed, room| short(&Stage::open("qA*3000", Options::default(), speed, Some(1_000)).plays(room));
    let once = slow("max", 1 << 20);
    assert!(once.contains("started") && once.contains('('), "{once}");
    assert_eq!((slow("1000", 1), slow("max", 1)), (once.clone(), once));
}

/// A place and back is as if nothing had been.
#[test]
fn a_seek_begins_with_the_state() {
    let mut stage = Stage::open("BA tA qA bA tA bA tA", Options::default(), "max", None);
    let whole = short(&stage.plays(1 << 20));
    stage.replay.seek(Target { at: At::Position(4), time: None });
    let said = short(&stage.plays(1 << 20));
    let (states, rest): (Vec<_>, Vec<_>) = said.split(' ').partition(|word| word.starts_with('S'));
    assert_eq!((states.len(), rest.join(" ").as_str()), (3, "t2 b3 t3"), "{said}");
    stage.replay.seek(Target { at: At::Position(0), time: None });
    assert_eq!(short(&stage.plays(1 << 20)), whole);
}

/// Each seek is told to be over, also one that is over before anybody could be told that it goes on.
#[test]
fn a_seek_is_told_to_be_over() {
    let mut stage = Stage::open("BA tA qA bA tA bA tA", Options::default(), "max", None);
    stage.plays(1 << 20);
    stage.replay.pause(clock::now());
    let runtime = Builder::new_current_thread().build().unwrap();
    for place in [4, 2, 4] {
        stage.replay.seek(Target { at: At::Position(place), time: None });
        assert_eq!(stage.says_there(&runtime), ["paused"], "at {place}");
    }
}

/// Who asks for more where nothing is left is told so, and so is who goes to the end.
#[test]
fn the_end_is_told_to_whoever_asks_for_more() {
    let mut stage = Stage::open("BA tA qA bA tA bA tA", Options::default(), "max", None);
    stage.plays(1 << 20);
    let runtime = Builder::new_current_thread().build().unwrap();
    stage.replay.resume(clock::now());
    assert_eq!(stage.says_there(&runtime), ["finished"]);
    assert!(stage.says_there(&runtime).is_empty(), "once");
    stage.replay.step(3, clock::now());
    assert_eq!(stage.says_there(&runtime), ["finished"]);
    for runs in [true, false] {
        stage.replay.seek(Target { at: At::Position(7), time: None });
        if runs {
            stage.replay.resume(clock::now());
        } else {
            stage.replay.pause(clock::now());
        }
        let mut said = stage.says_there(&runtime);
        while said.last().is_none_or(|last| last != "finished") {
            said.extend(stage.says_there(&runtime));
            assert!(said.len() < 10, "{said:?}");
        }
    }
    // The steps of before are not owed once it stands elsewhere.
    stage.replay.step(2, clock::now());
    stage.replay.seek(Target { at: At::Position(4), time: None });
    assert_eq!(stage.says_there(&runtime), ["paused"]);
}

/// Before the first record it is when that was received, and not 1970.
#[test]
fn the_beginning_has_a_time() {
    let folder = recorded("BA tA qA");
    let wishes = Arc::clone(&Stage::open("tA", Options::default(), "max", None).replay.wishes);
    for from in [None, Some(At::Position(0)), Some(At::Time(UnixNanos(5)))] {
        let opened =
            Tape::open((&folder.path().join("r"), false), Arc::clone(&wishes), from, None, clock::wall());
        let mut opened = opened.unwrap();
        assert_eq!(
            (opened.span.0, opened.begin.clock),
            (UnixNanos(1_000_000), UnixNanos(1_000_000)),
            "{from:?}"
        );
        assert_eq!(opened.tape.seek(At::Position(0)).unwrap().clock, UnixNanos(1_000_000));
        assert_eq!(opened.tape.seek(At::Position(2)).unwrap().clock, UnixNanos(2_000_000));
    }
}
