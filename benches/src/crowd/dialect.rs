//! What a client of a server says, and what it hears when it is subscribed.

/// How a server is spoken to.
#[derive(Clone, Debug)]
pub(crate) struct Dialect {
    /// The path of the WebSocket.
    pub(crate) path: &'static str,
    /// Proof of who the client is, where the server asks for one.
    pub(crate) token: Option<String>,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Tickwire,
    /// A list of symbols with commas; the answer is `ok`.
    Plain,
    SocketIo,
    /// The protocol of NATS in frames
    Nats,
}

/// Something to say and what the answer to it has in it. Nothing is said before the answer to what went
/// before.
pub(crate) struct Turn {
    pub(crate) say: Option<String>,
    pub(crate) hear: &'static [u8],
}

impl Dialect {
    pub(crate) const fn tickwire(token: String) -> Self {
        Self { path: "/v1/stream", token: Some(token), kind: Kind::Tickwire }
    }

    pub(crate) const fn plain() -> Self {
        Self { path: "/", token: None, kind: Kind::Plain }
    }

    pub(crate) const fn socket_io() -> Self {
        Self { path: "/socket.io/?EIO=4&transport=websocket", token: None, kind: Kind::SocketIo }
    }

    pub(crate) const fn nats() -> Self {
        Self { path: "/", token: None, kind: Kind::Nats }
    }

    /// Whether a message may have more than one record.
    pub(crate) fn batches(&self) -> bool {
        matches!(self.kind, Kind::Tickwire | Kind::Nats)
    }

    /// The request for the WebSocket.
    pub(crate) fn upgrade(&self, address: std::net::SocketAddr) -> String {
        let token = self.token.as_ref().map(|token| format!("Authorization: Bearer {token}\r\n"));
        format!(
            "GET {} HTTP/1.1\r\nHost: {address}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{}\r\n",
            self.path,
            token.unwrap_or_default()
        )
    }

    /// What is said behind the upgrade to get the updates of `symbols`, turn by turn.
    pub(crate) fn turn(&self, number: usize, symbols: &[&str]) -> Option<Turn> {
        let list = |mark: &str| symbols.join(mark);
        match (self.kind, number) {
            (Kind::Tickwire, 0) => Some(Turn {
                say: Some(format!(
                    "{{\"op\":\"subscribe\",\"channels\":[\"quotes\"],\"symbols\":[\"{}\"]}}",
                    list("\",\"")
                )),
                hear: b"\"op\":\"subscribe\",\"channels\"",
            }),
            (Kind::Plain, 0) => Some(Turn { say: Some(list(",")), hear: b"ok" }),
            (Kind::SocketIo, 0) => Some(Turn { say: None, hear: b"\"sid\"" }),
            (Kind::SocketIo, 1) => Some(Turn { say: Some("40".to_owned()), hear: b"40{" }),
            (Kind::SocketIo, 2) => {
                Some(Turn { say: Some(format!("42[\"sub\",[\"{}\"]]", list("\",\""))), hear: b"[\"ok\"]" })
            }
            (Kind::Nats, 0) => Some(Turn { say: None, hear: b"INFO" }),
            (Kind::Nats, 1) => {
                let subs = symbols.iter().enumerate().map(|(id, name)| format!("SUB {name} {id}\r\n"));
                let connect = "CONNECT {\"verbose\":false,\"pedantic\":false}\r\n".to_owned();
                let say = [connect].into_iter().chain(subs).chain(["PING\r\n".to_owned()]).collect();
                Some(Turn { say: Some(say), hear: b"PONG" })
            }
            _ => None,
        }
    }
}

/// A text as a client's frame. A mask of zeros is a mask.
pub(crate) fn frame(text: &str) -> Vec<u8> {
    let mut frame = vec![0x81];
    match u16::try_from(text.len()) {
        Ok(short) if short < 126 => frame.push(0x80 | short.to_be_bytes()[1]),
        long => {
            frame.push(0xFE);
            // Nothing of ours is longer.
            frame.extend(long.unwrap_or(u16::MAX).to_be_bytes());
        }
    }
    frame.extend([0; 4]);
    frame.extend(text.as_bytes());
    frame
}
