//! The certificate that the node shows to clients, read again when its files change.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, anyhow, ensure};
use insighthub_storage::transport::WatchedFiles;
use parking_lot::RwLock;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::{ClientHello, ResolvesServerCert};
use tokio_rustls::rustls::sign::CertifiedKey;

use crate::config::HttpConfig;

pub(crate) struct Certificate {
    files: Files,
    /// Taken once, by who keeps reading.
    watched: parking_lot::Mutex<Option<WatchedFiles>>,
    current: RwLock<Arc<CertifiedKey>>,
}

struct Files {
    /// Of the configuration: where the keys `certificate` and `key` stand.
    section: &'static str,
    certificate: PathBuf,
    key: PathBuf,
}

impl fmt::Debug for Certificate {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Certificate").field("file", &self.files.certificate).finish_non_exhaustive()
    }
}

/// Ends with its guard.
#[derive(Debug)]
pub(crate) struct KeepsReading(JoinHandle<()>);

impl Drop for KeepsReading {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Certificate {
    /// What clients of HTTP see; `None` where the configuration names nothing.
    pub(super) fn of(config: &HttpConfig) -> anyhow::Result<Option<Arc<Certificate>>> {
        Certificate::read("http", config.certificate.as_deref(), config.key.as_deref())
    }

    /// What a section of the configuration names.
    pub(crate) fn read(
        section: &'static str,
        certificate: Option<&Path>,
        key: Option<&Path>,
    ) -> anyhow::Result<Option<Arc<Certificate>>> {
        let (Some(certificate), Some(key)) = (certificate, key) else { return Ok(None) };
        let files = Files { section, certificate: certificate.to_owned(), key: key.to_owned() };
        let watched = WatchedFiles::new(vec![files.certificate.clone(), files.key.clone()]);
        let current = RwLock::new(Arc::new(files.read()?));
        Ok(Some(Arc::new(Certificate { files, watched: Some(watched).into(), current })))
    }

    /// TLS 1.3 and 1.2, HTTP/2 where the client speaks it.
    pub(super) fn acceptor(self: Arc<Self>) -> anyhow::Result<TlsAcceptor> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .context("TLS cannot be set up")?
            .with_no_client_auth()
            .with_cert_resolver(self);
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Arc::new(config).into())
    }

    /// Reads the files again whenever they change; what cannot be used leaves the old certificate in place.
    pub(crate) fn keep_reading(self: Arc<Self>) -> Option<KeepsReading> {
        let mut watched = self.watched.lock().take()?;
        Some(KeepsReading(tokio::spawn(async move {
            loop {
                watched.changed().await;
                self.read_again();
            }
        })))
    }

    fn read_again(&self) {
        let (file, section) = (self.files.certificate.display(), self.files.section);
        match self.files.read() {
            Ok(fresh) => {
                *self.current.write() = Arc::new(fresh);
                tracing::info!(%file, "{section}.certificate was read again: new connections see it");
            }
            Err(error) => tracing::error!(
                error = format!("{error:#}"),
                "{section}.certificate and {section}.key have changed and cannot be used; the node keeps showing the old ones"
            ),
        }
    }
}

impl ResolvesServerCert for Certificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.current.read()))
    }
}

impl Files {
    /// A chain and its key, which must belong together.
    fn read(&self) -> anyhow::Result<CertifiedKey> {
        let chain =
            CertificateDer::pem_file_iter(&self.certificate).and_then(Iterator::collect::<Result<Vec<_>, _>>);
        let chain = chain.map_err(|error| self.unusable("certificate", &error))?;
        ensure!(!chain.is_empty(), self.unusable("certificate", &"it holds no certificate in PEM form"));
        let key = PrivateKeyDer::from_pem_file(&self.key);
        let key = key.map_err(|error| self.unusable("key", &error))?;
        CertifiedKey::from_der(chain, key, &aws_lc_rs::default_provider()).map_err(|error| {
            self.unusable("key", &format!("it does not fit {}.certificate: {error}", self.section))
        })
    }

    fn unusable(&self, key: &str, reason: &dyn fmt::Display) -> anyhow::Error {
        let path = if key == "key" { &self.key } else { &self.certificate };
        anyhow!("{}.{key} = {}: {reason}", self.section, path.display())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_cannot_be_used_is_told_by_key_and_name() {
        let config = HttpConfig {
            certificate: Some("/nowhere/site.pem".into()),
            key: Some("/nowhere/site.key".into()),
            ..HttpConfig::default()
        };
        let error = format!("{:#}", Certificate::of(&config).unwrap_err());
        assert!(error.contains("http.certificate = /nowhere/site.pem"), "{error}");
    }
}
