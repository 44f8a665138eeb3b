//! Nginx with the sample configuration in front of a node that is there and two that are not.

use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use super::started::Started;
use crate::apt::{self, Need};
use crate::step::{root, run, target};

const OPENSSL: Need =
    Need { packages: &["openssl"], files: &["/usr/bin/openssl"], purpose: "a maker of certificates" };
const REQUEST: &str = "[req]
prompt = no
distinguished_name = name
x509_extensions = server
[name]
CN = localhost
[server]
basicConstraints = critical, CA:FALSE
subjectAltName = DNS:localhost
";
const INSTALLED: &str = "/usr/sbin/nginx";

pub(super) struct Proxy {
    nginx: Started,
    pub(super) url: String,
    /// Of the authority that certified it.
    pub(super) certificate: PathBuf,
}

impl Proxy {
    /// `node` is the address of one that lives.
    pub(super) fn start(node: &str, home: &Path) -> Result<Proxy> {
        let program = nginx()?;
        let certificate = certificate(home)?;
        let https = free_address()?;
        let main = home.join("nginx.conf");
        fs::write(&main, main_configuration(home))?;
        fs::write(home.join("insighthub.conf"), adapted(node, https, home)?)?;
        let mut arguments = vec!["-c".to_owned(), main.display().to_string()];
        arguments.extend(["-e".to_owned(), home.join("nginx-error.log").display().to_string()]);
        run(Command::new(&program).args(&arguments).args(["-t", "-q"]))?;
        arguments.extend(["-g".to_owned(), "daemon off;".to_owned()]);
        let nginx = Started::new("nginx", &program, &arguments, &[], home)?;
        Ok(Proxy { nginx, url: format!("https://localhost:{}", https.port()), certificate })
    }

    pub(super) fn stop(self) -> Result<()> {
        self.nginx.stop()
    }
}

/// A certificate that certifies itself, for this machine, and its key.
fn certificate(home: &Path) -> Result<PathBuf> {
    OPENSSL.ensure()?;
    let (request, certificate) = (home.join("openssl.conf"), home.join("fullchain.pem"));
    fs::write(&request, REQUEST)?;
    let mut openssl = Command::new("openssl");
    openssl.args(["req", "-x509", "-noenc", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]);
    openssl.args(["-days", "1", "-config"]).arg(&request).arg("-keyout").arg(home.join("privkey.pem"));
    run(openssl.arg("-out").arg(&certificate).stderr(fs::File::create(home.join("openssl.log"))?))?;
    Ok(certificate)
}

/// The program: installed, or unpacked without being installed, because it would start at once and take port 80.
fn nginx() -> Result<PathBuf> {
    if Path::new(INSTALLED).exists() {
        return Ok(INSTALLED.into());
    }
    let home = target().join("nginx");
    let program = home.join("usr/sbin/nginx");
    if !program.exists() {
        apt::unpack(&["nginx"], &home)?;
    }
    Ok(program)
}

/// What Debian's own file has around `conf.d`.
fn main_configuration(home: &Path) -> String {
    let home = home.display();
    let folders = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
    let folders = folders.map(|name| format!("    {name}_temp_path {home}/{name};\n")).concat();
    format!(
        "pid {home}/nginx.pid;\nworker_processes 1;\nevents {{ worker_connections 256; }}\n\
         http {{\n    access_log {home}/access.log;\n{folders}    include {home}/insighthub.conf;\n}}\n"
    )
}

/// The sample with the addresses and files of this check.
fn adapted(node: &str, https: SocketAddr, home: &Path) -> Result<String> {
    let sample = fs::read_to_string(root().join("packaging/nginx/insighthub.conf"))?;
    let node = node.strip_prefix("http://").context("the node speaks no HTTP")?;
    let changes = [
        ("10.0.0.11:8000", node.to_owned()),
        // Nobody listens there.
        ("10.0.0.12:8000", "127.0.0.2:9".to_owned()),
        ("10.0.0.13:8000", "127.0.0.3:9".to_owned()),
        ("listen 80;", format!("listen {};", free_address()?)),
        ("listen 443 ssl http2;", format!("listen {https} ssl http2;")),
        ("    listen [::]:80;\n", String::new()),
        ("    listen [::]:443 ssl http2;\n", String::new()),
        ("/etc/ssl/insighthub", home.display().to_string()),
    ];
    let mut text = sample;
    for (from, to) in changes {
        ensure!(text.contains(from), "the sample no longer has {from:?}");
        text = text.replace(from, &to);
    }
    Ok(text)
}

fn free_address() -> Result<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}
