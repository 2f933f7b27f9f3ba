//! Keys that an identity provider publishes at a URL: fetched now and then, and when a token names one that is
//! not known, for providers change them.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::uri::Scheme;
use axum::http::{Request, StatusCode, Uri, header};
use http_body_util::{BodyExt, Limited};
use hyper_util::rt::TokioIo;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_rustls::TlsConnector;

use super::keyring::Keyring;
use super::keys::Keys;
use crate::limits::{JWKS_AGAIN, JWKS_BYTES_MAX, JWKS_LATE, JWKS_TIMEOUT};
use crate::metrics::JWKS;

/// Where keys are published.
#[derive(Clone, Debug)]
pub struct Published {
    url: Uri,
    tls: Option<Arc<ClientConfig>>,
    refresh: Duration,
}

/// Why no keys can be had from there.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PublishedError {
    /// It is no URL, or one that anybody on the way could answer for.
    #[error("{0:?} is no https URL; http is for this machine only")]
    Url(String),
    /// A name and a password stand in it.
    #[error("a URL with a name or a password in it is shown where it should not be")]
    Secret,
    /// A certificate to trust cannot be read.
    #[error("{}: {reason}", path.display())]
    Certificate {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
}

impl Published {
    /// A URL, the certificates to trust beside the system's, and how often to look.
    ///
    /// # Errors
    /// The URL is none that can be trusted, or the certificates cannot be read.
    pub fn new(url: &str, ca: Option<&Path>, refresh: Duration) -> Result<Self, PublishedError> {
        let refused = || PublishedError::Url(url.to_owned());
        let parsed: Uri = url.parse().map_err(|_| refused())?;
        let host = parsed.host().ok_or_else(refused)?;
        if parsed.authority().is_some_and(|authority| authority.as_str().contains('@')) {
            return Err(PublishedError::Secret);
        }
        let tls = match parsed.scheme().map(Scheme::as_str) {
            Some("https") => Some(Arc::new(trust(ca)?)),
            Some("http") if matches!(host, "localhost" | "127.0.0.1" | "[::1]") => None,
            _ => return Err(refused()),
        };
        Ok(Self { url: parsed, tls, refresh })
    }

    /// Keeps the published keys in force for as long as it runs; `wait` is how long the last look is good for.
    pub(crate) async fn keep(self, keys: &Keyring, wait: Duration) {
        let mut looked = Instant::now();
        let mut due = looked + wait;
        // A key that was changed since the last look is looked for at once.
        let mut again = looked;
        keys.looks.allow(again);
        loop {
            tokio::select! {
                () = sleep_until(due) => {}
                () = keys.unknown() => {
                    // Whoever makes names up has a fetch now and then, and no more.
                    sleep_until(again).await;
                    again = Instant::now() + JWKS_AGAIN;
                    keys.looks.allow(again);
                }
                () = keys.late() => {
                    due = due.min(looked + JWKS_LATE);
                    continue;
                }
            }
            keys.forget_unknown();
            looked = Instant::now();
            due = looked + self.look(keys).await;
        }
    }

    /// Fetches the keys and puts them in force; how long that is good for.
    pub(crate) async fn look(&self, keys: &Keyring) -> Duration {
        keys.looks.begin();
        let fetched = timeout(JWKS_TIMEOUT, self.fetch()).await;
        let result = fetched.unwrap_or_else(|_| Err("no answer in time".to_owned()));
        let result = result.and_then(|text| keys.publish(&text).map_err(|error| error.to_string()));
        keys.looks.end(result.is_ok());
        let word = if result.is_ok() { "ok" } else { "error" };
        metrics::counter!(JWKS, "result" => word).increment(1);
        match result {
            Ok(count) => {
                tracing::debug!(url = %self, count, "published keys are in force");
                self.refresh
            }
            Err(error) => {
                tracing::error!(url = %self, "published keys stay as they were: {error}");
                self.refresh.min(JWKS_AGAIN)
            }
        }
    }

    /// Fetches the keys, and says how many can be used.
    ///
    /// # Errors
    /// They cannot be had, or are none.
    pub async fn try_out(&self) -> Result<usize, String> {
        let fetched = timeout(JWKS_TIMEOUT, self.fetch()).await;
        let text = fetched.unwrap_or_else(|_| Err("no answer in time".to_owned()))?;
        Keys::new("", "", None).add_jwks(&text).map_err(|error| error.to_string())
    }

