//! Tickwire, the floors and the rivals in the same scenes, one after the other in one run.

mod dense;
mod doors;
mod report;
mod scene;
mod slow;
mod steady;
mod turns;

use std::path::PathBuf;

use anyhow::{Context, ensure};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use load::{Looks, Stamp};

use crate::micro;
use crate::schedule::Schedule;
use crate::subject::{Cores, Entry, SERVERS};
use report::Report;
pub(crate) use scene::{DOORS_INTERVAL, Scene};

#[derive(Args)]
pub(crate) struct CompareArgs {
    /// Which scenes; all if none is named
    #[arg(long = "scene", value_enum, value_delimiter = ',')]
    scenes: Vec<Scene>,
    /// Which servers: floor, batched, tickwire, axum, bun, ws, socketio, websockets, nats, demo; in the scene of the
    /// doors tickwire, tickwire-events, tickwire-poll, tickwire-snapshot; all if none is named
    #[arg(long = "server", value_delimiter = ',')]
    servers: Vec<String>,
    /// Seconds that are measured in the scenes of a steady rate
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u64).range(1..=60))]
    seconds: u64,
    /// Seconds that slow readers are slow, and as many before, when nobody is
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=600))]
    slow_seconds: u64,
    /// How often all of it is done; figures are the medians
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=9))]
    rounds: u64,
    /// Write what was found as JSON, too
    #[arg(long, value_name = "FILE", overrides_with = "json")]
    json: Option<PathBuf>,
    /// Let `perf record` look at each server while it is measured, into this folder
    #[arg(long, value_name = "FOLDER")]
    perf: Option<PathBuf>,
}

/// What a scene needs to run.
pub(crate) struct Stage<'a> {
    seconds: u64,
    slow_seconds: u64,
    looks: Looks,
    /// What an age counts from.
    stamp: Stamp,
    perf: Option<&'a std::path::Path>,
    schedule: &'a Schedule,
    subject: &'a mut crate::subject::Subject,
    name: String,
}

pub(crate) fn run(args: &CompareArgs) -> anyhow::Result<()> {
    let scenes = if args.scenes.is_empty() { Scene::ALL.to_vec() } else { args.scenes.clone() };
    let servers = chosen(&args.servers)?;
    let mut report = Report::begin()?;
    let cores = Cores::choose();
    report.note("pinned", cores.is_some().into());
    let folder = tempfile::tempdir()?;
    if let Some(perf) = &args.perf {
        std::fs::create_dir_all(perf)?;
    }
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()])?;
    std::fs::write(folder.path().join("cert.pem"), made.cert.pem())?;
    std::fs::write(folder.path().join("key.pem"), made.signing_key.serialize_pem())?;
    let takers = |scene: &Scene| servers.iter().filter(|server| scene.takes(server)).count();
    let steps: usize = scenes.iter().map(takers).sum();
    let bar = ProgressBar::new(args.rounds * steps as u64);
    bar.set_style(ProgressStyle::with_template("{bar:30} {pos}/{len} {elapsed} {msg}")?);
    for &scene in &scenes {
        let schedule = scene.schedule();
        let path = folder.path().join("schedule.json");
        schedule.write(&path)?;
        let tls = scene.is_tls().then_some(folder.path());
        // Whatever else the machine does meets all of them.
        for _ in 0..args.rounds {
            for server in servers.iter().filter(|server| scene.takes(server)) {
                bar.set_message(format!("{}: {}", scene.name(), server.what));
                let figures = server.start(&path, tls, cores)?.map(|mut subject| {
                    scene.play(Stage {
                        seconds: args.seconds,
                        slow_seconds: args.slow_seconds,
                        looks: Looks::Count(1),
                        stamp: Stamp::Event,
                        perf: args.perf.as_deref(),
                        schedule: &schedule,
                        subject: &mut subject,
                        name: format!("{}-{}", scene.name(), server.name),
                    })
                });
                let figures = figures.unwrap_or_else(|| Err(anyhow::anyhow!("not installed")));
                report.add(scene, server, figures.map_err(|error| format!("{error:#}")));
                bar.inc(1);
            }
        }
    }
    bar.finish_and_clear();
    print!("{report}");
    // All of it has the single steps, too.
    if args.scenes.is_empty() && args.servers.is_empty() {
        let costs = micro::measure("", micro::ROUNDS)?;
        println!("\nsingle steps\n\n{}", micro::table(&costs));
        report.note("steps", costs.iter().map(micro::Cost::json).collect());
    }
    if let Some(path) = &args.json {
        let text = serde_json::to_string_pretty(&report.json())?;
        std::fs::write(path, text + "\n").with_context(|| path.display().to_string())?;
    }
    Ok(())
}

fn chosen(names: &[String]) -> anyhow::Result<Vec<Entry>> {
    let known: Vec<_> = SERVERS.iter().map(|entry| entry.name).collect();
    for name in names {
        ensure!(known.contains(&name.as_str()), "unknown server {name}; known are {}", known.join(", "));
    }
    let is_chosen = |entry: &&Entry| names.is_empty() || names.iter().any(|name| name == entry.name);
    Ok(SERVERS.iter().filter(is_chosen).copied().collect())
}
