//! Authorities and the certificates they give to nodes and to who connects to them.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Result;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};

/// Everything a node is called in tests, for certificates that it shows.
pub const NODE_NAMES: [&str; 3] = ["127.0.0.1", "localhost", "logs.example.com"];

/// Who certifies. All are called the same: only their keys tell them apart.
#[derive(Debug)]
pub struct Authority(CertifiedIssuer<'static, KeyPair>);

/// A certificate, its key and the certificate of who gave it, PEM.
#[derive(Debug, Clone)]
pub struct Files {
    pub certificate: PathBuf,
    pub key: PathBuf,
    pub authority: PathBuf,
}

impl Files {
    pub fn named(folder: &Path, name: &str) -> Files {
        Files {
            certificate: folder.join(format!("{name}.pem")),
            key: folder.join(format!("{name}.key")),
            authority: folder.join(format!("{name}-ca.pem")),
        }
    }
}

impl Authority {
    pub fn new() -> Result<Authority> {
        let mut params = CertificateParams::new(Vec::new())?;
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Ok(Authority(CertifiedIssuer::self_signed(params, KeyPair::generate()?)?))
    }

    pub fn pem(&self) -> String {
        self.0.pem()
    }

    /// Writes a new certificate and its key; the key first, as tools that renew certificates do.
    pub fn certify(&self, names: &[&str], files: &Files) -> Result<()> {
        let key = KeyPair::generate()?;
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let certificate = CertificateParams::new(names)?.signed_by(&key, &self.0)?;
        fs::write(&files.authority, self.pem())?;
        fs::write(&files.key, key.serialize_pem())?;
        fs::write(&files.certificate, certificate.pem())?;
        Ok(())
    }
}
