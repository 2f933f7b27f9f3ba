//! `tickwire serve`: a server.

use std::io::{self, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use gateway::{Levers, Reloader, Settings};
use serde_json::Value;

use crate::cli::ServeArgs;
use crate::config::{Config, TEMPLATE, adopt, shown};
use crate::exit::{Failure, Outcome};
use crate::logging::Lever;
#[cfg(feature = "otlp")]
use crate::otlp;
use crate::page;
use crate::plant::Plant;
use crate::service;

pub(crate) fn run(args: &ServeArgs, log: Lever) -> Outcome {
    let mut out = io::stdout().lock();
    if args.print_default_config {
        out.write_all(TEMPLATE.as_bytes())?;
        return Ok(());
    }
    let config = Config::load(args.config.as_deref(), &args.feeds).map_err(Failure::usage)?;
    config.check_use().map_err(Failure::usage)?;
    config.check_files(args.config.as_deref().unwrap_or(Path::new(""))).map_err(Failure::usage)?;
    if args.check_config {
        writeln!(out, "the configuration is good: {} feed(s)", config.feeds.len() + config.played.len())?;
        return Ok(());
    }
    drop(out);
    let secure = config.settings.tls.is_some();
    if !config.settings.admin_listen.ip().is_loopback() {
        tracing::warn!(
            "the admin port {} can be reached by others, in plain: put something before it that they cannot pass",
            config.settings.admin_listen
        );
    }
    let given = service::given().map_err(Failure::usage)?;
    let elsewhere = "set listen or admin_listen of [server] to another address";
    #[cfg(feature = "otlp")]
    let (traces, exporter) = config.traces.map(otlp::start).transpose()?.unzip();
    #[cfg(not(feature = "otlp"))]
    let traces = None;
    let settings = Settings { page: page::of(args.page.as_deref())?, traces, ..config.settings };
    let mut plant = Plant::open(settings, (config.feeds, config.played), given, config.handover, elsewhere)?;
    let in_force = Arc::new(Mutex::new(shown(args.config.as_deref()).map_err(Failure::usage)?));
    let shown_now = Arc::clone(&in_force);
    plant.set_levers(Levers { log, config: Arc::new(move || lock(&shown_now).clone()) });
    let (address, admin) = (plant.server().address()?, plant.server().admin_address()?);
    let scheme = if secure { "wss" } else { "ws" };
    tracing::info!("serving {scheme}://{address}/v1/stream, metrics at http://{admin}/metrics");
    let (reloader, args) = (plant.server().reloader(), args.clone());
    let served = plant.run(Some(Box::new(move || reload(&args, &reloader, &in_force))));
    #[cfg(feature = "otlp")]
    drop(exporter);
    Ok(served?)
}

/// Reads the configuration again; what is wrong with it changes nothing.
fn reload(args: &ServeArgs, reloader: &Reloader, in_force: &Mutex<Value>) -> bool {
    let read = Config::load(args.config.as_deref(), &args.feeds).map_err(anyhow::Error::from);
    let read = read.and_then(|config| {
        anyhow::ensure!(
            !config.settings.keys.current().is_empty() || config.settings.published.is_some(),
            "there is no key to check tokens with"
        );
        let whole = shown(args.config.as_deref())?;
        reloader.reload(&config.settings)?;
        let mut shown = lock(in_force);
        let has_tls = |shown: &Value| shown["server"].get("tls_cert_file").is_some();
        let is_secure = has_tls(&shown) && has_tls(&whole);
        Ok(adopt(&mut shown, &whole, &|key: &str| is_taken(key, is_secure)))
    });
    let is_good = read.is_ok();
    reloader.note(is_good);
    match read {
        Ok(waiting) => {
            tracing::info!(
                "SIGHUP: keys, revocations, certificate, limits and allowed origins are those of the configuration"
            );
            for key in waiting {
                tracing::warn!("{key}: takes a restart");
            }
        }
        Err(error) => tracing::error!("SIGHUP: everything stays as it was: {error:#}"),
    }
    is_good
}

/// What takes effect while the server runs.
fn is_taken(key: &str, is_secure: bool) -> bool {
    let (table, name) = key.split_once('.').unwrap_or(("", key));
    match table {
        // The line is as long as it was made.
        "limits" => name != "delayed_events",
        // The name of the cookie decides what pages of other origins may read.
        "auth" => name != "cookie",
        // A server that has a certificate takes another one.
        "server" if name.starts_with("tls_") => is_secure,
        "server" => matches!(name, "allowed_origins" | "allow_plain"),
        _ => false,
    }
}

fn lock(shown: &Mutex<Value>) -> MutexGuard<'_, Value> {
    shown.lock().unwrap_or_else(PoisonError::into_inner)
}
