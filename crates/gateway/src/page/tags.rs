//! Names of what is in the page's files (`ETag`), so that who has them already is not sent them again.

use std::collections::HashMap;
use std::fmt::Write;

use aws_lc_rs::digest::{SHA256, digest};
use axum::http::header::{self, HeaderMap, HeaderValue};

use super::files::Asset;

/// Bytes of a hash that make a name.
const BYTES: usize = 12;

/// The name of each file's content, by path; none of a folder, which changes.
#[derive(Debug, Default)]
pub(super) struct Tags(HashMap<&'static str, HeaderValue>);

impl Tags {
    pub(super) fn of(assets: &[Asset]) -> Self {
        let tag = |bytes: &[u8]| {
            let mut tag = String::from("\"");
            for byte in &digest(&SHA256, bytes).as_ref()[..BYTES] {
                let _ = write!(tag, "{byte:02x}");
            }
            tag.push('"');
            HeaderValue::try_from(tag).ok()
        };
        Self(assets.iter().filter_map(|asset| Some((asset.path, tag(asset.bytes)?))).collect())
    }

    /// That of the file at a path of a URL, packed as an answer's headers say.
    pub(super) fn find(&self, path: &str, answer: &HeaderMap) -> Option<&HeaderValue> {
        let path = match path.trim_start_matches('/') {
            "" => "index.html",
            path => path,
        };
        let packed = match answer.get(header::CONTENT_ENCODING).map(HeaderValue::as_bytes) {
            Some(b"br") => ".br",
            Some(b"gzip") => ".gz",
            _ => "",
        };
        self.0.get(format!("{path}{packed}").as_str())
    }
}

/// Whether who asks says to have it (RFC 9110, 13.1.2).
pub(super) fn has(asked: &HeaderMap, tag: &HeaderValue) -> bool {
    let had = asked.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    let mut had = had.flat_map(|value| value.split(',')).map(|one| one.trim().trim_start_matches("W/"));
    had.any(|one| one == "*" || one.as_bytes() == tag.as_bytes())
}
