//! What the machine allows, against what the configuration wants.

use gateway::limits::{BACKLOG, FILES_KEPT, UNSENT_BYTES_MAX};

use super::check::{Checks, Level};
use super::machine::Machine;
use crate::commands::figures::bytes;

/// What a server is to bear.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted {
    pub(super) connections: u64,
    /// Somebody has written that number down.
    pub(super) is_said: bool,
    /// Others than this machine can come.
    pub(super) is_public: bool,
    pub(super) tls: bool,
    pub(super) shards: u64,
    pub(super) ports: [u16; 2],
    pub(super) processors: u64,
}

/// With fewer files a server does not do anything sensible.
const FILES_MIN: u64 = FILES_KEPT as u64 + 64;
/// What a server with nobody in it takes, and its logs.
const MEMORY_BASE: u64 = 128 << 20;
/// A connection that is subscribed and reads, with and without TLS, as measured in benches/RESULTS.md, and as much again.
const CONNECTION: [u64; 2] = [4_000, 20_000];
const PAGE: u64 = 4_096;

impl Wanted {
    /// A bound that a trial on one machine does not feel.
    const fn level(self) -> Level {
        if self.is_public || self.is_said { Level::Warn } else { Level::Ok }
    }
}

pub(super) fn check(wanted: Wanted, machine: &Machine) -> Checks {
    let mut checks = Checks::of("machine");
    files(wanted, machine, &mut checks);
    queues(wanted, machine, &mut checks);
    ports(wanted, machine, &mut checks);
    memory(wanted, machine, &mut checks);
    processors(wanted, machine, &mut checks);
    checks
}

fn files(wanted: Wanted, machine: &Machine, checks: &mut Checks) {
    let name = "open files";
    let Some((soft, hard)) = machine.limit("Max open files") else {
        checks.unknown(name, "/proc/self/limits does not say");
        return;
    };
    let need = wanted.connections + FILES_KEPT as u64;
    let Some(soft) = soft.filter(|soft| *soft < need) else {
        let soft = soft.map_or_else(|| "any number".to_owned(), |soft| soft.to_string());
        checks.ok(name, format!("{soft}, and {need} are needed for {} connections", wanted.connections));
        return;
    };
    let room = soft.saturating_sub(FILES_KEPT as u64);
    let seen = format!("{soft}: {room} of the {} connections of [limits] can be", wanted.connections);
    let own = hard.is_none_or(|hard| hard >= need);
    let raised = if own {
        format!("ulimit -n {need} in the shell that starts it, or LimitNOFILE={need} in its unit")
    } else {
        format!(
            "LimitNOFILE={need} in its unit, or nofile in /etc/security/limits.conf; or connections = {room} in [limits]"
        )
    };
    match wanted.level() {
        _ if soft < FILES_MIN => checks.fail(name, seen, raised),
        Level::Warn if wanted.is_said => checks.fail(name, seen, raised),
        Level::Warn => checks.warn(name, seen, raised),
        level => checks.add(level, name, format!("{seen}, which does for a trial"), None),
    }
}

/// Who waits to be let in.
fn queues(wanted: Wanted, machine: &Machine, checks: &mut Checks) {
    let most = u64::from(BACKLOG.unsigned_abs()).min(wanted.connections);
    for (key, name) in
        [("net.core.somaxconn", "accept backlog"), ("net.ipv4.tcp_max_syn_backlog", "SYN backlog")]
    {
        let Some(granted) = machine.number(&format!("proc/sys/{}", key.replace('.', "/"))) else {
            checks.unknown(name, format!("{key} cannot be read"));
            continue;
        };
        if granted >= most {
            checks.ok(name, format!("{key} = {granted}"));
        } else {
            let seen = format!(
                "{key} = {granted}: when all {} come back at once, some wait a second",
                wanted.connections
            );
            let advice = format!("sysctl -w {key}={most} (deploy/sysctl/90-tickwire.conf)");
            checks.add(wanted.level(), name, seen, Some(advice).filter(|_| wanted.level() != Level::Ok));
        }
    }
    // What may lie unsent, and as much that is on its way.
    let need = wanted.connections * u64::from(UNSENT_BYTES_MAX) * 2;
    match machine.numbers("proc/sys/net/ipv4/tcp_mem").as_deref() {
        Some([_, _, pages]) if pages * PAGE >= need => {
            checks.ok("socket memory", format!("net.ipv4.tcp_mem allows {}", human(pages * PAGE)));
        }
        Some([low, pressure, pages]) => {
            let seen = format!(
                "net.ipv4.tcp_mem allows {}, full sockets may hold {}",
                human(pages * PAGE),
                human(need)
            );
            let advice = format!("sysctl -w net.ipv4.tcp_mem='{low} {pressure} {}'", need / PAGE + 1);
            checks.add(
                wanted.level(),
                "socket memory",
                seen,
                Some(advice).filter(|_| wanted.level() != Level::Ok),
            );
        }
        _ => checks.unknown("socket memory", "net.ipv4.tcp_mem cannot be read"),
    }
}

