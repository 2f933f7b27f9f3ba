//! `tickwire token`: making and checking tokens.

use std::io::{self, Read, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, anyhow};
use gateway::{Algorithm, AuthError, Hash, Keys, Signer};
use load::now;

use crate::cli::{CheckArgs, FixedArgs, KeyArgs, MintArgs, TokenArgs, TokenCommand};
use crate::config::Config;
use crate::exit::{Failure, Outcome};
use crate::scopes;

pub(crate) fn run(args: TokenArgs) -> Outcome {
    match args.command {
        TokenCommand::Mint(args) => mint(&args),
        TokenCommand::Check(args) => check(&args),
        TokenCommand::Fixed(args) => fixed(&args),
    }
}

/// The token goes to standard output, once; what the server is to know of it, to standard error.
fn fixed(args: &FixedArgs) -> Outcome {
    check_scopes(&args.scopes)?;
    let token = gateway::fixed_token().context("no randomness to be had")?;
    let (hash, subject, scopes) = (Hash::of(&token), &args.sub, &args.scopes);
    writeln!(io::stdout().lock(), "{token}")?;
    let tenant = args.tenant.as_ref().map(|tenant| format!("\ntenant = {tenant:?}")).unwrap_or_default();
    writeln!(
        io::stderr().lock(),
        "put this into the configuration, and keep the token: it is shown this once\n\
         [[auth.tokens]]\nsha256 = \"{hash}\"\nsubject = {subject:?}{tenant}\nscopes = {scopes:?}"
    )?;
    Ok(())
}

fn check_scopes(given: &[String]) -> Outcome {
    for scope in given {
        scopes::parse(scope).map_err(|error| Failure::usage(anyhow!("--scope {error}")))?;
    }
    Ok(())
}

fn mint(args: &MintArgs) -> Outcome {
    check_scopes(&args.scopes)?;
    if args.ttl < Duration::from_secs(1) {
        return Err(Failure::usage(anyhow!("--ttl: a token is valid for a second at least")));
    }
    let (keys, signer) = match (&args.key.config, &args.key.key_file) {
        (Some(config), _) => from_config(config, args.key.kid.as_deref())?,
        (None, Some(file)) => {
            let algorithm = algorithm(&args.key)?;
            let key = read_key(file, algorithm)?;
            let signer = Signer::new(args.key.kid.as_deref(), algorithm, &key).map_err(Failure::usage)?;
            (Arc::new(Keys::new(&args.key.issuer, &args.key.audience, None)), signer)
        }
        (None, None) => {
            return Err(Failure::usage(anyhow!("a key is needed: --key-file FILE or --config FILE")));
        }
    };
    if let Some(max) = keys.lifetime_max().filter(|&max| args.ttl > max) {
        let max = humantime::format_duration(max);
        return Err(Failure::usage(anyhow!(
            "--ttl: the server refuses tokens that are valid for more than {max}"
        )));
    }
    let signer = signer.of_tenant(args.tenant.clone());
    let token = signer.sign(&keys, &args.sub, &args.scopes, now(), args.ttl).context("no token")?;
    writeln!(io::stdout().lock(), "{token}")?;
    Ok(())
}

fn from_config(path: &Path, kid: Option<&str>) -> Outcome<(Arc<Keys>, Signer)> {
    let config = Config::load(Some(path), &[]).map_err(Failure::usage)?;
    let secret = config.secrets.iter().find(|secret| kid.is_none() || secret.id.as_deref() == kid);
    let secret = secret.ok_or_else(|| {
        Failure::usage(anyhow!("{} has no HS256 secret to sign with; use --key-file", path.display()))
    })?;
    let signer = Signer::new(secret.id.as_deref(), secret.algorithm, &secret.key).map_err(Failure::usage)?;
    Ok((config.settings.keys.current(), signer))
}

fn check(args: &CheckArgs) -> Outcome {
    let keys = match (&args.key.config, &args.key.key_file) {
        (Some(config), _) => Config::load(Some(config), &[]).map_err(Failure::usage)?.settings.keys.current(),
        (None, Some(file)) => {
            let algorithm = algorithm(&args.key)?;
            let mut keys = Keys::new(&args.key.issuer, &args.key.audience, None);
            let key = read_key(file, algorithm)?;
            keys.add(args.key.kid.as_deref(), algorithm, &key).map_err(Failure::usage)?;
            Arc::new(keys)
        }
        (None, None) => {
            return Err(Failure::usage(anyhow!("a key is needed: --key-file FILE or --config FILE")));
        }
    };
    let mut token = args.token.clone();
    if token == "-" {
        token.clear();
        io::stdin().read_to_string(&mut token)?;
    }
    let grant = keys.check(token.trim(), now()).map_err(|error: AuthError| Failure::auth(error))?;
    let answer = serde_json::json!({
        "subject": grant.subject,
        "tenant": grant.tenant,
        "scopes": grant.scopes.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "expires_at": grant.expires_at.to_string(),
        "token_id": keys.token_id(token.trim()),
    });
    writeln!(io::stdout().lock(), "{answer}")?;
    Ok(())
}

fn algorithm(args: &KeyArgs) -> Outcome<Algorithm> {
    args.algorithm.parse().map_err(|error| Failure::usage(anyhow!("--algorithm {}: {error}", args.algorithm)))
}

fn read_key(path: &Path, algorithm: Algorithm) -> Outcome<Vec<u8>> {
    let bytes = std::fs::read(path).with_context(|| path.display().to_string()).map_err(Failure::usage)?;
    if algorithm == Algorithm::Hs256 && bytes.starts_with(b"-----BEGIN") {
        let path = path.display();
        return Err(Failure::usage(anyhow!(
            "{path} is a PEM file and no HS256 secret: --algorithm RS256, ES256 or EdDSA"
        )));
    }
    // A line break at the end of the file is the editor's, not the secret's.
    Ok(if algorithm == Algorithm::Hs256 { bytes.trim_ascii_end().to_vec() } else { bytes })
}
