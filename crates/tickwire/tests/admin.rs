//! What an operator sees and does, on the admin port.

#![expect(clippy::unwrap_used, reason = "a test")]

mod common;

use std::fs;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use common::{Guard, PATIENCE, Plant, get_as, text, tickwire};

const SIM: &str = "[[feed]]\nname = \"sim\"\nkind = \"sim\"\nsymbols = 20\nrate = 400\n";

#[test]
fn an_operator_looks_and_acts() {
    let mut plant = Plant::start_with("drain = \"1s\"\n", SIM);
    plant.wait_for("/readyz", 200);
    let script = common::top().join("crates/tickwire/tests/python/admin.py");
    let mut python = Command::new(common::python());
    python.arg(script).arg(&plant.address).arg(plant.ca()).arg(&plant.admin);
    for (name, scope) in [("alice", "stream:*"), ("bob", "stream:*"), ("olga", "admin")] {
        python.env(name.to_uppercase(), plant.token_of(name, "main", &[scope], "10m"));
    }
    let output = python.output().unwrap();
    assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
    // The last thing asked for was that the server goes.
    assert!(plant.wait(Duration::from_secs(30)).success());
}

/// Who asks how a plant is, is told while it does all that it can.
#[test]
fn a_saturated_plant_answers_operators() {
    let plant =
        Plant::start_narrow("[[feed]]\nname = \"sim\"\nkind = \"sim\"\nsymbols = 50\nrate = 200000\n");
    plant.wait_for("/readyz", 200);
    let mut bench = tickwire();
    bench.args(["bench", "--clients", "40", "--duration", "10m", "-c", "trades,quotes,book", "--ramp", "0"]);
    bench.args(["--url", &plant.url(), "--token", &plant.token(&["stream:*"], "1h")]);
    let _load = Guard(bench.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
    let admin = plant.token(&["admin"], "1h");
    let began = Instant::now();
    while share_of_time(&plant) < 0.9 {
        assert!(began.elapsed() < PATIENCE, "it has nothing to do");
    }
    let (mut slowest, mut looks) = (Duration::ZERO, 0);
    let (began, before) = (Instant::now(), worked(&plant));
    while began.elapsed() < Duration::from_secs(5) {
        for path in ["/livez", "/readyz", "/healthz", "/metrics", "/v1/log"] {
            let asked = Instant::now();
            let (status, body) = get_as(&plant.admin, path, &admin);
            assert_eq!(status, 200, "{path}: {body}");
            slowest = slowest.max(asked.elapsed());
            looks += 1;
        }
    }
    let share = worked(&plant).checked_sub(before).unwrap().as_secs_f64() / began.elapsed().as_secs_f64();
    assert!(share > 0.9, "it wanted {share} of a processor");
    assert!(slowest < Duration::from_secs(2), "{looks} answers, the slowest after {slowest:?}");
}

/// How much of a second the thread of the sessions works, or would.
fn share_of_time(plant: &Plant) -> f64 {
    let before = worked(plant);
    sleep(Duration::from_secs(1));
    worked(plant).checked_sub(before).unwrap().as_secs_f64()
}

/// What the thread of the sessions has worked, and has waited for a processor to work on.
fn worked(plant: &Plant) -> Duration {
    let tasks = fs::read_dir(format!("/proc/{}/task", plant.id())).unwrap();
    let tasks = tasks.map(|task| task.unwrap().path());
    let name = |task: &std::path::Path| fs::read_to_string(task.join("comm")).unwrap_or_default();
    let of_sessions = tasks.filter(|task| name(task).starts_with("tokio-"));
    let nanos = of_sessions.map(|task| {
        let stat = fs::read_to_string(task.join("schedstat")).unwrap_or_default();
        stat.split(' ').take(2).filter_map(|nanos| nanos.trim().parse::<u64>().ok()).sum::<u64>()
    });
    // The pool of threads for what blocks goes by the same name, and does next to nothing.
    Duration::from_nanos(nanos.max().unwrap_or(0))
}
