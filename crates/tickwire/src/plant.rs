//! The plant: feeds into a gateway, until told to end.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread;

use anyhow::{Context, bail, ensure};
use fanout::Consolidation;
use gateway::{Given, Levers, Places, Server, ServerError, Settings, Successor};
use ingest::feed::{self, Batch, FeedSpec, Gate, Place, Prepared, Stop, Thread};
use model::{Placed, Symbol};
use tokio::runtime::{Builder, Runtime};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{Notify, mpsc};
use tokio_stream::wrappers::ReceiverStream;

use crate::exit::{Failure, Outcome};
use crate::handover::{Desk, predecessor};
use crate::played::{Played, PlayedSpec};
use crate::service::{Look, Manager};

/// Batches of ticks on their way from the feeds to the hub.
const BATCHES: usize = 512;

/// A plant that listens; its feeds have not begun.
pub(crate) struct Plant {
    runtime: Runtime,
    server: Server,
    hub: gateway::Hub,
    feeds: Vec<Feed>,
    /// Goes on where another process is.
    successor: Option<Successor>,
    /// Where another process may ask to go on.
    handover: Option<PathBuf>,
}

/// Turns of tasks before a busy thread asks the kernel what came in. A shard's turn is up to milliseconds: with
/// the runtime's own 61, those who come in while all threads are busy would wait for that many.
const TURNS_PER_LOOK: u32 = 8;

/// The runtime that everything asynchronous runs on.
pub(crate) fn runtime() -> anyhow::Result<Runtime> {
    let mut builder = Builder::new_multi_thread();
    builder.enable_all().event_interval(TURNS_PER_LOOK).build().context("the runtime cannot be started")
}

impl Plant {
    /// Looks through the feeds and opens the ports; `elsewhere` tells how to choose others. Where a plant runs that
    /// hands over at `handover`, this one goes on with its sockets and its streams.
    pub(crate) fn open(
        settings: Settings,
        (feeds, played): (Vec<FeedSpec>, Vec<PlayedSpec>),
        given: Given,
        handover: Option<PathBuf>,
        elsewhere: &'static str,
    ) -> Outcome<Self> {
        let feeds = prepare(feeds, played, &settings.consolidation).map_err(Failure::usage)?;
        let mut successor = handover.as_deref().map(predecessor).transpose()?.flatten();
        let runtime = runtime()?;
        let guard = runtime.enter();
        let bound = match &mut successor {
            Some(successor) => Server::succeed(settings, successor),
            None => Server::bind(settings, given),
        };
        let bound = bound.map_err(|error| match error {
            ServerError::Listen { .. } => anyhow::Error::from(error).context(elsewhere),
            other => other.into(),
        });
        let (server, hub) = bound?;
        ingest::metrics::describe();
        gateway::tell_build(env!("REVISION"));
        drop(guard);
        Ok(Self { runtime, server, hub, feeds, successor, handover })
    }

    pub(crate) const fn server(&self) -> &Server {
        &self.server
    }

    /// Gives operators what they can move that is not the gateway's own.
    pub(crate) fn set_levers(&mut self, levers: Levers) {
        self.server.set_levers(levers);
    }

    /// Starts the feeds and serves until a signal comes, or another process has taken over.
    ///
    /// `reload` is called on SIGHUP; without it that signal ends the process, as it does any other.
    pub(crate) fn run(self, reload: Option<Reload>) -> anyhow::Result<()> {
        let Self { runtime, server, hub, feeds, successor, handover } = self;
        let (sink, ticks) = mpsc::channel::<Batch>(BATCHES);
        let (told, placed) = mpsc::channel(BATCHES);
        let (gate, stop) = (Gate::default(), Stop::default());
        let manager = Manager::of_environment();
        let until = runtime.block_on(async {
            reload.map_or(Ok(()), |reload| reloads(reload, manager.clone()))?;
            signals()
        })?;
        let desk = Arc::new(Desk::new(&server, &hub, handover)?);
        let followed = Arc::clone(&desk);
        let look = Look {
            manager: manager.clone(),
            vitals: server.vitals(),
            place: server.address()?.to_string(),
            has_feeds: feeds.iter().any(|feed| !feed.waits_for_subscriber()),
            is_followed: Box::new(move || followed.is_followed()),
        };
        look.start().context("the thread that tells the service manager")?;
        let crew = Crew { feeds, sink, gate: gate.clone(), stop: stop.clone() };
        let begun = match successor {
            None => {
                drop(told);
                desk.open()?;
                Begun::Now(crew.start(Places::new())?)
            }
            Some(successor) => {
                Begun::Later(follow(successor, told, crew, Arc::clone(&desk), Arc::clone(&until))?)
            }
        };
        let mut subscribed = server.subscribed();
        runtime.spawn(async move {
            if subscribed.wait_for(|subscribed| *subscribed).await.is_ok() {
                gate.open();
            }
        });
        let hub = runtime.spawn(hub.run_after(ReceiverStream::new(placed), ReceiverStream::new(ticks)));
        runtime.block_on(server.run(async move { until.notified().await }));
        // It may have been over sooner than anybody looked.
        manager.leaves(desk.is_followed());
        let successor = desk.close()?;
        if successor.is_some() {
            stop.hand_over();
        } else {
            stop.stop();
        }
        let threads = begun.threads();
        let places: anyhow::Result<Places> =
            threads.map(|threads| threads.into_iter().filter_map(left).collect());
        if let Some(successor) = successor {
            // All that was sequenced goes there before the end does.
            let _ = runtime.block_on(hub);
            let process = successor.successor();
            ensure!(successor.finish(places?), "the successor did not get all: it cannot go on from here");
            manager.handed_over(process);
        } else {
            hub.abort();
            places?;
        }
        runtime.shutdown_background();
        Ok(())
    }
}

