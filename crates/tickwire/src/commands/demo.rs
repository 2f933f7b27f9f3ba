//! `tickwire demo`: a server on a simulated market, ready to try.

use std::io::{self, Write};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow};
use fanout::Consolidation;
use fanout::limits::LogLimits;
use gateway::{Algorithm, Delays, Given, Keys, Limits, Scope, Settings, Signer, Tls};
use ingest::feed::{FeedKind, FeedSpec, SimSpec};
use load::now;

use crate::cli::DemoArgs;
use crate::exit::{Failure, Outcome};
use crate::page;
use crate::plant::Plant;

const TOKEN_LIFETIME: Duration = Duration::from_secs(86_400);
/// What there is to replay, in a folder that goes away with the process.
const KEEP: store::Keep =
    store::Keep { age: Some(Duration::from_secs(3_600)), bytes: Some(512 << 20), readers_wait: None };

pub(crate) fn run(args: &DemoArgs) -> Outcome {
    let began = Instant::now();
    if args.tls && !args.listen.ip().is_loopback() {
        return Err(Failure::usage(anyhow!("a certificate made for a demonstration is for loopback only")));
    }
    if !args.listen.ip().is_loopback() {
        tracing::warn!("{} serves the market to others in plain: for a trial only", args.listen);
    }
    let (keys, token) = keys_and_token()?;
    let folder = tempfile::Builder::new().prefix("tickwire-demo-").tempdir().context("no place to record")?;
    let certificate = if args.tls { Some(Certificate::make()?) } else { None };
    let settings = Settings {
        traces: None,
        listen: args.listen,
        admin_listen: args.admin_listen,
        tls: certificate.as_ref().map(|made| made.tls.clone()),
        keys: keys.into(),
        published: None,
        cookie: None,
        allowed_origins: args.allowed_origins.clone().into(),
        compression: false,
        shards: 1,
        drain: Duration::ZERO,
        delays: Delays::default(),
        consolidation: Consolidation::default(),
        recording: Some(gateway::Recording {
            folder: folder.path().to_owned(),
            name: store::Name::parse("demo").map_err(anyhow::Error::from)?,
            keep: KEEP,
            records: true,
        }),
        page: page::of(args.page.as_deref())?,
        limits: Limits::default().into(),
        logs: LogLimits::default(),
    };
    let symbols = usize::try_from(args.symbols).unwrap_or(usize::MAX);
    let feed = FeedSpec {
        name: "sim".to_owned(),
        suffix: String::new(),
        stale_after: Duration::from_secs(5),
        kind: FeedKind::Sim(SimSpec { seed: args.seed, symbols, rate: args.rate }),
    };
    let plant = Plant::open(
        settings,
        (vec![feed], Vec::new()),
        Given::default(),
        None,
        "use --listen and --admin-listen for other ports",
    )?;
    let facts = Facts {
        address: plant.server().address()?.to_string(),
        admin: plant.server().admin_address()?.to_string(),
        token,
        ca: certificate.as_ref().map(|made| made.tls.cert_file.clone()),
        ready: began.elapsed(),
    };
    facts.print(&mut io::stdout().lock())?;
    plant.run(None)?;
    Ok(())
}

struct Facts {
    address: String,
    admin: String,
    token: String,
    ca: Option<PathBuf>,
    ready: Duration,
}

impl Facts {
    /// What there is and what to do with it. Standard output: it is what the command is for.
    fn print(&self, out: &mut impl Write) -> io::Result<()> {
        let Self { address, admin, token, ca, ready } = self;
        let (ws, http) = if ca.is_some() { ("wss", "https") } else { ("ws", "http") };
        let program = std::env::args().next().unwrap_or_else(|| "tickwire".into());
        let trust = ca.as_ref().map(|ca| format!(" --ca {}", ca.display())).unwrap_or_default();
        let url = format!("{ws}://{address}/v1/stream");
        let (ssl_import, ssl) = match ca {
            Some(ca) => ("ssl, ", format!(", ssl=ssl.create_default_context(cafile=\"{}\")", ca.display())),
            None => ("", String::new()),
        };
        writeln!(out, "tickwire {} on a simulated market: not for trading", env!("CARGO_PKG_VERSION"))?;
        if ca.is_some() {
            writeln!(out, "  certificate  made for this run, trusted by nobody else")?;
        }
        writeln!(out, "  page     {http}://{address}/")?;
        writeln!(out, "  stream   {url}")?;
        writeln!(out, "  metrics  http://{admin}/metrics")?;
        writeln!(out, "  token    {token} (valid for 24 hours)")?;
        writeln!(out, "watch it in another terminal:")?;
        writeln!(
            out,
            "  TICKWIRE_TOKEN={token} {program} watch --url {url}{trust} 'BTC-*' ETH-USD AAPL EUR-USD"
        )?;
        writeln!(out, "or from Python (pip install websockets):")?;
        writeln!(
            out,
            "  python3 -c 'import contextlib, {ssl_import}json; from websockets.sync.client import connect; \
             c = contextlib.ExitStack().enter_context(connect(\"{url}\", \
             additional_headers={{\"Authorization\": \"Bearer {token}\"}}{ssl})); \
             c.send(json.dumps({{\"op\": \"subscribe\", \"channels\": [\"trades\"], \"symbols\": [\"BTC-*\"]}})); \
             [print(m) for m in c]'"
        )?;
        writeln!(out, "ready after {} ms; Ctrl-C ends it", ready.as_millis())?;
        out.flush()
    }
}

fn keys_and_token() -> anyhow::Result<(Keys, String)> {
    let mut secret = [0; 32];
    aws_lc_rs::rand::fill(&mut secret).map_err(|_| anyhow!("no randomness to be had"))?;
    let mut keys = Keys::new("tickwire demo", "tickwire", None);
    keys.add(None, Algorithm::Hs256, &secret)?;
    let guests = ["stream:*", "replay"].map(Scope::parse).into_iter().collect::<Result<Vec<_>, _>>()?;
    keys.welcome_guests(&guests)?;
    let signer = Signer::new(None, Algorithm::Hs256, &secret)?;
    let token = signer.sign(
        &keys,
        "demo",
        &["stream:*", "replay", "admin"].map(str::to_owned),
        now(),
        TOKEN_LIFETIME,
    )?;
    Ok((keys, token))
}

/// A certificate of our own making, in files that go away with the process.
struct Certificate {
    tls: Tls,
    /// Readable by nobody else, removed when dropped.
    _folder: tempfile::TempDir,
}

impl Certificate {
    fn make() -> anyhow::Result<Self> {
        let names = ["localhost".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned()];
        let made = rcgen::generate_simple_self_signed(names).context("no certificate can be made")?;
        let folder = tempfile::Builder::new().prefix("tickwire-demo-").tempdir()?;
        let (cert_file, key_file) = (folder.path().join("cert.pem"), folder.path().join("key.pem"));
        std::fs::write(&cert_file, made.cert.pem())?;
        std::fs::write(&key_file, made.signing_key.serialize_pem())?;
        Ok(Self { tls: Tls { cert_file, key_file }, _folder: folder })
    }
}
