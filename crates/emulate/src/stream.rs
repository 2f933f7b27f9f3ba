//! A WebSocket of the emulated venue: what goes out, in the order of things, and what is made of it by faults.

use std::collections::BTreeSet;
use std::io;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc::Receiver;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, sleep_until, timeout};

use crate::client::{in_market, reset, stuck};
use crate::fault::{Fault, Kind, Stage};
use crate::mangle;
use crate::server::Shared;
use crate::venue::{Request, Sub};
use crate::world::Out;

/// How long a client may take for a frame.
const WRITE_TIMEOUT: Duration = Duration::from_secs(10);
/// What the numbering falls back by when it is reset.
const RESET_BY: i64 = 100_000;
/// Bytes of a frame that is too long.
const HUGE: u64 = 40 << 20;
/// A day, in milliseconds.
const DAY: i64 = 86_400_000;

pub(crate) struct Stream<'a> {
    socket: TcpStream,
    shared: &'a Shared,
    conn: u64,
    market: String,
    codec: ws::Connection,
    /// Updates of books that went out.
    updates: u64,
    /// Messages that went out, where the venue counts them.
    number: u64,
    frozen: bool,
    /// Updates that come after so many more, or after the next of the same book.
    later: Vec<(u64, Option<String>, String)>,
    /// Snapshots that come late.
    late: Vec<(Instant, Sub)>,
    /// Books whose next snapshot is lost.
    without: BTreeSet<String>,
    /// When it is closed.
    end: Option<Instant>,
}

/// The connection is to end.
struct End;

type Step = io::Result<Result<(), End>>;

impl<'a> Stream<'a> {
    pub(crate) fn new(stream: TcpStream, shared: &'a Shared, conn: u64, market: String) -> Self {
        let limits = ws::Limits { message_bytes: 1 << 20, inflated_bytes: 1 << 20, frames: 64 };
        let codec = ws::Connection::new(limits, None);
        Self {
            socket: stream,
            shared,
            conn,
            market,
            codec,
            updates: 0,
            number: 0,
            frozen: false,
            later: Vec::new(),
            late: Vec::new(),
            without: BTreeSet::new(),
            end: None,
        }
    }

    /// Serves to the end.
    pub(crate) async fn run(mut self, rest: Vec<u8>, mut outgoing: Receiver<Out>) -> io::Result<()> {
        let shared = self.shared;
        let venue = &shared.world.script.venue;
        if let Some(hello) = venue.hello() {
            self.say(hello).await?;
        }
        let (mut beat, mut beats, mut bytes) = (interval(Duration::from_secs(1)), 0, rest);
        beat.set_missed_tick_behavior(MissedTickBehavior::Skip);
        loop {
            if !bytes.is_empty() && self.heard(&mut bytes).await?.is_err() {
                return Ok(());
            }
            bytes.clear();
            let late = self.late.iter().map(|(at, _)| *at).chain(self.end).min();
            let due = late.unwrap_or_else(|| Instant::now() + Duration::from_secs(3_600));
            let step = tokio::select! {
                biased;
                () = sleep_until(due) => self.due().await?,
                read = self.socket.read_buf(&mut bytes) => {
                    if read? == 0 {
                        return Ok(());
                    }
                    Ok(())
                }
                out = outgoing.recv() => match out {
                    Some(out) => self.out(out).await?,
                    None => return Ok(()),
                },
                _ = beat.tick() => {
                    beats += 1;
                    if let Some(text) = venue.beat(beats, self.shared.world.millis()) {
                        self.say(text).await?;
                    }
                    Ok(())
                }
            };
            if step.is_err() {
                return Ok(());
            }
        }
    }

    /// What has come due.
    async fn due(&mut self) -> Step {
        let now = Instant::now();
        if self.end.is_some_and(|end| end <= now) {
            return self.close(1001, "the service restarts").await;
        }
        let due: Vec<(Instant, Sub)> = self.late.extract_if(.., |(at, _)| *at <= now).collect();
        for (_, sub) in due {
            if let Some(out) = self.shared.world.snapshot(&sub) {
                self.say(out.text).await?;
            }
        }
        Ok(Ok(()))
    }

    /// Bytes came.
    async fn heard(&mut self, bytes: &mut [u8]) -> Step {
        let mut input = ws::Input::new(bytes);
        while !input.is_empty() {
            match self.codec.handle(&mut input) {
                Some(ws::Event::Text(text)) => self.request(&text).await?,
                Some(ws::Event::Ping) if self.is_deaf() => self.frozen = true,
                Some(ws::Event::Close(_) | ws::Event::Fault(_)) => {
                    while let Some(frame) = self.codec.poll_control().or_else(|| self.codec.poll_close()) {
                        self.raw(&frame).await?;
                    }
                    return Ok(Err(End));
                }
                _ => {}
            }
        }
        while let Some(frame) = self.codec.poll_control() {
            self.raw(&frame).await?;
        }
        Ok(Ok(()))
    }

    /// Whether this ping is to be ignored.
    fn is_deaf(&self) -> bool {
        self.shared.fault(Stage::Ping, 0, self.conn).is_some()
    }

