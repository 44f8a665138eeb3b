//! `cargo xtask test`: every check that must pass, in an order that finds cheap mistakes first.

use std::ffi::OsStr;
use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Error, Result, bail};

use crate::browser;
use crate::dashboard::{self, Profile};
use crate::packaging;
use crate::readers;
use crate::real_clients;
use crate::schemathesis;
use crate::sdk_js;
use crate::sdk_python;
use crate::step::{cargo, node_binary, root, run as run_command, run_tests, seconds, step};
use crate::test_programs::run_at_once;

/// Crates whose tests look inside.
const WHITE_BOX: [&str; 8] =
    ["model", "detect", "evaluation", "storage", "actors", "node", "simulation", "xtask"];
/// Those that run whole nodes.
const BLACK_BOX: [&str; 1] = ["chaos-tests"];
/// Tests that drive a real browser: their files in chaos-tests/tests/ begin with this; they are a step of their own.
const BROWSER_TESTS: &str = "browser_";
/// Tests that run clients as their users install them: the same.
const CLIENT_TESTS: &str = "real_clients";
/// The test file that needs schemathesis.
const API_TEST: &str = "schemathesis";
/// Those that hold what leaves a cluster against the programs it is for.
const READERS_TESTS: [&str; 2] = ["export_parquet", "prometheus"];

type Work = Box<dyn FnOnce() -> Result<()>>;

struct Check {
    name: &'static str,
    work: Work,
    /// After a failure here the later ones are not worth their time: what they run is about to change.
    carries_later_ones: bool,
}

/// Runs the checks. After one that fails the others have their say as well, unless it is one of those that are quickly mended.
pub(crate) fn run() -> Result<()> {
    let checks = checks()?;
    let count = checks.len();
    let mut passed: Vec<(&str, Duration)> = Vec::new();
    let mut failed: Vec<(&str, Error)> = Vec::new();
    for (index, check) in checks.into_iter().enumerate() {
        let start = Instant::now();
        match step(&format!("[{}/{count}] {}", index + 1, check.name), check.work) {
            Ok(()) => passed.push((check.name, start.elapsed())),
            Err(error) => {
                failed.push((check.name, error));
                if check.carries_later_ones {
                    break;
                }
            }
        }
    }
    println!();
    for (name, elapsed) in &passed {
        println!("  {:>11}  {name}", seconds(*elapsed));
    }
    for (name, error) in &failed {
        println!("  {:>11}  {name}\n{error:#}", "FAILED");
    }
    println!("{} passed, {} failed", passed.len(), failed.len());
    let names: Vec<&str> = failed.iter().map(|(name, _)| *name).collect();
    match count - passed.len() - failed.len() {
        _ if failed.is_empty() => Ok(()),
        0 => bail!("failed: {}", names.join(", ")),
        left => bail!("failed: {}; {left} later checks did not run", names.join(", ")),
    }
}

fn checks() -> Result<Vec<Check>> {
    let deny = ["--", "-D", "warnings"];
    let clippy = ["clippy", "--locked", "--workspace", "--all-targets"];
    let test = ["test", "--locked", "--no-fail-fast", "--workspace"];
    Ok(vec![
        carrying("format", || run_command(cargo().args(["fmt", "--all", "--check"]))),
        // By name: --all would reach into the crates of the other workspace.
        carrying("dashboard: format", || {
            let packages = ["--package", "insighthub-ui", "--package", "insighthub-ui-bundle"];
            run_command(ui().arg("fmt").args(packages).arg("--check"))
        }),
        // First with --locked: a lock file that no longer fits the shared crates is said here.
        carrying("dashboard: lints", move || run_command(ui().args(clippy).args(deny))),
        carrying("dashboard: tests", move || run_tests(ui().args(test))),
        carrying("dashboard: build for the browser", || dashboard::build(Profile::Release)),
        carrying("lints", move || run_command(cargo().args(clippy).args(deny))),
        // Builds the node's binary as well, which tests of its crate may ask for.
        check("tests", move || {
            let mut tests = cargo();
            tests.args(test).args(["--lib", "--bins"]).args(tests_of(&WHITE_BOX, |_| true)?);
            run_tests(with_the_same_cases(&mut tests))
        }),
        check("packaging", packaging::check),
        check("Python SDK", sdk_python::run),
        check("crash tests on real processes", || {
            run_at_once(black_box().args(tests_of(&BLACK_BOX, needs_nothing)?))
        }),
        check("what leaves: Parquet and metrics", || {
            let python = readers::ensure()?;
            let mut test = black_box();
            test.env("INSIGHTHUB_PYARROW", python);
            run_tests(test.args(tests_of(&BLACK_BOX, |name| READERS_TESTS.contains(&name))?))
        }),
        check("api: schemathesis", || {
            let program = schemathesis::ensure()?;
            let mut test = black_box();
            test.env("INSIGHTHUB_SCHEMATHESIS", program).args(["--test", API_TEST]);
            // Its summary says how much was asked.
            run_tests(test.args(["--", "--nocapture"]))
        }),
        check("clients of other systems", clients),
        check("browser tests", || {
            browser::ensure()?;
            browser::ensure_accessibility()?;
            run_tests(black_box().args(tests_of(&BLACK_BOX, |name| name.starts_with(BROWSER_TESTS))?))
        }),
        check("JavaScript SDK", sdk_js::run),
    ])
}