/// A feed that can begin.
#[expect(clippy::large_enum_variant, reason = "one for each feed of a configuration")]
pub(crate) enum Feed {
    /// A simulation, or captures of a venue.
    Read(Prepared),
    /// A recording.
    Played(Played),
}

impl Feed {
    fn name(&self) -> &str {
        match self {
            Self::Read(feed) => feed.name(),
            Self::Played(feed) => feed.name(),
        }
    }

    /// How many lines of what it reads are broken.
    pub(crate) fn faults(&self) -> u64 {
        match self {
            Self::Read(feed) => feed.faults(),
            Self::Played(_) => 0,
        }
    }

    fn waits_for_subscriber(&self) -> bool {
        match self {
            Self::Read(feed) => feed.waits_for_subscriber(),
            Self::Played(feed) => feed.waits_for_subscriber(),
        }
    }

    /// What it lists.
    pub(crate) fn symbols(&self) -> &[Symbol] {
        match self {
            Self::Read(feed) => feed.symbols(),
            Self::Played(feed) => feed.symbols(),
        }
    }
}

/// The feeds before they begin.
struct Crew {
    feeds: Vec<Feed>,
    sink: mpsc::Sender<Batch>,
    gate: Gate,
    stop: Stop,
}

/// Feeds that run, by name.
type Threads = Vec<(String, Thread)>;

/// When the feeds begin.
enum Begun {
    Now(Threads),
    /// Once the predecessor's have ended.
    Later(Receiver<anyhow::Result<Threads>>),
}

impl Begun {
    /// The feeds that run. One that waits for its predecessor's never has.
    fn threads(self) -> anyhow::Result<Threads> {
        match self {
            Self::Now(threads) => Ok(threads),
            Self::Later(told) => told.try_recv().unwrap_or_else(|_| Ok(Vec::new())),
        }
    }
}

impl Crew {
    /// Starts the feeds, each at its place where there is one.
    fn start(self, mut places: Places) -> anyhow::Result<Threads> {
        // What is not gone on with says so first: its symbols may be another feed's now.
        let is_here = |name: &String| self.feeds.iter().any(|feed| feed.name() == name);
        for (name, place) in places.extract_if(.., |name, _| !is_here(name)) {
            tracing::warn!(feed = name, "is not configured here: its symbols have no source any more");
            if let Ok(place) = serde_json::from_value::<Place>(place) {
                place.retire(&self.sink);
            }
        }
        let mut threads = Vec::new();
        for feed in self.feeds {
            let name = feed.name().to_owned();
            let place = places.remove(&name).and_then(|place| {
                let read = serde_json::from_value(place);
                read.map_err(|error| tracing::warn!(feed = name, "begins anew: {error}")).ok()
            });
            let (sink, gate, stop) = (self.sink.clone(), self.gate.clone(), self.stop.clone());
            let thread = match feed {
                Feed::Read(feed) => feed.start(sink, gate, stop, place).map_err(anyhow::Error::from),
                Feed::Played(feed) => feed.start(sink, gate, stop),
            };
            threads.push((name.clone(), thread.with_context(|| format!("the thread of feed {name:?}"))?));
        }
        Ok(threads)
    }
}

/// Where a feed is that has ended. A thread that has died has said so itself.
fn left((name, thread): (String, Thread)) -> Option<(String, serde_json::Value)> {
    let place = thread.join().ok()??;
    Some((name, serde_json::to_value(place).ok()?))
}

