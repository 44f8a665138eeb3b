//! Turns the compiled WebAssembly into the folder the node embeds: `bundle IN.wasm STATIC_DIR OUT_DIR`.
//!
//! All files but `index.html` lie in a folder named after their content, so that browsers may keep
//! them for ever and never mix two versions. Knows nothing of cargo or of how the input was compiled.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use flate2::Compression;
use flate2::write::GzEncoder;
use wasm_bindgen_cli_support::Bindgen;

/// Name of the generated JavaScript module; `static/boot.js` imports it.
const NAME: &str = "insighthub";
/// What a browser downloads at most, compressed: the dashboard must come up quickly on a bad line.
const COMPRESSED_BYTES_MAX: usize = 600_000;

fn main() -> Result<()> {
    let arguments: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    let [wasm, statics, out] = arguments.as_slice() else {
        bail!("usage: insighthub-ui-bundle IN.wasm STATIC_DIR OUT_DIR");
    };
    if out.exists() {
        fs::remove_dir_all(out).with_context(|| format!("cannot empty {}", out.display()))?;
    }
    let staging = out.join("assets").join("staging");
    fs::create_dir_all(&staging).with_context(|| format!("cannot create {}", staging.display()))?;
    Bindgen::new()
        .input_path(wasm)
        .out_name(NAME)
        .web(true)?
        .typescript(false)
        .remove_producers_section(true)
        .remove_name_section(true)
        .generate(&staging)
        .with_context(|| format!("cannot generate bindings for {}", wasm.display()))?;
    let index = copy_statics(statics, &staging)?;
    let folder = format!("assets/{}", content_name(&staging)?);
    fs::rename(&staging, out.join(&folder))?;
    ensure!(index.contains("{{assets}}"), "index.html does not name its assets as {{{{assets}}}}");
    fs::write(out.join("index.html"), index.replace("{{assets}}", &folder))?;
    report(&out.join(&folder))
}

/// Copies everything but `index.html`, whose text is the answer.
fn copy_statics(statics: &Path, into: &Path) -> Result<String> {
    for entry in fs::read_dir(statics).with_context(|| format!("cannot read {}", statics.display()))? {
        let entry = entry?;
        if entry.file_name() != "index.html" {
            fs::copy(entry.path(), into.join(entry.file_name()))?;
        }
    }
    fs::read_to_string(statics.join("index.html")).context("index.html is missing")
}

/// A short name that changes when any file in the folder does.
fn content_name(folder: &Path) -> Result<String> {
    let mut content = Vec::new();
    for path in files(folder)? {
        content.extend_from_slice(path.file_name().unwrap_or_default().as_encoded_bytes());
        content.extend(fs::read(&path)?);
    }
    Ok(format!("{:016x}", xxhash_rust::xxh3::xxh3_64(&content)))
}

fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut paths: Vec<PathBuf> =
        fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>()?;
    paths.sort();
    Ok(paths)
}

/// Prints the size of every file, and fails if the browser would have to download too much.
fn report(folder: &Path) -> Result<()> {
    let (mut raw_total, mut compressed_total) = (0, 0);
    for path in files(folder)? {
        let bytes = fs::read(&path)?;
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(&bytes)?;
        let compressed = encoder.finish()?.len();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        println!("  {name:<22} {:>8} B  gzip {compressed:>7} B", bytes.len());
        raw_total += bytes.len();
        compressed_total += compressed;
    }
    println!("  {:<22} {raw_total:>8} B  gzip {compressed_total:>7} B", "together");
    ensure!(
        compressed_total <= COMPRESSED_BYTES_MAX,
        "the dashboard is {compressed_total} B compressed; at most {COMPRESSED_BYTES_MAX} B are allowed"
    );
    Ok(())
}
