//! The socket on real streams: order, cuts, records, ends.

use std::future::poll_fn;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use wire::CloseCode;
use ws::{Connection, Limits, Message};

use super::stream::Io;
use super::*;

const LIMITS: Limits = Limits { message_bytes: 1 << 20, inflated_bytes: 1 << 20, frames: 100 };
const PATIENCE: Duration = Duration::from_secs(30);

async fn pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap());
    let (client, accepted) = tokio::join!(client, listener.accept());
    (accepted.unwrap().0, client.unwrap())
}

fn socket(io: Io, early: &[u8]) -> WsSocket {
    WsSocket::new(io, Connection::new(LIMITS, None), Encoding::Json, early)
}

async fn recv(socket: &mut WsSocket) -> Inbound {
    let mut scratch = [0; 1_000];
    timeout(PATIENCE, poll_fn(|cx| socket.poll_recv(cx, &mut scratch))).await.unwrap()
}

async fn send(socket: &mut WsSocket, outbox: &mut Outbox) -> Result<(), Gone> {
    timeout(PATIENCE, poll_fn(|cx| socket.poll_send(cx, outbox))).await.unwrap()
}

/// A frame of a client, with a mask that changes nothing.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let length = u8::try_from(payload.len()).unwrap();
    [&[first, 0x80 | length, 0, 0, 0, 0], payload].concat()
}

async fn read(client: &mut TcpStream, count: usize) -> Vec<u8> {
    let mut bytes = vec![0; count];
    timeout(PATIENCE, client.read_exact(&mut bytes)).await.unwrap().unwrap();
    bytes
}

/// What came with the handshake is heard first, and what is read in one go is not lost between events.
#[tokio::test]
async fn everything_is_heard_in_order() {
    let (server, mut client) = pair().await;
    let mut socket = socket(Io::Plain(server), &frame(0x81, b"early"));
    let sent = [frame(0x81, b"one"), frame(0x89, b""), frame(0x82, b"two"), frame(0x81, b"")].concat();
    client.write_all(&sent).await.unwrap();
    drop(client);
    for expected in ["early", "one"] {
        assert_eq!(recv(&mut socket).await, Inbound::Text(expected.into()));
    }
    assert_eq!(recv(&mut socket).await, Inbound::Alive);
    assert_eq!(recv(&mut socket).await, Inbound::Binary(b"two".into()));
    assert_eq!(recv(&mut socket).await, Inbound::Text(String::new()));
    assert_eq!(recv(&mut socket).await, Inbound::Gone(Gone::Left));
}

/// More reads than one message may have in one go: others have their turn in between.
#[tokio::test]
async fn a_long_message_in_many_reads() {
    let (server, mut client) = pair().await;
    let mut socket = socket(Io::Plain(server), &[]);
    let long = vec![7; 60_000];
    client.write_all(&[&[0x82, 0xfe, 0xea, 0x60, 0, 0, 0, 0][..], &long].concat()).await.unwrap();
    assert_eq!(recv(&mut socket).await, Inbound::Binary(long));
}

/// A full socket cuts a frame somewhere; it goes on there, a pong is next, and then what waited.
#[tokio::test]
async fn a_pong_overtakes_messages_but_no_frame() {
    let (server, mut client) = pair().await;
    socket2::SockRef::from(&server).set_send_buffer_size(8 << 10).unwrap();
    let mut socket = socket(Io::Plain(server), &[]);
    let mut outbox = Outbox::default();
    let messages: Vec<Message> = (0..100).map(|n| Message::text(&format!("{n:02}").repeat(20_000))).collect();
    for message in &messages {
        outbox.message(message.clone());
    }
    let full = poll_fn(|cx| Poll::Ready(socket.poll_send(cx, &mut outbox).is_pending())).await;
    assert!(full, "4 MB are more than two sockets take");
    client.write_all(&[frame(0x89, b"a"), frame(0x89, b"b")].concat()).await.unwrap();
    assert_eq!(recv(&mut socket).await, Inbound::Alive);
    assert_eq!(recv(&mut socket).await, Inbound::Alive);
    outbox.close(CloseCode::Normal, "bye");

    let reading = tokio::spawn(async move {
        let mut bytes = Vec::new();
        timeout(PATIENCE, client.read_to_end(&mut bytes)).await.unwrap().unwrap();
        bytes
    });
    assert_eq!(send(&mut socket, &mut outbox).await, Ok(()));
    outbox.text("after the close frame".into());
    assert_eq!(send(&mut socket, &mut outbox).await, Ok(()));
    assert!(outbox.is_empty());
    drop(socket);
    let mut bytes = &reading.await.unwrap()[..];
    let (mut order, mut next) = (Vec::new(), messages.iter().peekable());
    while !bytes.is_empty() {
        if let Some(rest) = bytes.strip_prefix(b"\x8a\x01b") {
            order.push("pong");
            bytes = rest;
        } else if let Some(rest) = bytes.strip_prefix(b"\x88\x05\x03\xe8bye") {
            order.push("close");
            bytes = rest;
        } else {
            bytes = bytes.strip_prefix(&next.next().unwrap().frame(None)[..]).expect("a whole message");
        }
    }
    assert_eq!(order, ["pong", "close"], "one pong, for the last ping");
    assert_eq!(next.next().map(Message::payload), None);
}

