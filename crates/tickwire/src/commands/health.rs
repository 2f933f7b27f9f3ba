//! `tickwire health`: whether a server is ready, for containers and scripts.

use std::io::{self, Write};

use anyhow::{Context, anyhow};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::cli::HealthArgs;
use crate::exit::{Failure, Outcome};
use crate::plant::runtime;

pub(crate) fn run(args: &HealthArgs) -> Outcome {
    let admin = args.admin.trim_start_matches("http://").trim_end_matches('/');
    let asked = runtime()?.block_on(async { timeout(args.timeout, ask(admin)).await });
    let late = |_| anyhow!("no answer from {} within {:?}", args.admin, args.timeout);
    let answer = asked.map_err(late).flatten().map_err(Failure::connect)?;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    writeln!(io::stdout().lock(), "{body}")?;
    if head.starts_with("HTTP/1.1 200") { Ok(()) } else { Err(Failure::told()) }
}

/// One request, one answer, and the connection is over: no client library is worth it.
async fn ask(admin: &str) -> anyhow::Result<String> {
    let mut stream = TcpStream::connect(admin).await.with_context(|| format!("cannot connect to {admin}"))?;
    let request = format!("GET /readyz HTTP/1.1\r\nHost: {admin}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    stream.take(ANSWER_BYTES_MAX).read_to_string(&mut answer).await?;
    Ok(answer)
}

const ANSWER_BYTES_MAX: u64 = 1 << 20;
