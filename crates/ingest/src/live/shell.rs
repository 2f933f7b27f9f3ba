//! The shell of a live feed: one thread, its sockets on a runtime of its own, time from a clock that never jumps.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::time::{Duration, Instant};

use model::UnixNanos;
use rustls::ClientConfig;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::mpsc::{self, Receiver, Sender};
use tokio::time::timeout_at;

use super::LiveSpec;
use super::counts::Counts;
use super::effect::{Effect, Input, Loss};
use super::raw::Capture;
use super::session::Session;
use super::socket::{self, Command, Event};
use super::{http, tls};
use crate::derive::{Deriver, Health};
use crate::feed::{Batch, Closed, FeedSpec, Outlet, Place, Source, Stop, wall_now};

/// What was received and not yet looked at.
const EVENTS: usize = 1_024;
/// Messages of ours that a connection has not taken.
const COMMANDS: usize = 256;
/// How often the end is looked for.
const LOOK: Duration = Duration::from_millis(50);
/// Events looked at before ticks are handed on.
const ROUND: usize = 256;

/// Runs until told to stop, or until nobody receives any more.
pub(crate) fn run(
    spec: &FeedSpec,
    live: &LiveSpec,
    sink: Sender<Batch>,
    stop: &Stop,
    place: Option<(Deriver, Health)>,
) -> Option<Place> {
    let outlet = match place {
        Some((deriver, health)) => Outlet::resumed(spec, sink, deriver, health),
        None => Outlet::new(spec, sink),
    };
    // Chance is for waits only: two plants should not come back in step.
    let seed = RandomState::new().hash_one(&spec.name);
    let session = Session::new(live.clone(), &spec.name, seed, Instant::now());
    let parts = session.map_err(|error| error.to_string()).and_then(|session| {
        let runtime =
            Builder::new_current_thread().enable_all().build().map_err(|error| error.to_string())?;
        Ok((session, runtime, tls::trust(live.ca.as_deref())?))
    });
    let (session, runtime, trust) = match parts {
        Ok(parts) => parts,
        Err(error) => {
            tracing::error!(feed = spec.name, "the feed cannot run: {error}");
            let mut outlet = outlet;
            let _ = outlet.end("the feed cannot run: see the log", wall_now());
            return None;
        }
    };
    let (events, arrivals) = mpsc::channel(EVENTS);
    let capture = live.raw.as_ref().map(|folder| Capture::new(folder, &spec.name, &live.feed));
    let counts = Counts::new(&spec.name);
    let mut shell = Shell {
        name: spec.name.clone(),
        session,
        outlet,
        trust,
        capture,
        counts,
        events,
        lines: HashMap::new(),
        newest: None,
    };
    // The only way out before `stop` is that nobody receives any more, which needs no word.
    shell.run(&runtime, arrivals, stop).ok()?;
    tracing::info!(feed = spec.name, "live feed ended");
    runtime.shutdown_background();
    shell.outlet.into_place(Source::Live { spec: format!("{live:?}") })
}

struct Shell {
    name: String,
    session: Session,
    outlet: Outlet,
    trust: Arc<ClientConfig>,
    capture: Option<Capture>,
    counts: Counts,
    events: Sender<Event>,
    /// What connections are told; without it they end.
    lines: HashMap<u64, Sender<Command>>,
    /// The feed's own time, and when it was that.
    newest: Option<(UnixNanos, Instant)>,
}

impl Shell {
    fn run(&mut self, runtime: &Runtime, mut arrivals: Receiver<Event>, stop: &Stop) -> Result<(), Closed> {
        self.session.begin(wall_now());
        while !stop.is_stopped() {
            self.session.tick(Instant::now(), wall_now());
            self.perform(runtime)?;
            self.idle()?;
            let now = Instant::now();
            let due = self.session.deadline().unwrap_or(now + LOOK).clamp(now, now + LOOK);
            let first = runtime.block_on(async {
                // Connections get their turn also where there is always something to do.
                tokio::task::yield_now().await;
                timeout_at(due.into(), arrivals.recv()).await
            });
            let Ok(Some(event)) = first else { continue };
            self.take(event);
            self.perform(runtime)?;
            for _ in 0..ROUND {
                let Ok(event) = arrivals.try_recv() else { break };
                self.take(event);
                self.perform(runtime)?;
            }
        }
        self.lines.clear();
        runtime.block_on(async { tokio::time::sleep(LOOK).await });
        if let Some(capture) = &mut self.capture {
            capture.finish();
        }
        if stop.is_handed_over() {
            return Ok(());
        }
        self.outlet.end("the feed was stopped", self.feed_now())
    }

