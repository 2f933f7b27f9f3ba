//! Reads the fields of a binary feed with a library, from memory, and prints how long that took.
//!
//! usage: `rivals-decode itch|dbn FILE ROUNDS`

use std::error::Error;
use std::hint::black_box;
use std::io::Cursor;
use std::time::Duration;

use dbn::decode::DecodeRecordRef;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> Result<()> {
    let args: Vec<_> = std::env::args().skip(1).collect();
    let [feed, file, rounds] = &args[..] else { return Err("itch|dbn FILE ROUNDS".into()) };
    let read = match feed.as_str() {
        "itch" => itch,
        "dbn" => dbn,
        other => return Err(format!("nothing reads {other}").into()),
    };
    let bytes = std::fs::read(file)?;
    let (mut best, mut messages) = (Duration::MAX, 0);
    for _ in 0..rounds.parse::<u32>()? {
        let began = spent();
        messages = read(&bytes)?;
        best = best.min(spent() - began);
    }
    println!("{{\"messages\":{messages},\"seconds\":{}}}", best.as_secs_f64());
    Ok(())
}

/// Processor time of this process.
fn spent() -> Duration {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    let nanos = |part: i64| u64::try_from(part).unwrap_or(0);
    Duration::from_secs(nanos(now.tv_sec)) + Duration::from_nanos(nanos(now.tv_nsec))
}

fn itch(bytes: &[u8]) -> Result<usize> {
    let mut count = 0;
    for message in itchy::MessageStream::from_reader(Cursor::new(bytes)) {
        black_box(message.map_err(|error| error.to_string())?);
        count += 1;
    }
    Ok(count)
}

fn dbn(bytes: &[u8]) -> Result<usize> {
    let mut decoder = dbn::decode::DbnDecoder::new(Cursor::new(bytes))?;
    let mut count = 0;
    while let Some(record) = decoder.decode_record_ref()? {
        black_box(record.get::<dbn::MboMsg>().ok_or("not an order")?);
        count += 1;
    }
    Ok(count)
}