/// Takes over what the predecessor sequences until that ends, and then begins.
fn follow(
    successor: Successor,
    told: mpsc::Sender<Vec<Placed>>,
    crew: Crew,
    desk: Arc<Desk>,
    end: Arc<Notify>,
) -> anyhow::Result<Receiver<anyhow::Result<Threads>>> {
    let begin = move || {
        let places = successor.follow(&told).inspect_err(|error| {
            tracing::error!("{error}: what its clients have is not known, so nothing can go on from there");
        })?;
        drop(told);
        tracing::info!("the predecessor has ended: its feeds go on here");
        crew.start(places)
    };
    let (sender, begun) = sync_channel(1);
    let thread = thread::Builder::new().name("follow".into()).spawn(move || {
        let threads = begin();
        let failed = threads.is_err();
        // Said before the end is, and before a successor may ask: whoever ends looks here.
        let _ = sender.send(threads);
        if failed {
            end.notify_one();
        } else if let Err(error) = desk.open() {
            // The feeds go on here and nowhere else.
            tracing::error!("{error:#}: nobody can take over from this process");
        }
    });
    thread.context("the thread of the hand-over")?;
    Ok(begun)
}

/// The feeds, ready to begin.
fn prepare(
    specs: Vec<FeedSpec>,
    played: Vec<PlayedSpec>,
    consolidation: &Consolidation,
) -> anyhow::Result<Vec<Feed>> {
    let feeds = each(specs, played).map(|(name, feed)| feed.with_context(|| format!("feed {name:?}")));
    let feeds = feeds.collect::<anyhow::Result<Vec<_>>>()?;
    apart(&feeds, consolidation)?;
    Ok(feeds)
}

/// The feeds by name, each looked through when it is asked for.
pub(crate) fn each(
    specs: Vec<FeedSpec>,
    played: Vec<PlayedSpec>,
) -> impl Iterator<Item = (String, anyhow::Result<Feed>)> {
    let read = specs
        .into_iter()
        .map(|spec| (spec.name.clone(), feed::prepare(spec).map(Feed::Read).map_err(anyhow::Error::from)));
    let played = played.into_iter().map(|spec| (spec.name.clone(), Played::prepare(spec).map(Feed::Played)));
    read.chain(played)
}

/// That no two feeds list one symbol, nor one that is consolidated: its stream would be of neither.
pub(crate) fn apart(feeds: &[Feed], consolidation: &Consolidation) -> anyhow::Result<()> {
    let mut owners = HashMap::new();
    for feed in feeds {
        for symbol in feed.symbols() {
            if let Some(owner) = owners.insert(symbol, feed.name()).filter(|owner| *owner != feed.name()) {
                bail!(
                    "feeds {owner:?} and {:?} both list {symbol}: give one of them a symbol_suffix",
                    feed.name()
                );
            }
        }
    }
    for symbol in feeds.iter().flat_map(Feed::symbols) {
        if let Some((name, owner)) =
            consolidation.name(symbol).and_then(|name| owners.get(&name).map(|owner| (name, owner)))
        {
            bail!(
                "feed {owner:?} lists {name}, as what {symbol} is consolidated: set another consolidated_suffix"
            );
        }
    }
    Ok(())
}

/// What reads the configuration again; false where that is refused.
pub(crate) type Reload = Box<dyn Fn() -> bool + Send + Sync>;

/// Reads the configuration again at each SIGHUP.
fn reloads(reload: Reload, manager: Manager) -> anyhow::Result<()> {
    let mut hangup = signal(SignalKind::hangup()).context("signals cannot be had")?;
    let reload = Arc::new(reload);
    tokio::spawn(async move {
        while hangup.recv().await.is_some() {
            let reload = Arc::clone(&reload);
            // Files are read on a thread that serves nobody.
            manager.reloading();
            manager.reloaded(tokio::task::spawn_blocking(move || reload()).await.unwrap_or(false));
        }
    });
    Ok(())
}

/// Told with the first signal; the second one ends the process at once.
fn signals() -> anyhow::Result<Arc<Notify>> {
    let mut terminate = signal(SignalKind::terminate()).context("signals cannot be had")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("signals cannot be had")?;
    let first = Arc::new(Notify::new());
    let told = Arc::clone(&first);
    tokio::spawn(async move {
        for round in 0.. {
            let name = tokio::select! {
                _ = terminate.recv() => "SIGTERM",
                _ = interrupt.recv() => "SIGINT",
            };
            if round == 0 {
                tracing::info!("{name}: saying goodbye");
                told.notify_one();
            } else {
                tracing::warn!("{name} again: ending at once");
                std::process::exit(1);
            }
        }
    });
    Ok(first)
}
