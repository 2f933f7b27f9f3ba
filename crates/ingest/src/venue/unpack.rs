//! Messages that venues pack.

use std::io::Read;

use flate2::read::GzDecoder;

use crate::error::{FRAME_BYTES_MAX, FeedError};

/// The text in a frame packed with gzip, bounded in size.
pub(crate) fn gunzip(bytes: &[u8]) -> Result<String, FeedError> {
    let mut text = String::new();
    let read = GzDecoder::new(bytes).take(FRAME_BYTES_MAX + 1).read_to_string(&mut text);
    let read = read.map_err(FeedError::Packed)? as u64;
    if read > FRAME_BYTES_MAX {
        return Err(FeedError::TooLarge);
    }
    Ok(text)
}
