//! The accept loop: what axum's own leaves out. A backlog for storms, a cap, timeouts for slow
//! headers and handshakes, no spin when files run out.

use std::convert::Infallible;
use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::http::{HeaderValue, StatusCode, header};
use hyper::Request;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use socket2::{Domain, Protocol, Socket, TcpKeepalive, Type};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use wire::ErrorCode;

use crate::asked::{Asked, Told};
use crate::clock;
use crate::doors::SOCKETIO;
use crate::in_force::InForce;
use crate::limits::{
    BACKLOG, CONNECTION_RETRY, HEADER_BYTES_MAX, HEADER_TIMEOUT, HEADERS_MAX, TLS_TIMEOUT, UNSENT_BYTES_MAX,
};
use crate::metrics::REFUSALS;
use crate::places::Places;
use crate::problem::Problem;
use crate::settings::Limits;
use crate::socket::{Io, Peer, Slot, Succession};
use crate::traces::Traces;
use crate::visitors::Visitors;

/// Listeners that somebody else has opened.
#[derive(Debug, Default)]
pub struct Given {
    /// For clients.
    pub clients: Option<std::net::TcpListener>,
    /// For operators.
    pub operators: Option<std::net::TcpListener>,
}

/// Listens on `address`, with a backlog for storms.
///
/// # Errors
/// The address is taken or not ours.
pub(crate) fn listen(address: SocketAddr, limits: &Limits) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    equip(&socket, limits)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    TcpListener::from_std(socket.into())
}

/// Goes on with a listener of another process.
///
/// # Errors
/// The operating system's.
pub(crate) fn inherit(listener: std::net::TcpListener, limits: &Limits) -> io::Result<TcpListener> {
    let socket = Socket::from(listener);
    equip(&socket, limits)?;
    TcpListener::from_std(socket.into())
}

/// Takes a listener that was given for `address`.
///
/// # Errors
/// It is for another one, or the operating system's.
pub(crate) fn adopt(
    listener: std::net::TcpListener,
    address: SocketAddr,
    limits: &Limits,
) -> io::Result<TcpListener> {
    let local = listener.local_addr()?;
    if fits(local, address) {
        return inherit(listener, limits);
    }
    Err(io::Error::other(format!("the socket that was passed is for {local}: say the same in both places")))
}

/// Whether a listener is for the address that the settings name; port 0 is any.
pub(crate) fn fits(local: SocketAddr, address: SocketAddr) -> bool {
    local.ip() == address.ip() && (address.port() == 0 || local.port() == address.port())
}

/// What a listener has that its connections are to have from it.
fn equip(socket: &Socket, limits: &Limits) -> io::Result<()> {
    socket.set_nonblocking(true)?;
    // Connections have both from here. Batches are ours to make, and what lies unsent in the kernel
    // cannot be coalesced any more.
    socket.set_tcp_nodelay(true)?;
    socket.set_tcp_notsent_lowat(UNSENT_BYTES_MAX)?;
    // Whoever takes nothing for so long, or is not there any more, is let go by the kernel, also where no
    // session looks after it: answers over plain HTTP are nobody's once they are on their way. Where one does, it
    // knows better why, and is first.
    socket.set_tcp_user_timeout(Some(limits.ping + limits.silence + USER_TIMEOUT_LATER))?;
    let probes =
        TcpKeepalive::new().with_time(limits.ping.max(PROBE_MIN)).with_interval(PROBE).with_retries(PROBES);
    socket.set_tcp_keepalive(&probes)
}

/// Serves connections until shutdown is told.
pub(crate) struct Acceptor {
    pub(crate) listener: TcpListener,
    pub(crate) tls: Option<TlsAcceptor>,
    pub(crate) router: Router,
    pub(crate) places: Arc<Places>,
    pub(crate) visitors: Arc<Visitors>,
    pub(crate) limits: InForce<Limits>,
    pub(crate) traces: Option<Traces>,
    pub(crate) shutdown: watch::Receiver<bool>,
}

/// How much longer than a session the kernel waits for whoever takes nothing.
const USER_TIMEOUT_LATER: Duration = Duration::from_secs(5);
/// Questions whether somebody is there: how often, and how many without an answer.
const PROBE: Duration = Duration::from_secs(10);
const PROBES: u32 = 3;
/// The kernel asks no sooner.
const PROBE_MIN: Duration = Duration::from_secs(1);
/// How long the loop rests when the system refuses to give it a connection.
const REST: Duration = Duration::from_millis(100);

impl Acceptor {
    pub(crate) async fn run(mut self) {
        loop {
            let accepted = tokio::select! {
                accepted = self.listener.accept() => accepted,
                _ = self.shutdown.wait_for(|leaving| *leaving) => return,
            };
            match accepted {
                Ok((stream, from)) => self.accept(stream, from),
                Err(error) if is_of_the_connection(&error) => {}
                Err(error) => {
                    tracing::warn!("cannot accept: {error}");
                    REFUSALS.count("accept");
                    tokio::time::sleep(REST).await;
                }
            }
        }
    }

