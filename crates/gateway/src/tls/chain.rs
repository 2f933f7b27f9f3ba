//! What a certificate says, for whoever wants to know before clients do.

use std::time::Duration;

use rustls::RootCertStore;
use rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use x509_parser::extensions::GeneralName;

use super::TlsError;
use crate::settings::Tls;

/// What is known of the certificates that clients are shown.
#[derive(Debug)]
pub struct Chain {
    certificates: Vec<CertificateDer<'static>>,
    /// The server's own certificate first.
    pub links: Vec<Link>,
    /// Who vouches for them.
    pub trust: Trust,
}

/// A certificate of a chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// Whose it is.
    pub subject: String,
    /// Who signed it.
    pub issuer: String,
    /// From when on it is good, in seconds since 1970.
    pub begins: i64,
    /// Until when.
    pub ends: i64,
    /// The names and addresses that it is for.
    pub names: Vec<String>,
    /// Whether it may sign others.
    pub is_authority: bool,
}

/// Who vouches for a chain, its times aside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trust {
    /// An authority that this machine trusts.
    System,
    /// Nobody but itself: clients must be given it.
    Itself,
    /// An authority that this machine does not know: its own, or a link between is missing.
    Unknown,
    /// It cannot be trusted by anybody.
    Broken(String),
}

impl Tls {
    /// What the certificates say.
    ///
    /// # Errors
    /// They cannot be read, are none, or the key does not fit.
    pub fn chain(&self) -> Result<Chain, TlsError> {
        let certificates = self.certified()?.cert.clone();
        let refused = |reason: String| TlsError::File { path: self.cert_file.clone(), reason };
        let links =
            certificates.iter().map(|der| link(der).map_err(refused)).collect::<Result<Vec<_>, _>>()?;
        let trust = trust(&certificates, &links);
        Ok(Chain { certificates, links, trust })
    }
}

impl Chain {
    /// Whether clients that connect to `name` take the server's certificate; `None` where it is no name.
    #[must_use]
    pub fn is_for(&self, name: &str) -> Option<bool> {
        let name = ServerName::try_from(name.to_owned()).ok()?;
        let own = ParsedCertificate::try_from(self.certificates.first()?).ok()?;
        Some(verify_server_name(&own, &name).is_ok())
    }
}

fn link(der: &[u8]) -> Result<Link, String> {
    let (_, certificate) = x509_parser::parse_x509_certificate(der).map_err(|error| error.to_string())?;
    let names = certificate.subject_alternative_name().map_err(|error| error.to_string())?;
    let names = names.map(|names| names.value.general_names.iter().filter_map(name).collect());
    Ok(Link {
        subject: certificate.subject().to_string(),
        issuer: certificate.issuer().to_string(),
        begins: certificate.validity().not_before.timestamp(),
        ends: certificate.validity().not_after.timestamp(),
        names: names.unwrap_or_default(),
        is_authority: certificate.is_ca(),
    })
}

fn name(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::DNSName(name) => Some((*name).to_owned()),
        GeneralName::IPAddress(bytes) => match bytes.len() {
            4 => <[u8; 4]>::try_from(*bytes).ok().map(|bytes| std::net::Ipv4Addr::from(bytes).to_string()),
            _ => <[u8; 16]>::try_from(*bytes).ok().map(|bytes| std::net::Ipv6Addr::from(bytes).to_string()),
        },
        _ => None,
    }
}

fn trust(certificates: &[CertificateDer<'static>], links: &[Link]) -> Trust {
    let (Some((own, others)), Some(link)) = (certificates.split_first(), links.first()) else {
        return Trust::Unknown;
    };
    let own = match ParsedCertificate::try_from(own) {
        Ok(own) => own,
        Err(error) => return Trust::Broken(error.to_string()),
    };
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    // Whether it has ended is another question: asked is for a time at which all of them were good.
    let since = links.iter().map(|link| link.begins).max().unwrap_or(0);
    let at = UnixTime::since_unix_epoch(Duration::from_secs(u64::try_from(since + 1).unwrap_or(0)));
    let algorithms = aws_lc_rs::default_provider().signature_verification_algorithms.all;
    let verified = verify_server_cert_signed_by_trust_anchor(&own, &roots, others, at, algorithms);
    match verified {
        Ok(()) => Trust::System,
        Err(rustls::Error::InvalidCertificate(rustls::CertificateError::UnknownIssuer)) => {
            if link.subject == link.issuer { Trust::Itself } else { Trust::Unknown }
        }
        Err(error) => Trust::Broken(error.to_string()),
    }
}
