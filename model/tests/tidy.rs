//! The house rules that a compiler does not see, as tests: file sizes, headers, names, who may name whom.

#![allow(clippy::unwrap_used, reason = "a wrong sample or checkout must fail loudly")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// A file longer than this has two reasons to change.
const FILE_LINES_MAX: usize = 400;
/// clippy does not see into `html!`, so the length of components is held here.
const COMPONENT_LINES_MAX: usize = 70;

const CRATES: [&str; 11] = [
    "model",
    "detect",
    "evaluation",
    "storage",
    "actors",
    "node",
    "ui",
    "chaos-tests",
    "simulation",
    "xtask",
    "ui/bundle",
];

/// Names of dumping grounds.
const BANNED_NAMES: [&str; 8] =
    ["util", "utils", "common", "helper", "helpers", "misc", "manager", "managers"];

/// Heavy libraries and the crates that may name them.
const LIBRARIES: [(&str, &[&str]); 18] = [
    ("sled", &["storage"]),
    ("openraft", &["storage"]),
    ("ractor", &["actors"]),
    ("ractor_cluster", &["actors"]),
    ("tokio-rustls", &["storage", "node"]),
    ("lettre", &["actors"]),
    ("linfa", &["detect"]),
    ("linfa-ensemble", &["detect"]),
    ("linfa-trees", &["detect"]),
    ("axum", &["node", "chaos-tests"]),
    ("hyper", &["node"]),
    ("argon2", &["node"]),
    ("bincode", &["storage"]),
    ("reqwest", &["actors", "node", "chaos-tests"]),
    ("tokio-tungstenite", &["node", "chaos-tests"]),
    ("yew", &["ui"]),
    ("utoipa", &["model", "node"]),
    ("utoipa-axum", &["node"]),
];

/// Our crates and those they may depend on.
const OUR_CRATES: [(&str, &[&str]); 9] = [
    ("model", &[]),
    ("detect", &["model"]),
    ("evaluation", &["model", "detect"]),
    ("storage", &["model"]),
    ("actors", &["model", "detect", "storage"]),
    ("node", &["model", "storage", "actors", "evaluation"]),
    ("ui", &["model"]),
    ("chaos-tests", &["model"]),
    ("simulation", &["model", "storage"]),
];

/// Folders whose code takes time and randomness as arguments.
const PURE_FOLDERS: [&str; 7] = [
    "model/src",
    "detect/src",
    "storage/src/query",
    "storage/src/block",
    "storage/src/control",
    "node/src/ingest",
    "node/src/logql",
];

const CLOCKS_AND_DICE: [&str; 5] =
    ["SystemTime::now", "Instant::now", "OffsetDateTime::now", "getrandom", "thread_rng"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn rust_files(folder: &Path, files: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() && name != "target" && name != "dist" {
            rust_files(&path, files);
        } else if name.ends_with(".rs") {
            files.push(path);
        }
    }
}

fn files_of(crate_folder: &str) -> Vec<(String, String)> {
    let mut files = Vec::new();
    for folder in ["src", "tests", "benches"] {
        rust_files(&root().join(crate_folder).join(folder), &mut files);
    }
    files.sort();
    let with_text = files.into_iter().map(|path| {
        let text = fs::read_to_string(&path).unwrap();
        (path.strip_prefix(root()).unwrap().display().to_string(), text)
    });
    with_text.collect()
}

fn all_files() -> Vec<(String, String)> {
    let files: Vec<_> = CRATES.iter().flat_map(|folder| files_of(folder)).collect();
    assert!(files.len() > 100, "only {} files were found: this test looks in the wrong place", files.len());
    files
}

