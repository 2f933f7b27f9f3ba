//! The fan-out's cases as lines, and its laws against a model with unbounded queues.

mod again;
mod bars;
mod client;
mod laws;
mod options;
mod reader;
mod right;
mod script;
mod source;