#[tokio::test]
async fn a_client_that_closes_is_answered_and_let_go() {
    let (server, mut client) = pair().await;
    let mut socket = socket(Io::Plain(server), &[]);
    let mut outbox = Outbox::default();
    outbox.text("too late".into());
    client.write_all(&[frame(0x88, b"\x0f\xa0"), frame(0x81, b"ignored")].concat()).await.unwrap();
    assert_eq!(recv(&mut socket).await, Inbound::Closing);
    assert_eq!(send(&mut socket, &mut outbox).await, Err(Gone::Left));
    let mut bytes = Vec::new();
    timeout(PATIENCE, client.read_to_end(&mut bytes)).await.unwrap().unwrap();
    assert_eq!(bytes, b"\x88\x02\x0f\xa0");
}

/// The close frame arrives although much of what the client sent was never understood.
#[tokio::test]
async fn a_fault_is_told_before_the_line_is_cut() {
    let (server, mut client) = pair().await;
    let mut socket = socket(Io::Plain(server), &[]);
    client.write_all(&[frame(0x83, b""), vec![0xff; 60_000]].concat()).await.unwrap();
    assert!(matches!(recv(&mut socket).await, Inbound::Fault(CloseCode::Protocol, Some(_))));
    assert_eq!(send(&mut socket, &mut Outbox::default()).await, Ok(()));
    assert_eq!(read(&mut client, 4).await, b"\x88\x02\x03\xea");
    assert_eq!(timeout(PATIENCE, client.read(&mut [0])).await.unwrap().unwrap(), 0, "and nothing else");
    drop(client);
    assert_eq!(recv(&mut socket).await, Inbound::Gone(Gone::Left));
}

/// Fifty messages are one record: what is gathered is gathered before it is encrypted.
#[tokio::test]
async fn a_record_carries_many_frames() {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let chain = vec![CertificateDer::from(made.cert.der().to_vec())];
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let provider = || Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let server = rustls::ServerConfig::builder_with_provider(provider());
    let server = server.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
    let mut server = server.with_single_cert(chain.clone(), key).unwrap();
    // They would be records too.
    server.send_tls13_tickets = 0;
    let mut roots = rustls::RootCertStore::empty();
    roots.add(chain[0].clone()).unwrap();
    let client = rustls::ClientConfig::builder_with_provider(provider());
    let client = client.with_safe_default_protocol_versions().unwrap().with_root_certificates(roots);
    let client = tokio_rustls::TlsConnector::from(Arc::new(client.with_no_client_auth()));
    let (accepted, connected) = pair().await;
    let name = ServerName::try_from("localhost").unwrap();
    let (server, client) = tokio::join!(
        tokio_rustls::TlsAcceptor::from(Arc::new(server)).accept(accepted),
        client.connect(name, connected)
    );
    let mut socket = socket(Io::Tls(Box::new(server.unwrap())), &[]);
    let mut raw = client.unwrap().into_inner().0;

    let mut outbox = Outbox::default();
    for n in 0..50 {
        outbox.text(format!("message {n}"));
    }
    let plain: usize = outbox.frames(Form::default()).map(<[u8]>::len).sum();
    assert_eq!(send(&mut socket, &mut outbox).await, Ok(()));
    drop(socket);
    let mut bytes = Vec::new();
    timeout(PATIENCE, raw.read_to_end(&mut bytes)).await.unwrap().unwrap();
    let length = usize::from(u16::from_be_bytes([bytes[3], bytes[4]]));
    assert_eq!(bytes[0], 23, "application data");
    assert!((plain..plain + 40).contains(&length), "{length} bytes in the record, {plain} in the frames");
    assert_eq!(bytes.len(), 5 + length, "and no other record");
}

/// The kernel gives a client up that takes nothing: that is no goodbye.
#[tokio::test]
async fn who_takes_nothing_has_timed_out() {
    let (server, _client) = pair().await;
    let options = socket2::SockRef::from(&server);
    options.set_send_buffer_size(8 << 10).unwrap();
    options.set_tcp_user_timeout(Some(Duration::from_millis(500))).unwrap();
    let mut socket = socket(Io::Plain(server), &[]);
    let mut outbox = Outbox::default();
    for _ in 0..100 {
        outbox.text("x".repeat(100_000));
    }
    let gone = send(&mut socket, &mut outbox).await.unwrap_err();
    assert_eq!((gone, gone.reason()), (Gone::TimedOut, "ping_timeout"));
}

#[tokio::test]
async fn who_breaks_off_has_left() {
    let (server, client) = pair().await;
    let mut socket = socket(Io::Plain(server), &[]);
    socket2::SockRef::from(&client).set_linger(Some(Duration::ZERO)).unwrap();
    drop(client);
    let Inbound::Gone(gone) = recv(&mut socket).await else { panic!("it is gone") };
    assert_eq!((gone, gone.reason()), (Gone::Left, "gone"));
}