fn assert_none(faults: &[String]) {
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn no_file_is_longer_than_the_cap() {
    let long = all_files().into_iter().filter(|(_, text)| text.lines().count() > FILE_LINES_MAX);
    let faults: Vec<_> =
        long.map(|(name, text)| format!("{name} has {} lines", text.lines().count())).collect();
    assert_none(&faults);
}

#[test]
fn every_file_says_what_it_is_for() {
    let silent = all_files().into_iter().filter(|(_, text)| !text.starts_with("//!"));
    assert_none(&silent.map(|(name, _)| format!("{name} does not start with //!")).collect::<Vec<_>>());
}

#[test]
fn no_dumping_grounds() {
    let mut faults = Vec::new();
    for (name, _) in all_files() {
        let parts: BTreeSet<_> = name.trim_end_matches(".rs").split(['/', '_']).collect();
        faults.extend(BANNED_NAMES.iter().filter(|banned| parts.contains(**banned)).map(|_| name.clone()));
    }
    assert_none(&faults);
}

fn dependencies(crate_folder: &str) -> Vec<String> {
    let manifest = fs::read_to_string(root().join(crate_folder).join("Cargo.toml")).unwrap();
    let mut wanted = false;
    let mut names = Vec::new();
    for line in manifest.lines() {
        if line.starts_with('[') {
            wanted = line == "[dependencies]";
        } else if wanted
            && let Some(name) = line.split([' ', '.', '=']).next().filter(|name| !name.is_empty())
        {
            names.push(name.to_owned());
        }
    }
    names
}

#[test]
fn each_heavy_library_is_named_where_it_belongs() {
    let mut faults = Vec::new();
    for folder in CRATES {
        for name in dependencies(folder) {
            let rule = LIBRARIES.iter().find(|(library, _)| *library == name);
            if rule.is_some_and(|(_, allowed)| !allowed.contains(&folder)) {
                faults.push(format!("{folder} must not depend on {name}"));
            }
        }
    }
    assert_none(&faults);
}

#[test]
fn our_crates_depend_downwards_only() {
    let mut faults = Vec::new();
    for (folder, allowed) in OUR_CRATES {
        for name in dependencies(folder) {
            if let Some(ours) = name.strip_prefix("insighthub-")
                && !allowed.contains(&ours)
            {
                faults.push(format!("{folder} must not depend on {ours}"));
            }
        }
    }
    assert_none(&faults);
}

#[test]
fn pure_folders_read_no_clock_and_throw_no_dice() {
    let mut faults = Vec::new();
    for (name, text) in all_files() {
        let pure = PURE_FOLDERS.iter().any(|folder| name.starts_with(folder));
        let code: Vec<_> = text.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
        for word in
            CLOCKS_AND_DICE.iter().filter(|word| pure && code.iter().any(|line| line.contains(**word)))
        {
            faults.push(format!("{name} names {word}"));
        }
    }
    assert_none(&faults);
}

#[test]
fn the_architecture_document_names_every_crate_and_actor() {
    let document = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let mut faults: Vec<_> =
        CRATES.iter().filter(|name| !document.contains(**name)).map(|name| (*name).to_owned()).collect();
    let actors = files_of("actors");
    let mut kinds: Vec<&str> = Vec::new();
    for (_, text) in &actors {
        // A mailbox is made with the kind of its actor: Mailbox::new(&roster, "kind", ...).
        let made = text.split("Mailbox::new(").skip(1).filter_map(|rest| rest.split('"').nth(1));
        kinds.extend(made.filter(|kind| kind.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')));
    }
    assert!(kinds.len() >= 5, "only {kinds:?} were found: this test looks for the wrong text");
    faults
        .extend(kinds.into_iter().filter(|kind| !document.contains(&format!("`{kind}`"))).map(str::to_owned));
    assert_none(&faults);
}

#[test]
fn no_component_of_the_dashboard_is_longer_than_a_function_may_be() {
    let mut faults = Vec::new();
    for (name, text) in files_of("ui") {
        let mut start = None;
        for (number, line) in text.lines().enumerate() {
            if line.starts_with("fn ") || line.starts_with("pub fn ") || line.starts_with("pub(crate) fn ") {
                start = Some(number);
            } else if line == "}"
                && let Some(begun) = start.take()
                && number - begun + 1 > COMPONENT_LINES_MAX
            {
                faults.push(format!("{name}:{} has {} lines", begun + 1, number - begun + 1));
            }
        }
    }
    assert_none(&faults);
}
