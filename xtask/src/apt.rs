//! Installs what is missing, on Debian and its relatives. Elsewhere it says what is needed.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::step::{run, step};

/// Debian packages and a file that shows that they are there.
pub(crate) struct Need {
    pub(crate) packages: &'static [&'static str],
    pub(crate) files: &'static [&'static str],
    pub(crate) purpose: &'static str,
}

impl Need {
    pub(crate) fn is_met(&self) -> bool {
        self.files.iter().all(|file| Path::new(file).exists())
    }

    /// The command a person would type.
    pub(crate) fn command(&self) -> String {
        format!("apt-get install --no-install-recommends {}", self.packages.join(" "))
    }

    /// Installs the packages if they are missing.
    pub(crate) fn ensure(&self) -> Result<()> {
        if self.is_met() {
            return Ok(());
        }
        if !Path::new("/usr/bin/apt-get").exists() {
            bail!(
                "{} is missing and this is no Debian: install it by hand ({})",
                self.purpose,
                self.packages.join(", ")
            );
        }
        step(&format!("install {} ({})", self.purpose, self.packages.join(", ")), || {
            run(apt_get()?.arg("update").arg("-qq"))?;
            // A package is never removed to make room for ours.
            let flags = ["install", "-y", "-qq", "--no-install-recommends", "--no-remove"];
            run(apt_get()?.args(flags).args(self.packages))
        })?;
        if !self.is_met() {
            bail!("{} is still missing after `{}`", self.purpose, self.command());
        }
        Ok(())
    }
}

/// Downloads packages and unpacks them into a folder, without installing them.
pub(crate) fn unpack(packages: &[&str], home: &Path) -> Result<()> {
    fs::create_dir_all(home).with_context(|| home.display().to_string())?;
    step(&format!("unpack {} into {}", packages.join(", "), home.display()), || {
        run(apt_get()?.arg("update").arg("-qq"))?;
        // Nobody but its owner may write there, so apt's own user is no help.
        let download = ["download", "-qq", "-o", "APT::Sandbox::User=root"];
        run(apt_get()?.args(download).args(packages).current_dir(home))?;
        for entry in fs::read_dir(home)? {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == "deb") {
                run(Command::new("dpkg-deb").arg("--extract").arg(&path).arg(home))?;
            }
        }
        Ok(())
    })
}

/// apt-get with the rights it needs, asking no questions.
fn apt_get() -> Result<Command> {
    let mut command = if rustix::process::geteuid().is_root() {
        Command::new("apt-get")
    } else if Path::new("/usr/bin/sudo").exists() {
        let mut command = Command::new("sudo");
        command.args(["--preserve-env=DEBIAN_FRONTEND", "apt-get"]);
        command
    } else {
        bail!("installing packages needs root: run this command as root, or install sudo");
    };
    command.env("DEBIAN_FRONTEND", "noninteractive");
    Ok(command)
}
