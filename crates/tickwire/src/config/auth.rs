//! `[auth]`: whose tokens are good.

use std::path::{Path, PathBuf};
use std::time::Duration;

use gateway::{Fixed, Keys, Published, Scope};
use serde::Deserialize;

use super::parse::ConfigError;
use super::place;
use super::values::{AlgorithmName, HashText, Moment, ScopeText, TenantName, Time};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct AuthTable {
    issuer: String,
    audience: String,
    lifetime_max: Time,
    revoked_file: Option<PathBuf>,
    /// The cookie that may bring a token.
    pub(super) cookie: Option<String>,
    /// Keys in a file that somebody else publishes.
    pub(super) jwks_file: Option<PathBuf>,
    jwks_url: Option<String>,
    jwks_ca_file: Option<PathBuf>,
    jwks_refresh: Time,
    guests: Vec<ScopeText>,
    tokens: Vec<FixedTable>,
    keys: Vec<KeyTable>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyTable {
    id: Option<String>,
    algorithm: AlgorithmName,
    secret_file: Option<PathBuf>,
    public_key_file: Option<PathBuf>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FixedTable {
    sha256: HashText,
    subject: String,
    tenant: Option<TenantName>,
    scopes: Vec<ScopeText>,
    expires: Option<Moment>,
}

impl Default for AuthTable {
    fn default() -> Self {
        let lifetime_max = Time(Duration::from_secs(31 * 86_400));
        let (issuer, audience) = ("tickwire".into(), "tickwire".into());
        Self {
            issuer,
            audience,
            lifetime_max,
            revoked_file: None,
            cookie: None,
            jwks_file: None,
            jwks_url: None,
            jwks_ca_file: None,
            jwks_refresh: Time(Duration::from_secs(300)),
            guests: Vec::new(),
            tokens: Vec::new(),
            keys: Vec::new(),
        }
    }
}

/// A key that can also sign.
pub(crate) struct Secret {
    pub(crate) id: Option<String>,
    pub(crate) algorithm: gateway::Algorithm,
    pub(crate) key: Vec<u8>,
    /// Its file.
    pub(crate) path: PathBuf,
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} secret {:?}", self.algorithm, self.id)
    }
}

impl AuthTable {
    /// Where keys are published.
    pub(super) fn published(&self, source: &Path) -> Result<Option<Published>, ConfigError> {
        let Some(url) = &self.jwks_url else {
            return match &self.jwks_ca_file {
                None => Ok(None),
                Some(_) => {
                    Err(ConfigError::rule(source, "[auth] jwks_ca_file is for jwks_url, and there is none"))
                }
            };
        };
        if self.jwks_refresh.0 < Duration::from_secs(1) {
            return Err(ConfigError::rule(source, "[auth] jwks_refresh must be at least 1s"));
        }
        let ca = self.jwks_ca_file.as_deref().map(|file| place::of(source, file)).transpose()?;
        let published = Published::new(url, ca.as_deref(), self.jwks_refresh.0);
        published.map(Some).map_err(|error| ConfigError::rule(source, format!("[auth] jwks_url: {error}")))
    }

    /// The keys, and the secrets among them.
    pub(super) fn keys(&self, source: &Path) -> Result<(Keys, Vec<Secret>), ConfigError> {
        let mut keys = Keys::new(&self.issuer, &self.audience, Some(self.lifetime_max.0));
        let mut secrets = Vec::new();
        for key in &self.keys {
            let algorithm = key.algorithm.0;
            let (name, file) = match algorithm {
                gateway::Algorithm::Hs256 => ("secret_file", &key.secret_file),
                _ => ("public_key_file", &key.public_key_file),
            };
            let foreign = if name == "secret_file" { &key.public_key_file } else { &key.secret_file };
            let (Some(file), None) = (file, foreign) else {
                let message = format!("[[auth.keys]] a key for {algorithm} has {name:?}, and no other file");
                return Err(ConfigError::rule(source, message));
            };
            let path = place::of(source, file)?;
            let bytes =
                std::fs::read(&path).map_err(|error| ConfigError::Read { path: path.clone(), error })?;
            // A line break at the end of the file is the editor's, not the secret's.
            let bytes = if name == "secret_file" { bytes.trim_ascii_end().to_vec() } else { bytes };
            keys.add(key.id.as_deref(), algorithm, &bytes)
                .map_err(|error| ConfigError::rule(&path, error.to_string()))?;
            if algorithm == gateway::Algorithm::Hs256 {
                secrets.push(Secret { id: key.id.clone(), algorithm, key: bytes, path });
            }
        }
        if let Some(file) = &self.jwks_file {
            let path = place::of(source, file)?;
            let text = std::fs::read_to_string(&path)
                .map_err(|error| ConfigError::Read { path: path.clone(), error })?;
            keys.add_jwks(&text).map_err(|error| ConfigError::rule(&path, error.to_string()))?;
        }
        if !self.guests.is_empty() {
            let scopes: Vec<_> = self.guests.iter().map(|scope| scope.0.clone()).collect();
            if scopes.iter().any(Scope::is_admin) {
                return Err(ConfigError::rule(source, "[auth] guests: nobody is an admin without a token"));
            }
            let welcomed = keys.welcome_guests(&scopes);
            welcomed.map_err(|error| ConfigError::rule(source, format!("[auth] guests: {error}")))?;
        }
        for token in &self.tokens {
            keys.add_fixed(Fixed {
                hash: token.sha256.0,
                subject: token.subject.clone(),
                tenant: token.tenant.as_ref().map(|tenant| tenant.0.clone()),
                scopes: token.scopes.iter().map(|scope| scope.0.clone()).collect(),
                expires_at: token.expires.as_ref().map(|moment| moment.0),
            });
        }
        if let Some(file) = &self.revoked_file {
            let path = place::of(source, file)?;
            let text = std::fs::read_to_string(&path)
                .map_err(|error| ConfigError::Read { path: path.clone(), error })?;
            let lines = (1..).zip(text.lines().map(str::trim));
            for (line, text) in lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#')) {
                let revocation = text.parse();
                keys.revoke(
                    revocation.map_err(|error| {
                        ConfigError::rule(&path, format!("line {line}: {text:?}: {error}"))
                    })?,
                );
            }
        }
        Ok((keys, secrets))
    }
}
