//! The thread that operators are served on: whoever asks how a plant is, is told also while its sessions leave no time
//! for anything else.

use std::io;
use std::thread;
use std::time::Duration;

use metrics_exporter_prometheus::PrometheusHandle;
use tokio::net::TcpListener;
use tokio::runtime::Builder;
use tokio::sync::oneshot;

use crate::accept::Acceptor;

/// A thread that waits for what it is to serve; where nothing comes, it ends.
pub(crate) struct Thread(oneshot::Sender<(Acceptor, PrometheusHandle)>);

/// Answers that are under way when nobody is let in any more have so long.
const GOODBYE: Duration = Duration::from_secs(2);
/// How often the recorder of the metrics is looked after.
const UPKEEP: Duration = Duration::from_secs(5);

impl Thread {
    /// Starts it, and lets the listener wake it instead of whom it would have woken.
    ///
    /// # Errors
    /// The operating system's.
    pub(crate) fn start(listener: TcpListener) -> io::Result<(Self, TcpListener)> {
        let listener = listener.into_std()?;
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let guard = runtime.enter();
        let listener = TcpListener::from_std(listener)?;
        drop(guard);
        let (begin, begun) = oneshot::channel::<(Acceptor, PrometheusHandle)>();
        thread::Builder::new().name("operators".into()).spawn(move || {
            runtime.block_on(async {
                if let Ok((acceptor, metrics)) = begun.await {
                    tokio::spawn(upkeep(metrics));
                    acceptor.run().await;
                    tokio::time::sleep(GOODBYE).await;
                }
            });
            runtime.shutdown_background();
        })?;
        Ok((Self(begin), listener))
    }

    /// Serves until the acceptor's shutdown is told.
    pub(crate) fn serve(self, acceptor: Acceptor, metrics: PrometheusHandle) {
        // It waits for this and for nothing else.
        let _ = self.0.send((acceptor, metrics));
    }
}

/// Without a listener of its own the recorder must be looked after by us.
async fn upkeep(metrics: PrometheusHandle) {
    let mut interval = tokio::time::interval(UPKEEP);
    loop {
        interval.tick().await;
        metrics.run_upkeep();
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::sync::Arc;
    use std::time::Instant;

    use axum::Router;
    use axum::routing::get;
    use metrics_exporter_prometheus::PrometheusBuilder;
    use tokio::sync::watch;

    use super::*;
    use crate::accept::listen;
    use crate::in_force::InForce;
    use crate::settings::Limits;

    /// A runtime whose only thread does nothing but work.
    #[tokio::test]
    async fn the_runtime_of_the_sessions_may_stand_still() {
        let limits = Limits::default();
        let listener = listen(([127, 0, 0, 1], 0).into(), &limits).unwrap();
        let (thread, listener) = Thread::start(listener).unwrap();
        let address = listener.local_addr().unwrap();
        let (over, end) = watch::channel(false);
        let acceptor = Acceptor {
            listener,
            tls: None,
            router: Router::new().route("/", get(|| async { "here" })),
            places: Arc::default(),
            visitors: Arc::default(),
            limits: InForce::from(limits),
            traces: None,
            shutdown: end,
        };
        thread.serve(acceptor, PrometheusBuilder::new().build_recorder().handle());
        // No await: the test stands in the way of everything else on its runtime.
        let ask = || {
            let mut stream = std::net::TcpStream::connect(address)?;
            stream.set_read_timeout(Some(Duration::from_secs(30)))?;
            stream.write_all(b"GET / HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n")?;
            let mut answer = String::new();
            stream.read_to_string(&mut answer)?;
            Ok::<_, io::Error>(answer)
        };
        for _ in 0..3 {
            assert!(ask().unwrap().ends_with("here"));
        }
        over.send_replace(true);
        let until = Instant::now() + Duration::from_secs(30);
        while std::net::TcpStream::connect(address).is_ok() {
            assert!(Instant::now() < until, "it goes on");
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}
