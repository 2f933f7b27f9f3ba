//! The template, and every kind of slip.

use std::path::Path;
use std::time::Duration;

use ingest::feed::FeedKind;

use super::TEMPLATE;
use super::file::Config;
use super::parse::ConfigError;

fn load(text: &str) -> Result<Config, ConfigError> {
    Config::from_text(text, Path::new("/nowhere/tickwire.toml"))
}

/// What is wrong with a text, in one line.
fn wrong(text: &str) -> String {
    let error = load(text).unwrap_err().to_string();
    error.strip_prefix("/nowhere/tickwire.toml: ").unwrap_or(&error).replace('\n', " ⏎ ")
}

/// Whether a line gives a key its value: `name = value`.
fn is_key(line: &str) -> bool {
    line.split_once(" = ").is_some_and(|(key, _)| {
        key.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
    })
}

#[test]
fn the_template_says_the_defaults() {
    let (template, empty) = (load(TEMPLATE).unwrap(), load("").unwrap());
    assert_eq!(format!("{:?}", template.settings), format!("{:?}", empty.settings));
    // What stands behind a # in it is a configuration too, once it has its files.
    let whole: Vec<&str> = TEMPLATE
        .lines()
        .map(|line| {
            line.strip_prefix("# ").filter(|rest| is_key(rest) || rest.starts_with("[[")).unwrap_or(line)
        })
        .filter(|line| {
            !["secret_file", "tls_", "revoked_file", "jwks_file", "jwks_ca_file", "ca_file"]
                .iter()
                .any(|key| line.starts_with(key))
        })
        .collect();
    let slip = wrong(&whole.join("\n"));
    assert!(slip.contains("a key for HS256 has \"secret_file\""), "{slip}");
    let keyless: Vec<&str> = whole
        .into_iter()
        .filter(|line| {
            !["[[auth.keys]]", "id =", "algorithm =", "public_key_file"].iter().any(|k| line.starts_with(k))
        })
        .collect();
    let config = load(&keyless.join("\n")).unwrap();
    assert_eq!(config.feeds.len(), 3);
    let FeedKind::Replay(replay) = &config.feeds[1].kind else { panic!() };
    assert_eq!(replay.files, [Path::new("/nowhere/btcusdt.gz")]);
    let FeedKind::Live(live) = &config.feeds[2].kind else { panic!() };
    assert_eq!((live.raw.as_deref(), live.arbitration), (Some(Path::new("/nowhere/captures")), 1));
}

#[test]
fn a_live_feed_says_what_it_lacks() {
    for (keys, says) in [
        ("", "a live feed needs \"feed\": binance-spot,"),
        ("feed = \"okx\"", "a live feed needs \"symbols\", as the venue writes them"),
        ("feed = \"okx\"\nsymbols = 3", "a live feed needs \"symbols\", as the venue writes them"),
        ("feed = \"okx\"\nsymbols = []", "a live feed needs 1 to 2000 symbols"),
        ("feed = \"kraken\"\nsymbols = [\"XBT/USD\"]", "\"kraken\" cannot be had live; binance-spot,"),
        ("feed = \"kraken-v1\"\nsymbols = [\"XBT/USD\"]", "Did you mean \"kraken-v2\"?"),
        ("feed = \"bybit\"\nsymbols = [\"BTCUSDT\"]", "needs a market: spot, linear or inverse"),
        ("feed = \"okx\"\nmarket = \"spot\"\nsymbols = [\"BTC-USDT\"]", "it has only one, take the key away"),
        ("feed = \"okx\"\nsymbols = [\"BTC-USDT\", \"BTC-USDT\"]", "\"BTC-USDT\" is there twice"),
        ("feed = \"okx\"\nsymbols = [\"btc-usdt\"]", "this venue writes its symbols in capitals"),
        ("feed = \"okx\"\nsymbols = [\"BTC USDT\"]", "bad symbol \"BTC USDT\""),
        ("feed = \"okx\"\nsymbols = [\"A-B\"]\ndepth = 50", "\"okx\" has no book of 50 levels; it has 400"),
        ("feed = \"okx\"\nsymbols = [\"A-B\"]\narbitration = 3", "arbitration = 3: 1 connection, or 2"),
        (
            "feed = \"okx\"\nsymbols = [\"A-B\"]\nws_url = \"host\"",
            "\"host\" is no address like wss://host:port",
        ),
        ("feed = \"okx\"\nsymbols = [\"A-B\"]\nrest_url = \"http://a\"", "asks nothing over REST"),
        ("feed = \"okx\"\nsymbols = [\"A-B\"]\nchannels = [\"trade\"]", "Did you mean \"trades\"?"),
        ("feed = \"okx\"\nsymbols = [\"A-B\"]\nchannels = []", "needs a channel"),
        ("feed = \"okx\"\nsymbols = [\"A-B\"]\nchanels = []", "did you mean \"channels\"?"),
        ("feed = \"okx\"\nsymbols = [\"A-B\"]\nspeed = \"1x\"", "\"speed\" is not a key of a live feed"),
    ] {
        let text = format!("[[feed]]\nname = \"a\"\nkind = \"live\"\n{keys}");
        assert!(wrong(&text).contains(says), "{text}: {}", wrong(&text));
    }
    let text = "[[feed]]\nname = \"a\"\nkind = \"sim\"\nws_url = \"ws://a\"";
    assert!(wrong(text).contains("\"ws_url\" is not a key of a sim feed"), "{}", wrong(text));
}

