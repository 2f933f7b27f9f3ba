//! How the servers that are no Tickwire are spoken to.

use load::{Dialect, Turn};

/// A list of symbols with commas; the answer is `ok`.
pub(crate) fn plain() -> Dialect {
    Dialect::new("/", false, |number, symbols| {
        (number == 0).then(|| Turn { say: Some(symbols.join(",")), hear: b"ok" })
    })
}

pub(crate) fn socket_io() -> Dialect {
    Dialect::new("/socket.io/?EIO=4&transport=websocket", false, |number, symbols| match number {
        0 => Some(Turn { say: None, hear: b"\"sid\"" }),
        1 => Some(Turn { say: Some("40".to_owned()), hear: b"40{" }),
        2 => {
            let list = symbols.join("\",\"");
            Some(Turn { say: Some(format!("42[\"sub\",[\"{list}\"]]")), hear: b"[\"ok\"]" })
        }
        _ => None,
    })
}

/// The protocol of NATS in frames.
pub(crate) fn nats() -> Dialect {
    Dialect::new("/", true, |number, symbols| match number {
        0 => Some(Turn { say: None, hear: b"INFO" }),
        1 => {
            let subs = symbols.iter().enumerate().map(|(id, name)| format!("SUB {name} {id}\r\n"));
            let connect = "CONNECT {\"verbose\":false,\"pedantic\":false}\r\n".to_owned();
            let say = [connect].into_iter().chain(subs).chain(["PING\r\n".to_owned()]).collect();
            Some(Turn { say: Some(say), hear: b"PONG" })
        }
        _ => None,
    })
}
