//! `insighthub import`: every form of file arrives whole, and an import that is killed again and again stores each
//! record once.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use flate2::Compression;
use flate2::write::GzEncoder;
use insighthub_chaos_tests::api::Api;
use insighthub_chaos_tests::cluster::command_line::{Ongoing, Ordered, as_admin, insighthub};
use insighthub_chaos_tests::cluster::{Cluster, ClusterOptions};
use insighthub_chaos_tests::deadline::wait_until;
use insighthub_chaos_tests::node_process::{NodeOptions, NodeProcess};
use serde_json::{Value, json};

const WITHIN: Duration = Duration::from_secs(60);
/// Of the files that are imported while processes die: some eighty batches.
const RECORDS: u64 = 150_000;
/// As long as there is something to read.
const KILLS_MAX: usize = 8;
const KILLS_MIN: usize = 3;

fn gzip(text: &str) -> Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text.as_bytes())?;
    Ok(encoder.finish()?)
}

fn import(words: &[&str], checkpoint: &Path, url: &str) -> Result<Ordered> {
    let checkpoint = checkpoint.display().to_string();
    insighthub(
        &[&["import", "--output", "ndjson", "--checkpoint", &checkpoint], words].concat(),
        &[("INSIGHTHUB_URL", url)],
    )
}

/// The counts that a program reads: the first line.
fn counts(ordered: &Ordered) -> Result<Value> {
    let line = ordered.said.lines().find(|line| line.starts_with('{')).context("no counts")?;
    serde_json::from_str(line).with_context(|| ordered.said.clone())
}

async fn messages(api: &Api, service: &str) -> Result<BTreeMap<String, Value>> {
    let records = api.all_logs(&[("service", service)]).await?;
    let count = records.len();
    let named =
        records.into_iter().map(|record| (record["message"].as_str().unwrap_or("").to_owned(), record));
    let named: BTreeMap<_, _> = named.collect();
    ensure!(named.len() == count, "{} messages in {count} records of {service}", named.len());
    Ok(named)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_form_arrives_with_its_fields() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let node = NodeProcess::start(NodeOptions::in_directory(directory.path())?).await?;
    let (api, url) = (node.api()?, node.url());
    let folder = directory.path().join("logs");
    fs::create_dir_all(folder.join("old"))?;
    let line = |name: &str, number: u64| {
        format!("{}\n", json!({ "service": "json", "message": format!("{name} {number}"), "number": number }))
    };
    let lines = |name: &str| (0..500).map(|number| line(name, number)).collect::<String>();
    fs::write(folder.join("a.log"), lines("plain"))?;
    fs::write(folder.join("old/b.log.gz"), gzip(&lines("gzip"))?)?;
    fs::write(folder.join("old/c.log"), zstd::encode_all(lines("zstd").as_bytes(), 3)?)?;
    let objects: Vec<Value> =
        (0..500).map(|number| json!({ "service": "json", "message": format!("array {number}") })).collect();
    fs::write(folder.join("d.log"), serde_json::to_string_pretty(&objects)?)?;
    fs::write(folder.join("not this.txt"), "no\n")?;
    let place = folder.display().to_string();
    let checkpoint = directory.path().join("import.json");
    let words = [place.as_str(), "--include", "*.log*", "--set", "shop=eu"];
    let first = import(&words, &checkpoint, &url)?;
    ensure!(first.is_accepted, "{}", first.said);
    let first = counts(&first)?;
    assert_eq!(
        (&first["read"], &first["stored"], &first["files"]),
        (&json!(2_000), &json!(2_000), &json!(4))
    );
    let found = messages(&api, "json").await?;
    assert_eq!(found.len(), 2_000);
    for name in ["plain 499", "gzip 0", "zstd 250", "array 7"] {
        assert_eq!(found.get(name).map(|record| &record["shop"]), Some(&json!("eu")), "{name}");
    }
    assert_eq!(found["zstd 250"]["number"], json!(250));
    // What was imported is not imported again; what is new is.
    fs::write(folder.join("0.log"), lines("new"))?;
    let second = counts(&import(&words, &checkpoint, &url)?)?;
    assert_eq!((&second["stored"], &second["files"]), (&json!(500), &json!(1)));
    assert_eq!(messages(&api, "json").await?.len(), 2_500);
    rows_and_texts(&api, &url, directory.path()).await?;
    faults_are_named(&url, directory.path())?;
    assert_eq!(node.complaints()?, Vec::<String>::new());
    Ok(())
}

