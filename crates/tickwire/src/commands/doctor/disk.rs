//! The disk that recordings go to: room, files, and how fast it is.

use std::fs;
use std::io::{self, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use gateway::Recording;
use rustix::fs::{StatVfsMountFlags, statfs, statvfs};
use store::Keep;

use super::check::Checks;
use crate::commands::figures::{bytes, count, duration};

/// What a file system says.
#[derive(Clone, Copy, Debug)]
struct Room {
    free: u64,
    inodes: u64,
    /// There is a number of them at all.
    counts_inodes: bool,
    is_read_only: bool,
    is_memory: bool,
}

/// What is recorded already.
#[derive(Clone, Copy, Debug, Default)]
struct Recorded {
    bytes: u64,
    /// Of the newest recording that lasted long enough.
    bytes_per_second: Option<f64>,
}

/// Less is none: a file of a recording is larger.
const NONE: u64 = 64 << 20;
const LITTLE: u64 = 1 << 30;
const INODES: [u64; 2] = [10, 1_000];
/// Shorter recordings tell nothing.
const SPAN: Duration = Duration::from_secs(60);
/// What is written ten times a second, at a good rate.
const WRITTEN: usize = 64 << 10;
const WRITES: usize = 8;
/// The recorder makes safe what it has ten times a second.
const SYNC_MAX: Duration = Duration::from_millis(100);
/// With nothing to bound it, it should take so long at least until the disk is full.
const DAYS_MIN: f64 = 7.0;
const MAGIC: [u64; 2] = [0x0102_1994, 0x8584_58f6];

pub(super) fn check(recording: Option<&Recording>) -> Checks {
    let mut checks = Checks::of("disk");
    let Some(recording) = recording else {
        checks.ok("recordings", "none: [recording] has no folder");
        return checks;
    };
    let folder = recording.folder.as_path();
    let there =
        folder.ancestors().find(|folder| folder.exists()).filter(|there| !there.as_os_str().is_empty());
    let there = there.unwrap_or(Path::new("."));
    let room = match room(there) {
        Ok(room) => room,
        Err(error) => {
            let seen = format!("{} cannot be looked at: {error}", there.display());
            checks.fail("folder", seen, "folder of [recording] on a disk that is there");
            return checks;
        }
    };
    if !recording.records {
        checks.ok("folder", format!("{} is played from, and not written to", folder.display()));
        return checks;
    }
    if room.is_read_only {
        let seen = format!("{} is on a disk that is mounted read-only", there.display());
        checks.fail("folder", seen, "mount -o remount,rw its disk, or another folder in [recording]");
        return checks;
    }
    judge(room, recorded(folder), recording.keep, &mut checks);
    match syncs(there) {
        Ok(times) => speed(&times, &mut checks),
        Err(error) => {
            let seen = format!("{} cannot be written to: {error}", there.display());
            checks.fail(
                "writing",
                seen,
                format!("chown and chmod u+rwx {}, or room on its disk", there.display()),
            );
        }
    }
    checks
}

fn room(folder: &Path) -> io::Result<Room> {
    let (found, kind) = (statvfs(folder)?, statfs(folder)?);
    Ok(Room {
        free: found.f_bavail.saturating_mul(found.f_frsize),
        inodes: found.f_favail,
        counts_inodes: found.f_files > 0,
        is_read_only: found.f_flag.contains(StatVfsMountFlags::RDONLY),
        is_memory: u64::try_from(kind.f_type).is_ok_and(|kind| MAGIC.contains(&kind)),
    })
}

fn recorded(folder: &Path) -> Recorded {
    let Ok(entries) = fs::read_dir(folder) else { return Recorded::default() };
    let mut folders: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    folders.sort_unstable();
    let mut recorded = Recorded::default();
    // Their names end with when they began: the last one is the newest.
    for recording in folders.iter().filter_map(|folder| store::Recording::open(folder).ok()) {
        recorded.bytes += recording.bytes();
        let Some(span) = recording.span() else { continue };
        let lasted = Duration::from_nanos(span.to.0.saturating_sub(span.from.0));
        if lasted >= SPAN {
            recorded.bytes_per_second = Some(amount(recording.bytes()) / lasted.as_secs_f64());
        }
    }
    recorded
}

fn judge(room: Room, recorded: Recorded, keep: Keep, checks: &mut Checks) {
    let free = bytes(amount(room.free));
    if room.is_memory {
        let advice = "folder of [recording] on a disk";
        checks.warn("kind", "it is memory: recordings are gone with the machine's next start", advice);
    }
    if room.free < NONE {
        checks.fail(
            "space",
            format!("{free} free: nothing can be recorded"),
            "keep or keep_bytes in [recording], or a larger disk",
        );
    } else {
        space(room, recorded, keep, checks);
    }
    match room.inodes {
        _ if !room.counts_inodes => checks.ok("inodes", "as many as there is room for"),
        free if free < INODES[0] => {
            checks.fail(
                "inodes",
                format!("{free} free: no file can be made"),
                "fewer files on that disk, or another one",
            );
        }
        free if free < INODES[1] => {
            checks.warn("inodes", format!("{free} free"), "fewer files on that disk, or another one");
        }
        free => checks.ok("inodes", format!("{} free", count(amount(free)))),
    }
}

/// Whether what is to be kept has room beside what else is there.
fn space(room: Room, recorded: Recorded, keep: Keep, checks: &mut Checks) {
    let free = bytes(amount(room.free));
    let may = room.free.saturating_add(recorded.bytes);
    let rate = recorded.bytes_per_second;
    let of_age = keep.age.zip(rate).map(|(age, rate)| age.as_secs_f64() * rate);
    let wanted = match (keep.bytes.map(amount), of_age) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    };
    match wanted {
        Some(wanted) if wanted > amount(may) => {
            let seen = format!(
                "{free} free; {} of recordings are to be kept, and there is room for {}",
                bytes(wanted),
                bytes(amount(may))
            );
            let advice =
                format!("keep_bytes = \"{}MiB\" in [recording], or a larger disk", (may / 10 * 9) >> 20);
            checks.warn("space", seen, advice);
        }
        Some(wanted) => checks.ok("space", format!("{free} free, {} of recordings are kept", bytes(wanted))),
        None => {
            let days = rate.map(|rate| amount(room.free) / rate.max(1.0) / 86_400.0);
            let advice = "keep = \"7d\" or keep_bytes in [recording]";
            match days {
                Some(days) if days < DAYS_MIN && keep.age.is_none() => {
                    let seen =
                        format!("{free} free: full in {}, as everything is kept", duration(days * 86_400.0));
                    checks.warn("space", seen, advice);
                }
                _ if room.free < LITTLE => checks.warn("space", format!("{free} free"), advice),
                _ => checks.ok("space", format!("{free} free")),
            }
        }
    }
}

