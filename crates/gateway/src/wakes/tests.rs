//! The hand-over from wakers to the shard, in every order that threads can get into: the list's own
//! source, on the atomics, the lock and the waker of a model checker.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Poll, Waker};

use loom::future::block_on;
use loom::model::Builder;
use loom::sync::atomic::{AtomicUsize, Ordering};
use loom::thread;

#[allow(clippy::duplicate_mod, reason = "the source itself is judged, and no copy of it")]
#[path = "list.rs"]
mod list;

use list::{Handle, Wakes};

mod sync {
    pub(super) use loom::sync::Mutex;
    pub(super) use loom::sync::atomic::AtomicBool;
    use std::task::Waker;

    #[derive(Default)]
    pub(super) struct AtomicWaker(loom::future::AtomicWaker);

    impl AtomicWaker {
        pub(super) fn register(&self, waker: &Waker) {
            self.0.register_by_ref(waker);
        }

        pub(super) fn wake(&self) {
            self.0.wake();
        }
    }
}

/// A socket: how much came in that nobody has read.
#[derive(Default)]
struct Line(Arc<AtomicUsize>);

impl Line {
    /// Something comes in, on a thread of its own, and wakes who reads here.
    fn comes_in(&self, waker: &Waker, times: usize) -> thread::JoinHandle<()> {
        let (line, waker) = (Arc::clone(&self.0), waker.clone());
        thread::spawn(move || {
            for _ in 0..times {
                line.fetch_add(1, Ordering::Release);
                waker.wake_by_ref();
            }
        })
    }
}

/// A shard with its list, and a socket for each session. It reads one thing at a time, and wakes itself
/// where there may be more, so that others have their turn.
struct Shard {
    wakes: Arc<Wakes>,
    handles: Vec<Handle>,
    lines: Vec<Line>,
    read: Vec<usize>,
}

impl Shard {
    fn new(sessions: usize) -> Self {
        let wakes = Arc::<Wakes>::default();
        let handles = (0..sessions).map(|key| wakes.handle(key)).collect();
        let lines = (0..sessions).map(|_| Line::default()).collect();
        Self { wakes, handles, lines, read: vec![0; sessions] }
    }

    /// What a turn of the shard does: registers, then serves who is listed until nobody is.
    fn turn(&mut self, waker: &Waker) {
        self.wakes.register(waker);
        loop {
            let mut woken = Vec::new();
            self.wakes.take(&mut woken);
            if woken.is_empty() {
                return;
            }
            let listed = woken.len();
            woken.sort_unstable();
            woken.dedup();
            assert_eq!(woken.len(), listed, "a session is listed once");
            for key in woken {
                self.handles[key].rearm();
                if self.lines[key].0.load(Ordering::Acquire) > 0 {
                    self.lines[key].0.fetch_sub(1, Ordering::AcqRel);
                    self.read[key] += 1;
                    self.handles[key].waker.wake_by_ref();
                }
            }
        }
    }

    /// Serves until so much was read from each; a wake-up that is lost leaves it asleep for ever, which
    /// the model calls a deadlock.
    fn serve_until(mut self, wanted: &[usize]) {
        block_on(poll_fn(move |cx| {
            self.turn(cx.waker());
            if self.read == wanted { Poll::Ready(()) } else { Poll::Pending }
        }));
    }
}

/// Every order in which the threads are interrupted so often at most; more finds nothing else here, and
/// takes minutes.
fn model(run: impl Fn() + Sync + Send + 'static) {
    let mut builder = Builder::new();
    builder.preemption_bound = Some(3);
    builder.check(run);
}

#[test]
fn what_comes_in_while_a_session_is_looked_at_is_seen() {
    model(|| {
        let shard = Shard::new(1);
        let writer = shard.lines[0].comes_in(&shard.handles[0].waker, 2);
        shard.serve_until(&[2]);
        writer.join().unwrap();
    });
}

#[test]
fn two_sessions_wake_one_shard() {
    model(|| {
        let shard = Shard::new(2);
        let writers = [0, 1].map(|key| shard.lines[key].comes_in(&shard.handles[key].waker, 1));
        shard.serve_until(&[1, 1]);
        for writer in writers {
            writer.join().unwrap();
        }
    });
}

/// The reader's half and the writer's half of a socket may wake one session at the same time.
#[test]
fn two_threads_wake_one_session() {
    model(|| {
        let shard = Shard::new(1);
        let writers = [0, 1].map(|_| shard.lines[0].comes_in(&shard.handles[0].waker, 1));
        shard.serve_until(&[2]);
        for writer in writers {
            writer.join().unwrap();
        }
    });
}