#[test]
fn a_slip_is_named_with_its_line() {
    assert_eq!(
        wrong("[server]\nlisten = \"127.0.0.1:1\"\nadmin_lisen = \"127.0.0.1:2\"\n"),
        "TOML parse error at line 3, column 1 ⏎   | ⏎ 3 | admin_lisen = \"127.0.0.1:2\" ⏎   | ^^^^^^^^^^^ ⏎ \
         unknown field `admin_lisen`, expected one of `listen`, `admin_listen`, `tls_cert_file`, `tls_key_file`, \
         `allow_plain`, `allowed_origins`, `compression`, `shards`, `drain`, `handover` ⏎ help: did you mean \"admin_listen\"?"
    );
    for (text, says) in [
        ("[limits]\nheartbeat = \"5 parsecs\"", "line 2, column 13"),
        ("[limits]\nheartbeat = \"5 parsecs\"", "\"5 parsecs\" is no duration"),
        ("[limits]\nmessage_bytes = \"big\"", "\"big\" is no size"),
        ("[server]\nlisten = \"8080\"", "line 2, column 10"),
        ("[[auth.keys]]\nalgorithm = \"none\"", "unknown algorithm; HS256, RS256, ES256 and EdDSA are known"),
        (
            "[[feed]]\nname = \"a\"\nkind = \"replay\"\nfeed = \"binance\"\nfiles = [\"x\"]",
            "unknown feed \"binance\"",
        ),
        (
            "[[feed]]\nname = \"a\"\nkind = \"replay\"\nfeed = \"krakn\"\nfiles = [\"x\"]",
            "Did you mean \"kraken\"?",
        ),
        ("[[feed]]\nname = \"a\"\nkind = \"replay\"\nspeed = \"fast\"", "a speed is a factor"),
        ("[[feed]]\nname = \"a b\"\nkind = \"sim\"", "is no name for a feed"),
        ("[[feed]]\nname = \"a\"\nkind = \"sim\"\nsymbol_suffix = \"*\"", "cannot stand in a symbol"),
        ("[streams]\ndelay = [\"15m\"]", "did you mean \"delays\"?"),
        ("[streams]\ndelays = [15]", "line 2, column 11"),
        ("[recording]\nfolder = \"r\"\nkeep = \"59s\"", "keep must be at least 1m"),
        ("[recording]\nfolder = \"r\"\nkeep_bytes = \"1000KiB\"", "keep_bytes must be at least 1MiB"),
        ("[recording]\nkeep = \"7d\"", "keep goes with folder"),
        ("[recording]\nkeep_bytes = \"1GiB\"", "keep_bytes goes with folder"),
        ("[recording]\nrecord = false", "record = false goes with folder"),
        ("[recording]\nfolder = \"\"", "folder = \"\" is none"),
        (
            "[recording]\nfolder = \"r\"\nrecord = false\nkeep = \"7d\"",
            "keep does not go with record = false",
        ),
        ("[recording]\nfolder = \"r\"\nkeep = \"7\"", "write it as \"250ms\", \"30s\", \"24h\" or \"7d\""),
        ("[recording]\nkeep_byte = \"1GiB\"", "did you mean \"keep_bytes\"?"),
        ("[server]\nhandover = \"h\"\n[streams]\ndelays = [\"15m\"]", "does not go with [streams] delays"),
        (
            "[[auth.tokens]]\nsha256 = \"00\"\nsubject = \"a\"\ntenant = \"\"\nscopes = []",
            "a hash is 64 hexadecimal digits",
        ),
        ("[[auth.tokens]]\nsubject = \"a\"\ntenant = \"\"\nscopes = []", "is no name for a tenant"),
        ("[traces]\nsample = \"0.1\"", "sample goes with endpoint"),
        ("[traces]\nendpoint = \"collector:4318\"", "\"collector:4318\" is no URL with http or https"),
        ("[traces]\nendpoint = \"http://c:1\"\nsample = \"2\"", "a share is a number from 0 to 1"),
        ("[traces]\nendpoint = \"http://c:1\"\nservice = \"\"", "service = \"\" is no name"),
        ("[traces]\nendpont = \"http://c:1\"", "did you mean \"endpoint\"?"),
        ("feeds = [", "line 1"),
    ] {
        assert!(wrong(text).contains(says), "{text}: {}", wrong(text));
    }
}