async fn rows_and_texts(api: &Api, url: &str, directory: &Path) -> Result<()> {
    let rows = "at;what;status;took\n2026-01-31T10:00:00Z;\"paid;\n twice\";200;1.5\n2026-01-31T10:00:01Z;failed;500;\n";
    let file = directory.join("orders.csv");
    fs::write(&file, rows)?;
    let words = [
        &file.display().to_string(),
        "--service",
        "rows",
        "--timestamp-field",
        "at",
        "--message-field",
        "what",
        "--latency-field",
        "took",
    ];
    import(&words, &directory.join("rows.json"), url)?.accepted()?;
    let found = messages(api, "rows").await?;
    let paid = found.get("paid;\n twice").context("a cell of two lines")?;
    assert_eq!((&paid["latency_ms"], &paid["status"]), (&json!(1.5), &json!(200)));
    assert_eq!(paid["timestamp"], json!("2026-01-31T10:00:00.000Z"));
    let text = "2026-01-31 10:00:00,250 ERROR api it broke\nTraceback:\n  at one\n2026-01-31 10:00:01,500 INFO api well\n\
                2026-01-31 without a level\n";
    let file = directory.join("app.txt");
    fs::write(&file, text)?;
    let words = [
        &file.display().to_string(),
        "--service",
        "text",
        "--start-pattern",
        r"^\d{4}-",
        "--timestamp-format",
        "%F %T,%f",
        "--pattern",
        r"^(?P<timestamp>\S+ \S+) (?P<level>[A-Z]+) (?P<unit>\w+) (?P<message>(?s:.*))$",
    ];
    let counted = counts(&import(&words, &directory.join("text.json"), url)?)?;
    assert_eq!(
        (&counted["read"], &counted["stored"], &counted["unfitting"]),
        (&json!(3), &json!(3), &json!(1))
    );
    assert_eq!(counted["unfitting_examples"][0]["line"], json!(5));
    let found = messages(api, "text").await?;
    let broke = found.get("it broke\nTraceback:\n  at one").context("a record of three lines")?;
    assert_eq!((&broke["level"], &broke["unit"]), (&json!("ERROR"), &json!("api")));
    assert_eq!(broke["timestamp"], json!("2026-01-31T10:00:00.250Z"));
    assert!(found.contains_key("2026-01-31 without a level"), "{:?}", found.keys());
    Ok(())
}

fn faults_are_named(url: &str, directory: &Path) -> Result<()> {
    let folder = directory.join("faults");
    fs::create_dir_all(&folder)?;
    let good = "{\"service\":\"faults\",\"message\":\"good\"}\n";
    fs::write(
        folder.join("a.log"),
        format!("{good}\n{{\"message\":\"no service\"}}\n{good}{{\"service\": \n"),
    )?;
    let whole = gzip(&good.repeat(5_000))?;
    fs::write(folder.join("b.log.gz"), &whole[..whole.len() - 10])?;
    fs::write(folder.join("c.log"), good)?;
    let (place, checkpoint) = (folder.display().to_string(), directory.join("faults.json"));
    let ordered = import(&[&place], &checkpoint, url)?;
    ensure!(!ordered.is_accepted, "{}", ordered.said);
    let counted = counts(&ordered)?;
    assert_eq!(counted["rejected"], json!(2), "{counted}");
    let lines: Vec<&Value> = [0, 1].map(|at| &counted["rejections"][at]["line"]).into();
    assert_eq!(lines, [&json!(3), &json!(5)], "{counted}");
    let reason = counted["rejections"][0]["reason"].as_str().context("no reason")?;
    assert_eq!(reason, "service is required");
    let unreadable = counted["unreadable"][0]["file"].as_str().context("no file")?;
    assert!(unreadable.ends_with("b.log.gz"), "{counted}");
    // Mended, it is read on from where it broke off.
    let before = counted["stored"].as_u64().context("no count")?;
    fs::write(folder.join("b.log.gz"), &whole)?;
    let again = counts(&import(&[&place], &checkpoint, url)?)?;
    assert_eq!(before + again["stored"].as_u64().context("no count")?, 5_003, "{counted} {again}");
    let other = import(&[&place, "--set", "a=b"], &checkpoint, url)?.refused()?;
    assert!(other.contains("other options"), "{other}");
    Ok(())
}

