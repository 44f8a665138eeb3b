//! Libraries that must not come back: versions with holes, and those whose formats our files do not have.

use std::path::Path;

/// A library, the first version that may be there, the first that may not, and why.
const BOUNDS: [(&str, [u64; 3], [u64; 3], &str); 7] = [
    (
        "jsonwebtoken",
        [10, 3, 0],
        [u64::MAX; 3],
        "claims of another type passed for absent ones: CVE-2026-25537",
    ),
    (
        "openraft",
        [0, 9, 25],
        [0, 10, 0],
        "what is below was not patched for us; what is above has another storage interface",
    ),
    ("bincode", [0, 0, 0], [3, 0, 0], "3 is another format"),
    ("rsa", [u64::MAX; 3], [u64::MAX; 3], "a timing side channel that has no mend: RUSTSEC-2023-0071"),
    ("h2", [0, 4, 4], [u64::MAX; 3], "floods of continuation frames: RUSTSEC-2024-0332"),
    ("tungstenite", [0, 20, 1], [u64::MAX; 3], "headers without end: RUSTSEC-2023-0065"),
    ("openssl-sys", [u64::MAX; 3], [u64::MAX; 3], "TLS is rustls, here and everywhere"),
];

#[test]
fn no_library_is_outside_its_bounds() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut seen = 0;
    for lock in ["Cargo.lock", "ui/Cargo.lock", "node/fuzz/Cargo.lock"] {
        let text = std::fs::read_to_string(root.join(lock)).unwrap();
        for package in text.split("[[package]]").skip(1) {
            let value = |key: &str| {
                let line = package.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(" = \""));
                line.map(|rest| rest.trim_end_matches('"').to_owned()).unwrap_or_default()
            };
            let (name, version) = (value("name"), value("version"));
            seen += 1;
            let bounds = BOUNDS.iter().find(|(library, ..)| *library == name);
            let Some((_, from, below, why)) = bounds else { continue };
            let mut numbers = version.split(['.', '-', '+']).map(|part| part.parse().unwrap_or(0));
            let found = [(); 3].map(|()| numbers.next().unwrap_or(0));
            assert!(found >= *from && found < *below, "{lock} has {name} {version}: {why}");
        }
    }
    assert!(seen > 500, "the lock files were not read: {seen} packages");
}
