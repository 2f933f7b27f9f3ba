//! What the server asks of others: one request over HTTP/1.1, with TLS where the URL says so.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::body::Body;
use axum::http::uri::Scheme;
use axum::http::{HeaderValue, Request, Response, Uri, header};
use bytes::Bytes;
use http_body_util::{BodyExt, Limited};
use hyper_util::rt::TokioIo;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// Somewhere else.
#[derive(Clone, Debug)]
pub struct Remote {
    url: Uri,
    tls: Option<Arc<ClientConfig>>,
}

/// Why something cannot be asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RemoteError {
    /// It is no URL of HTTP.
    #[error("{0:?} is no URL with http or https")]
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

impl Remote {
    /// What is at a URL; the certificates of `ca` are trusted beside the system's.
    ///
    /// # Errors
    /// The URL is none, or the certificates cannot be read.
    pub fn new(url: &str, ca: Option<&Path>) -> Result<Self, RemoteError> {
        let refused = || RemoteError::Url(url.to_owned());
        let parsed: Uri = url.parse().map_err(|_| refused())?;
        parsed.host().ok_or_else(refused)?;
        if parsed.authority().is_some_and(|authority| authority.as_str().contains('@')) {
            return Err(RemoteError::Secret);
        }
        let tls = match parsed.scheme().map(Scheme::as_str) {
            Some("https") => Some(Arc::new(trust(ca)?)),
            Some("http") => None,
            _ => return Err(refused()),
        };
        Ok(Self { url: parsed, tls })
    }

    /// Where it is.
    #[must_use]
    pub const fn url(&self) -> &Uri {
        &self.url
    }

    /// Whether nobody on the way can read or change what is said.
    #[must_use]
    pub fn is_private(&self) -> bool {
        let host = self.url.host().unwrap_or_default();
        self.tls.is_some() || matches!(host, "localhost" | "127.0.0.1" | "[::1]")
    }

    /// Sends a request there, whatever place it names; the answer's body may have `most` bytes.
    ///
    /// # Errors
    /// There is no answer, or too much of one.
    pub async fn send(&self, request: Request<Bytes>, most: usize) -> Result<Response<Bytes>, String> {
        let told = |error: io::Error| error.to_string();
        let host = self.url.host().unwrap_or_default().trim_matches(['[', ']']);
        let port = self.url.port_u16().unwrap_or(if self.tls.is_some() { 443 } else { 80 });
        let stream = TcpStream::connect((host, port)).await.map_err(told)?;
        match &self.tls {
            None => self.ask(stream, request, most).await,
            Some(config) => {
                let name = ServerName::try_from(host.to_owned()).map_err(|error| error.to_string())?;
                let connector = TlsConnector::from(Arc::clone(config));
                self.ask(connector.connect(name, stream).await.map_err(told)?, request, most).await
            }
        }
    }

    async fn ask(
        &self,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        mut request: Request<Bytes>,
        most: usize,
    ) -> Result<Response<Bytes>, String> {
        let told = |error: hyper::Error| error.to_string();
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(told)?;
        let path = self.url.path_and_query().map_or("/", |path| path.as_str());
        *request.uri_mut() = path.parse().map_err(|_| "no path".to_owned())?;
        let host = self.url.authority().map_or("", |authority| authority.as_str());
        let host = HeaderValue::from_str(host).map_err(|error| error.to_string())?;
        request.headers_mut().insert(header::HOST, host);
        request.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        let answer = async {
            let response = sender.send_request(request.map(Body::from)).await.map_err(told)?;
            let (parts, body) = response.into_parts();
            let body = Limited::new(body, most).collect().await.map_err(|error| error.to_string())?;
            Ok(Response::from_parts(parts, body.to_bytes()))
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
impl PartialEq for Remote {
    fn eq(&self, other: &Self) -> bool {
        self.url == other.url
    }
}

impl fmt::Display for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Without its query, in which there may be a key.
        let scheme = self.url.scheme_str().unwrap_or_default();
        let host = self.url.authority().map_or("", |authority| authority.as_str());
        write!(f, "{scheme}://{host}{}", self.url.path())
    }
}

fn trust(ca: Option<&Path>) -> Result<ClientConfig, RemoteError> {
    let mut roots = RootCertStore::empty();
    // A system without certificates may still know the one it was given.
    for certificate in rustls_native_certs::load_native_certs().certs {
        let _ = roots.add(certificate);
    }
    if let Some(path) = ca {
        let refused = |reason: String| RemoteError::Certificate { path: path.to_owned(), reason };
        let file = CertificateDer::pem_file_iter(path).map_err(|error| refused(error.to_string()))?;
        for certificate in file {
            let certificate = certificate.map_err(|error| refused(error.to_string()))?;
            roots.add(certificate).map_err(|error| refused(error.to_string()))?;
        }
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let refused = |error: rustls::Error| RemoteError::Certificate {
        path: ca.unwrap_or(Path::new("-")).to_owned(),
        reason: error.to_string(),
    };
    Ok(builder.map_err(refused)?.with_root_certificates(roots).with_no_client_auth())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_be_asked() {
        for good in ["https://idp.example/keys", "http://collector:4318/v1/traces", "http://[::1]:9/"] {
            assert!(Remote::new(good, None).is_ok(), "{good}");
        }
        for bad in ["", "idp.example/keys", "ftp://localhost/", "/keys", "http:///keys"] {
            assert!(matches!(Remote::new(bad, None), Err(RemoteError::Url(_))), "{bad}");
        }
        let secret = Remote::new("https://name:password@idp.example/", None);
        assert!(matches!(secret, Err(RemoteError::Secret)));
        let shown = Remote::new("https://idp.example/keys?key=secret", None).unwrap().to_string();
        assert_eq!(shown, "https://idp.example/keys");
        let missing = Remote::new("https://idp.example/", Some(Path::new("none.pem")));
        assert!(matches!(missing, Err(RemoteError::Certificate { .. })));
        let private = |url: &str| Remote::new(url, None).unwrap().is_private();
        assert!(private("https://idp.example/") && private("http://localhost:1/"));
        assert!(!private("http://127.0.0.1.evil.example/"));
    }
}
