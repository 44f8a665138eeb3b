//! Folders that look like a backup and are none: names that lead elsewhere, sizes that lie, links.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use insighthub_chaos_tests::cluster::command_line::insighthub;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::target::{Target, everything_below};

/// What is changed in a manifest, and what the refusal must say.
type Forgery = (&'static str, fn(&mut Value), &'static str);

const FORGERIES: [Forgery; 9] = [
    ("a way up", |body| name(body, "../evil.state"), "no backup has"),
    ("a way up further in", |body| name(body, "blocks/../../evil.block"), "no backup has"),
    ("an absolute path", |body| name(body, "/tmp/evil.state"), "no backup has"),
    ("a hidden file", |body| name(body, ".bashrc"), "no backup has"),
    ("a name with a NUL", |body| name(body, "a\0.state"), "no backup has"),
    ("a size that lies upwards", |body| body["control"]["bytes"] = json!(u64::MAX), ""),
    ("a size that lies downwards", |body| body["control"]["bytes"] = json!(1), ""),
    ("another content", |body| body["control"]["sha256"] = json!("00".repeat(32)), ""),
    (
        "partitions without end",
        |body| {
            let one = body["partitions"][0].clone();
            body["partitions"] = Value::Array(vec![one; 20_000]);
        },
        "",
    ),
];

fn name(body: &mut Value, name: &str) {
    body["partitions"][0]["state"]["name"] = json!(name);
}

pub(crate) async fn attack(target: &Target) -> Result<usize> {
    let folder = taken(target)?;
    let manifest = fs::read(folder.join("manifest"))?;
    let mut faults = Vec::new();
    for (what, forge, reason) in FORGERIES {
        fs::write(folder.join("manifest"), forged(&manifest, forge)?)?;
        faults.extend(refused(target, &folder, what, reason)?);
    }
    fs::write(folder.join("manifest"), &manifest)?;
    let control = fs::read_dir(&folder)?.filter_map(|entry| Some(entry.ok()?.path()));
    let control = control.into_iter().find(|path| path.extension().is_some_and(|end| end == "state"));
    let control = control.context("no state in the backup")?;
    let content = fs::read(&control)?;
    fs::remove_file(&control)?;
    std::os::unix::fs::symlink("/etc/passwd", &control)?;
    faults.extend(refused(target, &folder, "a link to elsewhere", "")?);
    fs::remove_file(&control)?;
    fs::create_dir(&control)?;
    faults.extend(refused(target, &folder, "a directory for a file", "")?);
    fs::remove_dir(&control)?;
    fs::write(&control, content)?;
    ensure!(faults.is_empty(), "{}", faults.join("\n"));
    let verified = insighthub(&["backup", "--verify", &folder.to_string_lossy()], &[])?;
    verified.accepted().context("the backup as it was taken")?;
    let outside = everything_below(target.directory.path())?;
    ensure!(
        !outside.iter().any(|path| path.to_string_lossy().contains("evil")),
        "a file was written outside"
    );
    Ok(FORGERIES.len() + 3)
}

pub(crate) fn taken(target: &Target) -> Result<PathBuf> {
    let folder = target.directory.path().join("backup");
    let password = target.node.admin_password()?;
    let url = target.node.url();
    let environment =
        [("INSIGHTHUB_URL", url.as_str()), ("INSIGHTHUB_USER", "admin"), ("INSIGHTHUB_PASSWORD", password)];
    insighthub(&["backup", "--to", &folder.to_string_lossy()], &environment)?.accepted()?;
    Ok(folder)
}

fn forged(manifest: &[u8], forge: fn(&mut Value)) -> Result<Vec<u8>> {
    let end = manifest.iter().position(|byte| *byte == b'\n').context("a first line")?;
    let mut body: Value = serde_json::from_slice(&manifest[end + 1..])?;
    forge(&mut body);
    let body = serde_json::to_vec_pretty(&body)?;
    let sum: String = Sha256::digest(&body).iter().map(|byte| format!("{byte:02x}")).collect();
    Ok([format!("insighthub-backup 1 {sum}\n").into_bytes(), body].concat())
}

/// Neither taken for whole nor restored, with the reason; says what went wrong.
fn refused(target: &Target, folder: &Path, what: &str, reason: &str) -> Result<Vec<String>> {
    let mut faults = Vec::new();
    let (folder, data) = (folder.to_string_lossy(), target.directory.path().join("restored"));
    let data_text = data.to_string_lossy().into_owned();
    for words in
        [vec!["backup", "--verify", &folder], vec!["restore", "--from", &folder, "--data", &data_text]]
    {
        let ordered = insighthub(&words, &[])?;
        if ordered.is_accepted || !ordered.said.contains(reason) || ordered.said.contains("panicked") {
            faults.push(format!("{what}, {}: {}", words[0], ordered.said));
        }
    }
    if data.exists() {
        fs::remove_dir_all(&data)?;
    }
    Ok(faults)
}
