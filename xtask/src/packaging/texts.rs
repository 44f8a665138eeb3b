//! Files of `packaging/` and of the workflow, held against what reads them.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::apt::Need;
use crate::python_tools;
use crate::step::{root, run};

const SHELLCHECK: Need = Need {
    packages: &["shellcheck"],
    files: &["/usr/bin/shellcheck"],
    purpose: "the checker of shell scripts",
};
/// What others made, or a build.
const LEFT_OUT: [&str; 6] = ["target", "node_modules", "dist", "data", ".git", "corpus"];
const SHEBANGS: [&str; 4] = ["#!/bin/sh", "#!/bin/bash", "#!/usr/bin/env sh", "#!/usr/bin/env bash"];

/// Every shell script of the checkout.
pub(super) fn shell_scripts() -> Result<()> {
    SHELLCHECK.ensure()?;
    let mut scripts = Vec::new();
    collect_scripts(&root(), &mut scripts)?;
    ensure!(scripts.len() >= 3, "only {scripts:?} were found: this check looks in the wrong place");
    run(Command::new("shellcheck").args(["--severity", "style"]).args(scripts))
}

fn collect_scripts(folder: &Path, scripts: &mut Vec<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let entry = entry?;
        let (path, kind) = (entry.path(), entry.file_type()?);
        let is_left_out = entry.file_name().to_str().is_some_and(|name| LEFT_OUT.contains(&name));
        if kind.is_dir() && !is_left_out {
            collect_scripts(&path, scripts)?;
        } else if kind.is_file() && is_script(&path)? {
            scripts.push(path);
        }
    }
    Ok(())
}

fn is_script(path: &Path) -> Result<bool> {
    let mut first = [0; 32];
    let read = fs::File::open(path).and_then(|mut file| file.read(&mut first));
    let read = read.with_context(|| format!("cannot read {}", path.display()))?;
    let first = String::from_utf8_lossy(first.get(..read).unwrap_or_default()).into_owned();
    Ok(first.lines().next().is_some_and(|line| SHEBANGS.contains(&line)))
}

/// The Dockerfile, the compose file and the workflow.
pub(super) fn containers() -> Result<()> {
    let programs = python_tools::ensure("packaging-tools", "packaging/checks/requirements.txt")?;
    let file = |path: &str| root().join(path);
    run(Command::new(programs.join("hadolint")).arg(file("packaging/docker/Dockerfile")))?;
    for (schema, path) in [
        ("vendor.compose-spec", "packaging/docker/docker-compose.yml"),
        ("vendor.github-workflows", ".github/workflows/ci.yml"),
    ] {
        let mut check = Command::new(programs.join("check-jsonschema"));
        run(check.args(["--quiet", "--builtin-schema", schema]).arg(file(path)))?;
    }
    everything_compiled_is_sent()
}

/// The image is built from the crates of the workspace, so its ignore file must let each of them through.
fn everything_compiled_is_sent() -> Result<()> {
    let ignored = fs::read_to_string(root().join("packaging/docker/Dockerfile.dockerignore"))?;
    let manifest: toml::Table = fs::read_to_string(root().join("Cargo.toml"))?.parse()?;
    let members = manifest.get("workspace").and_then(|workspace| workspace.get("members"));
    let members = members.and_then(toml::Value::as_array).context("Cargo.toml names no members")?;
    for member in members.iter().filter_map(toml::Value::as_str) {
        let is_sent = ignored.lines().any(|line| line == format!("!{member}"));
        ensure!(is_sent, "packaging/docker/Dockerfile.dockerignore keeps {member} from the image's build");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_are_known_by_their_first_line() {
        assert!(is_script(&root().join(".ci/run")).unwrap());
        assert!(is_script(&root().join("packaging/debian/postinst")).unwrap());
        assert!(!is_script(&root().join("Cargo.toml")).unwrap());
    }

    #[test]
    fn the_image_is_built_from_all_crates() {
        everything_compiled_is_sent().unwrap();
    }
}
