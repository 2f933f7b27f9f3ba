//! Where a replay is played: a fan-out of its own, by the clock of the recording, for one reader.
//!
//! What a client gets is what it would get of the live stream: the same views, the same messages. Only that nothing
//! comes in before all is out that came in before, so that nothing is merged unless that was asked for.

use std::time::Duration;

use fanout::{Batch, Event, Fanout, Item, Ledger, SessionId, Stream, TopicId};
use model::{Seq, Symbol, UnixNanos};
use wire::{Epoch, NoticeState};
use ws::Message;

use super::tape::Begin;
use super::wishes::Wishes;
use crate::clock;
use crate::encode::{Encoder, Place};
use crate::limits::BUDGET_OPEN;
use crate::session::{Pace, notice};

/// Where messages go, as far as there is room.
pub(crate) struct Sink<'a> {
    pub(crate) send: &'a mut dyn FnMut(Message),
    pub(crate) room: usize,
    /// Records that may be played.
    pub(crate) events: usize,
}

impl Sink<'_> {
    pub(crate) fn message(&mut self, message: Message) -> usize {
        let bytes = message.payload().len();
        self.room = self.room.saturating_sub(bytes);
        (self.send)(message);
        bytes
    }
}

pub(super) struct Stage {
    name: String,
    epoch: Epoch,
    fanout: Fanout,
    session: SessionId,
    encoder: Encoder,
    batch: Batch,
    /// Everything up to here was sent.
    pub(super) cursor: u64,
    /// That of the client that is imagined.
    pace: Option<Pace>,
    /// By the clock of the recording.
    time: Duration,
}

/// What became of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Taken {
    /// It was published.
    Yes,
    /// It was there before.
    Twice,
    /// Records are missing before it: all must be out first.
    Hole,
}

impl Stage {
    /// Where nothing has been yet.
    pub(super) fn new(name: &str) -> Self {
        let mut fanout = Fanout::default();
        let session = fanout.open_session();
        let (encoder, batch) = (Encoder::default(), Batch::default());
        let (name, epoch) = (name.to_owned(), Epoch::of_replay(name));
        Self { name, epoch, fanout, session, encoder, batch, cursor: 0, pace: None, time: Duration::ZERO }
    }

    /// As everything stood.
    pub(super) fn set(name: &str, begin: &Begin, wishes: &Wishes) -> Self {
        let mut stage = Self::new(name);
        (stage.cursor, stage.time) = (begin.position, nanos(begin.clock));
        stage.pace = wishes.client.map(|bytes| {
            let mut pace = Pace::default();
            pace.set_rate(bytes, stage.time);
            pace
        });
        stage.fanout.begin_at(begin.position);
        for kept in &begin.kept {
            stage.fanout.restore(kept, stage.time);
        }
        for newest in begin.kept.iter().filter_map(|kept| kept.events.last()) {
            let options = wishes.options(&newest.instrument.symbol, newest.topic);
            // One that has too many filters has none here: this is the only reader.
            let _ = if options.snapshot {
                stage.fanout.subscribe(stage.session, newest.topic, options)
            } else {
                stage.fanout.go_on(stage.session, newest.topic, options, newest.seq)
            };
        }
        stage
    }

    /// Takes a record in, if all before it are there.
    pub(super) fn take(&mut self, event: &std::sync::Arc<Event>, at: UnixNanos, wishes: &Wishes) -> Taken {
        match self.fanout.head(event.topic) {
            None => {
                self.fanout.begin(event);
                let options = wishes.options(&event.instrument.symbol, event.topic);
                let _ = self.fanout.go_on(self.session, event.topic, options, event.seq.prev());
            }
            Some(head) if event.seq <= head => return Taken::Twice,
            Some(head) if head.next() != event.seq => return Taken::Hole,
            Some(_) => {}
        }
        self.time = self.time.max(nanos(at));
        self.fanout.publish(event, self.time);
        Taken::Yes
    }

    /// Tells that records are missing before one. All that came before is out.
    pub(super) fn lose(&mut self, event: &Event, sink: &mut Sink<'_>) {
        if let Some(item) = self.fanout.lose(self.session, event) {
            self.send_item(item, sink);
        }
    }

    fn send_item(&mut self, item: Item, sink: &mut Sink<'_>) {
        let batch = Batch { cursor: self.cursor.max(item.position), items: vec![item], ..Batch::default() };
        self.encode(&batch, sink);
    }

    fn encode(&mut self, batch: &Batch, sink: &mut Sink<'_>) -> usize {
        let before = std::mem::replace(&mut self.cursor, batch.cursor);
        let place = Place { epoch: &self.epoch, before, fanout: &self.fanout, replay: Some(&self.name) };
        let mut bytes = 0;
        self.encoder.encode(batch, &place, |message| bytes += sink.message(message));
        bytes
    }

    /// Sends what waits; false where nothing was sent.
    pub(super) fn drain(&mut self, sink: &mut Sink<'_>) -> bool {
        let budget = match &self.pace {
            // All that was taken in goes at once, in its order.
            None => usize::MAX / 2,
            // What an imagined client takes does not depend on a real one.
            Some(pace) => match pace.budget(BUDGET_OPEN, self.time) {
                None => return false,
                Some(budget) => budget,
            },
        };
        let mut batch = std::mem::take(&mut self.batch);
        self.fanout.drain_into(self.session, budget, self.time, &mut batch);
        let said = |stage: &Self, which, state| notice(which, state, Some(&stage.name), clock::wall());
        let mut bytes = 0;
        if let Some(started) = &batch.started {
            bytes += sink.message(said(self, started, NoticeState::Started).into());
        }
        if batch.is_empty() {
            self.cursor = batch.cursor;
        } else {
            bytes += self.encode(&batch, sink);
        }
        if let Some(ended) = &batch.ended {
            bytes += sink.message(said(self, ended, NoticeState::Ended).into());
        }
        if let Some(pace) = self.pace.as_mut().filter(|_| bytes > 0) {
            pace.flushed(bytes, self.time);
        }
        self.batch = batch;
        bytes > 0
    }

    /// Lets time pass, no further than `until`, up to where something becomes due; false where nothing does.
    pub(super) fn wind(&mut self, until: Duration) -> bool {
        let Some(due) = self.due().filter(|due| *due <= until) else { return false };
        self.time = self.time.max(due);
        self.fanout.handle_timeout(self.time);
        true
    }

    /// When something becomes due, by the clock of the recording.
    pub(super) fn due(&self) -> Option<Duration> {
        let paid = self.pace.as_ref().and_then(Pace::due).filter(|due| *due > self.time);
        [self.fanout.poll_timeout(), paid].into_iter().flatten().min()
    }

    /// The account of each of its streams.
    pub(super) fn ledgers(&self) -> (Vec<Ledger>, &Fanout) {
        (self.fanout.ledgers(self.session), &self.fanout)
    }

    /// What is read, and how far.
    pub(super) fn places(&self) -> Vec<(Symbol, Stream, Seq)> {
        let streams = self.fanout.subscriptions(self.session).into_iter();
        let place = |(id, _): (TopicId, _)| {
            let symbol = self.fanout.instrument(id.symbol).symbol.clone();
            Some((symbol, id.stream, self.fanout.place(self.session, id)?))
        };
        streams.filter_map(place).collect()
    }
}

pub(super) const fn nanos(time: UnixNanos) -> Duration {
    Duration::from_nanos(time.0)
}
