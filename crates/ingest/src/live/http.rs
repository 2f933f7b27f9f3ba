//! One HTTP GET, with everything about it bounded.

use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt, Empty, Limited};
use hyper::body::Bytes;
use hyper::header;
use hyper::{Request, Uri};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use tokio::time::timeout;

use super::effect::Answer;
use super::socket::{dial, retry_after};

/// Longest answer.
const BODY_BYTES_MAX: usize = 32 << 20;

/// What is told of a request that had no answer: a word of a closed set.
pub(super) type Fault = &'static str;

/// Asks; no answer in time is one, too.
pub(super) async fn get(url: &str, trust: Arc<ClientConfig>, patience: Duration) -> Result<Answer, Fault> {
    timeout(patience, ask(url, trust)).await.unwrap_or(Err("rest_timeout"))
}

async fn ask(url: &str, trust: Arc<ClientConfig>) -> Result<Answer, Fault> {
    let uri: Uri = url.parse().map_err(|_| "rest_connect")?;
    let stream = dial(&uri, trust).await.map_err(|_| "rest_connect")?;
    let handshake = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await;
    let (mut sender, connection) = handshake.map_err(|_| "rest_broken")?;
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let host = uri.authority().map_or("", |authority| authority.as_str());
    let request = Request::get(path)
        .header(header::HOST, host)
        .header(header::ACCEPT, "application/json")
        .header(header::CONNECTION, "close")
        .body(Empty::<Bytes>::new())
        .map_err(|_| "rest_connect")?;
    let answer = async {
        let response = sender.send_request(request).await.map_err(|_| "rest_broken")?;
        let status = response.status().as_u16();
        let retry_after = retry_after(response.headers());
        let body = Limited::new(response.into_body(), BODY_BYTES_MAX).collect().await;
        let body = body.map_err(|_| "rest_broken")?.to_bytes();
        let body = String::from_utf8(body.to_vec()).map_err(|_| "utf8")?;
        Ok(Answer { status, retry_after, body })
    };
    let (mut connection, mut answer) = (std::pin::pin!(connection), std::pin::pin!(answer));
    tokio::select! {
        answer = &mut answer => answer,
        // It is over: what there is of an answer has come.
        _ = &mut connection => answer.await,
    }
}
