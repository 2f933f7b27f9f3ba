//! Of which day captures are.

use super::super::super::net::made::{pcap, udp};
use super::super::super::say::named_steps;
use super::*;
use crate::capture::Input;
use crate::reader::Step;

/// The times of what a capture of one order says.
fn times(at: u64, name: &str, date: Option<&str>) -> String {
    let bytes = pcap(&[(at, udp(&mold("A", 1, &[add(1, b'B', 100, 10)])))]);
    let folder = std::env::temp_dir().join(format!("tickwire-days-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join(name), bytes).unwrap();
    let mut itch = Itch::new(date.and_then(|date| Date::parse(date).ok()));
    itch.open(Input::open(&folder.join(name)).unwrap());
    let mut ticks = Vec::new();
    while !matches!(itch.step(&mut ticks), Step::End) {}
    ticks.first().map_or_else(String::new, |tick| {
        let recv = tick.ts_recv.map_or_else(|| "-".into(), |at| at.to_string());
        format!("{} {recv}", tick.ts_event.unwrap())
    })
}

#[test]
fn captures_are_of_the_day_that_is_given_or_of_their_own() {
    let five_years = AT + 5 * 365 * 86_400_000_000_000;
    let (that, later) = ("2023-08-22T13:30:00.000000000Z", "2028-08-20T13:30:00.000000000Z");
    let given = "2019-12-30T14:30:00.000000000Z";
    for (at, name, date, wanted) in [
        (AT, "x.pcap", None, format!("{that} {that}")),
        (five_years, "x.pcap", None, format!("{later} {later}")),
        (five_years, "08222023.ITCH.pcap", None, format!("{later} {later}")),
        (five_years, "x.pcap", Some("2019-12-30"), format!("{given} {later}")),
        (0, "12302019.ITCH.pcap", None, format!("{given} -")),
        (0, "08222023.ITCH.pcap", Some("2019-12-30"), format!("{given} -")),
        (0, "x.pcap", None, String::new()),
    ] {
        assert_eq!(times(at, name, date), wanted, "{at} {name} {date:?}");
    }
}

#[test]
fn a_capture_of_no_day_is_told_once() {
    let sent: Vec<_> = (1..9).map(|at| (0, udp(&mold("A", at, &[add(at, b'B', 100, 10)])))).collect();
    let mut itch = Itch::new(None);
    assert_eq!(steps(&mut itch, pcap(&sent)), [format!("xpacket 1: {NO_DAY}")]);
    assert_eq!(named_steps(&mut itch, "2019-12-30.pcap", &pcap(&sent[..1])), ["S10x100| Q10x100/-"]);
}
