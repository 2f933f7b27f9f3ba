//! `tickwire top`: what a plant does, for whoever runs it.

mod grid;
mod keys;
mod live;
mod look;
mod panes;
mod report;

mod summary;
mod terminal;
#[cfg(test)]
mod tests;
mod verdict;
mod view;

use std::io::{self, IsTerminal, Write};

use anyhow::anyhow;
use load::now;

use self::look::{HINT, Looker, Question};
use self::panes::Pane;
use self::report::Report;
use self::view::View;
use super::admin::Admin;
use super::paint::{Ink, Line, Paper};
use crate::cli::TopArgs;
use crate::exit::{Failure, Outcome};
use crate::plant::runtime;

/// How long a plant lets itself be looked at.
const SECONDS_MAX: f64 = 10.0;
/// Where no terminal says how wide it is.
const WIDTH: usize = 160;

pub(crate) fn run(args: &TopArgs) -> Outcome {
    let mut looker = Looker::new(Admin::new(&args.admin), args.token_file.clone());
    if args.token_file.is_none() {
        let token = std::env::var("TICKWIRE_TOKEN").ok().filter(|token| !token.is_empty());
        let token =
            token.ok_or_else(|| Failure::auth(anyhow!("a token with the scope admin is needed. {HINT}")))?;
        looker.admin().set_token(&token).map_err(Failure::auth)?;
    }
    let is_watched = io::stdout().is_terminal() && io::stdin().is_terminal();
    let sort = args.sort.as_str();
    if is_watched && !args.once && !args.json {
        return runtime()?.block_on(live::run(looker, View::new(sort, &args.find), args.interval));
    }
    let seconds = args.interval.as_secs_f64().min(SECONDS_MAX);
    let question = Question { sort, find: args.find.clone(), limit: args.limit, seconds };
    let look = runtime()?.block_on(looker.look(&question))?;
    let report = Report::of(look, looker.admin().address(), now());
    let mut out = io::stdout().lock();
    if args.json {
        writeln!(out, "{}", serde_json::to_string(&report).map_err(anyhow::Error::from)?)?;
        return Ok(());
    }
    let is_terminal = io::stdout().is_terminal();
    let width = terminal_size::terminal_size().filter(|_| is_terminal);
    let width = width.map_or(WIDTH, |(width, _)| width.0.into());
    for line in page(&report, sort, width) {
        writeln!(out, "{}", line.draw(width, Paper::of(is_terminal)))?;
    }
    Ok(())
}

/// Everything, once, one under the other.
fn page(report: &Report, sort: &str, width: usize) -> Vec<Line> {
    let mut lines = vec![view::title(report, false), summary::health(report)];
    lines.extend(report.findings.iter().skip(1).map(summary::finding));
    lines.push(Line::default());
    lines.extend(summary::figures(report, width));
    for pane in [Pane::Feeds, Pane::Channels, Pane::Sessions, Pane::Symbols] {
        let sort = match pane {
            Pane::Sessions => pane.sorts().iter().position(|(_, name)| *name == sort),
            _ => None,
        };
        let at = sort.unwrap_or(pane.first_sort());
        let column = pane.sorts().get(at).map(|(column, _)| *column);
        let rows = pane.rows(report, at, "");
        lines.push(Line::default());
        if rows.is_empty() {
            lines.push(Line::of(Ink::Faint, format!("no {}", pane.name())));
        } else {
            lines.extend(grid::grid(pane.columns(), column, &rows, width));
        }
    }
    lines
}