    /// Hands an event to the session.
    fn take(&mut self, event: Event) {
        let now = Instant::now();
        let mut handle = |at, input| self.session.handle(now, at, input);
        match event {
            Event::Opened { line } => handle(wall_now(), Input::Opened { line }),
            Event::Lost { line, why } => {
                handle(wall_now(), Input::Lost { line, why });
                self.lines.remove(&line);
            }
            Event::Text { line, text, at } => {
                handle(at, Input::Text { line, text: text.as_str(), bytes: text.len() });
            }
            Event::Binary { line, bytes } => handle(wall_now(), Input::Binary { line, bytes }),
            Event::Pong { line } => handle(wall_now(), Input::Pong { line }),
            Event::Answer { ask, answer } => handle(wall_now(), Input::Answer { ask, answer }),
        }
    }

    /// Does what the session wants.
    fn perform(&mut self, runtime: &Runtime) -> Result<(), Closed> {
        while let Some(effect) = self.session.poll() {
            match effect {
                Effect::Open { line, url } => {
                    let (sender, commands) = mpsc::channel(COMMANDS);
                    self.lines.insert(line, sender);
                    let (trust, events) = (Arc::clone(&self.trust), self.events.clone());
                    runtime.spawn(socket::run(line, url, trust, commands, events));
                }
                Effect::Send { line, text } => self.tell(line, Command::Text(text)),
                Effect::Ping { line } => self.tell(line, Command::Ping),
                Effect::Close { line } => drop(self.lines.remove(&line)),
                Effect::Get { ask, url } => {
                    let (trust, events) = (Arc::clone(&self.trust), self.events.clone());
                    let patience = self.session.spec.timing.answer_after;
                    runtime.spawn(async move {
                        let answer = http::get(&url, trust, patience).await;
                        let _ = events.send(Event::Answer { ask, answer }).await;
                    });
                }
                Effect::Tick(tick) => {
                    if let Some(at) =
                        tick.ts_event.filter(|at| self.newest.is_none_or(|(newest, _)| *at > newest))
                    {
                        self.newest = Some((at, Instant::now()));
                    }
                    self.outlet.say(tick)?;
                }
                Effect::Heard(at) => self.outlet.hear(Some(at)),
                Effect::Count(count) => self.counts.count(count),
                Effect::Keep(raw) => {
                    if let Some(capture) = &mut self.capture {
                        capture.keep(&raw);
                    }
                }
                Effect::Note { worse: true, text } => tracing::warn!(feed = self.name, "{text}"),
                Effect::Note { worse: false, text } => tracing::info!(feed = self.name, "{text}"),
            }
        }
        Ok(())
    }

    /// A connection that takes nothing any more is none.
    fn tell(&mut self, line: u64, command: Command) {
        if self.lines.get(&line).is_some_and(|sender| sender.try_send(command).is_err()) {
            self.lines.remove(&line);
            let why = Loss { reason: "stuck", detail: "it takes nothing any more".into(), retry_after: None };
            self.session.handle(Instant::now(), wall_now(), Input::Lost { line, why });
        }
    }

    fn idle(&mut self) -> Result<(), Closed> {
        let now = self.feed_now();
        // Where nothing is connected that was said already, and better.
        if self.session.is_down() { self.outlet.tend(now) } else { self.outlet.idle(now) }
    }

    /// The venue's time, as far as it is known: what it said last, and what has passed since.
    fn feed_now(&self) -> UnixNanos {
        let passed = |since: Instant| u64::try_from(since.elapsed().as_nanos()).unwrap_or(u64::MAX);
        self.newest.map_or_else(wall_now, |(newest, since)| newest.later(passed(since)))
    }
}
