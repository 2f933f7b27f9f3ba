//! Tells a collector of spans: OTLP over HTTP, as protobuf.
//!
//! A thread with a runtime of its own sends what there is once a second. Spans that come while the collector does not
//! answer wait, up to a bound; what is beyond it is lost, and counted.

use std::fmt;
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::Context;
use gateway::{Fact, Parent, Remote, Span, Traces};
use opentelemetry::trace::{SpanContext, SpanId, SpanKind, Status, TraceFlags, TraceState};
use opentelemetry::{InstrumentationScope, KeyValue, StringValue};
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{SpanData, SpanEvents, SpanExporter as _, SpanLinks};
use tokio::runtime::Builder;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{MissedTickBehavior, interval, timeout};

use crate::config::TracesSpec;

/// How often spans are sent, and how many at a time.
const PERIOD: Duration = Duration::from_secs(1);
const SPANS_MAX: usize = 512;
/// A collector that has not answered by then does not.
const PATIENCE: Duration = Duration::from_secs(5);
/// Nobody needs more of what it answers.
const ANSWER_BYTES_MAX: usize = 64 << 10;

/// Sends until it is dropped, and then what there still is.
pub(crate) struct Exporter {
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// Begins to tell a collector.
pub(crate) fn start(spec: TracesSpec) -> anyhow::Result<(Traces, Exporter)> {
    let TracesSpec { place, share, service } = spec;
    let (traces, spans) = Traces::new(share);
    tracing::info!(collector = %place, "telling of some updates");
    let client = Arc::new(Client { place, fault: Mutex::default() });
    let mut exporter = SpanExporter::builder()
        .with_http()
        .with_shared_http_client(Arc::clone(&client) as Arc<dyn HttpClient>)
        .with_endpoint(client.place.url().to_string())
        .with_protocol(Protocol::HttpBinary)
        .with_timeout(PATIENCE)
        .build()
        .context("[traces]")?;
    let version = KeyValue::new("service.version", env!("CARGO_PKG_VERSION"));
    let resource = Resource::builder_empty().with_service_name(service).with_attribute(version).build();
    exporter.set_resource(&resource);
    let runtime = Builder::new_current_thread().enable_all().build().context("the runtime of the traces")?;
    let (stop, stopped) = oneshot::channel();
    let told = Told { exporter, client, takes: true };
    let thread = thread::Builder::new()
        .name("traces".into())
        .spawn(move || runtime.block_on(told.run(spans, stopped)))
        .context("the thread of the traces")?;
    Ok((traces, Exporter { stop: Some(stop), thread: Some(thread) }))
}

impl Drop for Exporter {
    fn drop(&mut self) {
        drop(self.stop.take());
        // It has its own patience.
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// A collector, and whether it takes what it is told.
struct Told {
    exporter: SpanExporter,
    client: Arc<Client>,
    takes: bool,
}

impl Told {
    async fn run(mut self, mut spans: mpsc::Receiver<Span>, stopped: oneshot::Receiver<()>) {
        let mut period = interval(PERIOD);
        period.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut stopped = pin!(stopped);
        loop {
            let over = tokio::select! {
                _ = period.tick() => false,
                _ = &mut stopped => true,
            };
            loop {
                let some: Vec<_> = std::iter::from_fn(|| spans.try_recv().ok()).take(SPANS_MAX).collect();
                // What it does not take now, it may take later.
                if some.is_empty() || !self.tell(some).await {
                    break;
                }
            }
            if over {
                return;
            }
        }
    }

    /// False where the collector does not take them: they are lost, and the log says so once.
    async fn tell(&mut self, spans: Vec<Span>) -> bool {
        let count = spans.len() as u64;
        let sent = timeout(PATIENCE, self.exporter.export(spans.into_iter().map(data).collect())).await;
        let fault = match sent {
            Ok(Ok(())) => None,
            Ok(Err(error)) => Some(self.client.take_fault().unwrap_or_else(|| error.to_string())),
            Err(_) => Some("no answer in time".to_owned()),
        };
        let (place, took) = (&self.client.place, std::mem::replace(&mut self.takes, fault.is_none()));
        match &fault {
            Some(fault) => {
                gateway::count_lost_spans(count);
                if took {
                    tracing::warn!(collector = %place, "the collector takes no spans: {fault}");
                }
            }
            None if !took => tracing::info!(collector = %place, "the collector takes spans again"),
            None => {}
        }
        fault.is_none()
    }
}

/// The collector, as its library asks it.
struct Client {
    place: Remote,
    /// What was wrong last: the library keeps that to itself.
    fault: Mutex<Option<String>>,
}

impl Client {
    fn take_fault(&self) -> Option<String> {
        self.fault.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let answer = self.place.send(request, ANSWER_BYTES_MAX).await;
        let fault = match &answer {
            Ok(answer) if answer.status().is_success() => None,
            Ok(answer) => Some(format!("the answer is {}", answer.status())),
            Err(error) => Some(error.clone()),
        };
        *self.fault.lock().unwrap_or_else(PoisonError::into_inner) = fault;
        answer.map_err(Into::into)
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.place)
    }
}

impl HttpClient for Client {
    fn send_bytes<'life0, 'async_trait>(
        &'life0 self,
        request: Request<Bytes>,
    ) -> Pin<Box<dyn Future<Output = Result<Response<Bytes>, HttpError>> + Send + 'async_trait>>
    where
        'life0: 'async_trait,
        Self: 'async_trait,
    {
        Box::pin(self.send(request))
    }
}

/// A span as the library has it.
fn data(span: Span) -> SpanData {
    let (parent, is_theirs) = match span.parent {
        None => (SpanId::INVALID, false),
        Some(Parent::Ours(id)) => (SpanId::from(id), false),
        Some(Parent::Theirs(id)) => (SpanId::from(id), true),
    };
    let value = |(name, fact)| match fact {
        Fact::Text(text) => KeyValue::new(name, StringValue::from(text)),
        Fact::Number(number) => KeyValue::new(name, i64::try_from(number).unwrap_or(i64::MAX)),
        Fact::Flag(flag) => KeyValue::new(name, flag),
    };
    let trace = span.trace.into();
    let context =
        SpanContext::new(trace, SpanId::from(span.id), TraceFlags::SAMPLED, false, TraceState::default());
    SpanData {
        span_context: context,
        parent_span_id: parent,
        parent_span_is_remote: is_theirs,
        span_kind: if is_theirs { SpanKind::Server } else { SpanKind::Internal },
        name: span.name,
        start_time: at(span.time.0.0),
        end_time: at(span.time.1.0),
        attributes: span.facts.into_iter().map(value).collect(),
        dropped_attributes_count: 0,
        events: SpanEvents::default(),
        links: SpanLinks::default(),
        status: Status::Unset,
        instrumentation_scope: InstrumentationScope::builder("tickwire")
            .with_version(env!("CARGO_PKG_VERSION"))
            .build(),
    }
}

fn at(nanos: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_nanos(nanos)
}
