//! The screen: what is chosen in it, what keys do to it, and how it is drawn.

use super::grid::grid;
use super::keys::Key;
use super::panes::Pane;
use super::report::Report;
use super::summary;
use crate::commands::figures::duration;
use crate::commands::paint::{Ink, Line};

/// What there is to see.
#[derive(Default)]
pub(super) struct Scene {
    pub(super) report: Option<Report>,
    /// Why there is nothing newer, and for how long, in seconds.
    pub(super) lost: Option<(String, f64)>,
    /// Something that happened just now.
    pub(super) news: Option<String>,
}

/// What is chosen.
pub(super) struct View {
    pane: Pane,
    sorts: [usize; Pane::ALL.len()],
    /// Rows that are scrolled over.
    offset: usize,
    find: String,
    /// What is being typed.
    typed: Option<String>,
    paused: bool,
    help: bool,
}

/// What comes of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    Draw,
    /// Something else is to be asked of the plant.
    Ask,
    Quit,
}

const KEYS: [(&str, &str); 12] = [
    ("1 to 5, Tab", "sessions, feeds, symbols, channels, health"),
    ("left, right", "sort by another column; the most comes first"),
    ("up, down", "scroll; Page Up and Down, Home and End, too"),
    ("/", "find: part of a subject, tenant, address or session; of a feed, a symbol, a channel"),
    ("Esc", "find everything again"),
    ("space", "pause, and go on"),
    ("?", "this"),
    ("q", "quit"),
    ("", ""),
    ("slow", "reads less than it asked for: what waits for it is merged, and nobody else notices"),
    ("stalled", "reads nothing: what waits for it is merged once it reads again"),
    ("throttled", "gets no more than the bytes a second that it, or an operator, has set"),
];

/// Wider is harder to read, and no more to see.
const WIDEST: usize = 180;

impl View {
    pub(super) fn new(sort: &str, find: &str) -> Self {
        let mut sorts = Pane::ALL.map(Pane::first_sort);
        let known = Pane::Sessions.sorts().iter().position(|(_, name)| *name == sort);
        sorts[0] = known.unwrap_or(sorts[0]);
        Self {
            pane: Pane::Sessions,
            sorts,
            offset: 0,
            find: find.to_owned(),
            typed: None,
            paused: false,
            help: false,
        }
    }

    /// By what sessions are sorted, and what is to be in them; `None` while nothing is asked.
    pub(super) fn question(&self) -> Option<(&'static str, &str)> {
        let find = if self.pane == Pane::Sessions { self.find.as_str() } else { "" };
        (!self.paused).then(|| (Pane::Sessions.sorts()[self.sorts[0]].1, find))
    }

    pub(super) fn press(&mut self, key: Key) -> Next {
        if key == Key::Quit {
            return Next::Quit;
        }
        if let Some(typed) = &mut self.typed {
            match key {
                Key::Char(letter) => typed.push(letter),
                Key::Backspace => drop(typed.pop()),
                Key::Escape => self.typed = None,
                Key::Enter => {
                    self.find = self.typed.take().unwrap_or_default();
                    self.offset = 0;
                    return Next::Ask;
                }
                _ => {}
            }
            return Next::Draw;
        }
        if self.help {
            self.help = false;
            return if key == Key::Char('q') { Next::Quit } else { Next::Draw };
        }
        match key {
            Key::Char('q') => return Next::Quit,
            Key::Char('?' | 'h') => self.help = true,
            Key::Char('/') => self.typed = Some(String::new()),
            Key::Char(' ' | 'p') => {
                self.paused = !self.paused;
                return Next::Ask;
            }
            Key::Escape if !self.find.is_empty() => {
                self.find.clear();
                self.offset = 0;
                return Next::Ask;
            }
            Key::Char(digit @ '1'..='5') => return self.turn_to(digit as usize - '1' as usize),
            Key::Tab => return self.turn_to(self.place() + 1),
            Key::BackTab => return self.turn_to(self.place() + Pane::ALL.len() - 1),
            Key::Left => return self.sort(self.pane.sorts().len().saturating_sub(1)),
            Key::Right => return self.sort(1),
            Key::Up => self.offset = self.offset.saturating_sub(1),
            Key::Down => self.offset += 1,
            Key::PageUp => self.offset = self.offset.saturating_sub(PAGE),
            Key::PageDown => self.offset += PAGE,
            Key::Home => self.offset = 0,
            // As far as there are rows.
            Key::End => self.offset = usize::MAX / 2,
            _ => {}
        }
        Next::Draw
    }

    fn place(&self) -> usize {
        Pane::ALL.iter().position(|pane| *pane == self.pane).unwrap_or(0)
    }

    /// What was sought in one table is not sought in another.
    fn turn_to(&mut self, place: usize) -> Next {
        let pane = Pane::ALL[place % Pane::ALL.len()];
        if pane != self.pane {
            (self.pane, self.offset) = (pane, 0);
            if !self.find.is_empty() {
                self.find.clear();
                return Next::Ask;
            }
        }
        Next::Draw
    }

