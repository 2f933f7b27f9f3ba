//! The emulated venue's port: who comes in, and which faults await them.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use model::Speed;
use tokio::net::{TcpListener, TcpStream};

use crate::client;
use crate::fault::{Fault, Kind, Stage};
use crate::script::Script;
use crate::world::World;

/// How a capture is played.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where to listen.
    pub addr: SocketAddr,
    /// How fast.
    pub speed: Speed,
    /// Between the first subscription and the first message.
    pub lead: Duration,
    /// What goes wrong.
    pub faults: Vec<Fault>,
}

/// An emulated venue that listens.
pub struct Emulator {
    listener: TcpListener,
    shared: Arc<Shared>,
    options: Options,
}

/// What all its connections share.
pub(crate) struct Shared {
    pub(crate) world: World,
    faults: Mutex<Vec<Fault>>,
    struck: Mutex<BTreeMap<Kind, u64>>,
    pub(crate) connections: AtomicU64,
    pub(crate) subscriptions: AtomicU64,
    pub(crate) requests: AtomicU64,
    /// Added to all numbers of books.
    pub(crate) offset: AtomicI64,
}

impl Emulator {
    /// Listens.
    ///
    /// # Errors
    /// The port is not to be had.
    pub async fn bind(script: Script, options: Options) -> io::Result<Self> {
        let listener = TcpListener::bind(options.addr).await?;
        let shared = Shared {
            world: World::new(script),
            faults: Mutex::new(options.faults.clone()),
            struck: Mutex::default(),
            connections: AtomicU64::new(0),
            subscriptions: AtomicU64::new(0),
            requests: AtomicU64::new(0),
            offset: AtomicI64::new(0),
        };
        Ok(Self { listener, shared: Arc::new(shared), options })
    }

    /// Where it listens.
    ///
    /// # Errors
    /// The system does not say.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// What tells how it goes, also while it serves.
    #[must_use]
    pub fn watch(&self) -> Watch {
        Watch(Arc::clone(&self.shared))
    }

    /// Serves until dropped.
    pub async fn serve(self) {
        let Self { listener, shared, options } = self;
        let played = Arc::clone(&shared);
        let play = async move { played.world.play(options.speed, options.lead).await };
        let accept = async {
            loop {
                match listener.accept().await {
                    Ok((stream, _)) => drop(tokio::spawn(connection(stream, Arc::clone(&shared)))),
                    Err(error) => {
                        tracing::warn!("a connection is not taken: {error}");
                        tokio::time::sleep(Duration::from_millis(50)).await;
                    }
                }
            }
        };
        tokio::join!(play, accept);
    }
}

async fn connection(stream: TcpStream, shared: Arc<Shared>) {
    let _ = stream.set_nodelay(true);
    // What a peer does to its connection is its own affair.
    if let Err(error) = client::serve(stream, &shared).await {
        tracing::debug!("a connection ended: {error}");
    }
}

/// Tells how an emulated venue goes.
#[derive(Clone)]
pub struct Watch(Arc<Shared>);

impl Watch {
    /// Steps of the capture that were played, and all of them.
    #[must_use]
    pub fn progress(&self) -> (usize, usize) {
        self.0.world.progress()
    }

    /// How often each fault has struck.
    #[must_use]
    pub fn struck(&self, kind: Kind) -> u64 {
        self.0.struck.lock().unwrap_or_else(PoisonError::into_inner).get(&kind).copied().unwrap_or(0)
    }

    /// Connections for streams so far.
    #[must_use]
    pub fn connections(&self) -> u64 {
        self.0.connections.load(Ordering::Relaxed)
    }
}

impl Shared {
    /// A fault that is due here: the `number`-th of its stage, on the `conn`-th connection.
    pub(crate) fn fault(&self, stage: Stage, number: u64, conn: u64) -> Option<Fault> {
        let mut faults = self.faults.lock().unwrap_or_else(PoisonError::into_inner);
        let is_due = |fault: &&mut Fault| {
            fault.kind.stage() == stage
                && fault.count > 0
                && number >= fault.at
                && fault.conn.is_none_or(|only| only == conn)
        };
        let fault = faults.iter_mut().find(is_due)?;
        fault.count -= 1;
        *self.struck.lock().unwrap_or_else(PoisonError::into_inner).entry(fault.kind).or_default() += 1;
        tracing::info!(fault = fault.kind.name(), conn, "strikes");
        Some(fault.clone())
    }
}
