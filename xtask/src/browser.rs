//! What checks and tools in a real browser need: the browser, and what looks for obstacles on its pages.

use anyhow::Result;

use crate::apt::Need;
use crate::node_js;
use crate::step::root;

const BROWSER: Need = Need {
    packages: &["chromium", "chromium-driver"],
    files: &["/usr/bin/chromium", "/usr/bin/chromedriver"],
    purpose: "a browser",
};
/// Names axe-core and its version.
const ACCESSIBILITY: &str = "chaos-tests/accessibility";
/// npm that reads the lock file there.
const NODE_MAJOR_MIN: u32 = 18;

/// The browser and its driver.
pub(crate) fn ensure() -> Result<()> {
    BROWSER.ensure()
}

/// axe-core in the version of the lock file; what is there in that version is not installed again.
pub(crate) fn ensure_accessibility() -> Result<()> {
    let folder = root().join(ACCESSIBILITY);
    // npm keeps what it installed in the form of the lock file.
    let (wanted, installed) =
        (folder.join("package-lock.json"), folder.join("node_modules/.package-lock.json"));
    let is_newer = || -> std::io::Result<bool> {
        Ok(std::fs::metadata(&installed)?.modified()? >= std::fs::metadata(&wanted)?.modified()?)
    };
    if is_newer().unwrap_or(false) {
        return Ok(());
    }
    node_js::ensure(NODE_MAJOR_MIN)?;
    node_js::install("install axe-core", ACCESSIBILITY)
}