    fn sort(&mut self, by: usize) -> Next {
        let (place, sorts) = (self.place(), self.pane.sorts().len());
        if sorts > 0 {
            self.sorts[place] = (self.sorts[place] + by) % sorts;
            self.offset = 0;
        }
        if self.pane == Pane::Sessions { Next::Ask } else { Next::Draw }
    }

    /// The whole screen, one line a row.
    pub(super) fn draw(&mut self, scene: &Scene, (width, height): (usize, usize)) -> Vec<Line> {
        let width = width.min(WIDEST);
        let mut lines = Vec::new();
        if let Some(report) = &scene.report {
            lines.push(title(report, self.paused));
            lines.push(match &scene.lost {
                Some((why, seconds)) => lost(why, *seconds),
                None => summary::health(report),
            });
            lines.push(Line::of(Ink::Plain, scene.news.as_deref().unwrap_or_default()));
            if height >= TALL {
                lines.extend(summary::figures(report, width));
                lines.push(Line::default());
            }
            let room = height.saturating_sub(lines.len() + 2);
            let body = if self.help { help() } else { self.body(report, width, room.saturating_sub(1)) };
            lines.push(if self.help { Line::of(Ink::Strong, "keys") } else { self.tabs(report, width) });
            lines.extend(body.into_iter().take(room));
        } else if let Some((why, seconds)) = &scene.lost {
            lines.push(lost(why, *seconds));
        }
        lines.truncate(height.saturating_sub(1));
        lines.resize_with(height.saturating_sub(1), Line::default);
        lines.push(self.foot());
        lines
    }

    fn body(&mut self, report: &Report, width: usize, rows: usize) -> Vec<Line> {
        if self.pane == Pane::Health {
            return summary::details(report, width);
        }
        let sort = self.sorts[self.place()];
        let all = self.pane.rows(report, sort, &self.find);
        self.offset = self.offset.min(all.len().saturating_sub(rows));
        let column = self.pane.sorts().get(sort).map(|(column, _)| *column);
        let shown: Vec<_> = all.into_iter().skip(self.offset).take(rows).collect();
        let is_empty = shown.is_empty();
        let mut lines = grid(self.pane.columns(), column, &shown, width);
        if is_empty {
            lines.push(Line::of(Ink::Faint, "none"));
        }
        lines
    }

    /// The tables there are, and how much of this one is seen.
    fn tabs(&self, report: &Report, width: usize) -> Line {
        let mut line = Line::default();
        for (n, pane) in Pane::ALL.into_iter().enumerate() {
            let ink = if pane == self.pane { Ink::Chosen } else { Ink::Faint };
            line.push(ink, format!(" {} {} ", n + 1, pane.name()));
            line.push(Ink::Plain, " ");
        }
        let mut told = match self.pane {
            Pane::Sessions => {
                let (shown, found) = (report.sessions.len(), report.sessions_found);
                if shown < found { format!("the first {shown} of {found}") } else { found.to_string() }
            }
            Pane::Symbols => {
                let (shown, listed) = (report.symbols.len(), report.symbols_listed);
                if shown < listed { format!("the busiest {shown} of {listed}") } else { listed.to_string() }
            }
            Pane::Feeds => report.feeds.len().to_string(),
            Pane::Channels | Pane::Health => String::new(),
        };
        if !self.find.is_empty() {
            told = format!("{told}, with {:?}", self.find);
        }
        let told = Line::of(Ink::Faint, told);
        if line.width() + told.width() <= width {
            line.pad_to(width - told.width());
            line.append(told);
        }
        line
    }

    fn foot(&self) -> Line {
        if let Some(typed) = &self.typed {
            return Line::of(Ink::Strong, "find: ").and(Ink::Plain, typed).and(Ink::Chosen, " ");
        }
        let mut line = Line::default();
        for (key, what) in [
            ("q", "quit"),
            ("?", "help"),
            ("1-5", "tables"),
            ("←→", "sort"),
            ("/", "find"),
            ("space", "pause"),
        ] {
            line.push(Ink::Strong, key);
            line.push(Ink::Faint, format!(" {what}   "));
        }
        line
    }
}

/// Rows at a time.
const PAGE: usize = 10;
/// With fewer rows there is no room for the plant's own figures.
const TALL: usize = 16;

pub(super) fn title(report: &Report, paused: bool) -> Line {
    let time = report.at.get(11..19).unwrap_or_default();
    let mut line = Line::of(Ink::Strong, format!("{:<10}", "tickwire"));
    line.push(Ink::Plain, format!("{} at {}", report.version, report.plant));
    line.push(Ink::Faint, format!(", up {}", duration(report.up_seconds)));
    if paused {
        line.push(Ink::Plain, "   ");
        line.push(Ink::Warn, format!("paused at {time} UTC"));
    } else {
        line.push(Ink::Faint, format!("   {time} UTC, over {}", duration(report.seconds)));
    }
    line
}

fn lost(why: &str, seconds: f64) -> Line {
    Line::of(Ink::Bad, format!("{:<10}", "lost"))
        .and(Ink::Plain, format!("for {}, trying again: {why}", duration(seconds)))
}

fn help() -> Vec<Line> {
    let line =
        |(key, what): &(&str, &str)| Line::of(Ink::Strong, format!("  {key:<14}")).and(Ink::Plain, what);
    KEYS.iter().map(line).collect()
}
