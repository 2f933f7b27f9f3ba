//! `tickwire doctor`: what stands in the way of a server, before it does.

mod certificate;
mod check;
mod clock;
mod configuration;
mod disk;
mod feeds;
mod keys;
mod limits;
mod machine;
mod owner;
mod ports;

use std::io::{self, IsTerminal, Write};
use std::thread;

use serde_json::json;

use self::check::{Check, Level};
use self::limits::Wanted;
use self::machine::Machine;
use super::paint::{Ink, Line, Paper};
use crate::cli::DoctorArgs;
use crate::config::{Config, shown};
use crate::exit::{Failure, Outcome};

/// Nothing is cut: what is wrong is read to its end.
const WIDTH: usize = usize::MAX;

pub(crate) fn run(args: &DoctorArgs) -> Outcome {
    let machine = Machine::here();
    let (checks, config) = configuration::check(args);
    let mut list = checks.list;
    if let Some(config) = &config {
        list.extend(of_config(args, config, &machine));
    }
    list.extend(clock::check(&machine).list);
    let mut out = io::stdout().lock();
    if args.json {
        let count = |level| list.iter().filter(|check| check.level == level).count();
        let told = json!({
            "version": env!("CARGO_PKG_VERSION"),
            "config": args.config,
            "ok": count(Level::Ok), "unknown": count(Level::Unknown),
            "warn": count(Level::Warn), "fail": count(Level::Fail),
            "checks": list,
        });
        writeln!(out, "{told}")?;
    } else {
        print(&list, &mut out)?;
    }
    if list.iter().any(|check| check.level == Level::Fail) { Err(Failure::told()) } else { Ok(()) }
}

/// What depends on what the configuration says.
fn of_config(args: &DoctorArgs, config: &Config, machine: &Machine) -> Vec<Check> {
    let settings = &config.settings;
    let (listen, admin) = (settings.listen, settings.admin_listen);
    let is_public = !listen.ip().is_loopback();
    let running = ports::running(admin);
    let mut list = Vec::new();
    if args.config.is_some() {
        list.extend(keys::check(config).list);
        let now = i64::try_from(load::now().0 / 1_000_000_000).unwrap_or(i64::MAX);
        list.extend(certificate::check(settings.tls.as_ref(), is_public, &args.names, now).list);
    }
    if args.config.is_some() || !args.feeds.is_empty() {
        list.extend(feeds::check(config).list);
    }
    list.extend(ports::check(listen, admin, config.handover.as_deref(), running.as_ref(), machine).list);
    let origin = shown(args.config.as_deref()).unwrap_or_default();
    let wanted = Wanted {
        connections: u64::try_from(settings.limits.now().connections).unwrap_or(u64::MAX),
        is_said: origin["limits"]["connections"]["origin"] == "file",
        is_public,
        tls: settings.tls.is_some(),
        shards: u64::try_from(settings.shards).unwrap_or(u64::MAX),
        ports: [listen.port(), admin.port()],
        processors: thread::available_parallelism().map_or(1, |cores| cores.get() as u64),
    };
    list.extend(limits::check(wanted, machine).list);
    if args.config.is_some() {
        list.extend(disk::check(settings.recording.as_ref()).list);
    }
    list.extend(ports::health(running.as_ref()).list);
    list
}

fn print(list: &[Check], out: &mut impl Write) -> io::Result<()> {
    let paper = Paper::of(io::stdout().is_terminal());
    let mut area = "";
    for check in list {
        if check.area != area {
            if !area.is_empty() {
                writeln!(out)?;
            }
            area = check.area;
            writeln!(out, "{}", Line::of(Ink::Strong, area).draw(WIDTH, paper))?;
        }
        for line in check.lines() {
            writeln!(out, "{}", line.draw(WIDTH, paper))?;
        }
    }
    let count = |level| list.iter().filter(|check| check.level == level).count();
    let mut sum = Line::of(Ink::Good, format!("{} ok", count(Level::Ok)));
    for (level, ink, word) in [
        (Level::Unknown, Ink::Faint, "unknown"),
        (Level::Warn, Ink::Warn, "warn"),
        (Level::Fail, Ink::Bad, "fail"),
    ] {
        let ink = if count(level) == 0 { Ink::Faint } else { ink };
        sum.push(Ink::Plain, ", ");
        sum.push(ink, format!("{} {word}", count(level)));
    }
    writeln!(out, "\n{}", sum.draw(WIDTH, paper))
}
