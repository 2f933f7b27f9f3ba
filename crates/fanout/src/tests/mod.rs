//! The fan-out's cases as lines, and its laws against a model with unbounded queues.

mod again;
mod bars;
mod laws;
mod model;
mod script;
