//! What a door must know of a message: its type, and where the client stands after it.

use memchr::memmem;

/// The `type` of a message, which is its first field.
pub(crate) fn type_of(message: &[u8]) -> &[u8] {
    const BEFORE: &[u8] = b"{\"type\":\"";
    message.strip_prefix(BEFORE).and_then(until_quote).unwrap_or_default()
}

/// The cursor of a message, if it has one. No text within a message can look like this field: its quotes
/// would be escaped.
pub(crate) fn cursor_of(message: &[u8]) -> Option<&[u8]> {
    field(message, b"\"cursor\":\"")
}

/// The value that follows `key`.
pub(crate) fn field<'a>(message: &'a [u8], key: &[u8]) -> Option<&'a [u8]> {
    let at = memmem::find(message, key)?;
    until_quote(&message[at + key.len()..])
}

fn until_quote(text: &[u8]) -> Option<&[u8]> {
    memchr::memchr(b'"', text).map(|end| &text[..end])
}
