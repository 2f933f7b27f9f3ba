//! TLS: certificates, and the settings every connection shares.

mod chain;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

use crate::metrics::CERTIFICATE;
use crate::settings::Tls;
pub use chain::{Chain, Link, Trust};

/// Why a certificate cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// The file cannot be read, or holds no certificate or key.
    #[error("{}: {reason}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// Certificate and key do not fit together, or are of a kind that is not supported.
    #[error("certificate and key cannot be used: {0}")]
    Unusable(#[from] rustls::Error),
    /// No randomness for session tickets.
    #[error("session tickets cannot be had: {0}")]
    Tickets(rustls::Error),
}

impl Tls {
    /// That certificate and key can be read and belong together.
    ///
    /// # Errors
    /// Says why not.
    pub fn check(&self) -> Result<(), TlsError> {
        self.certified().map(drop)
    }

    /// What every connection shares: TLS 1.2 and 1.3, HTTP/1.1 only, session tickets for clients that
    /// come back.
    ///
    /// # Errors
    /// Certificate and key cannot be read, or do not belong together.
    pub fn config(&self) -> Result<Arc<ServerConfig>, TlsError> {
        self.replaceable().map(|(config, _)| config)
    }

    /// The same, and the certificate in it, which may become another one.
    pub(crate) fn replaceable(&self) -> Result<(Arc<ServerConfig>, Arc<Certificate>), TlsError> {
        let certified = self.certified()?;
        note_end(&certified);
        let certificate = Arc::new(Certificate(RwLock::new(certified)));
        let mut config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_cert_resolver(Arc::clone(&certificate) as Arc<dyn ResolvesServerCert>);
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        config.ticketer = aws_lc_rs::Ticketer::new().map_err(TlsError::Tickets)?;
        Ok((Arc::new(config), certificate))
    }

    fn certified(&self) -> Result<Arc<CertifiedKey>, TlsError> {
        let chain: Vec<_> = CertificateDer::pem_file_iter(&self.cert_file)
            .and_then(Iterator::collect)
            .map_err(|error| unreadable(&self.cert_file, &error))?;
        if chain.is_empty() {
            let reason = "no certificate in PEM form".to_owned();
            return Err(TlsError::File { path: self.cert_file.clone(), reason });
        }
        let key = PrivateKeyDer::from_pem_file(&self.key_file)
            .map_err(|error| unreadable(&self.key_file, &error))?;
        Ok(Arc::new(CertifiedKey::from_der(chain, key, &aws_lc_rs::default_provider())?))
    }
}

/// The certificate that new connections are shown.
#[derive(Debug)]
pub(crate) struct Certificate(RwLock<Arc<CertifiedKey>>);

impl Certificate {
    /// Shows another one from here on.
    ///
    /// # Errors
    /// It cannot be read, or its key does not fit; then the old one stays.
    pub(crate) fn replace(&self, tls: &Tls) -> Result<(), TlsError> {
        let next = tls.certified()?;
        note_end(&next);
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = next;
        Ok(())
    }
}

impl ResolvesServerCert for Certificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner)))
    }
}

/// Tells when the first certificate of the chain ends: that of the server may not be it.
fn note_end(certified: &CertifiedKey) {
    let ends = certified.cert.iter().filter_map(|der| {
        let (_, certificate) = x509_parser::parse_x509_certificate(der).ok()?;
        Some(certificate.validity().not_after.timestamp())
    });
    if let Some(end) = ends.min() {
        #[expect(clippy::cast_precision_loss, reason = "seconds, for millions of years")]
        metrics::gauge!(CERTIFICATE).set(end as f64);
    }
}

fn unreadable(path: &Path, error: &rustls::pki_types::pem::Error) -> TlsError {
    let reason = match error {
        rustls::pki_types::pem::Error::Io(error) if error.kind() == io::ErrorKind::NotFound => {
            "no such file".to_owned()
        }
        other => other.to_string(),
    };
    TlsError::File { path: path.to_owned(), reason }
}
