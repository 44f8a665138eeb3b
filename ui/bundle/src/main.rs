//! Turns the compiled WebAssembly into the folder the node embeds: `bundle IN.wasm STATIC_DIR OUT_DIR fast|best
//! COMPRESSED_BYTES_MAX`. The bound keeps the dashboard quick to load on a bad line.
//!
//! Each file lies there as it is and compressed. Every file but `index.html` carries a hash of the whole in its name, so that a browser never mixes
//! two versions. Knows nothing of cargo or of how the input was compiled.

mod arrange;

use std::fs;
use std::io::Write;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use brotli::enc::BrotliEncoderParams;
use flate2::Compression;
use flate2::write::GzEncoder;
use wasm_bindgen_cli_support::Bindgen;

/// Name of the generated JavaScript module; `static/boot.js` imports it.
const NAME: &str = "insighthub";
/// Stands in the static files where the hash goes.
const HASH_MARK: &str = "{{hash}}";
/// A file of the dashboard before it has its final name.
struct Asset {
    name: String,
    bytes: Vec<u8>,
}

/// A file of the dashboard as it lies in the folder; beside it lie `NAME.gz` and `NAME.br`.
struct Written {
    name: String,
    bytes: usize,
    gzip_bytes: usize,
    brotli_bytes: usize,
}

/// What compression may cost.
#[derive(Clone, Copy)]
enum Effort {
    Fast,
    Best,
}

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [wasm, statics, out, effort, compressed_bytes_max] = arguments.as_slice() else {
        bail!("usage: insighthub-ui-bundle IN.wasm STATIC_DIR OUT_DIR fast|best COMPRESSED_BYTES_MAX");
    };
    let effort = match effort.as_str() {
        "fast" => Effort::Fast,
        "best" => Effort::Best,
        other => bail!("{other:?} is no effort: fast or best"),
    };
    let (wasm, statics, out) = (Path::new(wasm), Path::new(statics), Path::new(out));
    let compressed_bytes_max = compressed_bytes_max.parse().context("COMPRESSED_BYTES_MAX is no number")?;
    if out.exists() {
        fs::remove_dir_all(out).with_context(|| format!("cannot empty {}", out.display()))?;
    }
    bind(wasm, out)?;
    let mut assets = read(out)?;
    if let Effort::Best = effort {
        for asset in assets.iter_mut().filter(|asset| asset.name.ends_with(".wasm")) {
            asset.bytes = arrange::arrange(&asset.bytes)?;
        }
    }
    assets.extend(read(statics)?);
    assets.push(stylesheet(&statics.join("styles"))?);
    assets.sort_by(|a, b| a.name.cmp(&b.name));
    // The generated files come back under their final names.
    fs::remove_dir_all(out)?;
    fs::create_dir_all(out)?;
    let written = write(&assets, out, effort)?;
    report(&written, compressed_bytes_max)
}

/// Generates the JavaScript module and the module's own copy of the code.
fn bind(wasm: &Path, out: &Path) -> Result<()> {
    Bindgen::new()
        .input_path(wasm)
        .out_name(NAME)
        .web(true)?
        .typescript(false)
        .remove_producers_section(true)
        .remove_name_section(true)
        .generate(out)
        .with_context(|| format!("cannot generate bindings for {}", wasm.display()))
}

/// One file of all parts: a browser asks once, and not for what only people read.
fn stylesheet(folder: &Path) -> Result<Asset> {
    let mut parts = read(folder)?;
    parts.sort_by(|a, b| a.name.cmp(&b.name));
    let mut sheet = String::new();
    for part in parts {
        let text = String::from_utf8(part.bytes).with_context(|| format!("{} is no text", part.name))?;
        let mut rest = text.as_str();
        while let Some((before, comment)) = rest.split_once("/*") {
            sheet.push_str(before);
            rest = comment.split_once("*/").map_or("", |(_, after)| after);
        }
        sheet.push_str(rest);
    }
    let lines: Vec<&str> = sheet.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    Ok(Asset { name: "style.css".to_owned(), bytes: lines.join("\n").into_bytes() })
}

