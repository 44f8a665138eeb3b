//! Mutual TLS 1.3 under the handshake: both ends show a certificate of the cluster's own authority.

use std::fmt;
use std::io;
use std::path::Path;
use std::sync::Arc;

use parking_lot::RwLock;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{ClientConfig, RootCertStore, ServerConfig, version};
use tokio_rustls::{TlsAcceptor, TlsConnector};

use super::{Stream, TlsFiles, TransportError, WatchedFiles};

/// Clones share what is in use, so that all see what was read again.
#[derive(Clone)]
pub(super) struct Tls {
    in_use: Arc<RwLock<Ends>>,
}

/// What new connections are made with.
#[derive(Clone)]
struct Ends {
    connector: TlsConnector,
    acceptor: TlsAcceptor,
}

impl fmt::Debug for Tls {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Tls")
    }
}

fn fault<E: fmt::Display>(path: &Path) -> impl FnOnce(E) -> TransportError {
    let path = path.to_path_buf();
    move |reason| TransportError::Tls { path, reason: reason.to_string() }
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TransportError> {
    let found = CertificateDer::pem_file_iter(path).and_then(Iterator::collect);
    let found: Vec<_> = found.map_err(fault(path))?;
    if found.is_empty() { Err(fault(path)("it holds no certificate in PEM form")) } else { Ok(found) }
}

impl Tls {
    /// Reads the files; three small ones do not hold up the runtime.
    pub(super) fn read(files: &TlsFiles) -> Result<Self, TransportError> {
        Ok(Self { in_use: Arc::new(RwLock::new(Ends::read(files)?)) })
    }

    /// Reads the files again whenever they change, for ever. What cannot be used leaves the old ones in place;
    /// connections that are open stay.
    pub(super) async fn keep_reading(self, files: TlsFiles, mut watched: WatchedFiles) {
        loop {
            watched.changed().await;
            match Ends::read(&files) {
                Ok(fresh) => {
                    *self.in_use.write() = fresh;
                    tracing::info!("peer_tls was read again: new connections between nodes use it");
                }
                Err(error) => tracing::error!(
                    %error,
                    "peer_tls has changed and cannot be used; the node goes on with the old certificates"
                ),
            }
        }
    }

    /// `address` is host:port; the other side's certificate has to be valid for the host.
    pub(super) async fn connect(
        &self,
        address: &str,
        stream: Box<dyn Stream>,
    ) -> io::Result<Box<dyn Stream>> {
        let host = address.rsplit_once(':').map_or(address, |(host, _)| host);
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let name = ServerName::try_from(host).map_err(io::Error::other)?;
        let connector = self.in_use.read().connector.clone();
        Ok(Box::new(connector.connect(name, stream).await?))
    }

    pub(super) async fn accept(&self, stream: Box<dyn Stream>) -> io::Result<Box<dyn Stream>> {
        let acceptor = self.in_use.read().acceptor.clone();
        Ok(Box::new(acceptor.accept(stream).await?))
    }
}

impl Ends {
    fn read(files: &TlsFiles) -> Result<Self, TransportError> {
        let mut roots = RootCertStore::empty();
        for certificate in certificates(&files.authority)? {
            roots.add(certificate).map_err(fault(&files.authority))?;
        }
        let roots = Arc::new(roots);
        let chain = certificates(&files.certificate)?;
        let key = PrivateKeyDer::from_pem_file(&files.key).map_err(fault(&files.key))?;
        let provider = Arc::new(aws_lc_rs::default_provider());
        let versions = &[&version::TLS13];

        let verifier = WebPkiClientVerifier::builder_with_provider(roots.clone(), provider.clone())
            .build()
            .map_err(fault(&files.authority))?;
        let server = ServerConfig::builder_with_provider(provider.clone())
            .with_protocol_versions(versions)
            .map_err(fault(&files.certificate))?
            .with_client_cert_verifier(verifier)
            .with_single_cert(chain.clone(), key.clone_key())
            .map_err(fault(&files.certificate))?;
        let client = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(versions)
            .map_err(fault(&files.certificate))?
            .with_root_certificates(roots)
            .with_client_auth_cert(chain, key)
            .map_err(fault(&files.certificate))?;
        Ok(Self { connector: Arc::new(client).into(), acceptor: Arc::new(server).into() })
    }
}
