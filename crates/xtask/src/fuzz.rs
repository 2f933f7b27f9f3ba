//! `cargo xtask fuzz`: coverage-guided fuzzing of the WebSocket codec and of the readers of feeds, on the stable
//! compiler.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::step::{Done, cargo, run as step, target};

/// Packages, and the targets that each has.
const TARGETS: [(&str, &[&str]); 2] =
    [("ws", &["frames", "deflate", "offers"]), ("ingest", &["dbn", "itch", "iex", "lines"])];

/// What cargo-fuzz would set, but for the sanitizers, which want a nightly compiler; our code has no `unsafe`.
const FLAGS: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=1";

/// Longest input: many frames or records, and messages above the targets' limit.
const INPUT_BYTES_MAX: usize = 6_000;

/// Seconds after which an input counts as one that hangs: by the clock, so that a busy machine is none.
const TIMEOUT: &str = "-timeout=60";

/// Seeds: frames of each kind, a compressed message, offers; files of a feed that nobody has cut.
const SEEDS: [(&str, &[u8]); 9] = [
    ("text", b"\x01\x81\x85\x00\x00\x00\x00Hello"),
    ("parts", b"\x02\x01\x82\x00\x00\x00\x00He\x89\x81\x00\x00\x00\x00?\x80\x83\x00\x00\x00\x00llo"),
    ("long", b"\x03\x82\xfe\x00\x7e\x00\x00\x00\x00"),
    ("close", b"\x04\x88\x85\x00\x00\x00\x00\x03\xe8bye"),
    ("deflate", b"\x05\xc1\x87\x00\x00\x00\x00\xf2\x48\xcd\xc9\xc9\x07\x00"),
    ("offer", b"permessage-deflate; client_max_window_bits; server_max_window_bits=\"10\", foo; a=b"),
    ("offers", b"permessage-deflate; server_no_context_takeover; client_no_context_takeover"),
    ("whole", b"\x00\xff\xff"),
    ("other", b"\x01\xff\xff\x00\x10\x01"),
];

/// Runs every target for its share of `seconds`.
pub(crate) fn run(seconds: Option<&str>) -> Done {
    let seconds: usize = seconds.unwrap_or("60").parse().map_err(|error| format!("seconds: {error}"))?;
    let triple = host()?;
    let folder = target().join("fuzz");
    let share = (seconds / TARGETS.iter().map(|(_, names)| names.len()).sum::<usize>()).max(1);
    for (package, names) in TARGETS {
        let mut build = cargo("build --locked --release --features fuzz --package");
        build.args([package, "--bin", &format!("{package}-fuzz"), "--target", &triple, "--target-dir"]);
        step(&format!("fuzz targets of {package}"), build.arg(&folder).env("RUSTFLAGS", FLAGS))?;
        let program = folder.join(&triple).join(format!("release/{package}-fuzz"));
        for name in names {
            target_for(name, &program, &folder, share)?;
        }
    }
    Ok(())
}

/// Runs one target for so many seconds.
fn target_for(name: &str, program: &Path, folder: &Path, seconds: usize) -> Done {
    // What was found before is the beginning of the next run.
    let corpus = folder.join("corpus").join(name);
    fs::create_dir_all(&corpus).map_err(|error| format!("{}: {error}", corpus.display()))?;
    for (seed, bytes) in SEEDS {
        fs::write(corpus.join(seed), bytes).map_err(|error| format!("{seed}: {error}"))?;
    }
    let mut fuzzer = Command::new(program);
    fuzzer.env("FUZZ_TARGET", name).current_dir(folder).arg(&corpus);
    fuzzer.arg(format!("-max_total_time={seconds}"));
    fuzzer.args([&format!("-max_len={INPUT_BYTES_MAX}"), TIMEOUT, "-rss_limit_mb=512"]);
    step(&format!("fuzz {name}"), fuzzer.args(["-print_final_stats=1", "-verbosity=0"]))
}

/// The triple that this compiler builds for.
fn host() -> Done<String> {
    let output = Command::new("rustc").arg("-vV").output().map_err(|error| format!("rustc: {error}"))?;
    let said = String::from_utf8_lossy(&output.stdout);
    let host = said.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned).ok_or_else(|| "rustc does not say what it builds for".to_owned())
}
