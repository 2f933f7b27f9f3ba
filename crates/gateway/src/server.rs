//! The server: everything put together.

use std::io;
use std::net::SocketAddr;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use fanout::Consolidator;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use store::StoreError;
use tokio::net::TcpListener;
use tokio::runtime::Handle;
use tokio::sync::{Notify, Semaphore, mpsc, watch};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use wire::Epoch;

use crate::accept::{Acceptor, Given, adopt, inherit, listen};
use crate::admin::{self, Admin, Levers};
use crate::delay::Line;
use crate::doors::{Catalogue, Engines, Rates, Room, Tickets};
use crate::handover::{HandoverError, Inheritance, Office, Successor};
use crate::hub::{Feeds, Hub, Probe};
use crate::in_force::InForce;
use crate::limits::{
    ARRIVALS_QUEUED, ECHO_CONNECTIONS_MAX, EVENTS_QUEUED, FILES_KEPT, ORDERS_QUEUED, READS_QUEUED,
};
use crate::queue::queue;
use crate::recorder::Recorder;
use crate::recordings::Recordings;
use crate::reload::Reloader;
use crate::roster::Roster;
use crate::routes::{self, App};
use crate::settings::{Limits, Settings, Tls};
use crate::shard::{self, Intake, Order, Reads, Shard, Surroundings};
use crate::tls::{Certificate, TlsError};
use crate::visitors::Visitors;
use crate::vitals::Vitals;
use crate::{clock, metrics as names};

/// A gateway that listens, with its hub not yet running.
pub struct Server {
    settings: Arc<Settings>,
    public: TcpListener,
    admin: TcpListener,
    /// Who serves operators.
    operators: admin::Thread,
    tls: Option<TlsAcceptor>,
    certificate: Option<Arc<Certificate>>,
    metrics: PrometheusHandle,
    feeds: Feeds,
    catalogue: Catalogue,
    roster: Arc<Roster>,
    shards: Vec<Shard>,
    doors: Vec<mpsc::Sender<crate::shard::Arrival>>,
    desks: Vec<mpsc::Sender<Order>>,
    reads: Vec<Reads>,
    levers: Option<Levers>,
    shutdown: watch::Sender<bool>,
    /// True once both doors are open.
    serving: watch::Sender<bool>,
    subscribed: watch::Receiver<bool>,
    epoch: Epoch,
    /// Told when the server is to go.
    drain: Arc<Notify>,
    /// True when operators are not served any more.
    over: watch::Sender<bool>,
    /// True while another process leads.
    follows: Arc<AtomicBool>,
    recorder: Option<Recorder>,
    recordings: Recordings,
    probe: Probe,
}