/// What `cargo xtask test` does with clients, and what it needs for that.
pub(crate) fn clients_alone() -> Result<()> {
    // All of the workspace is named, as for the tests.
    step("build a node", || {
        run_command(cargo().args(["build", "--locked", "--workspace", "--bin", "insighthub"]))
    })?;
    clients()
}

fn clients() -> Result<()> {
    let mut test = black_box();
    test.env("INSIGHTHUB_CLIENTS", real_clients::ensure()?);
    test.args(tests_of(&BLACK_BOX, |name| name.starts_with(CLIENT_TESTS))?);
    // It says how each of them fared.
    run_tests(test.args(["--", "--nocapture"]))
}

/// Whether a test runs with nothing but the node.
fn needs_nothing(name: &str) -> bool {
    !(name.starts_with(BROWSER_TESTS)
        || name.starts_with(CLIENT_TESTS)
        || name == API_TEST
        || READERS_TESTS.contains(&name))
}

fn check(name: &'static str, work: impl FnOnce() -> Result<()> + 'static) -> Check {
    Check { name, work: Box::new(work), carries_later_ones: false }
}

fn carrying(name: &'static str, work: impl FnOnce() -> Result<()> + 'static) -> Check {
    Check { carries_later_ones: true, ..check(name, work) }
}

/// Properties are held against the same values in every run, so that one that fails says something of what was changed. Others
/// are tried by hand: `PROPTEST_CASES=5000 PROPTEST_RNG_SEED=7 cargo xtask test`.
fn with_the_same_cases(tests: &mut Command) -> &mut Command {
    const SEED: &str = "PROPTEST_RNG_SEED";
    if std::env::var_os(SEED).is_none() {
        tests.env(SEED, "1");
    }
    tests
}

fn ui() -> Command {
    let mut command = cargo();
    command.current_dir(root().join("ui"));
    command
}

/// Tests that run the node's binary, which was built just before. All of the workspace is named, as for the other tests: with
/// fewer crates their libraries would have other features, and be compiled again.
fn black_box() -> Command {
    let mut command = cargo();
    command
        .args(["test", "--locked", "--no-fail-fast", "--workspace"])
        .env("INSIGHTHUB_BIN", node_binary())
        // A test that fails says why in its error; where the error was made would hide it.
        .env("RUST_LIB_BACKTRACE", "0");
    command
}

/// The arguments that choose test files of these crates.
fn tests_of(crates: &[&str], is_chosen: impl Fn(&str) -> bool) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for folder in crates.iter().map(|name| root().join(name).join("tests")).filter(|folder| folder.is_dir()) {
        for entry in fs::read_dir(&folder)? {
            let path = entry?.path();
            // A file, or a folder of several.
            let is_test = path.extension() == Some(OsStr::new("rs")) || path.join("main.rs").is_file();
            let name = path.file_stem().and_then(OsStr::to_str).filter(|name| is_test && is_chosen(name));
            names.extend(name.map(str::to_owned));
        }
    }
    names.sort();
    Ok(names.into_iter().flat_map(|name| ["--test".to_owned(), name]).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn browser_tests_are_found_by_their_name() {
        let browser = tests_of(&BLACK_BOX, |name| name.starts_with(BROWSER_TESTS)).unwrap();
        assert!(browser.contains(&"browser_live_page".to_owned()), "{browser:?}");
        let others = tests_of(&BLACK_BOX, |name| !name.starts_with(BROWSER_TESTS)).unwrap();
        assert!(others.len() > browser.len() && !others.iter().any(|name| name.starts_with(BROWSER_TESTS)));
    }

    #[test]
    fn every_crate_with_tests_is_in_one_list() {
        let with_tests = fs::read_dir(root()).unwrap().filter_map(|entry| {
            let path = entry.unwrap().path();
            let is_crate = path.join("Cargo.toml").is_file() && path.join("tests").is_dir();
            is_crate.then(|| path.file_name().unwrap().to_str().unwrap().to_owned())
        });
        for name in with_tests.filter(|name| name != "ui") {
            let lists = [WHITE_BOX.as_slice(), BLACK_BOX.as_slice()];
            assert!(
                lists.iter().any(|list| list.contains(&name.as_str())),
                "the tests of {name} are not run"
            );
        }
    }
}
