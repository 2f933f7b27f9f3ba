//! Asking a plant at its admin port.

use std::time::Duration;

use anyhow::{Context, anyhow, ensure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Where a plant's admin port is, and who asks.
#[derive(Clone)]
pub(super) struct Admin {
    address: String,
    token: Option<String>,
}

/// What it answered.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: String,
}

/// More than a list of a thousand sessions.
const ANSWER_BYTES_MAX: u64 = 4 << 20;

impl Admin {
    pub(super) fn new(address: &str) -> Self {
        let address = address.trim_start_matches("http://").trim_end_matches('/').to_owned();
        Self { address, token: None }
    }

    pub(super) fn address(&self) -> &str {
        &self.address
    }

    /// Asks with this token from here on.
    ///
    /// # Errors
    /// It cannot be one.
    pub(super) fn set_token(&mut self, token: &str) -> anyhow::Result<()> {
        let token = token.trim();
        ensure!(!token.is_empty(), "the token is empty");
        ensure!(
            token.bytes().all(|byte| byte.is_ascii_graphic()),
            "the token has something in it that none has"
        );
        self.token = Some(token.to_owned());
        Ok(())
    }

    /// One request, one answer, and the connection is over: no client library is worth it.
    pub(super) async fn get(&self, path: &str, patience: Duration) -> anyhow::Result<Answer> {
        let asked = timeout(patience, self.ask(path)).await;
        asked.map_err(|_| anyhow!("no answer from {} within {patience:?}", self.address)).flatten()
    }

    async fn ask(&self, path: &str) -> anyhow::Result<Answer> {
        let Self { address, token } = self;
        let mut stream =
            TcpStream::connect(address).await.with_context(|| format!("cannot connect to {address}"))?;
        let token =
            token.as_ref().map(|token| format!("Authorization: Bearer {token}\r\n")).unwrap_or_default();
        let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n{token}\r\n");
        stream.write_all(request.as_bytes()).await?;
        let mut answer = String::new();
        let length = stream.take(ANSWER_BYTES_MAX).read_to_string(&mut answer).await;
        let length = length.with_context(|| format!("{address} broke off its answer"))?;
        ensure!(length as u64 != ANSWER_BYTES_MAX, "the answer of {address} is too long");
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
        let status = head.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3)?.parse().ok());
        let status = status.with_context(|| format!("{address} does not speak HTTP"))?;
        Ok(Answer { status, body: body.to_owned() })
    }
}
