//! A table that fits its terminal: columns under each other, the least important ones left out where there is no room.

use unicode_width::UnicodeWidthStr;

use crate::commands::paint::{Ink, Line, cut, visible};

/// A column of a table.
#[derive(Clone, Copy, Debug)]
pub(super) struct Column {
    pub(super) title: &'static str,
    /// Where the text stands.
    pub(super) side: Side,
    /// It is at least so wide: what changes does not make the others jump.
    pub(super) width: usize,
    /// Those with the highest go first where there is no room; 0 = never.
    pub(super) leaves: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Left,
    Right,
}

/// Figures.
pub(super) const fn right(title: &'static str, width: usize, leaves: u8) -> Column {
    Column { title, side: Side::Right, width, leaves }
}

/// Words.
pub(super) const fn left(title: &'static str, width: usize, leaves: u8) -> Column {
    Column { title, side: Side::Left, width, leaves }
}

pub(super) type Cell = (Ink, String);

/// Between two columns.
const GAP: usize = 2;
/// A name is not wider than this.
const WIDEST: usize = 40;

/// The head and the rows; `sorted` is the column that decides their order.
pub(super) fn grid(columns: &[Column], sorted: Option<usize>, rows: &[Vec<Cell>], room: usize) -> Vec<Line> {
    let mut widths: Vec<_> = columns
        .iter()
        .enumerate()
        .map(|(at, column)| {
            let cells = rows.iter().filter_map(|row| row.get(at)).map(|(_, text)| visible(text).width());
            let mark = usize::from(sorted == Some(at)) * 2;
            cells.chain([column.width, column.title.width() + mark]).max().unwrap_or(0).min(WIDEST)
        })
        .collect();
    let mut shown: Vec<_> = (0..columns.len()).collect();
    loop {
        let needed: usize = shown.iter().map(|at| widths[*at] + GAP).sum::<usize>().saturating_sub(GAP);
        if needed <= room {
            break;
        }
        let least = shown.iter().copied().filter(|at| columns[*at].leaves > 0 && sorted != Some(*at));
        let Some(least) = least.max_by_key(|at| columns[*at].leaves) else {
            // The first one is a name: what is cut of it is known.
            widths[0] = widths[0].saturating_sub(needed - room).max(8);
            break;
        };
        shown.retain(|at| *at != least);
    }
    let line = |cells: &dyn Fn(usize) -> Cell| {
        let mut line = Line::default();
        for at in &shown {
            let (ink, text) = cells(*at);
            let text = cut(&visible(&text), widths[*at]);
            let space = " ".repeat(widths[*at] - text.width());
            let text = if columns[*at].side == Side::Left {
                format!("{text}{space}")
            } else {
                format!("{space}{text}")
            };
            if line.width() > 0 {
                line.push(Ink::Plain, " ".repeat(GAP));
            }
            line.push(ink, text);
        }
        line
    };
    let head = |at: usize| {
        let title = columns[at].title;
        if sorted == Some(at) {
            (Ink::Strong, format!("{title} ▾"))
        } else {
            (Ink::Faint, title.to_owned())
        }
    };
    let rows = rows.iter().map(|row| line(&|at| row[at].clone()));
    std::iter::once(line(&head)).chain(rows).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::paint::Paper;

    #[test]
    fn what_matters_least_leaves_first() {
        let columns = [left("who", 6, 0), right("lag", 5, 0), right("bytes", 6, 2), left("door", 4, 1)];
        let cell = |text: &str| (Ink::Plain, text.to_owned());
        let rows = [["alice of wonderland", "12 ms", "1 kB", "ws"], ["bob", "-", "20 kB", "sse"]]
            .map(|row| row.map(cell).to_vec());
        let drawn = |room| {
            let lines = grid(&columns, Some(1), &rows, room);
            lines.iter().map(|line| line.draw(room, Paper::Bare)).collect::<Vec<_>>()
        };
        assert_eq!(
            drawn(60),
            [
                "who                  lag ▾   bytes  door",
                "alice of wonderland  12 ms    1 kB  ws",
                "bob                      -   20 kB  sse"
            ]
        );
        assert_eq!(drawn(35)[1], "alice of wonderland  12 ms  ws");
        assert_eq!(drawn(28)[1], "alice of wonderland  12 ms");
        assert_eq!(drawn(20)[1], "alice of won…  12 ms");
    }
}
