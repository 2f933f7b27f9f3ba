//! What the feeds read, looked through as at a start.

use crate::config::Config;
use crate::plant::{apart, each};

use super::check::Checks;

pub(super) fn check(config: &Config) -> Checks {
    let mut checks = Checks::of("feeds");
    let mut feeds = Vec::new();
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
    if let Err(error) = apart(&feeds) {
        checks.fail("symbols", format!("{error:#}"), "symbol_suffix in one of the two definitions");
    }
    checks
}
