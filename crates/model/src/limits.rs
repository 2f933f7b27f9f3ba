//! The named bounds of the vocabulary. Each is crossed by a test of the module that enforces it.

/// Longest symbol, in bytes.
pub const SYMBOL_BYTES_MAX: usize = 64;
/// Longest symbol pattern (glob), in bytes.
pub const PATTERN_BYTES_MAX: usize = 64;
/// Most digits an exact decimal holds: the 96-bit mantissa of `rust_decimal`.
pub const DECIMAL_DIGITS_MAX: u32 = 28;
/// Levels a side that a book checksum covers.
pub const CHECKSUM_LEVELS: usize = 10;
