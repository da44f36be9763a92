//! TLS: certificate and key from PEM files, read once at the start. HTTP/1.1 alone is offered.

use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, crypto};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use wasmlops_core::diagnostics::{Diagnostic, Diagnostics};

use crate::error::{Error, Result};

/// Longer files are no certificates.
const LARGEST: u64 = 1 << 20;

/// Where certificate and key are.
#[derive(Clone, Debug)]
pub struct TlsFiles {
    /// The server's certificate first, then those that lead to one that clients trust.
    pub cert: PathBuf,
    pub key: PathBuf,
}

/// Speaks TLS with clients. Cheap to clone.
#[derive(Clone)]
pub struct Tls(TlsAcceptor);

impl Tls {
    /// Reads the files.
    ///
    /// # Errors
    /// The user's: files that are not there or not what they should be, a key that others can read.
    pub fn read(files: &TlsFiles) -> Result<Self> {
        let (certs, key) = match (certificates(&files.cert), private_key(&files.key)) {
            (Ok(certs), Ok(key)) => (certs, key),
            (certs, key) => {
                let found = certs.err().into_iter().chain(key.err());
                return Err(Error::User(Diagnostics(found.map(|problem| *problem).collect())));
            }
        };
        let config = ServerConfig::builder_with_provider(Arc::new(crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(Error::bug)?
            .with_no_client_auth()
            .with_single_cert(certs, key);
        let mut config = config.map_err(|error| {
            let message =
                format!("`{}` and `{}` do not go together: {error}", files.cert.display(), files.key.display());
            Error::user("tls", message, "the first certificate of the file must be the key's")
        })?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self(TlsAcceptor::from(Arc::new(config))))
    }

    /// Errors: what a client does wrong, or too slowly.
    pub(super) async fn accept(&self, stream: TcpStream, limit: Duration) -> io::Result<TlsStream<TcpStream>> {
        tokio::time::timeout(limit, self.0.accept(stream)).await.map_err(|_| io::ErrorKind::TimedOut)?
    }
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, Box<Diagnostic>> {
    let read = CertificateDer::pem_slice_iter(&bytes(path)?).collect::<Result<Vec<_>, _>>();
    match read {
        Ok(certs) if !certs.is_empty() => Ok(certs),
        Ok(_) => Err(wrong(path, "holds no certificate", "it must begin with `-----BEGIN CERTIFICATE-----`")),
        Err(error) => Err(wrong(path, &format!("is no file of certificates: {error}"), "write it as PEM")),
    }
}

fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>, Box<Diagnostic>> {
    let bytes = zeroize::Zeroizing::new(bytes(path)?);
    let mode = std::fs::metadata(path).map(|about| about.mode()).unwrap_or_default();
    if mode & 0o077 != 0 {
        let what = format!("can be used by others (its mode is {:03o})", mode & 0o777);
        return Err(wrong(path, &what, &format!("`chmod 600 {}`", path.display())));
    }
    // What is wrong with a key is not told: the text might quote it.
    let hint = "write it as PEM, not encrypted: `-----BEGIN PRIVATE KEY-----`";
    PrivateKeyDer::from_pem_slice(&bytes).map_err(|_| wrong(path, "holds no private key", hint))
}

fn bytes(path: &Path) -> Result<Vec<u8>, Box<Diagnostic>> {
    let cannot =
        |error: io::Error| wrong(path, &format!("cannot be read: {error}"), "check the path and its permissions");
    if std::fs::metadata(path).map_err(cannot)?.len() > LARGEST {
        return Err(wrong(path, "is too large for a certificate or a key", "name a PEM file"));
    }
    std::fs::read(path).map_err(cannot)
}

fn wrong(path: &Path, what: &str, hint: &str) -> Box<Diagnostic> {
    Box::new(Diagnostic::new("tls", format!("`{}` {what}", path.display())).hint(hint))
}