#[test]
fn who_is_revoked_stands_in_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("tickwire.toml");
    let load = || Config::from_text("[auth]\nrevoked_file = \"revoked.txt\"", &config);
    assert!(load().unwrap_err().to_string().contains("revoked.txt"));
    std::fs::write(folder.path().join("revoked.txt"), "# left\n\nsub:bob\n jti:12 \n").unwrap();
    assert!(format!("{:?}", load().unwrap().settings.keys).contains("Subject(\"bob\")"));
    std::fs::write(folder.path().join("revoked.txt"), "sub:bob\nalice\n").unwrap();
    let slip = load().unwrap_err().to_string();
    assert!(slip.contains("line 2: \"alice\": a revocation is sub:NAME or jti:ID"), "{slip}");
}

#[test]
fn a_drain_takes_as_long_as_it_is_told() {
    assert_eq!(load("").unwrap().settings.drain, Duration::from_secs(10));
    assert_eq!(load("[server]\ndrain = \"0s\"").unwrap().settings.drain, Duration::ZERO);
}

#[test]
fn compression_is_asked_for() {
    assert!(!load("").unwrap().settings.compression);
    assert!(load("[server]\ncompression = true").unwrap().settings.compression);
    assert!(wrong("[server]\ncompression = \"on\"").contains("line 2, column 15"));
}

