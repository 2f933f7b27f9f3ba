//! Where a server is, and how to be let in.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio_tungstenite::tungstenite::http::Uri;

use crate::error::ClientError;

/// Where a server is, and how to be let in.
#[derive(Clone, Default)]
pub struct Endpoint {
    /// `ws://…/v1/stream` or `wss://…`.
    pub url: String,
    /// The token.
    pub token: Option<String>,
    /// A certificate to trust beside the system's, in PEM form.
    pub ca: Option<PathBuf>,
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoint").field("url", &self.url).finish_non_exhaustive()
    }
}

/// An address taken apart.
#[derive(Clone, Debug)]
pub struct Target {
    /// A name or an IP address.
    pub host: String,
    /// The port, also where the address has none.
    pub port: u16,
    /// The path and the query.
    pub path: String,
    /// With TLS: its settings, and the name that the server must prove.
    pub tls: Option<(Arc<ClientConfig>, ServerName<'static>)>,
}

impl Endpoint {
    /// The address taken apart, with what TLS needs.
    ///
    /// # Errors
    /// It is no address of a stream, or the certificate to trust cannot be read.
    pub fn target(&self) -> Result<Target, ClientError> {
        let refused = || ClientError::Address { url: self.url.clone() };
        let uri: Uri = self.url.parse().map_err(|_| refused())?;
        let host = uri.host().ok_or_else(refused)?.trim_matches(['[', ']']).to_owned();
        let secure = match uri.scheme_str() {
            Some("ws") => false,
            Some("wss") => true,
            _ => return Err(refused()),
        };
        let port = uri.port_u16().unwrap_or(if secure { 443 } else { 80 });
        let tls = if secure {
            let name = ServerName::try_from(host.clone()).map_err(|_| refused())?;
            Some((Arc::new(self.config()?), name))
        } else {
            None
        };
        let path = uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
        Ok(Target { host, port, path, tls })
    }

    fn config(&self) -> Result<ClientConfig, ClientError> {
        let mut roots = RootCertStore::empty();
        // A system without certificates may still know the one it was given.
        for certificate in rustls_native_certs::load_native_certs().certs {
            let _ = roots.add(certificate);
        }
        if let Some(path) = &self.ca {
            let refused = |reason: String| ClientError::Certificate { path: path.clone(), reason };
            let certificates =
                CertificateDer::pem_file_iter(path).map_err(|error| refused(error.to_string()))?;
            for certificate in certificates {
                let certificate = certificate.map_err(|error| refused(error.to_string()))?;
                roots.add(certificate).map_err(|error| refused(error.to_string()))?;
            }
        }
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let versions = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let versions = versions.map_err(|error| ClientError::Broken(error.to_string()))?;
        Ok(versions.with_root_certificates(roots).with_no_client_auth())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        let target = |url: &str| Endpoint { url: url.into(), ..Endpoint::default() }.target();
        let plain = target("ws://localhost:8080/v1/stream").unwrap();
        assert_eq!((plain.host.as_str(), plain.port, plain.tls.is_some()), ("localhost", 8080, false));
        let secure = target("wss://[::1]/v1/stream").unwrap();
        assert_eq!((secure.host.as_str(), secure.port, secure.tls.is_some()), ("::1", 443, true));
        for url in ["", "localhost:8080", "http://localhost/", "ws://", "not a url"] {
            assert!(matches!(target(url), Err(ClientError::Address { .. })), "{url}");
        }
    }

    #[test]
    fn a_token_is_never_shown() {
        let endpoint = Endpoint { token: Some("secret".into()), ..Endpoint::default() };
        assert!(!format!("{endpoint:?}").contains("secret"));
    }
}
