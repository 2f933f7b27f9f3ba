//! The certificate, as clients will see it.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use gateway::{Link, Tls, Trust};

use super::check::Checks;
use crate::commands::figures::duration;

const DAY: i64 = 86_400;
/// As the alert has it.
const SOON: i64 = 14 * DAY;

/// `now` is in seconds since 1970.
pub(super) fn check(tls: Option<&Tls>, is_public: bool, names: &[String], now: i64) -> Checks {
    let mut checks = Checks::of("certificate");
    let Some(tls) = tls else {
        if is_public {
            let advice = "tls_cert_file and tls_key_file in [server], unless something before it speaks TLS";
            checks.warn("TLS", "none: everybody on the way can read tokens and data", advice);
        } else {
            checks.ok("TLS", "none, and none is needed on this machine");
        }
        return checks;
    };
    private(&tls.key_file, "tls_key_file", &mut checks);
    let chain = match tls.chain() {
        Ok(chain) => chain,
        Err(error) => {
            let advice = "tls_cert_file and tls_key_file in [server]: a chain and its key, as PEM files";
            checks.fail("chain and key", error.to_string(), advice);
            return checks;
        }
    };
    let Some(own) = chain.links.first() else { return checks };
    checks.ok("key", "fits the certificate");
    dates(&chain.links, now, &mut checks);
    for_names(own, &chain, names, &mut checks);
    let signed = format!("{} certificate(s), signed by {}", chain.links.len(), own.issuer);
    match &chain.trust {
        Trust::System => checks.ok("chain", format!("{signed}, whom this machine trusts")),
        Trust::Itself => {
            let seen = "signed by itself: clients take it only where they are given it (--ca)";
            if is_public {
                checks.warn("chain", seen, "a certificate of an authority that clients trust");
            } else {
                checks.ok("chain", seen);
            }
        }
        Trust::Unknown => {
            let last = chain.links.last().map_or("", |link| link.issuer.as_str());
            let seen = format!("ends at {last}, whom this machine does not know");
            let advice = "an authority of your own: give it to clients; otherwise put what is between behind the \
                          server's certificate in tls_cert_file";
            checks.warn("chain", seen, advice);
        }
        Trust::Broken(why) => {
            checks.fail("chain", format!("no client takes it: {why}"), "another certificate");
        }
    }
    if own.is_authority && chain.links.len() == 1 && chain.trust != Trust::System {
        let advice = "openssl req … -addext basicConstraints=critical,CA:FALSE";
        checks.warn("kind", "it is an authority's own, which many clients refuse of a server", advice);
    }
    checks
}

fn dates(links: &[Link], now: i64, checks: &mut Checks) {
    let away = |seconds: i64| duration(f64::from(i32::try_from(seconds).unwrap_or(i32::MAX)));
    let ends = links.iter().min_by_key(|link| link.ends);
    let begins = links.iter().max_by_key(|link| link.begins);
    let (Some(ends), Some(begins)) = (ends, begins) else { return };
    let renewed = "renew it, and reload: SIGHUP takes it while the plant runs";
    let whose = |link: &Link| if links.len() > 1 { format!(" ({})", link.subject) } else { String::new() };
    // What is made for a few days is renewed when two thirds have gone.
    let soon = SOON.min((ends.ends - ends.begins) / 3);
    if ends.ends <= now {
        checks.fail("validity", format!("ended {} ago{}", away(now - ends.ends), whose(ends)), renewed);
    } else if begins.begins > now {
        let seen = format!("begins in {}{}", away(begins.begins - now), whose(begins));
        checks.fail("validity", seen, "look at the clock of this machine, or wait");
    } else if ends.ends - now < soon {
        checks.warn("validity", format!("ends in {}{}", away(ends.ends - now), whose(ends)), renewed);
    } else {
        checks.ok("validity", format!("ends in {}", away(ends.ends - now)));
    }
}

fn for_names(own: &Link, chain: &gateway::Chain, names: &[String], checks: &mut Checks) {
    let told = own.names.join(", ");
    if own.names.is_empty() {
        let advice = "a certificate with subjectAltName; what stands in the subject counts for nobody";
        checks.fail("names", "it is for no name: every client refuses it", advice);
        return;
    }
    if names.is_empty() {
        checks.ok("names", format!("it is for {told}; --name HOST checks the one that clients use"));
    }
    for name in names {
        match chain.is_for(name) {
            Some(true) => checks.ok("names", format!("it is for {name}")),
            Some(false) => {
                let advice = format!("a certificate with {name} in its subjectAltName");
                checks.fail("names", format!("it is for {told}, and not for {name}"), advice);
            }
            None => checks.fail("names", format!("{name:?} is no name of a host"), "--name HOST"),
        }
    }
}

/// Whether others can read a secret.
pub(super) fn private(file: &Path, key: &str, checks: &mut Checks) {
    let Ok(found) = file.metadata() else { return };
    let mode = found.permissions().mode() & 0o777;
    if mode.is_multiple_of(0o100) {
        checks.ok(key, format!("{} is for its owner alone", file.display()));
    } else {
        let whom = if mode.is_multiple_of(0o010) { "its group" } else { "everybody" };
        let seen = format!("{} can be had by {whom} ({mode:04o})", file.display());
        checks.warn(key, seen, format!("chmod 600 {}", file.display()));
    }
}
