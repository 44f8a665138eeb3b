//! Where the clients are installed, and in which versions. `cargo xtask test` installs them.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use tokio::process::Command;

use super::client::Package;

/// The folder with a Python environment, Node.js modules and unpacked Debian packages.
#[derive(Debug, Clone)]
pub struct Tools(PathBuf);

impl Tools {
    pub fn find() -> Result<Tools> {
        let named = std::env::var_os("INSIGHTHUB_CLIENTS");
        let home = PathBuf::from(named.context(
            "INSIGHTHUB_CLIENTS does not say where they are: `cargo xtask clients` installs them",
        )?);
        ensure!(home.is_dir(), "INSIGHTHUB_CLIENTS names {}, which is no folder", home.display());
        Ok(Tools(home))
    }

    pub fn python(&self) -> PathBuf {
        self.0.join("python/bin/python")
    }

    pub(super) fn node_modules(&self) -> PathBuf {
        self.0.join("javascript/node_modules")
    }

    /// A program of a Debian package, which finds the libraries it was unpacked with.
    pub(super) fn debian(&self, program: &str) -> Result<Command> {
        let root = self.debian_root();
        let mut command = Command::new(root.join(program));
        let folders = [
            self.libraries("usr/lib")?,
            self.libraries("lib")?,
            self.libraries("usr/lib")?.join("systemd"),
            self.libraries("lib")?.join("systemd"),
            root.join("usr/lib/syslog-ng"),
        ];
        command.env("LD_LIBRARY_PATH", std::env::join_paths(folders)?);
        Ok(command)
    }

    pub(super) fn debian_root(&self) -> PathBuf {
        self.0.join("debian")
    }

    /// The folder of this machine's kind below `lib`, such as `x86_64-linux-gnu`.
    pub(super) fn libraries(&self, below: &str) -> Result<PathBuf> {
        let folder = self.debian_root().join(below);
        child(&folder, |name| name.ends_with("-linux-gnu"))
            .with_context(|| format!("no libraries in {}", folder.display()))
    }

    /// The folder of modules of the one version of syslog-ng that is there.
    pub(super) fn syslog_ng_modules(&self) -> Result<PathBuf> {
        let is_version = |name: &str| name.starts_with(|first: char| first.is_ascii_digit());
        child(&self.debian_root().join("usr/lib/syslog-ng"), is_version).context("no modules of syslog-ng")
    }

    /// The version that is installed; of a Debian package the part that its authors gave.
    pub fn version(&self, package: Package) -> Result<String> {
        match package {
            Package::PyPi(name) => self.python_version(name),
            Package::Npm(name) => {
                let text = std::fs::read_to_string(self.node_modules().join(name).join("package.json"))?;
                let manifest: Value = serde_json::from_str(&text)?;
                let version = manifest.get("version").and_then(Value::as_str);
                Ok(version.context("a package without a version")?.to_owned())
            }
            Package::Debian(name) => {
                let versions = std::fs::read_to_string(self.0.join("debian/versions.txt"))?;
                let line = versions.lines().find_map(|line| line.strip_prefix(&format!("{name} ")));
                let version = line.with_context(|| format!("{name} is not unpacked"))?;
                let version = version.split_once(':').map_or(version, |(_, version)| version);
                Ok(version.rsplit_once('-').map_or(version, |(version, _)| version).to_owned())
            }
        }
    }

    fn python_version(&self, name: &str) -> Result<String> {
        let library = child(&self.0.join("python/lib"), |name| name.starts_with("python"));
        let packages = library.context("no Python")?.join("site-packages");
        let prefix = format!("{}-", name.replace('-', "_"));
        let is_it = |found: &str| found.to_lowercase().starts_with(&prefix) && found.ends_with(".dist-info");
        let folder = child(&packages, is_it).with_context(|| format!("{name} is not installed"))?;
        let folder = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let version = folder.get(prefix.len()..).and_then(|rest| rest.strip_suffix(".dist-info"));
        Ok(version.context("a package without a version")?.to_owned())
    }
}

fn child(folder: &Path, is_it: impl Fn(&str) -> bool) -> Option<PathBuf> {
    let entries = std::fs::read_dir(folder).ok()?;
    let mut paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    paths.find(|path| path.file_name().is_some_and(|name| is_it(&name.to_string_lossy())))
}