/// A port that any program may be given by chance is taken one day.
fn ports(wanted: Wanted, machine: &Machine, checks: &mut Checks) {
    let name = "ephemeral ports";
    let range = machine.numbers("proc/sys/net/ipv4/ip_local_port_range");
    let Some([first, last]) = range.as_deref().and_then(|range| <[u64; 2]>::try_from(range).ok()) else {
        checks.unknown(name, "net.ipv4.ip_local_port_range cannot be read");
        return;
    };
    let kept = machine.text("proc/sys/net/ipv4/ip_local_reserved_ports").unwrap_or_default();
    let is_kept = |port: u64| {
        kept.split(',').any(|part| {
            let (from, to) = part.split_once('-').unwrap_or((part, part));
            let number = |text: &str| text.trim().parse::<u64>().ok();
            number(from).zip(number(to)).is_some_and(|(from, to)| (from..=to).contains(&port))
        })
    };
    let ports = wanted.ports.map(u64::from);
    match ports.into_iter().find(|port| (first..=last).contains(port) && !is_kept(*port)) {
        Some(port) => {
            let seen =
                format!("{port} is among {first} to {last}: another program may be given it before this one");
            checks.warn(name, seen, format!("sysctl -w net.ipv4.ip_local_reserved_ports={port}"));
        }
        None => checks.ok(name, format!("{first} to {last}, and none of ours among them")),
    }
}

fn memory(wanted: Wanted, machine: &Machine, checks: &mut Checks) {
    let need = MEMORY_BASE + wanted.connections * CONNECTION[usize::from(wanted.tls)];
    let sources = [
        ("free on this machine", machine.memory("MemAvailable")),
        ("memory.max of the control group", least(&machine.groups("memory", "memory.max"))),
        (
            "memory.limit_in_bytes of the control group",
            least(&machine.groups("memory", "memory.limit_in_bytes")),
        ),
        (
            "the limit on address space (ulimit -v)",
            machine.limit("Max address space").and_then(|(soft, _)| soft),
        ),
    ];
    let told = sources.into_iter().filter_map(|(what, bytes)| Some((bytes?, what)));
    let Some((least, what)) = told.min() else {
        checks.unknown("memory", "/proc/meminfo cannot be read");
        return;
    };
    let seen = format!("{}: {what}; {} for {} connections", human(least), human(need), wanted.connections);
    let advice = format!("more memory, or connections = {} in [limits]", {
        least.saturating_sub(MEMORY_BASE) / CONNECTION[usize::from(wanted.tls)]
    });
    if least < MEMORY_BASE / 2 {
        checks.fail("memory", seen, advice);
    } else if least < need {
        checks.warn("memory", seen, advice);
    } else {
        checks.ok("memory", seen);
    }
}

/// The least of some bounds; what is no number is none.
fn least(bounds: &[String]) -> Option<u64> {
    // Where there is no bound, version 1 says the most that a page counter holds.
    bounds.iter().filter_map(|bound| bound.parse().ok()).filter(|bytes: &u64| *bytes < 1 << 60).min()
}

fn processors(wanted: Wanted, machine: &Machine, checks: &mut Checks) {
    let (name, cores) = ("processors", wanted.processors);
    // Microseconds that may be used, of so many.
    let quota = |line: &String| {
        let (quota, period) = line.split_once(' ')?;
        Some((quota.parse::<u64>().ok()?, period.parse::<u64>().ok()?))
    };
    let quotas = machine.groups("cpu", "cpu.max");
    let least = quotas.iter().filter_map(quota).min_by_key(|(quota, period)| quota * 1_000 / period);
    if let Some((quota, period)) = least.filter(|(quota, period)| *quota < period * cores.min(2)) {
        #[expect(clippy::cast_precision_loss, reason = "to be looked at")]
        let share = quota as f64 / period as f64;
        let seen = format!(
            "cpu.max of the control group gives {share:.1} of {cores}: who has used it up stands still"
        );
        checks.warn(name, seen, "remove the limit (CPUQuota=, limits.cpu), and keep the request");
        return;
    }
    if wanted.shards > cores {
        let seen = format!("{cores}, and {} shards", wanted.shards);
        checks.warn(name, seen, "shards = 0 in [server]: one less than there are");
    } else {
        checks.ok(name, format!("{cores}, {} of them for sessions", wanted.shards));
    }
}

