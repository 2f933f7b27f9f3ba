//! Recordings as they are on disk: compressed or not, in one of three line formats.
//!
//! | format | a line is |
//! |---|---|
//! | envelope | a JSON object with `t`: `header`, `http`, `connect`, `send` or `recv` |
//! | stamped | the receive time in nanoseconds, a space, one JSON message |
//! | raw | one JSON message, without a receive time |

mod input;
mod line;
mod lines;

pub use input::{Input, InputError, Progress, ZIP_MEMBER_BYTES_MAX};
pub use line::{Format, Line, LineError};
pub use lines::{LINE_BYTES_MAX, Lines, ReadError};