/// Why a gateway does not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServerError {
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {error}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        error: io::Error,
    },
    /// The certificate cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// What another process has left cannot be gone on with.
    #[error(transparent)]
    Handover(#[from] HandoverError),
    /// What is sent cannot be recorded.
    #[error("[recording] folder cannot be used")]
    Recording(#[from] StoreError),
    /// Metrics are set up twice in one process.
    #[error("metrics cannot be set up: {0}")]
    Metrics(String),
}

impl Server {
    /// Listens on the settings' addresses, where it is not given what does so, and gives the hub that the ticks go to. Nobody is
    /// accepted before [`Self::run`].
    ///
    /// # Errors
    /// An address is taken, or the certificate cannot be used.
    pub fn bind(settings: Settings, given: Given) -> Result<(Self, Hub), ServerError> {
        Self::open(settings, given, None, Arc::default())
    }

    /// The same, going on with what another process does: with its listeners, where the addresses are the same, its
    /// logs and its sequences.
    ///
    /// # Errors
    /// See [`Self::bind`].
    pub fn succeed(settings: Settings, predecessor: &mut Successor) -> Result<(Self, Hub), ServerError> {
        Self::open(settings, Given::default(), predecessor.take_inheritance(), predecessor.follows())
    }

    fn open(
        settings: Settings,
        given: Given,
        heir: Option<Inheritance>,
        follows: Arc<AtomicBool>,
    ) -> Result<(Self, Hub), ServerError> {
        let metrics = recorder()?;
        names::describe();
        let (tls, certificate) = settings.tls.as_ref().map(Tls::replaceable).transpose()?.unzip();
        let tls = tls.map(TlsAcceptor::from);
        let open = |number, address, given: Option<std::net::TcpListener>| {
            let inherited = heir.as_ref().and_then(|heir| heir.listener(number, address));
            let limits = settings.limits.now();
            let listener = match (inherited, given) {
                (None, None) => listen(address, &limits),
                (Some(listener), _) => inherit(listener, &limits),
                (None, Some(listener)) => adopt(listener, address, &limits),
            };
            listener.map_err(|error| ServerError::Listen { address, error })
        };
        let public = open(0, settings.listen, given.clients)?;
        let address = settings.admin_listen;
        let (operators, admin) = admin::Thread::start(open(1, address, given.operators)?)
            .map_err(|error| ServerError::Listen { address, error })?;
        settings.limits.put(settings.limits.now().possible());
        let settings = Arc::new(settings);
        let (shutdown, leaving) = watch::channel(false);
        let (subscribing, subscribed) = watch::channel(false);
        let fresh = || Epoch::from_seed(clock::wall().0 / 1_000_000);
        let epoch = heir.as_ref().map_or_else(fresh, |heir| heir.epoch.clone());
        let count = settings.shards.max(1);
        let (inlets, outlets): (Vec<_>, Vec<_>) = (0..count).map(|_| queue(EVENTS_QUEUED)).unzip();
        let (feeds, catalogue) = (Feeds::default(), Catalogue::new(settings.delays.clone()));
        let line = Line::new(settings.delays.clone(), settings.limits.now().delayed_events);
        let alerts = Arc::default();
        let hub = Hub::new(inlets, line, Arc::clone(&alerts), feeds.clone(), catalogue.clone());
        hub.consolidate(Consolidator::new(settings.consolidation.clone()));
        let recording = settings.recording.as_ref().filter(|recording| recording.records);
        let recorder = recording.map(Recorder::start).transpose()?.map(|(recorder, tape)| {
            hub.record(tape);
            recorder
        });
        if let Some(traces) = &settings.traces {
            traces.begin();
            hub.trace(traces.clone());
        }
        let folder = settings.recording.as_ref().map(|recording| recording.folder.clone());
        let recordings = Recordings::new(folder, recorder.as_ref().map(|recorder| recorder.name().clone()));
        let estate = heir.map_or_else(|| Ok(Vec::new()), |heir| hub.adopt(heir.estate));
        let estate = estate.map_err(HandoverError::from)?;
        let roster = Arc::<Roster>::default();
        let surroundings = Surroundings {
            settings: Arc::clone(&settings),
            roster: Arc::clone(&roster),
            recordings: recordings.clone(),
            alerts,
            epoch: epoch.clone(),
        };
        let (mut shards, mut doors, mut desks) = (Vec::new(), Vec::new(), Vec::new());
        let mut readers = Vec::new();
        for outlet in outlets {
            let (door, arrivals) = mpsc::channel(ARRIVALS_QUEUED);
            let (order, orders) = mpsc::channel(ORDERS_QUEUED);
            let (reader, reads) = mpsc::channel(READS_QUEUED);
            let inlets = shard::Doors { arrivals, orders, reads };
            let events = Intake { events: outlet, pump: hub.pump() };
            let (leaving, subscribing) = (leaving.clone(), subscribing.clone());
            let mut shard = Shard::new(surroundings.clone(), events, inlets, leaving, subscribing);
            shard.restore(&estate);
            shards.push(shard);
            doors.push(door);
            desks.push(order);
            readers.push(reader);
        }
        roster.set_rates(&settings.limits.now());
        let server = Self {
            settings,
            public,
            admin,
            operators,
            tls,
            certificate,
            metrics,
            feeds,
            probe: hub.probe(),
            catalogue,
            roster,
            shards,
            doors,
            desks,
            reads: readers,
            levers: None,
            shutdown,
            serving: watch::Sender::new(false),
            subscribed,
            epoch,
            drain: Arc::default(),
            over: watch::Sender::new(false),
            follows,
            recorder,
            recordings,
        };
        Ok((server, hub))
    }

    /// Where clients connect; tells the port where the settings left it open.
    ///
    /// # Errors
    /// The operating system's.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.public.local_addr()
    }

    /// Where metrics and health are.
    ///
    /// # Errors
    /// The operating system's.
    pub fn admin_address(&self) -> io::Result<SocketAddr> {
        self.admin.local_addr()
    }

    /// Puts other keys and another certificate in force while the server runs.
    #[must_use]
    pub fn reloader(&self) -> Reloader {
        let (settings, roster) = (Arc::clone(&self.settings), Arc::clone(&self.roster));
        Reloader { settings, certificate: self.certificate.clone(), roster }
    }

    /// Gives operators what they can move that is not the gateway's own.
    pub fn set_levers(&mut self, levers: Levers) {
        self.levers = Some(levers);
    }

    /// What another process can be given that is to go on with this one's work; this one drains when that one
    /// serves.
    ///
    /// # Errors
    /// The operating system's.
    pub fn office(&self, hub: &Hub) -> io::Result<Office> {
        let handle = |listener: &TcpListener| listener.as_fd().try_clone_to_owned();
        Ok(Office {
            registry: Arc::default(),
            pump: hub.pump(),
            shard: self.desks[0].clone(),
            listeners: [handle(&self.public)?, handle(&self.admin)?],
            epoch: self.epoch.as_str().to_owned(),
            drain: Arc::clone(&self.drain),
            over: self.over.clone(),
        })
    }

    /// Turns true when the first client has subscribed to something.
    #[must_use]
    pub fn subscribed(&self) -> watch::Receiver<bool> {
        self.subscribed.clone()
    }

    /// For whoever looks after the process.
    #[must_use]
    pub fn vitals(&self) -> Vitals {
        Vitals {
            beats: self.shards.iter().map(|shard| (shard.beat(), 0)).collect(),
            feeds: self.feeds.clone(),
            serving: self.serving.subscribe(),
            leaving: self.shutdown.subscribe(),
            follows: Arc::clone(&self.follows),
        }
    }

    /// Serves until `until` is over, then says goodbye to every session and returns.
    pub async fn run(self, until: impl Future<Output = ()>) {
        let mut tasks = JoinSet::new();
        for shard in self.shards {
            tasks.spawn(shard.run());
        }
        let leaving = self.shutdown.subscribe();
        let visitors = Arc::<Visitors>::default();
        let app = App {
            settings: Arc::clone(&self.settings),
            shards: self.doors,
            reads: self.reads,
            feeds: self.feeds.clone(),
            catalogue: self.catalogue,
            tickets: Tickets::default(),
            rates: Rates::default(),
            room: Room::default(),
            roster: self.roster,
            visitors: Arc::clone(&visitors),
            engines: Engines::default(),
            echoes: Arc::new(Semaphore::new(ECHO_CONNECTIONS_MAX)),
            leaving: leaving.clone(),
            recordings: self.recordings,
        };
        let public = Acceptor {
            listener: self.public,
            tls: self.tls,
            router: routes::router(Arc::new(app)),
            places: Arc::default(),
            visitors,
            limits: self.settings.limits.clone(),
            traces: self.settings.traces.clone(),
            shutdown: leaving.clone(),
        };
        let drain = self.drain;
        let admin = Admin {
            metrics: self.metrics.clone(),
            runtime: Handle::current().metrics(),
            feeds: self.feeds,
            probe: self.probe,
            shutdown: leaving,
            settings: Arc::clone(&self.settings),
            shards: self.desks,
            levers: self.levers,
            drain: Arc::clone(&drain),
            follows: self.follows,
        };
        let (over, end) = (self.over.clone(), self.over.subscribe());
        let admin = Acceptor {
            listener: self.admin,
            tls: None,
            router: admin::router(Arc::new(admin)),
            places: Arc::default(),
            visitors: Arc::default(),
            limits: InForce::from(Limits {
                connections: ADMIN_CONNECTIONS,
                address_connections: None,
                address_attempts_per_second: None,
                ..*self.settings.limits.now()
            }),
            traces: self.settings.traces.clone(),
            // Whoever asks is told of the drain until it is over.
            shutdown: end,
        };
        self.operators.serve(admin, self.metrics);
        if let Some(published) = self.settings.published.clone() {
            // Whoever comes before the keys do would be told that its token is none.
            let wait = published.look(&self.settings.keys).await;
            let settings = Arc::clone(&self.settings);
            tokio::spawn(async move { published.keep(&settings.keys, wait).await });
        }
        let accepting = tokio::spawn(public.run());
        self.serving.send_replace(true);
        tokio::select! {
            () = until => {}
            () = drain.notified() => {}
        }
        self.shutdown.send_replace(true);
        metrics::gauge!(names::DRAINING).set(1.0);
        let window = self.settings.drain;
        tracing::info!(seconds = window.as_secs_f64(), "draining");
        // Whoever does not take the goodbye is left behind.
        let gone = async { while tasks.join_next().await.is_some() {} };
        let _ = tokio::time::timeout(window + GOODBYE, gone).await;
        tasks.abort_all();
        let _ = accepting.await;
        if let Some(recorder) = self.recorder {
            // The last of it may take a disk's time.
            let _ = tokio::task::spawn_blocking(move || drop(recorder)).await;
        }
        over.send_replace(true);
    }
}