/// How long it takes until something is safe, the shortest first.
fn syncs(folder: &Path) -> io::Result<Vec<Duration>> {
    let mut file = tempfile::tempfile_in(folder)?;
    let written = vec![7; WRITTEN];
    let mut times = Vec::new();
    for _ in 0..WRITES {
        let began = Instant::now();
        file.write_all(&written)?;
        file.sync_data()?;
        times.push(began.elapsed());
    }
    times.sort_unstable();
    Ok(times)
}

fn speed(times: &[Duration], checks: &mut Checks) {
    let told = |time: Duration| duration(time.as_secs_f64());
    let (middle, worst) = (times[times.len() / 2], times.last().copied().unwrap_or_default());
    let seen = format!("64 KiB are safe after {}, at worst {}", told(middle), told(worst));
    if middle > SYNC_MAX {
        let advice = "a faster disk: what comes meanwhile waits in memory, 64 MiB at most";
        checks.warn("fdatasync", seen, advice);
    } else {
        checks.ok("fdatasync", seen);
    }
}

#[expect(clippy::cast_precision_loss, reason = "to be looked at")]
const fn amount(number: u64) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::doctor::check::Level;

    const ROOM: Room =
        Room { free: 100 << 30, inodes: 1 << 20, counts_inodes: true, is_read_only: false, is_memory: false };

    /// Levels, in order, of room, what is recorded and what is kept.
    fn levels(room: Room, recorded: Recorded, keep: Keep) -> Vec<(String, Level)> {
        let mut checks = Checks::of("disk");
        judge(room, recorded, keep, &mut checks);
        checks.list.into_iter().map(|check| (check.name, check.level)).collect()
    }

    #[test]
    fn room_is_held_against_what_is_kept() {
        let one = |room: Room, recorded, keep| levels(room, recorded, keep)[0].1;
        let keep = |age: u64, bytes: u64| Keep {
            age: (age > 0).then(|| Duration::from_secs(age * 86_400)),
            bytes: (bytes > 0).then_some(bytes << 30),
            readers_wait: None,
        };
        let megabyte = Recorded { bytes: 5 << 30, bytes_per_second: Some(1e6) };
        let none = Recorded::default();
        assert_eq!(one(ROOM, none, Keep::default()), Level::Ok);
        assert_eq!(one(ROOM, megabyte, Keep::default()), Level::Warn, "a day and a bit");
        assert_eq!(one(ROOM, megabyte, keep(1, 0)), Level::Ok, "86 GB");
        assert_eq!(one(ROOM, megabyte, keep(2, 0)), Level::Warn, "173 GB");
        assert_eq!(one(ROOM, megabyte, keep(2, 50)), Level::Ok, "never more than that");
        assert_eq!(one(ROOM, none, keep(0, 101)), Level::Warn);
        assert_eq!(one(ROOM, megabyte, keep(0, 104)), Level::Ok, "what is recorded may go");
        assert_eq!(one(Room { free: NONE - 1, ..ROOM }, none, Keep::default()), Level::Fail);
        assert_eq!(one(Room { free: LITTLE - 1, ..ROOM }, none, Keep::default()), Level::Warn);
    }

    #[test]
    fn files_can_be_made() {
        let last = |room| levels(room, Recorded::default(), Keep::default()).pop().unwrap();
        assert_eq!(last(ROOM), ("inodes".to_owned(), Level::Ok));
        assert_eq!(last(Room { inodes: 3, ..ROOM }).1, Level::Fail);
        assert_eq!(last(Room { inodes: 300, ..ROOM }).1, Level::Warn);
        assert_eq!(last(Room { inodes: 0, counts_inodes: false, ..ROOM }).1, Level::Ok);
        let kinds = levels(Room { is_memory: true, ..ROOM }, Recorded::default(), Keep::default());
        assert_eq!(kinds[0], ("kind".to_owned(), Level::Warn));
    }

    #[test]
    fn a_slow_disk_is_told() {
        for (millis, level) in [(2, Level::Ok), (140, Level::Warn)] {
            let mut checks = Checks::of("disk");
            speed(&[Duration::from_millis(millis); WRITES], &mut checks);
            assert_eq!(checks.list[0].level, level, "{millis} ms");
        }
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(syncs(folder.path()).unwrap().len(), WRITES);
        assert!(room(folder.path()).unwrap().free > 0);
    }
}
