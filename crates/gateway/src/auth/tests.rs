//! Good tokens, and every way of forging one that has a name.

use std::sync::Arc;
use std::time::Duration;

use fanout::Depth;
use model::{Channel, Symbol, UnixNanos};
use serde_json::{Value, json};

use super::*;
use crate::delay::Delays;
use crate::limits::SCOPES_KEPT;

const SECRET: &[u8] = b"a secret of at least thirty-two bytes";
const NOW: UnixNanos = UnixNanos(1_795_000_000_000_000_000);
const SECONDS: u64 = 1_795_000_000;

fn keys() -> Keys {
    let mut keys = Keys::new("tests", "tickwire", Some(Duration::from_secs(86_400)));
    keys.add(Some("main"), Algorithm::Hs256, SECRET).unwrap();
    keys
}

fn claims() -> Value {
    json!({"sub": "alice", "iss": "tests", "aud": "tickwire", "exp": SECONDS + 60, "scopes": ["stream:BTC-*"]})
}

fn sign(header: Value, claims: &Value, secret: &[u8]) -> String {
    use jsonwebtoken::{EncodingKey, Header};
    let header: Header = serde_json::from_value(header).unwrap();
    jsonwebtoken::encode(&header, claims, &EncodingKey::from_secret(secret)).unwrap()
}

fn base64(value: &Value) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let bytes = value.to_string().into_bytes();
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let bits =
            chunk.iter().fold(0_u32, |bits, &byte| bits << 8 | u32::from(byte)) << (8 * (3 - chunk.len()));
        for place in 0..=chunk.len() {
            text.push(char::from(ALPHABET[(bits >> (18 - 6 * place) & 63) as usize]));
        }
    }
    text
}

fn check(token: &str) -> Result<Grant, AuthError> {
    keys().check(token, NOW)
}

fn with(change: impl FnOnce(&mut Value)) -> Result<Grant, AuthError> {
    let mut claims = claims();
    change(&mut claims);
    check(&sign(json!({"alg": "HS256", "typ": "JWT"}), &claims, SECRET))
}

#[test]
fn a_good_token() {
    let grant = with(|_| ()).unwrap();
    assert_eq!(grant.subject, "alice");
    assert_eq!(grant.expires_at, UnixNanos(NOW.0 + 60_000_000_000));
    let allows = |symbol: &str| grant.allows(&Symbol::parse(symbol).unwrap(), Channel::Book);
    assert!(allows("BTC-USD") && !allows("ETH-USD"));
    assert!(check(&sign(json!({"alg": "HS256", "kid": "main"}), &claims(), SECRET)).is_ok());
    assert!(with(|c| c["aud"] = json!(["other", "tickwire"])).is_ok());
    // Clocks may differ a little.
    assert!(with(|c| c["exp"] = json!(SECONDS - 4)).is_ok());
    assert!(with(|c| c["nbf"] = json!(SECONDS + 4)).is_ok());
}

#[test]
fn claims_that_do_not_hold() {
    assert_eq!(
        with(|c| c["exp"] = json!(SECONDS - 5)),
        Err(AuthError::Expired(UnixNanos(NOW.0 - 5_000_000_000)))
    );
    assert_eq!(
        with(|c| c["nbf"] = json!(SECONDS + 6)),
        Err(AuthError::NotYet(UnixNanos(NOW.0 + 6_000_000_000)))
    );
    assert_eq!(with(|c| c["exp"] = json!(SECONDS + 90_000)), Err(AuthError::LongLived));
    assert_eq!(with(|c| c["exp"] = json!(u64::MAX)), Err(AuthError::LongLived));
    assert_eq!(with(|c| c["iss"] = json!("evil")), Err(AuthError::Issuer));
    assert_eq!(with(|c| c["aud"] = json!("evil")), Err(AuthError::Audience));
    assert_eq!(with(|c| c["scopes"] = json!(["stream:"])), Err(AuthError::Claim("scopes")));
    for name in ["sub", "iss", "aud", "exp", "scopes"] {
        let refused = with(|c| drop(c.as_object_mut().unwrap().remove(name)));
        assert!(refused.is_err(), "{name}");
    }
    // A claim of the wrong kind must never count as absent.
    for exp in [json!("1795000060"), json!(1.5), json!(-1), json!(null), json!([SECONDS + 60]), json!(true)] {
        assert!(with(|c| c["exp"] = exp.clone()).is_err(), "{exp}");
    }
    for nbf in [json!("x"), json!(-1), json!({})] {
        assert!(with(|c| c["nbf"] = nbf.clone()).is_err(), "{nbf}");
    }
    for scopes in [json!("stream:*"), json!([1]), json!({})] {
        assert!(with(|c| c["scopes"] = scopes.clone()).is_err(), "{scopes}");
    }
}

