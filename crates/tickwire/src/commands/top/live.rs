//! The screen, for as long as somebody looks at it.

use std::time::{Duration, Instant};

use load::now;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{mpsc, watch};

use super::look::{Look, Looker, Question};
use super::report::Report;
use super::terminal::Terminal;
use super::view::{Next, Scene, View};
use crate::commands::figures::duration;
use crate::commands::paint::Paper;
use crate::exit::Outcome;

/// So many rows are asked for: nobody scrolls through more.
pub(super) const ROWS: usize = 200;
/// How long is looked for the first time, and after something else was asked for.
const GLANCE: f64 = 0.4;
/// When a plant that is lost is looked for again.
const AGAIN: Duration = Duration::from_secs(1);
/// How long news stay.
const NEWS: Duration = Duration::from_secs(10);

pub(super) async fn run(mut looker: Looker, mut view: View, interval: Duration) -> Outcome {
    // What is wrong with the question is told before there is a screen.
    let plant = looker.admin().address().to_owned();
    let asked = question(&view, GLANCE).expect("nothing is paused yet");
    let first = looker.look(&asked).await?;
    let mut show = Show { plant, scene: Scene::default(), since: None, news: None, started: None };
    show.take(Ok(first));
    let (ask, asked) = watch::channel(Some(asked));
    let (tell, mut told) = mpsc::channel(1);
    tokio::spawn(look(looker, asked, tell, interval));
    let (mut terminal, mut keys) = Terminal::take()?;
    let paper = Paper::of(true);
    let mut resized = signal(SignalKind::window_change())?;
    let (mut terminate, mut hangup) = (signal(SignalKind::terminate())?, signal(SignalKind::hangup())?);
    let mut clock = tokio::time::interval(AGAIN);
    loop {
        let size = Terminal::size();
        show.age();
        let lines = view.draw(&show.scene, size);
        terminal.show(lines.iter().map(|line| line.draw(size.0, paper)).collect())?;
        let next = tokio::select! {
            key = keys.recv() => key.map_or(Next::Quit, |key| view.press(key)),
            Some(look) = told.recv() => {
                // What was under way when it was paused is not wanted any more.
                if view.question().is_some() {
                    show.take(look);
                }
                Next::Draw
            }
            _ = resized.recv() => {
                terminal.forget()?;
                Next::Draw
            }
            _ = clock.tick() => Next::Draw,
            _ = terminate.recv() => Next::Quit,
            _ = hangup.recv() => Next::Quit,
        };
        match next {
            Next::Draw => {}
            Next::Ask => drop(ask.send(question(&view, GLANCE))),
            Next::Quit => return Ok(()),
        }
    }
}

fn question(view: &View, seconds: f64) -> Option<Question> {
    let (sort, find) = view.question()?;
    Some(Question { sort, find: find.to_owned(), limit: ROWS, seconds })
}

/// Asks again and again, and at once when something else is asked for.
async fn look(
    mut looker: Looker,
    mut asked: watch::Receiver<Option<Question>>,
    tell: mpsc::Sender<Outcome<Look>>,
    interval: Duration,
) {
    // It is part of what is looked at, as far as a plant allows.
    let seconds = interval.as_secs_f64().min(super::SECONDS_MAX);
    let rest = interval.saturating_sub(Duration::from_secs_f64(seconds));
    let mut is_new = true;
    loop {
        let Some(mut question) = asked.borrow_and_update().clone() else {
            // What happens meanwhile is no rate.
            looker.forget();
            is_new = true;
            if asked.changed().await.is_err() {
                return;
            }
            continue;
        };
        if !is_new {
            question.seconds = seconds;
        }
        let look = tokio::select! {
            look = looker.look(&question) => look,
            changed = asked.changed() => {
                is_new = true;
                if changed.is_err() { return }
                continue;
            }
        };
        let wait = if look.is_err() {
            AGAIN
        } else if is_new {
            Duration::ZERO
        } else {
            rest
        };
        if look.is_err() {
            looker.forget();
        }
        is_new = look.is_err();
        if tell.send(look).await.is_err() {
            return;
        }
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            changed = asked.changed() => {
                is_new = true;
                if changed.is_err() { return }
            }
        }
    }
}

/// What is known.
struct Show {
    plant: String,
    scene: Scene,
    /// When it was lost, and why.
    since: Option<(Instant, String)>,
    news: Option<(Instant, String)>,
    /// When its process began, in seconds.
    started: Option<f64>,
}

impl Show {
    fn take(&mut self, look: Outcome<Look>) {
        let look = match look {
            Ok(look) => look,
            Err(failure) => {
                let since = self.since.take().map_or_else(Instant::now, |(since, _)| since);
                self.since = Some((since, failure.told_as()));
                return;
            }
        };
        let started = look.after.sum(super::look::STARTED);
        let is_another = self.started.is_some() && started != self.started;
        self.started = started;
        let back = self.since.take().map(|(since, _)| since.elapsed().as_secs_f64());
        let news = match (back, is_another) {
            (Some(gone), false) => Some(format!("The plant is back, after {}.", duration(gone))),
            (_, true) => Some("The plant has started anew: counters begin at nothing.".to_owned()),
            (None, false) => None,
        };
        if let Some(news) = news {
            self.news = Some((Instant::now(), news));
        }
        self.scene.report = Some(Report::of(look, &self.plant, now()));
    }

    /// Tells how long things have lasted.
    fn age(&mut self) {
        self.scene.lost =
            self.since.as_ref().map(|(since, why)| (why.clone(), since.elapsed().as_secs_f64()));
        let fresh = self.news.take().filter(|(since, _)| since.elapsed() < NEWS);
        self.scene.news = fresh.as_ref().map(|(_, news)| news.clone());
        self.news = fresh;
    }
}
