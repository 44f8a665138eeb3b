//! Builds the dashboard: compiles ui/ for the browser, generates its bindings, fills ui/dist.
//!
//! The standard library for wasm32 is not part of every toolchain. Where it is there it is used; on
//! Debian the compiler that Debian itself uses for the web builds it from source.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::apt::Need;
use crate::fingerprint;
use crate::step::{cargo, root, run, step};

const TARGET: &str = "wasm32-unknown-unknown";

/// Debian's compiler for the web, the sources of its standard library, and a linker for WebAssembly.
const WEB_COMPILER: Need = Need {
    packages: &["rustc-web", "rust-web-src", "lld"],
    files: &["/usr/bin/rustc", "/usr/lib/rustlib/src/rust/library/std/src/lib.rs", "/usr/bin/wasm-ld"],
    purpose: "a compiler for WebAssembly",
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Profile {
    Development,
    Release,
}

impl Profile {
    /// The folder cargo builds into.
    fn folder(self) -> &'static str {
        match self {
            Profile::Development => "debug",
            Profile::Release => "release",
        }
    }

    /// In the download a panic stops the code at once, without words: those of all panics and what writes them are a
    /// fifteenth of it, and `boot.js` says that the page broke down.
    fn flags(self) -> &'static str {
        match self {
            Profile::Development => "",
            Profile::Release => "-Zunstable-options -Cpanic=immediate-abort",
        }
    }

    /// What compressing it may cost.
    fn effort(self) -> &'static str {
        match self {
            Profile::Development => "fast",
            Profile::Release => "best",
        }
    }

    /// What a browser may have to download, compressed.
    fn compressed_bytes_max(self, library: Library) -> &'static str {
        match (self, library) {
            (Profile::Development, _) => "20000000",
            (Profile::Release, Library::Built) => "600000",
            // With the words of panics.
            (Profile::Release, Library::Shipped) => "660000",
        }
    }
}

/// Where the standard library for the browser comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Library {
    /// With the toolchain.
    Shipped,
    /// From its source.
    Built,
}

/// Builds the dashboard if its sources have changed.
pub(crate) fn build(profile: Profile) -> Result<()> {
    let ui = root().join("ui");
    let mark = ui.join("target").join("dashboard.fingerprint");
    let fingerprint = fingerprint::of(&sources(), profile.folder())?;
    let is_built = ui.join("dist").join("index.html").exists();
    if is_built && fs::read_to_string(&mark).is_ok_and(|known| known == fingerprint) {
        println!("==> dashboard: unchanged");
        return Ok(());
    }
    let library = if has_target() { Library::Shipped } else { Library::Built };
    let mut compile = compiler(profile, library)?;
    step("dashboard: compile for the browser", || {
        run(compile.args(profile_arguments(profile)).current_dir(&ui))
    })?;
    step("dashboard: bundle into ui/dist", || {
        let wasm = format!("target/{TARGET}/{}/insighthub-ui.wasm", profile.folder());
        let arguments = ["run", "--quiet", "--package", "insighthub-ui-bundle", "--"];
        run(cargo().current_dir(&ui).args(arguments).args([
            wasm.as_str(),
            "static",
            "dist",
            profile.effort(),
            profile.compressed_bytes_max(library),
        ]))
    })?;
    fs::write(&mark, fingerprint).with_context(|| format!("cannot write {}", mark.display()))
}

fn profile_arguments(profile: Profile) -> &'static [&'static str] {
    match profile {
        Profile::Development => &[],
        Profile::Release => &["--release"],
    }
}

/// Everything the dashboard is made from.
fn sources() -> Vec<PathBuf> {
    let paths = [
        "ui/src",
        "ui/static",
        "ui/bundle/src",
        "ui/bundle/Cargo.toml",
        "ui/Cargo.toml",
        "ui/Cargo.lock",
        "model/src",
        "model/Cargo.toml",
        "xtask/src/dashboard.rs",
    ];
    paths.iter().map(|path| root().join(path)).collect()
}

/// The cargo command that can compile for the browser on this machine.
fn compiler(profile: Profile, library: Library) -> Result<Command> {
    let mut command = cargo();
    command.args(["build", "--package", "insighthub-ui", "--target", TARGET]);
    // The bundle is made from this folder, wherever other builds go.
    command.env("CARGO_TARGET_DIR", root().join("ui").join("target"));
    if library == Library::Shipped {
        return Ok(command);
    }
    if !WEB_COMPILER.is_met() && !Path::new("/usr/bin/apt-get").exists() {
        bail!(
            "this toolchain cannot compile for the browser: add the target with `rustup target add {TARGET}`"
        );
    }
    WEB_COMPILER.ensure()?;
    command
        .args(["-Zbuild-std=std,panic_abort", "-Zbuild-std-features=optimize_for_size"])
        .env("RUSTFLAGS", profile.flags())
        .env("RUSTC", "/usr/bin/rustc")
        // Building the standard library is a nightly feature of cargo.
        .env("RUSTC_BOOTSTRAP", "1")
        .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", "wasm-ld")
        // Flags meant for this machine's code do not fit the browser's.
        .env_remove("CARGO_ENCODED_RUSTFLAGS");
    Ok(command)
}

/// Whether the current toolchain has the standard library for the browser.
fn has_target() -> bool {
    let output = Command::new("rustc").args(["--print", "target-libdir", "--target", TARGET]).output();
    output.is_ok_and(|output| {
        let folder = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        output.status.success() && Path::new(&folder).is_dir()
    })
}