#[test]
fn forgeries() {
    let good = sign(json!({"alg": "HS256"}), &claims(), SECRET);
    let (head, body, signature) = {
        let mut parts = good.split('.');
        (parts.next().unwrap(), parts.next().unwrap(), parts.next().unwrap())
    };
    let none = base64(&json!({"alg": "none", "typ": "JWT"}));
    let other = base64(
        &json!({"sub": "eve", "iss": "tests", "aud": "tickwire", "exp": SECONDS + 60, "scopes": ["stream:*"]}),
    );
    for (token, error) in [
        (format!("{none}.{body}."), AuthError::Algorithm),
        (format!("{none}.{body}.{signature}"), AuthError::Algorithm),
        (format!("{}.{body}.", base64(&json!({"alg": "None"}))), AuthError::Algorithm),
        (format!("{}.{body}.{signature}", base64(&json!({"alg": "RS256"}))), AuthError::Algorithm),
        (format!("{}.{body}.{signature}", base64(&json!({"alg": "HS512"}))), AuthError::Algorithm),
        (format!("{head}.{other}.{signature}"), AuthError::Signature),
        (format!("{head}.{body}.{}", "A".repeat(43)), AuthError::Signature),
        (format!("{head}.{body}."), AuthError::Signature),
        (format!("{head}.{body}"), AuthError::Malformed),
        (String::new(), AuthError::Malformed),
        ("....".into(), AuthError::Malformed),
        ("ключ".into(), AuthError::Malformed),
        ("x".repeat(crate::limits::TOKEN_BYTES_MAX + 1), AuthError::TooLong),
        (
            sign(json!({"alg": "HS256"}), &claims(), b"another secret, also of enough bytes"),
            AuthError::Signature,
        ),
        (sign(json!({"alg": "HS256", "kid": "other"}), &claims(), SECRET), AuthError::UnknownKey),
        (sign(json!({"alg": "HS256", "kid": "../main"}), &claims(), SECRET), AuthError::UnknownKey),
        (sign(json!({"alg": "HS256", "kid": "k".repeat(4_000)}), &claims(), SECRET), AuthError::UnknownKey),
    ] {
        assert_eq!(check(&token), Err(error), "{token}");
    }
}

/// The classic confusion: the public key, which everybody has, used as an HMAC secret.
#[test]
fn a_public_key_is_no_secret() {
    let pair = rcgen::KeyPair::generate_for(&rcgen::PKCS_ED25519).unwrap();
    let public = pair.public_key_pem();
    let mut keys = Keys::new("tests", "tickwire", None);
    keys.add(Some("ed"), Algorithm::EdDsa, public.as_bytes()).unwrap();

    let signer = Signer::new(Some("ed"), Algorithm::EdDsa, pair.serialize_pem().as_bytes()).unwrap();
    let token = signer.sign(&keys, "bob", &["stream:*/trades".into()], NOW, Duration::from_secs(9)).unwrap();
    let grant = keys.check(&token, NOW).unwrap();
    let symbol = Symbol::parse("A").unwrap();
    assert!(grant.allows(&symbol, Channel::Trades) && !grant.allows(&symbol, Channel::Book));

    for kid in [json!({"alg": "HS256", "kid": "ed"}), json!({"alg": "HS256"})] {
        let forged = sign(kid, &claims(), public.as_bytes());
        assert_eq!(keys.check(&forged, NOW), Err(AuthError::Algorithm));
    }
}

