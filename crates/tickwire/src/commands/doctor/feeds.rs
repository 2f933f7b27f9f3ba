//! What the feeds read, looked through as at a start.

use std::time::Duration;

use ingest::feed::FeedKind;
use ingest::live;

use crate::config::Config;
use crate::plant::{apart, each};

use super::check::Checks;

pub(super) fn check(config: &Config) -> Checks {
    let mut checks = Checks::of("feeds");
    let mut feeds = Vec::new();
    for feed in &config.feeds {
        if let FeedKind::Live(live) = &feed.kind {
            venue(&feed.name, live, &mut checks);
        }
    }
    for (name, feed) in each(config.feeds.clone(), config.played.clone()) {
        match feed {
            Ok(feed) => {
                let seen = format!("{} symbols", feed.symbols().len());
                match feed.faults() {
                    0 => checks.ok(name, seen),
                    faults => {
                        let advice = "tickwire normalize --feed NAME FILE > /dev/null names them";
                        checks.warn(name, format!("{seen}; {faults} broken lines are passed over"), advice);
                    }
                }
                feeds.push(feed);
            }
            Err(error) => {
                let advice =
                    format!("files, recording or feed of the feed {name:?}, as its definition has them");
                checks.fail(name, format!("{error:#}"), advice);
            }
        }
    }
    if let Err(error) = apart(&feeds, &config.settings.consolidation) {
        checks.fail("symbols", format!("{error:#}"), "symbol_suffix in one of the two definitions");
    }
    checks
}

/// Whether a venue answers.
fn venue(name: &str, live: &live::LiveSpec, checks: &mut Checks) {
    const ADVICE: &str =
        "a way to the venue: name server, firewall, ca_file; or ws_url and rest_url of a proxy";
    // Longer than that nobody waits for a doctor.
    let timing =
        live::Timing { answer_after: live.timing.answer_after.min(Duration::from_secs(5)), ..live.timing };
    match live::probe(&live::LiveSpec { timing, ..live.clone() }) {
        Ok(probed) => {
            for (url, result) in probed {
                match result {
                    Ok(took) => checks.ok(name, format!("{url} answers in {} ms", took.as_millis())),
                    Err(why) => checks.warn(name, format!("{url}: {why}"), ADVICE),
                }
            }
        }
        Err(why) => checks.fail(name, why, "the definition of the feed"),
    }
}
