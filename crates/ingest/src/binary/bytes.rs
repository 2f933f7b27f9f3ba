//! Bytes of a file as a window that moves over it, and numbers out of them.

use std::io::{self, Read};

use crate::capture::Input;

const WINDOW_BYTES: usize = 1 << 18;

/// What was read of a file and not yet taken.
#[derive(Default)]
pub(crate) struct Window {
    input: Option<Input>,
    buffer: Vec<u8>,
    /// The bytes that wait are `start..end` of the buffer.
    start: usize,
    end: usize,
    /// Where in the file (decompressed) the window begins.
    offset: u64,
}

impl Window {
    /// The window of a file, at its begin.
    pub(crate) fn open(input: Input) -> Self {
        Self { input: Some(input), buffer: vec![0; WINDOW_BYTES], ..Self::default() }
    }

    /// Nothing is read any more.
    pub(crate) fn close(&mut self) {
        *self = Self { offset: self.offset, ..Self::default() };
    }

    pub(crate) const fn is_open(&self) -> bool {
        self.input.is_some()
    }

    /// The rest of the file, read through `decode` from now on.
    pub(crate) fn rewrap(
        &mut self,
        decode: impl FnOnce(Box<dyn Read + Send>) -> io::Result<Input>,
    ) -> io::Result<()> {
        let waiting = self.buffer[self.start..self.end].to_vec();
        let Some(input) = self.input.take() else { return Ok(()) };
        let rest: Box<dyn Read + Send> = Box::new(io::Cursor::new(waiting).chain(input));
        self.input = Some(decode(rest)?);
        (self.start, self.end) = (0, 0);
        Ok(())
    }

    /// Offset of the next byte in the file.
    pub(crate) const fn offset(&self) -> u64 {
        self.offset
    }

    /// The next `count` bytes; fewer only at the end of the file.
    ///
    /// # Errors
    /// The file cannot be read on.
    #[inline]
    pub(crate) fn peek(&mut self, count: usize) -> io::Result<&[u8]> {
        if self.end - self.start < count {
            self.fill(count)?;
        }
        Ok(&self.buffer[self.start..self.end.min(self.start + count)])
    }

    /// What has been read already of what comes next.
    pub(crate) fn at_hand(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    /// Passes over the next bytes, which were seen.
    #[inline]
    pub(crate) fn skip(&mut self, count: usize) {
        let count = count.min(self.end - self.start);
        self.start += count;
        self.offset += count as u64;
    }

    #[cold]
    fn fill(&mut self, count: usize) -> io::Result<()> {
        let Some(input) = &mut self.input else { return Ok(()) };
        self.buffer.copy_within(self.start..self.end, 0);
        (self.start, self.end) = (0, self.end - self.start);
        if self.buffer.len() < count {
            self.buffer.resize(count, 0);
        }
        while self.end < count {
            match input.read(&mut self.buffer[self.end..]) {
                Ok(0) => break,
                Ok(read) => self.end += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

/// `N` bytes at a place that is known to be there.
#[inline]
pub(crate) fn array<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    let mut array = [0; N];
    array.copy_from_slice(&bytes[at..at + N]);
    array
}

/// Numbers with the lowest byte first.
pub(crate) mod le {
    use super::array;

    #[inline]
    pub(crate) fn u16(bytes: &[u8], at: usize) -> u16 {
        u16::from_le_bytes(array(bytes, at))
    }

    #[inline]
    pub(crate) fn u32(bytes: &[u8], at: usize) -> u32 {
        u32::from_le_bytes(array(bytes, at))
    }

    #[inline]
    pub(crate) fn u64(bytes: &[u8], at: usize) -> u64 {
        u64::from_le_bytes(array(bytes, at))
    }

    #[inline]
    pub(crate) fn i64(bytes: &[u8], at: usize) -> i64 {
        i64::from_le_bytes(array(bytes, at))
    }
}

/// The text of a field that is filled up with NULs or spaces.
pub(crate) fn text(field: &[u8]) -> &[u8] {
    let end = field.iter().position(|&byte| byte == 0).unwrap_or(field.len());
    field[..end].trim_ascii_end()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_moves_over_a_file() {
        let bytes: Vec<u8> = (0..=255).cycle().take(WINDOW_BYTES + 700).collect();
        let mut window = Window::open(Input::new(Box::new(io::Cursor::new(bytes.clone())), None).unwrap());
        let (mut seen, mut size) = (Vec::new(), 1);
        loop {
            let part = window.peek(size).unwrap();
            if part.is_empty() {
                break;
            }
            seen.extend_from_slice(part);
            let len = part.len();
            window.skip(len);
            assert_eq!(window.offset(), seen.len() as u64);
            size = size * 3 % 1_021 + 1;
        }
        assert_eq!(seen, bytes);
        assert_eq!(window.peek(WINDOW_BYTES * 2).unwrap(), b"");
    }

    #[test]
    fn fields_end_at_a_nul_or_in_spaces() {
        for (field, wanted) in
            [(&b"ESH1\0\0x"[..], &b"ESH1"[..]), (b"AAPL    ", b"AAPL"), (b"", b""), (b"A B ", b"A B")]
        {
            assert_eq!(text(field), wanted);
        }
    }
}