#[test]
fn keys_that_are_none() {
    let mut keys = keys();
    assert_eq!(keys.add(None, Algorithm::Hs256, b"short"), Err(KeyError::Short));
    assert_eq!(keys.add(Some("main"), Algorithm::Hs256, SECRET), Err(KeyError::Twice));
    assert_eq!(keys.add(None, Algorithm::Rs256, SECRET), Err(KeyError::Format(Algorithm::Rs256)));
    assert_eq!(keys.add(None, Algorithm::EdDsa, SECRET), Err(KeyError::Format(Algorithm::EdDsa)));
    assert_eq!("none".parse::<Algorithm>(), Err(KeyError::Algorithm));
    assert!(!format!("{keys:?}").contains("secret"));
}

#[test]
fn scopes() {
    for text in ["stream:*", "stream:BTC-*/book", "replay", "stream:BTC/USD"] {
        assert_eq!(Scope::parse(text).unwrap().to_string(), text);
    }
    let grant =
        |scope: &str| Grant { scopes: [Scope::parse(scope).unwrap()].into(), ..Grant::for_tests("alice") };
    let symbol = Symbol::parse("BTC/USD").unwrap();
    assert!(grant("stream:BTC/USD").allows(&symbol, Channel::Trades));
    assert!(grant("stream:BTC/USD/trades").allows(&symbol, Channel::Trades));
    assert!(!grant("stream:BTC/USD/trades").allows(&symbol, Channel::Book));
    assert!(!grant("admin").allows(&symbol, Channel::Trades));
}

#[test]
fn those_with_the_same_scopes_share_them() {
    let keys = keys();
    let grant = |n: usize| {
        let mut claims = claims();
        claims["scopes"] = json!([format!("stream:S{n}")]);
        keys.check(&sign(json!({"alg": "HS256"}), &claims, SECRET), NOW).unwrap()
    };
    let first = grant(0);
    assert!(Arc::ptr_eq(&first.scopes, &grant(0).scopes));
    for n in 1..=SCOPES_KEPT {
        assert_eq!(grant(n).scopes[0].to_string(), format!("stream:S{n}"));
    }
    assert!(!Arc::ptr_eq(&first.scopes, &grant(0).scopes), "only so many are kept in mind");
}

#[test]
fn fixed_tokens() {
    let token = fixed_token().unwrap();
    let fixed = |token: &str, expires_at| Fixed {
        hash: Hash::of(token),
        subject: "recorder".to_owned(),
        tenant: None,
        scopes: vec![Scope::parse("stream:BTC-*").unwrap()],
        expires_at,
    };
    let mut keys = keys();
    keys.add_fixed(fixed("tw_of somebody else", None));
    keys.add_fixed(fixed(&token, None));
    let grant = keys.check(&token, NOW).unwrap();
    assert_eq!((grant.subject.as_str(), grant.key), ("recorder", 2));
    assert!(grant.allows(&Symbol::parse("BTC-USD").unwrap(), Channel::Trades));
    assert!(!grant.allows(&Symbol::parse("ETH-USD").unwrap(), Channel::Trades));
    assert_eq!(grant.expires_at.to_string(), "2554-07-21T23:34:33.000000000Z");
    for wrong in ["tw_", &token[..34], &format!("{token}0"), &token.to_uppercase()] {
        let expected = if wrong.starts_with("TW") { AuthError::Malformed } else { AuthError::UnknownKey };
        assert_eq!(keys.check(wrong, NOW), Err(expected), "{wrong}");
    }
    // One may end, and its subject may be revoked, as of any token.
    let mut keys = self::keys();
    keys.add_fixed(fixed(&token, Some(UnixNanos(NOW.0 + 1))));
    assert!(keys.check(&token, NOW).is_ok());
    assert_eq!(keys.check(&token, UnixNanos(NOW.0 + 1)), Err(AuthError::Expired(UnixNanos(NOW.0 + 1))));
    keys.revoke(Revocation::Subject("recorder".into()));
    assert_eq!(keys.check(&token, NOW), Err(AuthError::Revoked));
}

/// A key of a kind, as a private PEM file and as a member of a published set.
fn published(kind: &'static rcgen::SignatureAlgorithm, id: &str) -> (String, Value) {
    use base64::Engine;
    use rcgen::PublicKeyData;
    let pair = rcgen::KeyPair::generate_for(kind).unwrap();
    let text = |bytes: &[u8]| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes);
    let raw = pair.der_bytes();
    let jwk = match raw.len() {
        32 => json!({"kty": "OKP", "crv": "Ed25519", "kid": id, "use": "sig", "x": text(raw)}),
        // 0x04, and both coordinates (SEC 1, 2.3.3).
        65 => {
            json!({"kty": "EC", "crv": "P-256", "kid": id, "alg": "ES256", "x": text(&raw[1..33]), "y": text(&raw[33..])})
        }
        other => panic!("a key of {other} bytes"),
    };
    (pair.serialize_pem(), jwk)
}

