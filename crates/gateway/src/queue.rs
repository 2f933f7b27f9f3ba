//! Events on their way to a shard.
//!
//! Bounded by events and not by batches: a quick feed makes batches of one event, and a shard takes in
//! all that came while it served everybody.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use fanout::Event;
use tokio::sync::mpsc;

/// Events that were sequenced together.
pub(crate) type Events = Arc<[Arc<Event>]>;

/// Where events go in.
pub(crate) struct Sender {
    batches: mpsc::UnboundedSender<Events>,
    queued: Arc<AtomicUsize>,
    most: usize,
}

/// Where a shard takes them out.
pub(crate) struct Receiver {
    batches: mpsc::UnboundedReceiver<Events>,
    queued: Arc<AtomicUsize>,
}

/// A queue that has room as long as fewer than `most` events are in it.
pub(crate) fn queue(most: usize) -> (Sender, Receiver) {
    let (sender, batches) = mpsc::unbounded_channel();
    let queued = Arc::new(AtomicUsize::new(0));
    (Sender { batches: sender, queued: Arc::clone(&queued), most }, Receiver { batches, queued })
}

impl Sender {
    /// Whether a batch may be sent. A shard that is gone keeps nobody waiting.
    pub(crate) fn has_room(&self) -> bool {
        // The count guards nothing else: batches are handed over by the channel.
        self.queued.load(Ordering::Relaxed) < self.most || self.is_gone()
    }

    pub(crate) fn is_gone(&self) -> bool {
        self.batches.is_closed()
    }

    /// Sends a batch. Who asks for room first keeps the bound, but for one batch.
    pub(crate) fn send(&self, events: &Events) {
        self.queued.fetch_add(events.len(), Ordering::Relaxed);
        // Where the shard is gone, nobody wants it.
        let _ = self.batches.send(Arc::clone(events));
    }
}

impl Receiver {
    pub(crate) fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<Option<Events>> {
        let polled = self.batches.poll_recv(cx);
        if let Poll::Ready(Some(events)) = &polled {
            self.queued.fetch_sub(events.len(), Ordering::Relaxed);
        }
        polled
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use super::*;
    use crate::shard::tests::Feed;

    #[test]
    fn room_is_counted_in_events() {
        let mut cx = Context::from_waker(Waker::noop());
        let (sender, mut receiver) = queue(4);
        let mut feed = Feed::default();
        for count in [1, 3] {
            assert!(sender.has_room());
            sender.send(&(0..count).map(|_| feed.event('q', "A")).collect());
        }
        assert!(!sender.has_room());
        for count in [1, 3] {
            let taken = receiver.poll_recv(&mut cx);
            assert!(matches!(taken, Poll::Ready(Some(events)) if events.len() == count));
            assert!(sender.has_room());
        }
        assert!(receiver.poll_recv(&mut cx).is_pending());
        sender.send(&(0..4).map(|_| feed.event('q', "A")).collect());
        assert!(!sender.has_room() && !sender.is_gone());
        drop(receiver);
        assert!(sender.has_room() && sender.is_gone(), "nobody waits for a shard that is gone");
    }
}
