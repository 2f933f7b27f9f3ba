//! What is read of a shard without a subscription: pieces of the past.

use std::task::{Context, Poll};

use fanout::{Excerpt, Fanout, Past, Stream, TopicId};
use model::Symbol;
use tokio::sync::{mpsc, oneshot};
use wire::Epoch;

use super::Shard;

/// A piece of a stream's past is wanted.
#[derive(Debug)]
pub(crate) struct Read {
    pub(crate) symbol: Symbol,
    pub(crate) stream: Stream,
    /// Which twin of the symbol; 0 = the symbol itself.
    pub(crate) twin: usize,
    pub(crate) piece: Piece,
    pub(crate) reply: oneshot::Sender<Option<Reading>>,
}

/// Which piece.
#[derive(Clone, Debug)]
pub(crate) struct Piece {
    /// The excerpt, as it is where the sequences and the cursor are of this life of the order.
    pub(crate) wanted: Excerpt,
    /// The life that they are of, where that is known.
    pub(crate) epoch: Option<Epoch>,
}

/// What there is of it.
#[derive(Debug)]
pub(crate) struct Reading {
    pub(crate) past: Past,
    pub(crate) epoch: Epoch,
    /// What was asked for is of another life of the order: this is all that there is since.
    pub(crate) is_another: bool,
}

/// Reads that a shard does between two looks at its sessions.
const READS_PER_ROUND: usize = 4;

impl Shard {
    pub(super) fn poll_reads(&mut self, cx: &mut Context<'_>) -> bool {
        for done in 0..READS_PER_ROUND {
            let Poll::Ready(Some(read)) = self.reads.poll_recv(cx) else { return done > 0 };
            let Read { symbol, stream, twin, piece, reply } = read;
            // Whoever has gone meanwhile needs no reply.
            let _ = reply.send(piece.read(&self.core.fanout, &self.core.epoch, &symbol, (stream, twin)));
        }
        true
    }
}

impl Piece {
    /// What there is of it; `None` where there is no such symbol, and of a book.
    pub(crate) fn read(
        self,
        fanout: &Fanout,
        epoch: &Epoch,
        symbol: &Symbol,
        (stream, twin): (Stream, usize),
    ) -> Option<Reading> {
        let symbol = fanout.twin(fanout.symbol(symbol.as_str())?, twin);
        let Excerpt { backwards, most, .. } = self.wanted;
        let is_another = self.epoch.is_some_and(|other| other != *epoch);
        let wanted = if is_another { Excerpt { backwards, most, ..Excerpt::default() } } else { self.wanted };
        let past = fanout.past(TopicId { symbol, stream }, &wanted)?;
        Some(Reading { past, epoch: epoch.clone(), is_another })
    }
}

/// The inlet of a shard's reads.
pub(crate) type Reads = mpsc::Sender<Read>;