#[test]
fn values_that_do_not_go_together() {
    for (text, says) in [
        ("[server]\ntls_cert_file = \"x\"", "[server] tls_cert_file and tls_key_file go together"),
        (
            "[server]\nlisten = \"0.0.0.0:80\"",
            "[server] listen = \"0.0.0.0:80\" can be reached by others, and there is no certificate: set tls_cert_file \
             and tls_key_file, or say allow_plain = true",
        ),
        (
            "[server]\nallowed_origins = [\"https://desk.example/\"]",
            "[server] allowed_origins: \"https://desk.example/\" is no origin: it has a scheme, a host and a port, and \
             nothing else, as in \"https://desk.example:8443\"",
        ),
        ("[limits]\nsymbols = 0", "[limits] symbols = 0: at least 1"),
        ("[limits]\ntenant_connections = 0", "[limits] tenant_connections = 0: at least 1"),
        (
            "[limits]\ntenant_bytes_per_second = \"500\"",
            "[limits] tenant_bytes_per_second must be at least 1KiB",
        ),
        ("[limits]\nmessage_bytes = \"1GiB\"", "[limits] message_bytes must be from 1KiB to 16MiB"),
        ("[limits]\nping = \"1ms\"", "[limits] ping must be at least 100ms"),
        ("[limits]\ndelayed_events = 0", "[limits] delayed_events = 0: at least 1"),
        (
            "[streams]\ndelays = [\"15m\", \"25h\"]",
            "[streams] delays: a delay is a whole number of milliseconds, from 1ms to 24h",
        ),
        ("[logs]\nevents = 10", "[logs] events must be from 512 to 1048576"),
        ("[logs]\nbytes = \"1KiB\"", "[logs] bytes must be at least 64KiB"),
        (
            "[[feed]]\nname = \"a\"\nkind = \"sim\"\nspeed = \"1x\"",
            "feed \"a\": \"speed\" is not a key of a sim feed",
        ),
        (
            "[[feed]]\nname = \"a\"\nkind = \"replay\"\nrate = 1",
            "feed \"a\": \"rate\" is not a key of a replay feed",
        ),
        (
            "[[feed]]\nname = \"a\"\nkind = \"sim\"\nrate = 0",
            "rate = 0: a simulation makes 1 to 200000 events a second",
        ),
        ("[[feed]]\nname = \"a\"\nkind = \"replay\"\nfeed = \"okx\"", "a replay needs \"files\""),
        (
            "[[feed]]\nname = \"a\"\nkind = \"sim\"\n[[feed]]\nname = \"a\"\nkind = \"sim\"",
            "two feeds have the name \"a\"",
        ),
    ] {
        assert_eq!(wrong(text), says, "{text}");
    }
    assert!(load("[server]\nlisten = \"0.0.0.0:80\"\nallow_plain = true").is_ok());
    let missing = load("[[auth.keys]]\nalgorithm = \"HS256\"\nsecret_file = \"s\"").unwrap_err().to_string();
    assert_eq!(missing, "/nowhere/s: No such file or directory (os error 2)");
}

/// What a slip names is not taken for a socket of ours: it would be put away.
#[test]
fn a_handover_names_a_socket_or_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("tickwire.toml");
    std::fs::write(folder.path().join("secret.key"), "precious").unwrap();
    let check = |name: &str| {
        let text = format!("[server]\nhandover = \"{name}\"");
        Config::from_text(&text, &config).unwrap().check_files(&config).map_err(|error| error.to_string())
    };
    assert!(check("secret.key").unwrap_err().ends_with("secret.key\": exists and is no socket"));
    assert!(check("none/h.sock").unwrap_err().ends_with("is in a folder that is not there"));
    assert_eq!(check("h.sock"), Ok(()));
    let _socket = std::os::unix::net::UnixListener::bind(folder.path().join("h.sock")).unwrap();
    assert_eq!(check("h.sock"), Ok(()));
}

/// Whoever asks for what the program cannot do is told so, and what to do.
#[test]
fn traces_take_a_program_that_can_tell_them() {
    let keys = "[[auth.tokens]]\nsha256 = \"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\"\nsubject = \"a\"\nscopes = [\"stream:*\"]\n";
    let feed = "[[feed]]\nname = \"a\"\nkind = \"sim\"\n";
    let config = load(&format!("[traces]\nendpoint = \"http://127.0.0.1:4318\"\n{keys}{feed}")).unwrap();
    let traces = config.traces.as_ref().unwrap();
    assert_eq!(traces.place.to_string(), "http://127.0.0.1:4318/v1/traces");
    let told = config.check_use().map_err(|error| error.to_string());
    if cfg!(feature = "otlp") {
        assert_eq!(told, Ok(()));
    } else {
        assert!(told.unwrap_err().contains("build it with --features otlp"));
    }
    let elsewhere =
        load("[traces]\nendpoint = \"https://c:1/otlp?tenant=a\"\nsample = \"1\"").unwrap().traces.unwrap();
    assert_eq!((elsewhere.place.url().path(), elsewhere.share), ("/otlp", u64::MAX));
}