    async fn request(&mut self, text: &str) -> io::Result<()> {
        match self.shared.world.script.venue.request(text) {
            Request::Subscribe { number, subs } => self.subscribe(&number, subs).await,
            Request::Unsubscribe { subs, .. } => {
                let subs: Vec<Sub> = subs.into_iter().map(|sub| in_market(sub, &self.market)).collect();
                self.shared.world.unsubscribe(self.conn, &subs);
                Ok(())
            }
            Request::Ping(_) if self.is_deaf() => {
                self.frozen = true;
                Ok(())
            }
            Request::Ping(answer) => self.say(answer).await,
            Request::Unknown => {
                tracing::warn!("not understood: {text}");
                Ok(())
            }
        }
    }

    async fn subscribe(&mut self, number: &str, subs: Vec<Sub>) -> io::Result<()> {
        let shared = self.shared;
        let (world, venue) = (&shared.world, &shared.world.script.venue);
        let count = self.shared.subscriptions.fetch_add(1, Ordering::Relaxed);
        let fault = self.shared.fault(Stage::Subscribe, count, self.conn);
        let kind = fault.as_ref().map(|fault| fault.kind);
        let depth = world.script.depth.map(|depth| depth.to_string());
        let (mut known, mut refused) = (Vec::new(), Vec::new());
        for sub in subs.into_iter().map(|sub| in_market(sub, &self.market)) {
            let fits = !venue.is_book(&sub) || depth.as_ref().is_none_or(|depth| *depth == sub.market);
            let is_known = fits && venue.knows(&sub, &world.script.subs);
            if is_known && kind != Some(Kind::RefuseSubscribe) { known.push(sub) } else { refused.push(sub) }
        }
        for sub in &refused {
            self.say(venue.refused(number, sub)).await?;
        }
        if known.is_empty() {
            return Ok(());
        }
        match kind {
            Some(Kind::LoseSubscribe) => {
                for ack in venue.accepted(number, &known, &known, world.millis()) {
                    self.say(ack).await?;
                }
            }
            Some(Kind::LoseAck) => world.subscribe(self.conn, &known, |_, _| Vec::new(), false),
            _ => {
                let without = matches!(kind, Some(Kind::NoSnapshot | Kind::LateSnapshot));
                if without {
                    let books = known.iter().filter(|sub| venue.is_book(sub));
                    self.without.extend(books.map(|sub| sub.symbol.clone()));
                }
                world.subscribe(
                    self.conn,
                    &known,
                    |held, millis| venue.accepted(number, &known, held, millis),
                    without,
                );
                if let Some(fault) = fault.filter(|fault| fault.kind == Kind::LateSnapshot) {
                    let books = known.into_iter().filter(|sub| venue.is_book(sub));
                    self.late.extend(books.map(|sub| (Instant::now() + fault.pause(), sub)));
                }
            }
        }
        Ok(())
    }

    /// Something goes out.
    async fn out(&mut self, out: Out) -> Step {
        let offset = self.shared.offset.load(Ordering::Relaxed);
        let keys = self.shared.world.script.venue.number_keys();
        let mut text = out.text;
        if offset != 0 {
            text = mangle::shift(&text, keys, offset).unwrap_or(text);
        }
        let Some(symbol) = out.update else {
            self.say(text).await?;
            return Ok(Ok(()));
        };
        if is_snapshot(&text) && self.without.remove(&symbol) {
            return Ok(Ok(()));
        }
        self.updates += 1;
        let fault =
            if self.frozen { None } else { self.shared.fault(Stage::Update, self.updates, self.conn) };
        let step = if let Some(fault) = fault {
            self.strike(&fault, text, &symbol).await?
        } else {
            self.say(text).await?;
            Ok(())
        };
        let updates = self.updates;
        let is_due = |(at, of, _): &mut (u64, Option<String>, String)| {
            *at <= updates && of.as_ref().is_none_or(|of| *of == symbol)
        };
        let due: Vec<_> = self.later.extract_if(.., is_due).collect();
        for (_, _, text) in due {
            self.raw(ws::Message::text(&text).frame(None)).await?;
        }
        Ok(step)
    }

