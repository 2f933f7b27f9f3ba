//! Many subscribers on a simulated market, some of which stall: what it costs, and whether the
//! promise holds. Everybody's sequences must tile and everybody's ledger must close.

use std::time::{Duration, Instant};

use anyhow::Context;
use clap::Args;
use serde_json::{Value, json};
use tokio::runtime::Builder;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::plant::Plant;
use crate::process::{Usage, usage};
use crate::reader::Reader;
use crate::tally::{CHANNELS, Tally};

#[derive(Args)]
pub(crate) struct LoadArgs {
    /// How many connections, each subscribed to the trades, quotes and book of one symbol
    #[arg(long, default_value_t = 1_000)]
    subscribers: usize,
    /// How many of them stop reading
    #[arg(long, default_value_t = 100)]
    stalled: usize,
    /// For how many seconds
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=600))]
    stall: u64,
    /// Seconds before the stall: by then the topic logs are full
    #[arg(long, default_value_t = 20)]
    warm: u64,
    /// Events a second of the market
    #[arg(long, default_value_t = 20_000)]
    rate: u32,
    /// Symbols of the market; subscribers are spread over them evenly
    #[arg(long, default_value_t = 50)]
    symbols: usize,
}

/// What everybody does at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    Warm,
    Stall,
    Resume,
    Audit,
}

/// How long the market runs after the stall.
const AFTER: Duration = Duration::from_secs(5);
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) fn run(args: &LoadArgs) -> anyhow::Result<()> {
    let plant = Plant::start(args.rate, args.symbols)?;
    Builder::new_current_thread().enable_all().build()?.block_on(drive(args, &plant))
}

async fn drive(args: &LoadArgs, plant: &Plant) -> anyhow::Result<()> {
    let (token, address) = (plant.token()?, plant.address.as_str());
    let symbols = symbols(address, &token, args.symbols).await?;
    let (phase, _) = watch::channel(Phase::Warm);
    let mut clients = JoinSet::new();
    for n in 0..args.subscribers {
        let mut reader = Reader::connect(address, &token).await?;
        // The whole book: with a depth, what happens below it is folded into other records.
        let symbol = &symbols[n % symbols.len()];
        let request = json!({"op": "subscribe", "channels": CHANNELS, "symbols": [symbol], "depth": 0});
        reader.send(&request.to_string()).await?;
        clients.spawn(subscriber(reader, n < args.stalled, phase.subscribe()));
    }
    sleep(Duration::from_secs(args.warm)).await;
    let before = usage(plant.id())?;
    let began = Instant::now();
    phase.send_replace(Phase::Stall);
    let mut peak = before.resident_kb;
    while began.elapsed() < Duration::from_secs(args.stall) {
        sleep(Duration::from_secs(1)).await;
        peak = peak.max(usage(plant.id())?.resident_kb);
    }
    let stalled = usage(plant.id())?;
    phase.send_replace(Phase::Resume);
    sleep(AFTER).await;
    let after = usage(plant.id())?;
    let span = began.elapsed();
    phase.send_replace(Phase::Audit);

    let (mut healthy, mut slow) = (Vec::new(), Vec::new());
    while let Some(done) = clients.join_next().await {
        let (stalled, tally) = done??;
        if stalled { slow.push(tally) } else { healthy.push(tally) }
    }
    report(args, [before, stalled, after], peak, span, &healthy, &slow);
    Ok(())
}

/// The market's symbols, from the acknowledgement of a pattern.
async fn symbols(address: &str, token: &str, count: usize) -> anyhow::Result<Vec<String>> {
    let began = Instant::now();
    loop {
        let mut reader = Reader::connect(address, token).await?;
        reader.send(r#"{"op":"subscribe","channels":["status"],"symbols":["*"]}"#).await?;
        let mut found = Vec::new();
        while found.is_empty() && began.elapsed() < PATIENCE {
            reader
                .read(|text| {
                    let message: Value = serde_json::from_slice(text)?;
                    if message["type"] == "ack" {
                        let names = message["symbols"].as_array().context("symbols")?;
                        found = names.iter().filter_map(Value::as_str).map(str::to_owned).collect();
                    }
                    Ok(())
                })
                .await?;
        }
        if found.len() >= count {
            return Ok(found);
        }
        anyhow::ensure!(began.elapsed() < PATIENCE, "the market has {} symbols only", found.len());
    }
}

async fn subscriber(
    mut reader: Reader,
    stalls: bool,
    mut phase: watch::Receiver<Phase>,
) -> anyhow::Result<(bool, Tally)> {
    let mut tally = Tally::default();
    loop {
        let now = *phase.borrow_and_update();
        if now == Phase::Audit {
            break;
        }
        if stalls && now == Phase::Stall {
            phase.changed().await?;
            continue;
        }
        tokio::select! {
            read = reader.read(|text| tally.take(text)) => read?,
            changed = phase.changed() => changed?,
        }
    }
    reader.send(r#"{"op":"ledger"}"#).await?;
    let audited = timeout(PATIENCE, async {
        while tally.ledger.is_none() {
            // What comes after the ledger is not in it.
            reader.read(|text| if tally.ledger.is_none() { tally.take(text) } else { Ok(()) }).await?;
        }
        tally.audit()
    });
    audited.await.context("no ledger in time")??;
    Ok((stalls, tally))
}

fn report(args: &LoadArgs, usage: [Usage; 3], peak: u64, span: Duration, healthy: &[Tally], slow: &[Tally]) {
    let sum = |tallies: &[Tally]| {
        tallies.iter().fold([0; 3], |sum, tally| {
            let totals = tally.totals();
            [sum[0] + totals[0], sum[1] + totals[1], sum[2] + totals[2]]
        })
    };
    let [before, stalled, after] = usage;
    let (of_healthy, of_slow) = (sum(healthy), sum(slow));
    let all = healthy.iter().chain(slow);
    let (messages, bytes) = all.fold((0, 0), |(m, b), tally| (m + tally.messages, b + tally.bytes));
    let mut ages: Vec<u32> = healthy.iter().flat_map(|tally| tally.ages.iter().copied()).collect();
    ages.sort_unstable();
    let age = |part: usize| ages.get(ages.len() * part / 1_000).map_or(0, |&age| age / 1_000);
    println!(
        "{} subscribers of {}, {} events/s in, {} stalled for {} s",
        args.subscribers,
        CHANNELS.join(", "),
        args.rate,
        args.stalled,
        args.stall
    );
    println!(
        "memory, kB resident   before the stall {}, at its end {}, peak {peak}, after {}",
        before.resident_kb, stalled.resident_kb, after.resident_kb
    );
    println!(
        "server                {:.2} cores over {:.0} s",
        after.cpu.saturating_sub(before.cpu).as_secs_f64() / span.as_secs_f64(),
        span.as_secs_f64()
    );
    println!(
        "out, all told         {} records in {messages} messages, {} MB",
        of_healthy[0] + of_slow[0],
        bytes / 1_000_000
    );
    println!(
        "healthy {:>13}  {} records, {} coalesced, {} skipped; every sequence tiles, every ledger closes",
        healthy.len(),
        of_healthy[0],
        of_healthy[1],
        of_healthy[2]
    );
    println!(
        "stalled {:>13}  {} records, {} coalesced, {} skipped; every sequence tiles, every ledger closes",
        slow.len(),
        of_slow[0],
        of_slow[1],
        of_slow[2]
    );
    println!(
        "age when read, ms     p50 {}, p99 {}, p99.9 {} (healthy, bench on the same cores)",
        age(500),
        age(990),
        age(999)
    );
}
