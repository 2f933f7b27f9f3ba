//! The plant: feeds into a gateway, until told to end.

use std::collections::HashMap;
use std::future::Future;
use std::sync::Arc;

use anyhow::{Context, bail};
use gateway::{Levers, Server, ServerError, Settings};
use ingest::feed::{self, Batch, FeedSpec, Gate, Prepared, Stop};
use tokio::runtime::{Builder, Runtime};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use crate::exit::{Failure, Outcome};

/// Batches of ticks on their way from the feeds to the hub.
const BATCHES: usize = 512;

/// A plant that listens; its feeds have not begun.
pub(crate) struct Plant {
    runtime: Runtime,
    server: Server,
    hub: gateway::Hub,
    feeds: Vec<Prepared>,
}

/// The runtime that everything asynchronous runs on.
pub(crate) fn runtime() -> anyhow::Result<Runtime> {
    Builder::new_multi_thread().enable_all().build().context("the runtime cannot be started")
}

impl Plant {
    /// Looks through the feeds and opens the ports; `elsewhere` tells how to choose others.
    pub(crate) fn open(settings: Settings, feeds: Vec<FeedSpec>, elsewhere: &'static str) -> Outcome<Self> {
        let feeds = prepare(feeds).map_err(Failure::usage)?;
        let runtime = runtime()?;
        let guard = runtime.enter();
        let bound = Server::bind(settings).map_err(|error| match error {
            ServerError::Listen { .. } => anyhow::Error::from(error).context(elsewhere),
            other => other.into(),
        });
        let (server, hub) = bound?;
        ingest::metrics::describe();
        drop(guard);
        Ok(Self { runtime, server, hub, feeds })
    }

    pub(crate) const fn server(&self) -> &Server {
        &self.server
    }

    /// Gives operators what they can move that is not the gateway's own.
    pub(crate) fn set_levers(&mut self, levers: Levers) {
        self.server.set_levers(levers);
    }

    /// Starts the feeds and serves until a signal comes.
    ///
    /// `reload` is called on SIGHUP; without it that signal ends the process, as it does any other.
    pub(crate) fn run(self, reload: Option<Reload>) -> anyhow::Result<()> {
        let Self { runtime, server, hub, feeds } = self;
        let (sink, ticks) = mpsc::channel::<Batch>(BATCHES);
        let (gate, stop) = (Gate::default(), Stop::default());
        let mut threads = Vec::new();
        for feed in feeds {
            let name = feed.name().to_owned();
            let thread = feed.start(sink.clone(), gate.clone(), stop.clone());
            threads.push(thread.with_context(|| format!("the thread of feed {name:?}"))?);
        }
        drop(sink);
        let until = runtime.block_on(async {
            reload.map_or(Ok(()), reloads)?;
            signals()
        })?;
        let mut subscribed = server.subscribed();
        let opener = gate.clone();
        runtime.spawn(async move {
            if subscribed.wait_for(|subscribed| *subscribed).await.is_ok() {
                opener.open();
            }
        });
        let hub = runtime.spawn(hub.run(ReceiverStream::new(ticks)));
        runtime.block_on(server.run(until));
        stop.stop();
        hub.abort();
        for thread in threads {
            // A thread that has died has said so itself.
            let _ = thread.join();
        }
        runtime.shutdown_background();
        Ok(())
    }
}

/// The feeds, ready to begin; no two of them may list one symbol, or its stream would be of neither.
fn prepare(specs: Vec<FeedSpec>) -> anyhow::Result<Vec<Prepared>> {
    let (mut feeds, mut owners) = (Vec::new(), HashMap::new());
    for spec in specs {
        let name = spec.name.clone();
        let feed = feed::prepare(spec).with_context(|| format!("feed {name:?}"))?;
        for symbol in feed.symbols() {
            if let Some(owner) = owners.insert(symbol.clone(), name.clone()).filter(|owner| *owner != name) {
                bail!("feeds {owner:?} and {name:?} both list {symbol}: give one of them a symbol_suffix");
            }
        }
        feeds.push(feed);
    }
    Ok(feeds)
}

/// What reads the configuration again.
pub(crate) type Reload = Box<dyn Fn() + Send + Sync>;

/// Reads the configuration again at each SIGHUP.
fn reloads(reload: Reload) -> anyhow::Result<()> {
    let mut hangup = signal(SignalKind::hangup()).context("signals cannot be had")?;
    let reload = Arc::new(reload);
    tokio::spawn(async move {
        while hangup.recv().await.is_some() {
            let reload = Arc::clone(&reload);
            // Files are read on a thread that serves nobody.
            let _ = tokio::task::spawn_blocking(move || reload()).await;
        }
    });
    Ok(())
}

/// Ends with the first signal; the second one ends the process at once.
fn signals() -> anyhow::Result<impl Future<Output = ()> + use<>> {
    let mut terminate = signal(SignalKind::terminate()).context("signals cannot be had")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("signals cannot be had")?;
    let first = Arc::new(tokio::sync::Notify::new());
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
    Ok(async move { first.notified().await })
}
