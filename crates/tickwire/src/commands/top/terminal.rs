//! A terminal of our own for as long as the value lives: the other screen, no echo, keys as they are pressed.

use std::fmt::Write as _;
use std::io::{self, Read, Write};
use std::thread;

use rustix::termios::{OptionalActions, Termios, tcgetattr, tcsetattr};
use tokio::sync::mpsc;

use super::keys::{Key, keys};

/// Given back as it was when dropped.
pub(super) struct Terminal {
    saved: Termios,
    /// What stands there now.
    shown: Vec<String>,
}

/// Keys that wait.
const KEYS: usize = 64;
/// Where its size cannot be told.
const SIZE: (usize, usize) = (80, 24);

impl Terminal {
    pub(super) fn take() -> io::Result<(Self, mpsc::Receiver<Key>)> {
        let saved = tcgetattr(io::stdin())?;
        let mut raw = saved.clone();
        raw.make_raw();
        tcsetattr(io::stdin(), OptionalActions::Flush, &raw)?;
        let terminal = Self { saved, shown: Vec::new() };
        // The other screen, without a cursor, and without lines that go on in the next one.
        write("\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[2J")?;
        let (sender, typed) = mpsc::channel(KEYS);
        thread::Builder::new().name("keys".into()).spawn(move || read(&sender))?;
        Ok((terminal, typed))
    }

    /// Columns and rows.
    pub(super) fn size() -> (usize, usize) {
        terminal_size::terminal_size().map_or(SIZE, |(width, height)| (width.0.into(), height.0.into()))
    }

    /// Draws what has changed.
    pub(super) fn show(&mut self, lines: Vec<String>) -> io::Result<()> {
        let mut text = String::from("\x1b[?2026h");
        for (row, line) in lines.iter().enumerate().filter(|(row, line)| self.shown.get(*row) != Some(*line))
        {
            // Writing to memory does not fail.
            let _ = write!(text, "\x1b[{};1H{line}\x1b[K", row + 1);
        }
        if lines.len() < self.shown.len() {
            let _ = write!(text, "\x1b[{};1H\x1b[J", lines.len() + 1);
        }
        text.push_str("\x1b[?2026l");
        self.shown = lines;
        write(&text)
    }

    /// What stands there is not what was drawn: the terminal has another size.
    pub(super) fn forget(&mut self) -> io::Result<()> {
        self.shown.clear();
        write("\x1b[2J")
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = write("\x1b[?7h\x1b[?25h\x1b[?1049l");
        let _ = tcsetattr(io::stdin(), OptionalActions::Flush, &self.saved);
    }
}

/// Reads keys until nobody wants them, or there are no more.
fn read(sender: &mpsc::Sender<Key>) {
    let (mut stdin, mut buffer, mut rest) = (io::stdin().lock(), [0; 256], Vec::new());
    loop {
        match stdin.read(&mut buffer) {
            Ok(0) => break,
            Ok(length) => rest.extend_from_slice(&buffer[..length]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(_) => break,
        }
        let (found, left) = keys(&rest);
        rest = left;
        for key in found {
            if sender.blocking_send(key).is_err() {
                return;
            }
        }
    }
    let _ = sender.blocking_send(Key::Quit);
}

fn write(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}
