//! The head of a request, and answers to it, byte by byte: faults need them so.

use std::io;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Longest head.
const HEAD_BYTES_MAX: usize = 64 << 10;

/// A request without its body.
pub(crate) struct Head {
    pub(crate) path: String,
    fields: Vec<(String, String)>,
    /// What came after it.
    pub(crate) rest: Vec<u8>,
}

impl Head {
    /// Reads one; `None` where the other end has gone.
    pub(crate) async fn read(stream: &mut TcpStream) -> io::Result<Option<Self>> {
        let mut bytes = Vec::new();
        let end = loop {
            if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
                break end;
            }
            if bytes.len() > HEAD_BYTES_MAX {
                return Err(io::Error::other("the head is too long"));
            }
            if stream.read_buf(&mut bytes).await? == 0 {
                return Ok(None);
            }
        };
        let text = String::from_utf8_lossy(&bytes[..end]).into_owned();
        let mut lines = text.split("\r\n");
        let path = lines.next().and_then(|line| line.split(' ').nth(1)).unwrap_or_default().to_owned();
        let fields = lines.filter_map(|line| line.split_once(':'));
        let fields =
            fields.map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned())).collect();
        Ok(Some(Self { path, fields, rest: bytes[end + 4..].to_vec() }))
    }

    /// A field.
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// Answers and ends.
pub(crate) async fn answer(stream: &mut TcpStream, status: &str, more: &str, body: &[u8]) -> io::Result<()> {
    let head = format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n{more}\r\n",
        body.len()
    );
    stream.write_all(&[head.as_bytes(), body].concat()).await?;
    stream.shutdown().await
}