fn human(number: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "to be looked at")]
    bytes(number as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    const WANTED: Wanted = Wanted {
        connections: 10_000,
        is_said: false,
        is_public: true,
        tls: true,
        shards: 3,
        ports: [443, 9_090],
        processors: 4,
    };

    /// A good machine, but for one file.
    fn levels(wanted: Wanted, name: &str, text: &str) -> Vec<(String, Level)> {
        let limits = "Max open files            65536                65536                files\n\
                      Max address space         unlimited            unlimited            bytes\n";
        let mut files = vec![
            ("proc/self/limits", limits),
            ("proc/self/cgroup", "0::/plant\n"),
            ("proc/meminfo", "MemAvailable: 8000000 kB\n"),
            ("proc/sys/net/core/somaxconn", "8192\n"),
            ("proc/sys/net/ipv4/tcp_max_syn_backlog", "16384\n"),
            ("proc/sys/net/ipv4/tcp_mem", "100000 200000 300000\n"),
            ("proc/sys/net/ipv4/ip_local_port_range", "32768\t60999\n"),
            ("sys/fs/cgroup/plant/memory.max", "max\n"),
            ("sys/fs/cgroup/plant/cpu.max", "max 100000\n"),
        ];
        files.retain(|(known, _)| *known != name);
        files.push((name, text));
        let (_folder, machine) = Machine::made_up(&files);
        let checks = check(wanted, &machine).list;
        checks
            .into_iter()
            .filter(|check| check.level != Level::Ok)
            .map(|check| (check.name, check.level))
            .collect()
    }

    #[test]
    fn each_limit_is_held_against_what_is_wanted() {
        assert_eq!(levels(WANTED, "proc/nothing", ""), []);
        let files = |soft: u32| {
            format!("Max open files            {soft}                65536                files\n")
        };
        for (name, text, check, level) in [
            ("proc/self/limits", &*files(1_024), "open files", Level::Warn),
            ("proc/self/limits", &*files(100), "open files", Level::Fail),
            ("proc/self/limits", "", "open files", Level::Unknown),
            ("proc/sys/net/core/somaxconn", "4096", "accept backlog", Level::Warn),
            ("proc/sys/net/ipv4/tcp_max_syn_backlog", "128", "SYN backlog", Level::Warn),
            ("proc/sys/net/ipv4/tcp_mem", "1 2 3", "socket memory", Level::Warn),
            ("proc/sys/net/ipv4/ip_local_port_range", "1024 65535", "ephemeral ports", Level::Warn),
            ("proc/meminfo", "MemAvailable: 200000 kB", "memory", Level::Warn),
            ("sys/fs/cgroup/plant/memory.max", "30000000", "memory", Level::Fail),
            ("sys/fs/cgroup/memory.max", "200000000", "memory", Level::Warn),
            ("sys/fs/cgroup/plant/cpu.max", "50000 100000", "processors", Level::Warn),
        ] {
            assert_eq!(levels(WANTED, name, text), [(check.to_owned(), level)], "{name} {text}");
        }
        assert_eq!(levels(Wanted { shards: 9, ..WANTED }, "x", ""), [("processors".to_owned(), Level::Warn)]);
        let said = Wanted { is_said: true, ..WANTED };
        assert_eq!(levels(said, "proc/self/limits", &files(1_024))[0].1, Level::Fail);
    }

    #[test]
    fn a_trial_needs_little() {
        let trial = Wanted { is_public: false, tls: false, ..WANTED };
        let files = "Max open files            1024                1048576              files\n";
        for (name, text) in [
            ("proc/self/limits", files),
            ("proc/sys/net/core/somaxconn", "128"),
            ("proc/sys/net/ipv4/tcp_mem", "1 2 3"),
        ] {
            assert_eq!(levels(trial, name, text), [], "{name}");
        }
    }

    #[test]
    fn ports_that_are_kept_are_ours() {
        let name = "proc/sys/net/ipv4/ip_local_reserved_ports";
        let wanted = Wanted { ports: [40_000, 9_090], ..WANTED };
        assert_eq!(levels(wanted, name, "39000,39990-40010"), []);
        assert_eq!(levels(wanted, name, "39000"), [("ephemeral ports".to_owned(), Level::Warn)]);
    }
}