#[test]
fn published_keys() {
    let (elliptic, elliptic_key) = published(&rcgen::PKCS_ECDSA_P256_SHA256, "e");
    let (edwards, edwards_key) = published(&rcgen::PKCS_ED25519, "d");
    let mut of_rsa = json!({"kty": "RSA", "kid": "r", "use": "enc", "e": "AQAB", "n": "AQAB"});
    let secret =
        json!({"kty": "oct", "kid": "o", "alg": "HS256", "k": "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr8"});
    let set = json!({"keys": [elliptic_key, edwards_key, of_rsa, secret]}).to_string();
    let mut keys = keys();
    assert_eq!(keys.add_jwks(&set).unwrap(), 2, "nothing that enciphers, and no secret");
    let signed = |id: Option<&str>, algorithm, pem: &str| {
        let signer = Signer::new(id, algorithm, pem.as_bytes()).unwrap();
        let scopes = ["stream:*".to_owned()];
        signer.sign(&self::keys(), "alice", &scopes, NOW, Duration::from_secs(60)).unwrap()
    };
    for (id, algorithm, pem) in [("e", Algorithm::Es256, &elliptic), ("d", Algorithm::EdDsa, &edwards)] {
        assert_eq!(keys.check(&signed(Some(id), algorithm, pem), NOW).unwrap().subject, "alice");
        assert_eq!(keys.check(&signed(None, algorithm, pem), NOW).unwrap().subject, "alice");
        assert_eq!(keys.check(&signed(Some("x"), algorithm, pem), NOW), Err(AuthError::UnknownKey));
    }
    assert_eq!(keys.check(&signed(Some("d"), Algorithm::Es256, &elliptic), NOW), Err(AuthError::Algorithm));
    // A secret that everybody can read signs nothing.
    let published_secret =
        b"\x03#5K+\x0f\xa5\xbc\x83~\x06ew{\xa6\x8fZ\xb3(\xe6\xf0T\xc9(\xa9\x0f\x84\xb2\xd2P.\xbf";
    let forged = sign(json!({"alg": "HS256", "kid": "o"}), &claims(), published_secret);
    assert_eq!(keys.check(&forged, NOW), Err(AuthError::UnknownKey));

    let add = |set: Value| self::keys().add_jwks(&set.to_string()).unwrap_err().to_string();
    assert!(add(json!({"kets": []})).starts_with("not a JSON Web Key Set: missing field `keys`"));
    assert_eq!(add(json!({"keys": []})), "it has no key for RS256, ES256 or EdDSA signatures");
    of_rsa["use"] = json!("sig");
    assert_eq!(add(json!({"keys": vec![of_rsa; 101]})), "more than 100 keys");
    let mut nameless = edwards_key.clone();
    nameless.as_object_mut().unwrap().remove("kid");
    assert_eq!(add(json!({"keys": [nameless]})), "key \"\": it has no kid");
    assert_eq!(
        add(json!({"keys": [edwards_key.clone(), edwards_key]})),
        "key \"d\": two keys have the same id"
    );
}