/// The files of a folder; folders in it are not looked into.
fn read(folder: &Path) -> Result<Vec<Asset>> {
    let entries = fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let paths =
        entries.map(|entry| Ok(entry?.path())).filter(|path| !path.as_ref().is_ok_and(|path| path.is_dir()));
    paths
        .map(|path: Result<_>| {
            let path = path?;
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            Ok(Asset { name, bytes: fs::read(&path)? })
        })
        .collect()
}

/// Writes the files under their final names, with the hash put in where they name each other.
fn write(assets: &[Asset], out: &Path, effort: Effort) -> Result<Vec<Written>> {
    let hash = hash(assets);
    let mut written = Vec::new();
    for asset in assets {
        let bytes = match std::str::from_utf8(&asset.bytes) {
            Ok(text) => text.replace(HASH_MARK, &hash).into_bytes(),
            Err(_) => asset.bytes.clone(),
        };
        let name = match asset.name.rsplit_once('.') {
            Some((stem, extension)) if asset.name != "index.html" => format!("{stem}.{hash}.{extension}"),
            _ => asset.name.clone(),
        };
        fs::write(out.join(&name), &bytes).with_context(|| format!("cannot write {name}"))?;
        // The node serves these as they are: nothing is compressed while somebody waits.
        let (gzip, brotli) = (gzip(&bytes, effort)?, brotli(&bytes, effort)?);
        for (ending, compressed) in [("gz", &gzip), ("br", &brotli)] {
            let name = format!("{name}.{ending}");
            fs::write(out.join(&name), compressed).with_context(|| format!("cannot write {name}"))?;
        }
        written.push(Written {
            name,
            bytes: bytes.len(),
            gzip_bytes: gzip.len(),
            brotli_bytes: brotli.len(),
        });
    }
    Ok(written)
}

fn gzip(bytes: &[u8], effort: Effort) -> Result<Vec<u8>> {
    let level = match effort {
        Effort::Fast => Compression::fast(),
        Effort::Best => Compression::best(),
    };
    let mut encoder = GzEncoder::new(Vec::new(), level);
    encoder.write_all(bytes)?;
    Ok(encoder.finish()?)
}

/// RFC 7932.
fn brotli(bytes: &[u8], effort: Effort) -> Result<Vec<u8>> {
    let quality = match effort {
        Effort::Fast => 1,
        Effort::Best => 11,
    };
    let parameters = BrotliEncoderParams { quality, lgwin: 22, ..BrotliEncoderParams::default() };
    let mut compressed = Vec::new();
    brotli::BrotliCompress(&mut &*bytes, &mut compressed, &parameters)?;
    Ok(compressed)
}

/// A short name that changes when any file does.
fn hash(assets: &[Asset]) -> String {
    let mut content = Vec::new();
    for asset in assets {
        content.extend_from_slice(asset.name.as_bytes());
        content.extend_from_slice(&asset.bytes);
    }
    format!("{:016x}", xxhash_rust::xxh3::xxh3_64(&content))
}

/// Prints the size of every file, and fails if the browser would have to download too much.
fn report(files: &[Written], compressed_bytes_max: usize) -> Result<()> {
    let (mut raw, mut gzip, mut brotli) = (0, 0, 0);
    for file in files {
        let Written { name, bytes, gzip_bytes, brotli_bytes } = file;
        println!("  {name:<38} {bytes:>8} B  gzip {gzip_bytes:>7} B  brotli {brotli_bytes:>7} B");
        (raw, gzip, brotli) = (raw + bytes, gzip + gzip_bytes, brotli + brotli_bytes);
    }
    println!("  {:<38} {raw:>8} B  gzip {gzip:>7} B  brotli {brotli:>7} B", "together");
    ensure!(
        brotli <= compressed_bytes_max,
        "the dashboard is {brotli} B compressed; at most {compressed_bytes_max} B are allowed"
    );
    Ok(())
}
