//! Whom the command line believes over TLS: the system's authorities, or those of a file.

use std::path::Path;
use std::sync::Arc;

use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use super::error::CliError;

/// With `--ca` nobody else is believed.
pub(super) fn client_config(authority: Option<&Path>) -> Result<ClientConfig, CliError> {
    let roots = match authority {
        Some(path) => of_file(path)?,
        None => of_system()?,
    };
    let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| CliError::Argument(format!("TLS cannot be set up: {error}")))?;
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}

fn of_file(path: &Path) -> Result<RootCertStore, CliError> {
    let refused = |reason: &dyn std::fmt::Display| {
        CliError::Argument(format!(
            "--ca {}: {reason}; give a PEM file with the authority's certificate",
            path.display()
        ))
    };
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(path).map_err(|error| refused(&error))? {
        let certificate = certificate.map_err(|error| refused(&error))?;
        roots.add(certificate).map_err(|error| refused(&error))?;
    }
    if roots.is_empty() { Err(refused(&"it holds no certificate")) } else { Ok(roots) }
}

fn of_system() -> Result<RootCertStore, CliError> {
    let mut roots = RootCertStore::empty();
    // Single ones that cannot be read are nothing to stop for: the others may do.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() {
        let message = "this system has no authorities' certificates: name a file with --ca";
        return Err(CliError::Argument(message.to_owned()));
    }
    Ok(roots)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_certificates_is_named() {
        let file = tempfile::NamedTempFile::new().unwrap();
        for path in [file.path(), Path::new("/nowhere/ca.pem")] {
            let error = client_config(Some(path)).unwrap_err().to_string();
            assert!(error.contains(&format!("--ca {}", path.display())), "{error}");
        }
    }
}