fn numbered(from: u64, to: u64) -> String {
    let filler = "x".repeat(300);
    let line = |number: u64| {
        let record = json!({ "service": format!("s{}", number % 5), "message": format!("order {number}"), "filler": filler });
        format!("{record}\n")
    };
    (from..to).map(line).collect()
}

fn files(folder: &Path) -> Result<PathBuf> {
    let folder = folder.join("logs");
    fs::create_dir_all(&folder)?;
    fs::write(folder.join("1.log"), numbered(0, RECORDS / 3))?;
    fs::write(folder.join("2.log.gz"), gzip(&numbered(RECORDS / 3, RECORDS / 3 * 2))?)?;
    fs::write(folder.join("3.log.zst"), zstd::encode_all(numbered(RECORDS / 3 * 2, RECORDS).as_bytes(), 3)?)?;
    Ok(folder)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_import_that_is_killed_again_and_again_stores_each_record_once() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let cluster = Cluster::start(&ClusterOptions::default()).await?;
    let urls: Vec<String> = cluster.nodes.iter().map(|node| node.url()).collect();
    let url = urls.join(",");
    let (folder, checkpoint) = (files(directory.path())?, directory.path().join("import.json"));
    let (place, path) = (folder.display().to_string(), checkpoint.display().to_string());
    let words = ["import", "--output", "ndjson", "--checkpoint", &path, &place];
    let state = || -> Option<Value> { serde_json::from_slice(&fs::read(&checkpoint).ok()?).ok() };
    let is_done = |state: &Value| state["is_done"] == json!(true);
    let mut last = json!({ "sequence": 1 });
    let mut kills = 0;
    while kills < KILLS_MAX {
        let ongoing = Ongoing::start(&words, &as_admin(&url))?;
        let before = last["sequence"].as_u64();
        wait_until("the checkpoint moves on", WITHIN, || async {
            state().is_some_and(|now| now["sequence"].as_u64() > before || is_done(&now))
        })
        .await?;
        // Dropped, it is killed.
        drop(ongoing);
        last = state().context("no checkpoint")?;
        if is_done(&last) {
            break;
        }
        kills += 1;
        if kills == KILLS_MIN {
            cluster.node(0)?.kill().await?;
        }
    }
    ensure!(kills >= KILLS_MIN, "{kills} kills until all was read: the test has no teeth");
    let read = last["summary"]["read"].clone();
    let ended = Ongoing::start(&words, &as_admin(&url))?.end()?;
    ensure!(ended.is_accepted, "{}", ended.said);
    // Of an import that was at its end already, the next one says that there is nothing to do.
    let summary = if is_done(&last) { last["summary"].clone() } else { counts(&ended)? };
    assert_eq!(summary["stored"], json!(RECORDS), "{}", ended.said);
    let api = Api::patient(&urls[1], WITHIN)?;
    let mut orders = vec![0u8; RECORDS as usize];
    for record in api.all_logs(&[]).await? {
        let number =
            record["message"].as_str().and_then(|message| message.strip_prefix("order ")?.parse().ok());
        let number: usize = number.with_context(|| format!("a record nobody sent: {record}"))?;
        orders[number] += 1;
    }
    let wrong: Vec<usize> = (0..orders.len()).filter(|number| orders[*number] != 1).collect();
    ensure!(wrong.is_empty(), "{} records are not there once: {:?}", wrong.len(), wrong.iter().take(5));
    println!(
        "{kills} kills of the import, 1 of a node; {read} records before the last run, {RECORDS} once each"
    );
    Ok(())
}
