//! Who is let in over TLS: senders with a certificate of the authority that is named, and those whose network may send without.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, anyhow};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig};
use tokio_rustls::server::TlsStream;

use crate::config::Config;
use crate::serving::{Certificate, KeepsReading};

/// A handshake that takes longer is an attack or a dead sender.
const HANDSHAKE_WITHIN: Duration = Duration::from_secs(10);

#[derive(Debug)]
pub(super) struct Door {
    certificate: Arc<Certificate>,
    acceptor: Acceptor,
    has_authority: bool,
}

struct Acceptor(TlsAcceptor);

impl std::fmt::Debug for Acceptor {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Acceptor")
    }
}

/// Why a sender is not let in.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refused {
    #[error("the handshake took too long")]
    Late,
    #[error("the handshake failed: {0}")]
    Handshake(std::io::Error),
    #[error("it shows no certificate, and syslog.allow does not name its network")]
    Stranger,
}

impl Door {
    pub(super) fn new(config: &Config) -> anyhow::Result<Door> {
        let (syslog, http) = (&config.syslog, &config.http);
        let own = Certificate::read("syslog", syslog.certificate.as_deref(), syslog.key.as_deref())?;
        let certificate = match own {
            Some(own) => own,
            None => Certificate::read("http", http.certificate.as_deref(), http.key.as_deref())?
                .context("node.syslog_tls needs syslog.certificate and syslog.key")?,
        };
        let provider = Arc::new(aws_lc_rs::default_provider());
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .context("TLS cannot be set up")?;
        let builder = match &syslog.authority {
            None => builder.with_no_client_auth(),
            Some(file) => {
                let unusable = |reason: String| anyhow!("syslog.authority = {}: {reason}", file.display());
                let mut roots = RootCertStore::empty();
                let certificates =
                    CertificateDer::pem_file_iter(file).map_err(|error| unusable(error.to_string()))?;
                for certificate in certificates {
                    let certificate = certificate.map_err(|error| unusable(error.to_string()))?;
                    roots.add(certificate).map_err(|error| unusable(error.to_string()))?;
                }
                // Those of networks that may send without show none.
                let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
                    .allow_unauthenticated()
                    .build()
                    .map_err(|error| unusable(error.to_string()))?;
                builder.with_client_cert_verifier(verifier)
            }
        };
        let config = builder.with_cert_resolver(Arc::clone(&certificate) as _);
        let acceptor = Acceptor(Arc::new(config).into());
        Ok(Door { certificate, acceptor, has_authority: syslog.authority.is_some() })
    }

    pub(super) fn asks_for_certificates(&self) -> bool {
        self.has_authority
    }

    pub(super) fn keep_reading(&self) -> Option<KeepsReading> {
        Arc::clone(&self.certificate).keep_reading()
    }

    /// Shakes hands. `is_known`: its address may send without a certificate.
    pub(super) async fn let_in(
        &self,
        stream: TcpStream,
        is_known: bool,
    ) -> Result<TlsStream<TcpStream>, Refused> {
        let shaken = timeout(HANDSHAKE_WITHIN, self.acceptor.0.accept(stream)).await;
        let stream = shaken.map_err(|_| Refused::Late)?.map_err(Refused::Handshake)?;
        let shows_certificate = stream.get_ref().1.peer_certificates().is_some_and(|chain| !chain.is_empty());
        if shows_certificate || is_known { Ok(stream) } else { Err(Refused::Stranger) }
    }
}