#[test]
fn scopes_with_bounds() {
    let book = |scopes: &[&str], wanted| {
        let scopes = scopes.iter().map(|scope| Scope::parse(scope).unwrap());
        let grant = with(|_| ()).unwrap();
        let grant = Grant { scopes: scopes.collect(), ..grant };
        grant.narrow(&Symbol::parse("BTC-USD").unwrap(), Channel::Book, wanted, &Delays::default())
    };
    let bounds =
        |depth, millis| Bounds { depth, conflate: Duration::from_millis(millis), ..Bounds::default() };
    let wanted = bounds(Depth::Top(20), 0);
    assert_eq!(book(&["stream:*"], wanted), Some(wanted));
    assert_eq!(book(&["stream:*?depth=10"], wanted), Some(bounds(Depth::Top(10), 0)));
    assert_eq!(book(&["stream:*?depth=50"], wanted), Some(wanted));
    assert_eq!(book(&["stream:*?depth=5"], bounds(Depth::All, 9)), Some(bounds(Depth::Top(5), 9)));
    assert_eq!(book(&["stream:*/book?conflate_ms=250"], wanted), Some(bounds(Depth::Top(20), 250)));
    assert_eq!(
        book(&["stream:*/book?conflate_ms=250&depth=1"], bounds(Depth::All, 500)),
        Some(bounds(Depth::Top(1), 500))
    );
    assert_eq!(book(&["stream:*/trades", "stream:ETH-*"], wanted), None);
    // Each is an offer of its own: depth of one and speed of the other is none.
    let offers = ["stream:*?depth=5", "stream:BTC-*?conflate_ms=1000"];
    assert_eq!(book(&offers, wanted), Some(bounds(Depth::Top(20), 1_000)));
    assert_eq!(book(&offers, bounds(Depth::Top(5), 0)), Some(bounds(Depth::Top(5), 0)));
    for text in [
        "stream:*?depth=10",
        "stream:A/book?conflate_ms=250",
        "stream:A?depth=1&conflate_ms=3600000",
        "stream:A/trades?delay_ms=900000",
        "stream:A?depth=1&delay_ms=86400000",
        "stream:A?depth=5&conflate_ms=9&delay_ms=1",
    ] {
        assert_eq!(Scope::parse(text).unwrap().to_string(), text);
    }
    // What is no bound must not be taken for none.
    for broken in [
        "depth=0",
        "depth=7",
        "depth=",
        "depth",
        "",
        "conflate_ms=0",
        "conflate_ms=3600001",
        "delay=15m",
        "delay_ms=0",
        "delay_ms=86400001",
        "delay_ms=5&delay_ms=6",
        "depth=5&depth=10",
        "depth=5&",
    ] {
        assert!(matches!(Scope::parse(&format!("stream:*?{broken}")), Err(ScopeError::Bound(_))), "{broken}");
        let refused = with(|claims| claims["scopes"] = json!([format!("stream:*?{broken}")]));
        assert_eq!(refused, Err(AuthError::Claim("scopes")), "{broken}");
    }
}

/// Sooner beats deeper, and deeper beats faster.
#[test]
fn scopes_with_delays() {
    let delays = Delays::new([60, 900].map(Duration::from_secs).to_vec()).unwrap();
    let had = |scopes: &[&str], symbol: &str| {
        let parsed = scopes.iter().map(|scope| Scope::parse(scope).unwrap());
        let grant = Grant { scopes: parsed.collect(), ..with(|_| ()).unwrap() };
        let symbol = Symbol::parse(symbol).unwrap();
        let had = grant.narrow(&symbol, Channel::Book, Bounds::default(), &delays);
        let twin = grant.twin(&symbol, Channel::Book, &delays);
        assert_eq!(twin.map(|twin| delays.of(twin)), had.map(|had| had.delay), "{scopes:?}");
        had.map(|had| (had.depth, had.delay.as_secs()))
    };
    let mixed = ["stream:BTC-*?depth=5", "stream:*?delay_ms=900000"];
    assert_eq!(had(&mixed, "BTC-USD"), Some((Depth::Top(5), 0)), "without a delay, be it shallower");
    assert_eq!(had(&mixed, "ETH-USD"), Some((Depth::All, 900)));
    assert_eq!(
        had(&["stream:*?delay_ms=900000", "stream:*?depth=1&delay_ms=60000"], "A"),
        Some((Depth::Top(1), 60))
    );
    // What the server does not have is served later, never sooner; the deeper of two that come to the same.
    assert_eq!(had(&["stream:*?delay_ms=1"], "A"), Some((Depth::All, 60)));
    assert_eq!(
        had(&["stream:*?delay_ms=60001&depth=5", "stream:*?delay_ms=90000"], "A"),
        Some((Depth::All, 900))
    );
    assert_eq!(had(&["stream:*?delay_ms=900001"], "A"), None);
    assert_eq!(
        had(&["stream:*?delay_ms=900001", "stream:*?delay_ms=900000&depth=1"], "A"),
        Some((Depth::Top(1), 900))
    );
}