    async fn fetch(&self) -> Result<String, String> {
        let told = |error: io::Error| error.to_string();
        let host = self.url.host().unwrap_or_default().trim_matches(['[', ']']);
        let port = self.url.port_u16().unwrap_or(if self.tls.is_some() { 443 } else { 80 });
        let stream = TcpStream::connect((host, port)).await.map_err(told)?;
        match &self.tls {
            None => self.ask(stream).await,
            Some(config) => {
                let name = ServerName::try_from(host.to_owned()).map_err(|error| error.to_string())?;
                let connector = TlsConnector::from(Arc::clone(config));
                self.ask(connector.connect(name, stream).await.map_err(told)?).await
            }
        }
    }

    async fn ask(
        &self,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    ) -> Result<String, String> {
        let told = |error: hyper::Error| error.to_string();
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(told)?;
        let path = self.url.path_and_query().map_or("/", |path| path.as_str());
        let host = self.url.authority().map_or("", |authority| authority.as_str());
        let request = Request::get(path)
            .header(header::HOST, host)
            .header(header::ACCEPT, "application/jwk-set+json, application/json")
            .header(header::CONNECTION, "close")
            .body(Body::empty())
            .map_err(|error| error.to_string())?;
        let answer = async {
            let response = sender.send_request(request).await.map_err(told)?;
            if response.status() != StatusCode::OK {
                return Err(format!("the answer is {}", response.status()));
            }
            let body = Limited::new(response.into_body(), JWKS_BYTES_MAX).collect().await;
            let body = body.map_err(|error| error.to_string())?.to_bytes();
            String::from_utf8(body.to_vec()).map_err(|error| error.to_string())
        };
        let mut connection = std::pin::pin!(connection);
        let mut answer = std::pin::pin!(answer);
        tokio::select! {
            answer = &mut answer => answer,
            // It is over: what there is of an answer has come.
            _ = &mut connection => answer.await,
        }
    }
}

/// What is trusted is not compared: it was read anew.
impl PartialEq for Published {
    fn eq(&self, other: &Self) -> bool {
        self.url == other.url && self.refresh == other.refresh
    }
}

impl fmt::Display for Published {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Without its query, in which there may be a key.
        let scheme = self.url.scheme_str().unwrap_or_default();
        let host = self.url.authority().map_or("", |authority| authority.as_str());
        write!(f, "{scheme}://{host}{}", self.url.path())
    }
}

fn trust(ca: Option<&Path>) -> Result<ClientConfig, PublishedError> {
    let mut roots = RootCertStore::empty();
    // A system without certificates may still know the one it was given.
    for certificate in rustls_native_certs::load_native_certs().certs {
        let _ = roots.add(certificate);
    }
    if let Some(path) = ca {
        let refused = |reason: String| PublishedError::Certificate { path: path.to_owned(), reason };
        let file = CertificateDer::pem_file_iter(path).map_err(|error| refused(error.to_string()))?;
        for certificate in file {
            let certificate = certificate.map_err(|error| refused(error.to_string()))?;
            roots.add(certificate).map_err(|error| refused(error.to_string()))?;
        }
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let refused = |error: rustls::Error| PublishedError::Certificate {
        path: ca.unwrap_or(Path::new("-")).to_owned(),
        reason: error.to_string(),
    };
    Ok(builder.map_err(refused)?.with_root_certificates(roots).with_no_client_auth())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_keys_may_be_published() {
        let refresh = Duration::from_secs(300);
        for good in
            ["https://idp.example/keys", "http://127.0.0.1:9/keys", "http://[::1]:9/", "http://localhost/"]
        {
            assert!(Published::new(good, None, refresh).is_ok(), "{good}");
        }
        for bad in [
            "",
            "idp.example/keys",
            "http://idp.example/keys",
            "ftp://localhost/",
            "http://127.0.0.1.evil.example/",
        ] {
            assert!(matches!(Published::new(bad, None, refresh), Err(PublishedError::Url(_))), "{bad}");
        }
        let secret = Published::new("https://name:password@idp.example/", None, refresh);
        assert!(matches!(secret, Err(PublishedError::Secret)));
        let shown = Published::new("https://idp.example/keys?key=secret", None, refresh).unwrap().to_string();
        assert_eq!(shown, "https://idp.example/keys");
        let missing = Published::new("https://idp.example/", Some(Path::new("none.pem")), refresh);
        assert!(matches!(missing, Err(PublishedError::Certificate { .. })));
    }
}
