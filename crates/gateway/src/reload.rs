//! What may become something else while a server runs: keys, revocations, the certificate, limits, origins.

use std::sync::Arc;

use crate::metrics::RELOADS;
use crate::roster::Roster;
use crate::settings::Settings;
use crate::tls::{Certificate, TlsError};

/// Why new settings are not put in force.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReloadError {
    /// The certificate cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// Keys are published elsewhere.
    #[error("another jwks_url or jwks_refresh takes a restart")]
    Published,
}

/// Puts new settings in force, as far as that goes while a server runs.
#[derive(Clone)]
pub struct Reloader {
    pub(crate) settings: Arc<Settings>,
    pub(crate) certificate: Option<Arc<Certificate>>,
    pub(crate) roster: Arc<Roster>,
}

impl Reloader {
    /// Takes keys, revocations, the certificate, limits and allowed origins of `settings`. Connections and sessions go
    /// on, but for those whose key is gone or who were revoked: they end within a second. Limits hold for what comes
    /// after, rates in bytes for all; nobody has to go because there is one too many by now.
    ///
    /// # Errors
    /// The certificate cannot be used, or something else is new that takes a restart; then everything stays as it was.
    pub fn reload(&self, settings: &Settings) -> Result<(), ReloadError> {
        if self.settings.published != settings.published {
            return Err(ReloadError::Published);
        }
        if let (Some(certificate), Some(tls)) = (&self.certificate, &settings.tls) {
            certificate.replace(tls)?;
        }
        self.settings.keys.replace(settings.keys.current());
        let limits = settings.limits.now().possible();
        self.roster.set_rates(&limits);
        self.settings.limits.put(limits);
        self.settings.allowed_origins.put(settings.allowed_origins.now().to_vec());
        Ok(())
    }

    /// Counts how it went.
    pub fn note(&self, is_good: bool) {
        let result = if is_good { "ok" } else { "refused" };
        metrics::counter!(RELOADS, "result" => result).increment(1);
    }
}
