//! The clock: tokens and time stamps need one that is right.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant, SystemTime};

use super::check::Checks;
use super::machine::Machine;
use crate::commands::figures::duration;

/// 2026-01-01: this program is not older.
const LEAST: Duration = Duration::from_secs(1_767_225_600);
/// How long the two clocks are held against each other, and how far apart they may be then.
const WATCHED: Duration = Duration::from_millis(100);
const APART: Duration = Duration::from_millis(5);
/// How far off an hour glass may be.
const OFF_SECONDS: f64 = 0.1;
/// How long another program may take to answer.
const PATIENCE: Duration = Duration::from_secs(2);

pub(super) fn check(machine: &Machine) -> Checks {
    let mut checks = Checks::of("clock");
    let wall = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let now = load::now().to_string();
    if wall < LEAST {
        checks.fail("time", format!("{now}: every token is from the future"), "timedatectl set-time, or NTP");
    } else {
        checks.ok("time", now);
    }
    steady(&mut checks);
    source(machine, &mut checks);
    synchronised(machine, &mut checks);
    checks
}

/// Whether somebody turns it while we look.
fn steady(checks: &mut Checks) {
    let (began, before) = (Instant::now(), SystemTime::now());
    std::thread::sleep(WATCHED);
    let (passed, wall) = (began.elapsed(), SystemTime::now().duration_since(before).unwrap_or_default());
    let apart = passed.abs_diff(wall);
    let seen = format!("{} apart from the monotonic one after {}", short(apart), short(passed));
    if apart > APART {
        checks.warn(
            "steadiness",
            seen,
            "one program that sets the clock, and slews it: chronyd or systemd-timesyncd",
        );
    } else {
        checks.ok("steadiness", seen);
    }
}

fn short(time: Duration) -> String {
    duration(time.as_secs_f64())
}

/// Each event is stamped: some sources take a hundred times as long to read.
fn source(machine: &Machine, checks: &mut Checks) {
    let (name, file) = ("source", "sys/devices/system/clocksource/clocksource0/current_clocksource");
    match machine.text(file).as_deref() {
        None => checks.unknown(name, format!("/{file} cannot be read")),
        Some(slow @ ("hpet" | "acpi_pm" | "jiffies" | "refined-jiffies" | "pit")) => {
            let advice = "clocksource=tsc at boot, where the machine's is stable";
            checks.warn(name, format!("{slow}, which takes long to read"), advice);
        }
        Some(fast) => checks.ok(name, fast),
    }
}

fn synchronised(machine: &Machine, checks: &mut Checks) {
    let name = "synchronised";
    let advice = "systemctl enable --now chrony, or systemd-timesyncd";
    let asked =
        [("timedatectl", &["show", "--property=NTPSynchronized"][..]), ("chronyc", &["-c", "tracking"][..])];
    for (program, arguments) in asked {
        match said(program, arguments).as_deref().and_then(understood) {
            Some(Sync::Yes(how)) => return checks.ok(name, format!("{program} says {how}")),
            Some(Sync::No(how)) => return checks.warn(name, format!("{program} says {how}"), advice),
            None => {}
        }
    }
    if machine.path("run/systemd/timesync/synchronized").exists() {
        checks.ok(name, "systemd-timesyncd has set it");
    } else {
        checks.unknown(
            name,
            "neither timedatectl nor chronyc answers here: who sets the clock could not be told",
        );
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Sync {
    Yes(String),
    No(String),
}

/// What one of the two has said.
fn understood(said: &str) -> Option<Sync> {
    match said.trim() {
        "NTPSynchronized=yes" => return Some(Sync::Yes("yes".to_owned())),
        "NTPSynchronized=no" => return Some(Sync::No("no".to_owned())),
        _ => {}
    }
    // Reference, name, stratum, time, offset, …, leap status.
    let fields: Vec<_> = said.trim().split(',').collect();
    let [_, source, _, _, offset, .., leap] = fields[..] else { return None };
    let offset = offset.parse::<f64>().ok()?.abs();
    let how = format!("{leap}, by {source}, {} off", duration(offset));
    let is_good = leap == "Normal" && offset < OFF_SECONDS;
    Some(if is_good { Sync::Yes(how) } else { Sync::No(how) })
}

/// What a program prints, if it is there and ends well and soon.
fn said(program: &str, arguments: &[&str]) -> Option<String> {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().ok()?;
    let until = Instant::now() + PATIENCE;
    while child.try_wait().ok()?.is_none() {
        if Instant::now() > until {
            let _ = child.kill();
            let _ = child.wait();
            return None;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    let output = child.wait_with_output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_say_is_understood() {
        let good = "C0A80101,ntp.example,3,1795345200.1,-0.000012,0.00001,0.00002,1.5,0.001,0.02,0.01,0.001,64.2,Normal\n";
        assert_eq!(understood(good), Some(Sync::Yes("Normal, by ntp.example, 0.0 ms off".to_owned())));
        let off = good.replace("-0.000012", "0.25");
        assert!(matches!(understood(&off), Some(Sync::No(_))));
        let lost = good.replace("Normal", "Not synchronised");
        assert!(matches!(understood(&lost), Some(Sync::No(how)) if how.starts_with("Not synchronised")));
        assert_eq!(understood("NTPSynchronized=no\n"), Some(Sync::No("no".to_owned())));
        assert_eq!(understood("System has not been booted with systemd"), None);
    }

    #[test]
    fn a_slow_source_is_told() {
        let file = "sys/devices/system/clocksource/clocksource0/current_clocksource";
        for (source, level) in
            [("tsc", super::super::check::Level::Ok), ("hpet", super::super::check::Level::Warn)]
        {
            let (_folder, machine) = Machine::made_up(&[(file, source)]);
            let mut checks = Checks::of("clock");
            super::source(&machine, &mut checks);
            assert_eq!(checks.list[0].level, level, "{source}");
        }
    }
}
