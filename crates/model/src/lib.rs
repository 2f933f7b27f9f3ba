//! The market-data vocabulary: what a tick *is*, for every feed, wire format and runtime.
//!
//! Pure data: no I/O, no clock, no serde. A value that exists is valid: a [`Price`] is exact, a
//! [`Symbol`] keeps its grammar, a [`Book`] holds no empty level.

mod book;
mod candle;
mod channel;
mod checksum;
mod correction;
mod date;
pub mod decimal;
mod filter;
mod gap;
mod instrument;
pub mod limits;
mod numbers;
mod pattern;
mod speed;
mod status;
mod summary;
mod symbol;
mod tick;
mod time;

pub use book::{Book, BookSide, Level, Levels};
pub use candle::{Candle, Interval};
pub use channel::{Channel, UnknownChannel};
pub use checksum::{kraken_checksum, push_digits};
pub use correction::{Correction, Original};
pub use date::Date;
pub use decimal::DecimalError;
pub use filter::Filter;
pub use gap::{FeedGap, GapReason};
pub use instrument::{Definition, Instrument, InstrumentKind, Venue};
pub use numbers::{Price, Seq, Size};
pub use pattern::{Pattern, PatternError};
pub use speed::{Speed, SpeedError};
pub use status::{State, StatusChange};
pub use summary::TradeSummary;
pub use symbol::{Symbol, SymbolError};
pub use tick::{Body, BookChange, Placed, Quote, Side, Tick, Ticker, Trade};
pub use time::{TimeError, UnixNanos};
