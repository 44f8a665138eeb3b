//! Embeds the built dashboard: every file of `ui/dist`, if there are any.

use std::ffi::OsStr;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

/// Endings of the compressed forms that lie beside every file.
const COMPRESSED: [&str; 2] = ["gz", "br"];

fn main() -> io::Result<()> {
    let out = env::var_os("OUT_DIR").ok_or_else(|| io::Error::other("cargo gave no OUT_DIR"))?;
    let out = Path::new(&out).join("dashboard");
    fs::create_dir_all(&out)?;
    let dist = Path::new(env!("CARGO_MANIFEST_DIR")).join("../ui/dist");
    // A directory that appears later changes its parent.
    let watched = if dist.exists() { dist.clone() } else { dist.join("..") };
    println!("cargo::rerun-if-changed={}", watched.display());
    let mut files: Vec<_> = match fs::read_dir(&dist) {
        Ok(entries) => entries.collect::<Result<_, _>>()?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(error),
    };
    // What is compressed is named by what it is made from.
    files.retain(|file| {
        file.path().is_file()
            && !COMPRESSED.iter().any(|ending| file.path().extension() == Some(OsStr::new(ending)))
    });
    files.sort_by_key(fs::DirEntry::file_name);
    let mut table = format!("static ASSETS: [Asset; {}] = [\n", files.len());
    for file in &files {
        let name =
            file.file_name().into_string().map_err(|_| io::Error::other("a file name is not UTF-8"))?;
        println!("cargo::rerun-if-changed={}", file.path().display());
        // A copy: the dashboard may be built again before the compiler comes to read it.
        let copy = out.join(&name);
        fs::copy(file.path(), &copy)?;
        let [gzip, brotli] = COMPRESSED.map(|ending| format!("{name}.{ending}"));
        let (gzip, brotli) = (copied(&dist, &gzip, &out)?, copied(&dist, &brotli, &out)?);
        writeln!(
            table,
            "Asset {{ name: {name:?}, content_type: {:?}, bytes: include_bytes!({copy:?}), gzip: include_bytes!({gzip:?}), brotli: include_bytes!({brotli:?}) }},",
            content_type(&name),
        )
        .map_err(io::Error::other)?;
    }
    table.push_str("];\n");
    fs::write(out.join("dashboard_assets.rs"), table)
}

fn copied(from: &Path, name: &str, to: &Path) -> io::Result<PathBuf> {
    let copy = to.join(name);
    fs::copy(from.join(name), &copy)?;
    Ok(copy)
}

fn content_type(name: &str) -> &'static str {
    match name.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("wasm") => "application/wasm",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("json") => "application/json",
        _ => "application/octet-stream",
    }
}
