//! The least of a WebSocket client: what a frame costs here is not what is measured.

use anyhow::{Context, bail, ensure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

pub(crate) struct Reader {
    stream: TcpStream,
    buffer: Vec<u8>,
    /// Where what was not handled yet begins.
    at: usize,
}

const CHUNK: usize = 64 << 10;

impl Reader {
    pub(crate) async fn connect(address: &str, token: &str) -> anyhow::Result<Self> {
        let mut stream = TcpStream::connect(address).await?;
        let request = format!(
            "GET /v1/stream HTTP/1.1\r\nHost: {address}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
             Authorization: Bearer {token}\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).await?;
        let mut reader = Self { stream, buffer: Vec::new(), at: 0 };
        loop {
            reader.fill().await?;
            if let Some(end) = memchr::memmem::find(&reader.buffer, b"\r\n\r\n") {
                let head = String::from_utf8_lossy(&reader.buffer[..end]).into_owned();
                ensure!(head.starts_with("HTTP/1.1 101"), "{head}");
                reader.at = end + 4;
                return Ok(reader);
            }
        }
    }

    /// Sends a text message. A mask of zeros is a mask.
    pub(crate) async fn send(&mut self, text: &str) -> anyhow::Result<()> {
        let mut frame = vec![0x81];
        match u8::try_from(text.len()) {
            Ok(short) if short < 126 => frame.push(0x80 | short),
            _ => {
                frame.push(0xFE);
                frame.extend(u16::try_from(text.len()).context("a short message")?.to_be_bytes());
            }
        }
        frame.extend([0; 4]);
        frame.extend(text.as_bytes());
        Ok(self.stream.write_all(&frame).await?)
    }

    /// Waits for more and hands every whole text message to `take`.
    pub(crate) async fn read(
        &mut self,
        mut take: impl FnMut(&[u8]) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        while let Some((opcode, from, to)) = self.frame() {
            match opcode {
                1 => take(&self.buffer[from..to])?,
                9 => {
                    let mut pong = vec![0x8A, 0x80 | u8::try_from(to - from)?, 0, 0, 0, 0];
                    pong.extend(&self.buffer[from..to]);
                    self.stream.write_all(&pong).await?;
                }
                10 => {}
                other => {
                    bail!("a frame of opcode {other}: {:?}", String::from_utf8_lossy(&self.buffer[from..to]))
                }
            }
            self.at = to;
        }
        self.buffer.drain(..self.at);
        self.at = 0;
        self.fill().await
    }

    /// Opcode and place of the next frame's payload, if all of it is here.
    fn frame(&self) -> Option<(u8, usize, usize)> {
        let frame = &self.buffer[self.at..];
        let (head, length) = match *frame.get(1)? {
            126 => (4, u64::from(u16::from_be_bytes(frame.get(2..4)?.try_into().ok()?))),
            127 => (10, u64::from_be_bytes(frame.get(2..10)?.try_into().ok()?)),
            short => (2, u64::from(short)),
        };
        let (from, length) = (self.at + head, usize::try_from(length).ok()?);
        (self.buffer.len() >= from + length).then_some((frame[0] & 0x0F, from, from + length))
    }

    async fn fill(&mut self) -> anyhow::Result<()> {
        self.buffer.reserve(CHUNK);
        ensure!(self.stream.read_buf(&mut self.buffer).await? > 0, "the server hung up");
        Ok(())
    }
}
