//! Text with a meaning, and how that looks in a terminal.

use std::fmt::Write;

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// What a piece of text means. Colours are for this only, and never the only sign of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Ink {
    #[default]
    Plain,
    /// Beside the point.
    Faint,
    /// What one looks for first.
    Strong,
    /// Chosen.
    Chosen,
    Good,
    Warn,
    Bad,
}

impl Ink {
    /// The terminal's own colours: they suit dark and light ones.
    const fn code(self, colour: bool) -> &'static str {
        match self {
            Self::Faint => "2",
            Self::Chosen => "7",
            Self::Good if colour => "32",
            Self::Warn if colour => "33",
            Self::Bad if colour => "1;31",
            Self::Plain | Self::Good => "",
            Self::Strong | Self::Warn | Self::Bad => "1",
        }
    }
}

/// How lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Paper {
    /// Nothing but the text.
    Bare,
    /// Bold and faint.
    Terminal,
    Coloured,
}

impl Paper {
    /// <https://no-color.org>: a value that is not empty means no colours.
    pub(super) fn of(is_terminal: bool) -> Self {
        let colour = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        match (is_terminal, colour) {
            (false, _) => Self::Bare,
            (true, false) => Self::Terminal,
            (true, true) => Self::Coloured,
        }
    }
}

/// A line of such pieces.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Line(Vec<(Ink, String)>);

impl Line {
    pub(super) fn of(ink: Ink, text: impl AsRef<str>) -> Self {
        Self::default().and(ink, text)
    }

    #[must_use]
    pub(super) fn and(mut self, ink: Ink, text: impl AsRef<str>) -> Self {
        self.push(ink, text);
        self
    }

    pub(super) fn push(&mut self, ink: Ink, text: impl AsRef<str>) {
        let text = visible(text.as_ref());
        if !text.is_empty() {
            self.0.push((ink, text));
        }
    }

    pub(super) fn append(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// How many columns it takes.
    pub(super) fn width(&self) -> usize {
        self.0.iter().map(|(_, text)| text.width()).sum()
    }

    /// Spaces up to this column.
    pub(super) fn pad_to(&mut self, column: usize) {
        let missing = column.saturating_sub(self.width());
        self.push(Ink::Plain, " ".repeat(missing));
    }

    /// The line as it is written, cut where it is wider than `width`.
    pub(super) fn draw(&self, width: usize, paper: Paper) -> String {
        let is_cut = self.width() > width;
        let (mut drawn, mut left) = (String::new(), width - usize::from(is_cut && width > 0));
        for (ink, whole) in &self.0 {
            let text = fitting(whole, left);
            left -= text.width();
            let code = if paper == Paper::Bare { "" } else { ink.code(paper == Paper::Coloured) };
            // Writing to memory does not fail.
            let _ = if code.is_empty() || text.is_empty() {
                write!(drawn, "{text}")
            } else {
                write!(drawn, "\x1b[{code}m{text}\x1b[0m")
            };
            if text.len() < whole.len() {
                break;
            }
        }
        if is_cut && width > 0 {
            drawn.push('…');
        }
        if paper == Paper::Bare { drawn.trim_end().to_owned() } else { drawn }
    }
}

/// The text in so many columns, with a mark where it was cut.
pub(super) fn cut(text: &str, width: usize) -> String {
    if text.width() <= width || width == 0 {
        return fitting(text, width).to_owned();
    }
    format!("{}…", fitting(text, width - 1))
}

/// As much of the front of a text as fits.
fn fitting(text: &str, width: usize) -> &str {
    let mut left = width;
    let end = text.char_indices().find(|(_, letter)| {
        let columns = letter.width().unwrap_or(0);
        let is_over = columns > left;
        left = left.saturating_sub(columns);
        is_over
    });
    end.map_or(text, |(end, _)| &text[..end])
}

/// What others have named is shown, and commands nothing: of what is no letter a dot is left.
pub(super) fn visible(text: &str) -> String {
    let shown = |letter: char| if letter.width().is_none_or(|width| width == 0) { '·' } else { letter };
    text.chars().map(shown).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_cut_and_padded_by_columns() {
        let mut line = Line::of(Ink::Strong, "ab").and(Ink::Plain, "日本");
        assert_eq!(line.width(), 6);
        line.pad_to(8);
        assert_eq!(line.draw(80, Paper::Bare), "ab日本");
        assert_eq!(line.draw(5, Paper::Bare), "ab日…");
        assert_eq!(line.draw(4, Paper::Terminal), "\x1b[1mab\x1b[0m…");
        assert_eq!(cut("abc", 0), "");
    }

    #[test]
    fn names_of_others_command_nothing() {
        assert_eq!(visible("a\x1b[2Jb\r\n\u{202e}c"), "a·[2Jb···c");
    }

    #[test]
    fn colours_are_asked_for() {
        let line = Line::of(Ink::Bad, "x");
        assert_eq!(line.draw(9, Paper::Coloured), "\x1b[1;31mx\x1b[0m");
        assert_eq!(line.draw(9, Paper::Terminal), "\x1b[1mx\x1b[0m");
        assert_eq!(line.draw(9, Paper::Bare), "x");
        assert_eq!(Line::of(Ink::Good, "x").draw(9, Paper::Terminal), "x");
    }
}
