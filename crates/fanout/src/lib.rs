//! Who gets which update: sequencer, topic logs, subscriptions, coalescing and the ledger.
//!
//! A pure state machine. It opens no socket, spawns no task and reads no clock. Callers feed inputs
//! ([`Fanout::publish`], [`Fanout::subscribe`], [`Fanout::handle_timeout`]) and drain a session
//! whenever its transport can take more.
//!
//! The contract: *a session that is ready is drained until it is empty or its transport is full.*

mod book;
mod candles;
mod coalesce;
mod consolidate;
mod drain;
mod estate;
mod event;
mod fanout;
mod fold;
mod ids;
mod index;
mod item;
mod lane;
pub mod latency;
mod ledger;
pub mod limits;
mod options;
mod out;
mod past;
mod played;
mod replay;
mod resume;
mod ring;
mod runs;
mod sequencer;
mod session;
mod topic;
mod trail;
mod turns;
mod twins;
mod views;

pub use book::{BookRecord, BookSnapshot};
pub use consolidate::{CONSOLIDATED, Consolidation, Consolidator};
pub use estate::{Kept, KeptView};
pub use event::{Encoded, Event};
pub use fanout::{Fanout, SubscribeError};
pub use fold::SummaryRecord;
pub use ids::{SessionId, Stream, SymbolId, TopicId};
pub use item::{Batch, GapCause, Item, Kind, Notice, Run, Snapshot};
pub use ledger::{Lag, Ledger, Stats};
pub use options::{Depth, Look, Options, Overflow, Priority};
pub use past::{Excerpt, Past};
pub use resume::Resumed;
pub use sequencer::{Sequencer, SymbolTaken};

#[cfg(test)]
mod tests;
