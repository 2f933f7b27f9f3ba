//! Keys that an identity provider publishes at a URL: fetched now and then, and when a token names one that is
//! not known, for providers change them.

use std::fmt;
use std::path::Path;
use std::time::Duration;

use axum::http::{Request, StatusCode, header};
use bytes::Bytes;
use tokio::time::{Instant, sleep_until, timeout};

use super::keyring::Keyring;
use super::keys::Keys;
use crate::fetch::{Remote, RemoteError};
use crate::limits::{JWKS_AGAIN, JWKS_BYTES_MAX, JWKS_LATE, JWKS_TIMEOUT};
use crate::metrics::JWKS;

/// Where keys are published.
#[derive(Clone, Debug, PartialEq)]
pub struct Published {
    place: Remote,
    refresh: Duration,
}

/// Why no keys can be had from there.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PublishedError {
    /// It is no URL, or one that anybody on the way could answer for.
    #[error("{0:?} is no https URL; http is for this machine only")]
    Url(String),
    /// It cannot be asked.
    #[error(transparent)]
    Remote(RemoteError),
}

impl Published {
    /// A URL, the certificates to trust beside the system's, and how often to look.
    ///
    /// # Errors
    /// The URL is none that can be trusted, or the certificates cannot be read.
    pub fn new(url: &str, ca: Option<&Path>, refresh: Duration) -> Result<Self, PublishedError> {
        let refused = || PublishedError::Url(url.to_owned());
        let place = Remote::new(url, ca).map_err(|error| match error {
            RemoteError::Url(_) => refused(),
            other => PublishedError::Remote(other),
        })?;
        if place.is_private() { Ok(Self { place, refresh }) } else { Err(refused()) }
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
        let request = Request::get("/")
            .header(header::ACCEPT, "application/jwk-set+json, application/json")
            .body(Bytes::new())
            .map_err(|error| error.to_string())?;
        let answer = self.place.send(request, JWKS_BYTES_MAX).await?;
        if answer.status() != StatusCode::OK {
            return Err(format!("the answer is {}", answer.status()));
        }
        String::from_utf8(answer.into_body().to_vec()).map_err(|error| error.to_string())
    }
}

impl fmt::Display for Published {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.place.fmt(f)
    }
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
        assert!(matches!(secret, Err(PublishedError::Remote(RemoteError::Secret))));
        let shown = Published::new("https://idp.example/keys?key=secret", None, refresh).unwrap().to_string();
        assert_eq!(shown, "https://idp.example/keys");
        let missing = Published::new("https://idp.example/", Some(Path::new("none.pem")), refresh);
        assert!(matches!(missing, Err(PublishedError::Remote(RemoteError::Certificate { .. }))));
    }
}
