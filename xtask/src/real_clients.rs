//! Installs the clients that are tested against nodes: a Python environment, Node.js modules and Debian packages, in the versions
//! that the checkout names, all in one folder of the build.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::apt::{self, Need};
use crate::fingerprint;
use crate::node_js;
use crate::python_tools;
use crate::step::{root, run, step, target};

/// The oldest that the modules run on.
const NODE_MAJOR_MIN: u32 = 20;
const CURL: Need = Need {
    packages: &["curl", "ca-certificates"],
    files: &["/usr/bin/curl"],
    purpose: "what commands of the documentation send with",
};
/// Unpacked and not installed: two of them are daemons that a machine has one of, and none is to be started on it.
/// With the libraries they need beyond those of a small Debian.
const DEBIAN: [&str; 17] = [
    "rsyslog",
    "rsyslog-elasticsearch",
    "rsyslog-gnutls",
    "syslog-ng-core",
    "syslog-ng-mod-http",
    "systemd-journal-remote",
    "bsdutils",
    "libsystemd-shared",
    "libestr0",
    "libfastjson4",
    "liblognorm5",
    "libivykis0",
    "libnet1",
    "libwrap0",
    "libmicrohttpd12",
    "libpcre3",
    "libjson-c5",
];

/// The folder with all of them; what is there in the right versions is not installed again.
pub(crate) fn ensure() -> Result<PathBuf> {
    CURL.ensure()?;
    let home = target().join("clients");
    fs::create_dir_all(&home)?;
    let source = root().join("chaos-tests/clients");
    python_tools::ensure("clients/python", "chaos-tests/clients/python/requirements.txt")?;
    let lock = [source.join("javascript/package-lock.json"), source.join("javascript/package.json")];
    once(&home, "javascript", &lock, || javascript_clients(&home, &source))?;
    once(&home, "debian", &[], || debian_clients(&home))?;
    Ok(home)
}

/// Makes a folder anew when what it is made from has changed.
fn once(home: &Path, name: &str, from: &[PathBuf], make: impl FnOnce() -> Result<()>) -> Result<()> {
    let stamp = home.join(format!("{name}.fingerprint"));
    let wanted = fingerprint::of(from, &format!("{name} {}", DEBIAN.join(" ")))?;
    if fs::read_to_string(&stamp).is_ok_and(|made| made == wanted) {
        return Ok(());
    }
    let folder = home.join(name);
    if folder.exists() {
        fs::remove_dir_all(&folder).with_context(|| folder.display().to_string())?;
    }
    step(&format!("install clients ({name})"), make)?;
    fs::write(&stamp, wanted).with_context(|| stamp.display().to_string())
}

fn javascript_clients(home: &Path, source: &Path) -> Result<()> {
    node_js::ensure(NODE_MAJOR_MIN)?;
    let folder = home.join("javascript");
    fs::create_dir_all(&folder)?;
    for name in ["package.json", "package-lock.json", ".npmrc"] {
        fs::copy(source.join("javascript").join(name), folder.join(name)).with_context(|| name.to_owned())?;
    }
    let mut npm = Command::new("npm");
    npm.current_dir(&folder);
    // Nothing of what is installed needs to run a program for it.
    run(npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel", "error"]))
}

fn debian_clients(home: &Path) -> Result<()> {
    let folder = home.join("debian");
    apt::unpack(&DEBIAN, &folder)?;
    let mut versions = String::new();
    for entry in fs::read_dir(&folder)? {
        let archive = entry?.path();
        if archive.extension().is_none_or(|extension| extension != "deb") {
            continue;
        }
        let format = "--showformat=${Package} ${Version}\n";
        let shown = Command::new("dpkg-deb").arg("--show").arg(format).arg(&archive).output()?;
        versions.push_str(&String::from_utf8_lossy(&shown.stdout));
        fs::remove_file(&archive)?;
    }
    let path = folder.join("versions.txt");
    fs::write(&path, versions).with_context(|| path.display().to_string())
}
