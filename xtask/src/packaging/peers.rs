//! The three peers of the compose file, as processes: its configuration, its variables and its secrets, on addresses of this
//! machine.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use super::started::{Started, scratch, until_it_says_yes};
use crate::step::{root, run};

const NODES: [&str; 3] = ["n1", "n2", "n3"];
/// The network of the compose file, and one of the loopback's that nothing else uses.
const NETWORK: (&str, &str) = ("172.30.0.", "127.30.0.");

/// Founds the cluster, waits for its health, stops it.
pub(super) fn serve(root_of_package: &Path) -> Result<()> {
    let home = scratch("compose")?;
    let secrets = secrets(&home)?;
    let compose = fs::read_to_string(root().join("packaging/docker/docker-compose.yml"))?;
    let text = fs::read_to_string(root().join("packaging/docker/cluster.toml"))?;
    let addresses: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("http = ")).collect();
    for address in &addresses {
        let address = address.trim_matches('"').trim_end_matches(":8000");
        ensure!(compose.contains(&format!("ipv4_address: {address}\n")), "no container has {address}");
    }
    let config = home.join("cluster.toml");
    fs::write(&config, text.replace(NETWORK.0, NETWORK.1))?;
    let program = root_of_package.join("usr/bin/insighthub");
    let mut nodes = Vec::new();
    for name in NODES {
        let mut variables = variables(&compose, &config, &secrets)?;
        variables.push(("INSIGHTHUB_NODE", name.to_owned()));
        variables.push(("INSIGHTHUB_DATA", home.join(name).display().to_string()));
        nodes.push(Started::new(name, &program, &["serve".to_owned()], &variables, &home)?);
    }
    let urls: Vec<String> = addresses.iter().map(|address| url(address)).collect();
    urls.iter().try_for_each(|url| until_it_says_yes(root_of_package, &["health", "--url", url], &[]))?;
    let admin = [
        ("INSIGHTHUB_URL", urls.join(",")),
        ("INSIGHTHUB_USER", "admin".to_owned()),
        ("INSIGHTHUB_PASSWORD", fs::read_to_string(secrets.join("admin_password"))?),
    ];
    until_it_says_yes(root_of_package, &["cluster", "status", "--check"], &admin)?;
    nodes.into_iter().rev().try_for_each(Started::stop)
}

fn url(address: &str) -> String {
    format!("http://{}", address.trim_matches('"').replace(NETWORK.0, NETWORK.1))
}

/// Made by the script, in a copy of its folder, and not by what readers of the page must not do: they are for the owner alone.
fn secrets(home: &Path) -> Result<std::path::PathBuf> {
    let script = home.join("make-secrets.sh");
    fs::copy(root().join("packaging/docker/make-secrets.sh"), &script)?;
    run(&mut Command::new(&script))?;
    // A second run changes nothing.
    let folder = home.join("secrets");
    let made = fs::read_to_string(folder.join("cluster_secret"))?;
    run(&mut Command::new(&script))?;
    ensure!(
        made.len() == 64 && made == fs::read_to_string(folder.join("cluster_secret"))?,
        "secrets were made anew"
    );
    let mode = fs::metadata(&folder)?.permissions().mode() & 0o777;
    ensure!(mode == 0o700, "the folder of secrets is open to others: {mode:o}");
    Ok(folder)
}

/// The variables that the compose file gives to every node, with its paths where they are here.
fn variables(compose: &str, config: &Path, secrets: &Path) -> Result<Vec<(&'static str, String)>> {
    let value_of = |name: &str| {
        let line = compose.lines().find_map(|line| line.trim().strip_prefix(name)?.strip_prefix(": "));
        line.with_context(|| format!("the compose file does not set {name}"))
    };
    let mut variables = Vec::new();
    for name in ["INSIGHTHUB_CONFIG", "INSIGHTHUB_CLUSTER__SECRET_FILE", "INSIGHTHUB_ADMIN_PASSWORD_FILE"] {
        let value = value_of(name)?.replace("/etc/insighthub/cluster.toml", &config.display().to_string());
        variables.push((name, value.replace("/run/secrets", &secrets.display().to_string())));
    }
    Ok(variables)
}