/// Scrapers and probes at a time.
const ADMIN_CONNECTIONS: usize = 64;
/// How long goodbyes may take beyond the window.
const GOODBYE: Duration = Duration::from_secs(2);

impl Limits {
    /// The same, if the system's limit on open files allows so many connections.
    pub(crate) fn possible(&self) -> Self {
        Self { connections: connections(self.connections), ..*self }
    }
}

/// As many connections as asked for, if the system's limit on open files allows.
fn connections(wanted: usize) -> usize {
    let limit = std::fs::read_to_string("/proc/self/limits").ok().and_then(|text| {
        let line = text.lines().find(|line| line.starts_with("Max open files"))?.to_owned();
        line.split_whitespace().nth(3)?.parse::<usize>().ok()
    });
    let possible = limit.map_or(wanted, |limit| limit.saturating_sub(FILES_KEPT).max(1));
    if possible < wanted {
        tracing::warn!(
            "at most {possible} connections instead of {wanted}: the limit on open files (ulimit -n) allows no more"
        );
    }
    let connections = wanted.min(possible);
    #[expect(clippy::cast_precision_loss, reason = "a gauge")]
    metrics::gauge!(names::CONNECTIONS_LIMIT).set(connections as f64);
    connections
}

/// The recorder of this process, set up once.
fn recorder() -> Result<PrometheusHandle, ServerError> {
    PrometheusBuilder::new()
        .with_recommended_naming(true)
        .set_buckets(&names::BUCKETS)
        .and_then(|builder| {
            let bytes = Matcher::Full(names::QUEUE_BYTES.to_owned());
            builder.set_buckets_for_metric(bytes, &names::QUEUE_BUCKETS)
        })
        .map_err(|error| ServerError::Metrics(error.to_string()))?
        .install_recorder()
        .map_err(|error| ServerError::Metrics(error.to_string()))
}