    fn accept(&self, stream: TcpStream, from: SocketAddr) {
        let slot = match self.slot(from) {
            Ok(slot) => slot,
            Err((reason, problem)) => {
                REFUSALS.count(reason);
                if self.tls.is_none() {
                    tokio::spawn(turn_away(stream, problem));
                }
                return;
            }
        };
        let (router, leaving) = (self.router.clone(), self.shutdown.clone());
        let traces = self.traces.clone();
        // Two kinds of tasks: that of a plain connection is a tenth as large.
        match self.tls.clone() {
            None => tokio::spawn(serve(stream, from, router, slot, leaving, traces)),
            Some(tls) => tokio::spawn(async move {
                match timeout(TLS_TIMEOUT, tls.accept(stream)).await {
                    Ok(Ok(stream)) => serve(Box::new(stream), from, router, slot, leaving, traces).await,
                    Ok(Err(_)) => REFUSALS.count("tls"),
                    Err(_) => REFUSALS.count("timeout"),
                }
            }),
        };
    }

    /// A place for a connection, or why there is none: for the metric and for the client.
    fn slot(&self, from: SocketAddr) -> Result<Slot, (&'static str, Problem)> {
        let limits = self.limits.now();
        let visit = self.visitors.enter(from.ip(), &limits, clock::now());
        let visit = visit.map_err(|unwelcome| (unwelcome.reason(), unwelcome.problem()))?;
        let place = self.places.take(limits.connections).ok_or_else(|| {
            let problem = Problem::of(ErrorCode::ConnectionLimit, "Too many connections.");
            (problem.code, problem.retry_after(CONNECTION_RETRY))
        })?;
        Ok(Slot::new(place, visit))
    }
}

/// Errors that say something about one client, not about us.
fn is_of_the_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionRefused
    )
}

/// Answers the requests of a connection, and goes on with what one of them made of it. All in one task: a
/// second one would cost every client of a storm two changes of hands.
async fn serve<S>(
    stream: S,
    from: SocketAddr,
    router: Router,
    slot: Slot,
    leaving: watch::Receiver<bool>,
    traces: Option<Traces>,
) where
    S: AsyncRead + AsyncWrite + Into<Io> + Unpin + Send + 'static,
{
    let (succession, peer) = (Succession::default(), Peer(from));
    let router = TowerToHyperService::new(router);
    let service = service_fn(|mut request: Request<hyper::body::Incoming>| {
        request.extensions_mut().insert(succession.clone());
        request.extensions_mut().insert(peer);
        let asked = Asked::of(request.headers());
        request.extensions_mut().insert(asked.clone());
        let told = Told::of(&request, asked);
        // Who polls a session comes back to it; anybody else finds who serves next.
        let comes_back = request.uri().path() == SOCKETIO;
        let (answer, leaving, traces) = (router.call(request), &leaving, traces.as_ref());
        Box::pin(async move {
            let mut answer = answer.await?;
            told.tell(&mut answer, traces);
            let goes_on = comes_back || answer.status() == StatusCode::SWITCHING_PROTOCOLS;
            if !goes_on && *leaving.borrow() {
                answer.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
            }
            Ok::<_, Infallible>(answer)
        })
    });
    let mut connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT)
        .max_buf_size(HEADER_BYTES_MAX)
        .max_headers(HEADERS_MAX)
        .serve_connection(TokioIo::new(stream), service);
    let served = match poll_fn(|cx| connection.poll_without_shutdown(cx)).await {
        Ok(()) => match succession.take() {
            Some(next) => {
                let parts = connection.into_parts();
                return next(parts.io.into_inner().into(), parts.read_buf, slot).await;
            }
            // What is left of the last answer goes out with the goodbye.
            None => connection.await,
        },
        Err(error) => Err(error),
    };
    if let Err(error) = served {
        let reason = if error.is_timeout() { "timeout" } else { "http" };
        REFUSALS.count(reason);
    }
}

/// One connection too many: it is told so, briefly.
async fn turn_away(mut stream: TcpStream, problem: Problem) {
    let answer = problem.into_bytes();
    let _ = timeout(Duration::from_secs(1), async {
        stream.write_all(&answer).await?;
        stream.shutdown().await
    })
    .await;
}

#[cfg(test)]
mod tests {
    use socket2::SockRef;

    use super::*;

    #[tokio::test]
    async fn a_connection_has_the_options_of_its_listener() {
        let listener = listen(([127, 0, 0, 1], 0).into(), &Limits::default()).unwrap();
        let _client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (stream, _) = listener.accept().await.unwrap();
        assert!(stream.nodelay().unwrap());
        let socket = SockRef::from(&stream);
        assert_eq!(socket.tcp_notsent_lowat().unwrap(), UNSENT_BYTES_MAX);
        assert_eq!(socket.tcp_user_timeout().unwrap(), Some(Duration::from_secs(115)));
        assert!(socket.keepalive().unwrap());
        assert_eq!(socket.tcp_keepalive_time().unwrap(), Duration::from_secs(20));
    }
}
