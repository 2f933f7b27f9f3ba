//! Whose tokens are good, and how good the keys are.

use std::collections::BTreeMap;

use super::certificate::private;
use super::check::Checks;
use crate::config::{Config, Secret};
use crate::plant::runtime;

/// Bits of chance below which a secret has been thought of, or is too short.
const BITS_MIN: f64 = 128.0;

pub(super) fn check(config: &Config) -> Checks {
    let mut checks = Checks::of("keys");
    for secret in &config.secrets {
        let name = secret.id.as_ref().map_or_else(|| "secret".to_owned(), |id| format!("secret {id}"));
        private(&secret.path, &name, &mut checks);
        strength(&name, secret, &mut checks);
    }
    let keys = config.settings.keys.current();
    checks.ok("tokens", format!("must be of {:?}, for {:?}", keys.issuer(), keys.audience()));
    let publishes = config.settings.published.is_some() || config.jwks_file.is_some();
    if publishes && keys.issuer() == "tickwire" {
        let seen = "keys are an identity provider's, and issuer is \"tickwire\": its tokens name another one";
        checks.warn(
            "issuer",
            seen,
            "issuer and audience of [auth], as the provider's tokens have them (iss, aud)",
        );
    }
    if let Some(file) = &config.jwks_file {
        checks.ok("jwks_file", format!("{} can be used", file.display()));
    }
    if let Some(published) = &config.settings.published {
        let tried = runtime().map_err(|error| error.to_string());
        let tried = tried.and_then(|runtime| runtime.block_on(published.try_out()));
        match tried {
            Ok(count) => checks.ok("jwks_url", format!("{published} has {count} key(s)")),
            Err(error) => {
                let advice = "jwks_url and jwks_ca_file of [auth]; until it answers, its tokens are refused";
                checks.fail("jwks_url", format!("{published}: {error}"), advice);
            }
        }
    }
    checks
}

fn strength(name: &str, secret: &Secret, checks: &mut Checks) {
    let bits = chance(&secret.key);
    let is_text =
        secret.key.contains(&b' ') && secret.key.iter().all(|byte| byte.is_ascii_graphic() || *byte == b' ');
    if is_text || bits < BITS_MIN {
        let seen = if is_text {
            "is made of words: who has one token can try them out".to_owned()
        } else {
            format!("has {bits:.0} bits of chance at most: who has one token can try them out")
        };
        let advice = format!("head -c 48 /dev/urandom | base64 > {}", secret.path.display());
        checks.warn(name, seen, advice);
    } else {
        checks.ok(name, format!("{} bytes, as if by chance", secret.key.len()));
    }
}

/// How many bits of chance there are at most, by how often each byte comes (Shannon's entropy of the bytes).
fn chance(bytes: &[u8]) -> f64 {
    let mut counts = BTreeMap::<u8, f64>::new();
    for byte in bytes {
        *counts.entry(*byte).or_default() += 1.0;
    }
    let all: f64 = counts.values().sum();
    counts.values().map(|count| count * (all / count).log2()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chance_is_told_from_repetition() {
        assert!(chance(&[7; 64]) < 1.0);
        assert!(chance(b"0123456789012345678901234567890123456789") > BITS_MIN);
        assert!(chance(b"abababababababababababababababababababab") < 41.0);
        let all: Vec<u8> = (0..=255).collect();
        assert!((chance(&all) - 2_048.0).abs() < 0.01);
    }
}
