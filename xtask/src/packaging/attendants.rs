//! What goes with the program in a package: its manual and its completions, printed by itself.

use std::fs::{self, File};
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use crate::step::{run, target};

/// As Debian names them, by shell.
const COMPLETIONS: [(&str, &str); 3] =
    [("bash", "insighthub.bash"), ("zsh", "_insighthub"), ("fish", "insighthub.fish")];

/// Writes them beside the program of this profile, where `node/Cargo.toml` looks for them.
pub(super) fn write(profile: &str) -> Result<()> {
    let program = target().join(profile).join("insighthub");
    let home = target().join(profile).join("packaging");
    if home.exists() {
        fs::remove_dir_all(&home).with_context(|| home.display().to_string())?;
    }
    let (manual, completions) = (home.join("man"), home.join("completions"));
    fs::create_dir_all(&manual)?;
    fs::create_dir_all(&completions)?;
    run(Command::new(&program).args(["man", "--to"]).arg(&manual))?;
    run(Command::new("gzip").args(["--best", "--no-name", "--recursive"]).arg(&manual))?;
    for (shell, file) in COMPLETIONS {
        print_into(Command::new(&program).args(["completions", shell]), &completions.join(file))?;
    }
    Ok(())
}

fn print_into(command: &mut Command, path: &Path) -> Result<()> {
    let file = File::create(path).with_context(|| format!("cannot write {}", path.display()))?;
    run(command.stdout(file))
}