    /// An update meets a fault.
    #[expect(clippy::too_many_lines, reason = "a list of faults")]
    async fn strike(&mut self, fault: &Fault, text: String, symbol: &str) -> Step {
        let keys = self.shared.world.script.venue.number_keys();
        match fault.kind {
            Kind::Drop => self.number += 1,
            Kind::Duplicate | Kind::Repeat | Kind::Reorder => {
                let numbered = self.numbered(text);
                if fault.kind != Kind::Reorder {
                    self.raw(ws::Message::text(&numbered).frame(None)).await?;
                }
                let after = match fault.kind {
                    Kind::Duplicate => 0,
                    Kind::Repeat => 3,
                    _ => 1,
                };
                let of = (fault.kind == Kind::Reorder).then(|| symbol.to_owned());
                self.later.push((self.updates + after, of, numbered));
            }
            Kind::Delay => {
                sleep(fault.pause()).await;
                self.say(text).await?;
            }
            Kind::Cut => {
                let numbered = self.numbered(text);
                let frame = ws::Message::text(&numbered).frame(None).clone();
                self.raw(&frame[..frame.len() / 2]).await?;
                return Ok(Err(End));
            }
            Kind::Reset => {
                reset(&self.socket)?;
                return Ok(Err(End));
            }
            Kind::Eof => return Ok(Err(End)),
            Kind::Close => return self.close(fault.code, "as told").await,
            Kind::Lifetime => return self.close(1000, "24 hours are over").await,
            Kind::Maintenance => {
                self.say(text).await?;
                if let Some(notice) = self.shared.world.script.venue.leaving() {
                    self.say(notice.to_owned()).await?;
                }
                self.end = Some(Instant::now() + fault.pause());
            }
            Kind::Freeze => self.frozen = true,
            Kind::HalfOpen => {
                // Nobody waits for it.
                self.shared.world.leave(self.conn);
                stuck().await?;
                return Ok(Err(End));
            }
            Kind::Trickle => {
                let numbered = self.numbered(text);
                let frame = ws::Message::text(&numbered).frame(None).clone();
                let pause = fault.pause() / 20;
                for piece in frame.chunks(frame.len().div_ceil(20)) {
                    self.raw(piece).await?;
                    sleep(pause).await;
                }
            }
            Kind::SequenceReset => {
                self.shared.offset.store(-RESET_BY, Ordering::Relaxed);
                self.say(mangle::shift(&text, keys, -RESET_BY).unwrap_or(text)).await?;
            }
            Kind::ClockForward => self.say(mangle::clock(&text, DAY)).await?,
            Kind::ClockBack => self.say(mangle::clock(&text, -DAY)).await?,
            Kind::Huge => {
                // Whoever reads its head knows enough.
                let head = [&[0x81, 127][..], &HUGE.to_be_bytes()].concat();
                self.raw(&head).await?;
                self.raw(&vec![b'x'; 1 << 16]).await?;
            }
            Kind::BadUtf8 => self.raw(b"\x81\x03\xff\xfe\xfd").await?,
            Kind::Binary => {
                let numbered = self.numbered(text);
                self.raw(ws::Message::binary(numbered.as_bytes()).frame(None)).await?;
            }
            Kind::BadOpcode => self.raw(b"\x83\x01x").await?,
            Kind::ReservedBits => self.raw(b"\xf1\x01x").await?,
            Kind::Masked => self.raw(b"\x81\x81\x00\x00\x00\x00x").await?,
            Kind::UnknownSymbol => {
                self.say(text.clone()).await?;
                self.say(mangle::renamed(&text, symbol)).await?;
            }
            Kind::UnknownChannel => {
                self.say(text).await?;
                let unknown = r#"{"topic":"zzz.ZZZ","channel":"zzz","stream":"zzz","type":"zzz","sequence_num":0,"data":{}}"#;
                self.say(unknown.to_owned()).await?;
            }
            Kind::EmptyUpdate => {
                self.say(text.clone()).await?;
                if let Some(empty) = mangle::emptied(&text) {
                    self.say(empty).await?;
                }
            }
            Kind::EmptyText => {
                self.say(text).await?;
                self.raw(ws::Message::text("").frame(None)).await?;
            }
            kind => {
                let keys = if matches!(keys, ["sequence_num"]) && kind == Kind::WrongSequence {
                    self.number += 1_000_000;
                    &[]
                } else {
                    keys
                };
                let mangled = mangle::mangle(kind, &text, keys);
                if mangled.is_none() && kind != Kind::WrongSequence {
                    tracing::warn!(fault = kind.name(), "this venue has nothing that could be wrong so");
                }
                self.say(mangled.unwrap_or(text)).await?;
            }
        }
        Ok(Ok(()))
    }

    async fn close(&mut self, code: u16, reason: &str) -> Step {
        self.codec.close(code, reason);
        while let Some(frame) = self.codec.poll_close() {
            self.raw(&frame).await?;
        }
        // Read on for a moment, so that the frame is not lost to a reset.
        let mut bytes = [0; 1_024];
        let _ = timeout(Duration::from_millis(200), self.socket.read(&mut bytes)).await;
        Ok(Err(End))
    }

    fn numbered(&mut self, text: String) -> String {
        let numbered = self.shared.world.script.venue.numbered(text, self.number);
        self.number += 1;
        numbered
    }

    /// Sends a text, with its number.
    async fn say(&mut self, text: String) -> io::Result<()> {
        let text = self.numbered(text);
        self.raw(ws::Message::text(&text).frame(None)).await
    }

    async fn raw(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.frozen {
            return Ok(());
        }
        let written = timeout(WRITE_TIMEOUT, self.socket.write_all(bytes)).await;
        written.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
    }
}

/// Whether it is a whole book.
fn is_snapshot(text: &str) -> bool {
    [r#""type":"snapshot""#, r#""action":"snapshot""#].iter().any(|mark| text.contains(mark))
}
