//! Real logs of eight systems and 279,774 realistic ones go in over HTTP; what comes out is compared
//! with counts made by other means: plain JSON here, `grep` for searches.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use insighthub_chaos_tests::api::{Api, Identity};
use insighthub_chaos_tests::chaos_record::now;
use insighthub_chaos_tests::node_process::{NodeOptions, NodeProcess};
use insighthub_chaos_tests::source_logs::{data_directory, loghub_records, read};
use serde_json::Value;

const BATCH_RECORDS: usize = 5_000;

/// A search, and how to count its hits with grep.
struct Search {
    q: &'static str,
    /// Lines of `service<TAB>level<TAB>timestamp<TAB>message` that must match all of these.
    message_has: &'static [&'static str],
    service: Option<&'static str>,
    level: Option<&'static str>,
    from_to: Option<(&'static str, &'static str)>,
}

const ANY: Search = Search { q: "", message_has: &[], service: None, level: None, from_to: None };

const SEARCHES: [Search; 12] = [
    Search { q: "failure", message_has: &["failure"], ..ANY },
    Search { q: "ERROR", message_has: &["ERROR"], ..ANY },
    Search { q: "\"authentication failure\"", message_has: &["authentication failure"], ..ANY },
    Search { q: "\"error state\"", message_has: &["error state"], service: Some("apache"), ..ANY },
    Search { q: "invalid user", message_has: &["invalid", "user"], service: Some("openssh"), ..ANY },
    Search { q: "\"cache hit\"", message_has: &["cache hit"], service: Some("payments"), ..ANY },
    Search { q: "completed", message_has: &["completed"], service: Some("auth"), level: Some("INFO"), ..ANY },
    Search { q: "timeout", message_has: &["timeout"], level: Some("ERROR"), ..ANY },
    Search { level: Some("ERROR"), service: Some("search"), ..ANY },
    Search {
        q: "pool",
        message_has: &["pool"],
        from_to: Some(("2026-01-06T00:00:00.000Z", "2026-01-07T12:00:00.000Z")),
        ..ANY
    },
    // `auth_12` is one word, so it is not found by this.
    Search { q: "auth", message_has: &["auth"], service: Some("auth"), ..ANY },
    Search { q: "10037", message_has: &["10037"], service: Some("android"), ..ANY },
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn real_logs_come_back_complete_and_searches_count_what_grep_counts() -> Result<()> {
    let Some(data) = data_directory() else {
        println!("skipped: the development data is not beside this checkout");
        return Ok(());
    };
    let directory = tempfile::tempdir()?;
    let node = NodeProcess::start(NodeOptions::in_directory(directory.path())?).await?;
    let api = node.api()?;
    let mut sent = loghub_records(&data, gunzip)?;
    ensure!(sent.len() == 16_000, "eight systems of 2,000 lines, not {}", sent.len());
    let synthetic = String::from_utf8(gunzip(&read(&data.join("synthetic/logs.ndjson.gz"))?)?)?;
    for line in synthetic.lines() {
        sent.push(serde_json::from_str(line)?);
    }
    ensure!(sent.len() == 295_774, "{} records in the development data", sent.len());

    let started = std::time::Instant::now();
    post_all(&api, &sent).await?;
    println!("{} records posted in {:?}", sent.len(), started.elapsed());
    let returned = api.all_logs(&[]).await?;
    compare_counts(&sent, &returned);
    compare_contents(&sent, &returned);
    compare_aggregates(&api, &sent).await?;

    let table = directory.path().join("sent.tsv");
    write_table(&table, &sent)?;
    for search in &SEARCHES {
        compare_search(&api, &table, search).await?;
    }
    for field in [("userId", "u874"), ("event_id", "E27"), ("label", "KERNDTLB"), ("line", "1999")] {
        compare_field(&api, &sent, field).await?;
    }
    assert_eq!(node.complaints()?, Vec::<String>::new(), "the node complained");
    Ok(())
}

async fn post_all(api: &Api, records: &[Value]) -> Result<()> {
    let producer = format!("real-logs-{}", now().0);
    for (number, batch) in records.chunks(BATCH_RECORDS).enumerate() {
        let body: String = batch.iter().map(|record| format!("{record}\n")).collect();
        let identity = Identity { producer: producer.clone(), sequence: number as u64 + 1 };
        let answer =
            api.ingest_as(&identity, &[("content-encoding", "gzip")], gzip(body.as_bytes())?).await?;
        ensure!(answer.status == 200, "{} {}", answer.status, answer.text);
        ensure!(answer.number("accepted") == Some(batch.len() as u64), "{}", answer.text);
    }
    Ok(())
}

fn compare_counts(sent: &[Value], returned: &[Value]) {
    let count = |records: &[Value]| {
        let mut counts: BTreeMap<(String, String), u64> = BTreeMap::new();
        for record in records {
            let key = (text(record, "service").to_owned(), text(record, "level").to_owned());
            *counts.entry(key).or_default() += 1;
        }
        counts
    };
    assert_eq!(count(returned), count(sent), "by service and level");
}

/// Each field that was sent comes back with its value, whatever the system added.
fn compare_contents(sent: &[Value], returned: &[Value]) {
    let line = |record: &Value| {
        let names = ["timestamp", "service", "level", "message", "userId", "line", "label", "event_id"];
        let cells = names.map(|name| record.get(name).map_or(String::new(), Value::to_string));
        let latency = record.get("latency_ms").and_then(Value::as_f64);
        format!("{}\t{latency:?}", cells.join("\t"))
    };
    let mut expected: Vec<String> = sent.iter().map(line).collect();
    let mut found: Vec<String> = returned.iter().map(line).collect();
    expected.sort_unstable();
    found.sort_unstable();
    let different = expected.iter().zip(&found).find(|(expected, found)| expected != found);
    assert_eq!(different, None, "the first record that came back otherwise");
    assert_eq!(found.len(), expected.len());
}

async fn compare_aggregates(api: &Api, sent: &[Value]) -> Result<()> {
    let mut expected: BTreeMap<String, u64> = BTreeMap::new();
    for record in sent {
        *expected.entry(text(record, "service").to_owned()).or_default() += 1;
    }
    let mut found: BTreeMap<String, u64> = BTreeMap::new();
    for aggregate in api.aggregates(&[]).await? {
        let total = aggregate.get("total_logs").and_then(Value::as_u64).context("total_logs")?;
        *found.entry(text(&aggregate, "service").to_owned()).or_default() += total;
    }
    assert_eq!(found, expected, "aggregates by service");
    Ok(())
}

/// One record a line, so that grep sees what the search sees.
fn write_table(path: &Path, records: &[Value]) -> Result<()> {
    let mut file = std::io::BufWriter::new(std::fs::File::create(path)?);
    for record in records {
        let message = text(record, "message");
        ensure!(!message.contains(['\n', '\t']), "the table needs messages of one line: {message:?}");
        let [service, level, timestamp] = ["service", "level", "timestamp"].map(|name| text(record, name));
        writeln!(file, "{service}\t{level}\t{timestamp}\t{message}")?;
    }
    Ok(file.flush()?)
}

async fn compare_search(api: &Api, table: &Path, search: &Search) -> Result<()> {
    let mut parameters = Vec::new();
    if !search.q.is_empty() {
        parameters.push(("q", search.q));
    }
    parameters.extend(search.service.map(|service| ("service", service)));
    parameters.extend(search.level.map(|level| ("level", level)));
    parameters.extend(search.from_to.map(|(from, _)| ("from", from)));
    parameters.extend(search.from_to.map(|(_, to)| ("to", to)));
    let found = api.all_logs(&parameters).await?.len();
    let expected = grep_count(table, search)?;
    println!("{parameters:?}: {found} found, {expected} by grep");
    assert!(expected > 0, "the comparison proves nothing: {parameters:?} is nowhere");
    assert_eq!(found, expected, "{parameters:?}");
    Ok(())
}

/// awk picks service, level and time; `cut` leaves the message; each `grep -iwF` keeps what has its words.
fn grep_count(table: &Path, search: &Search) -> Result<usize> {
    let (from, to) = search.from_to.unwrap_or(("", "~"));
    let pick = "(s == \"\" || $1 == s) && (l == \"\" || $2 == l) && $3 >= f && $3 < t";
    let mut script =
        format!("awk -F '\\t' -v s=\"$1\" -v l=\"$2\" -v f=\"$3\" -v t=\"$4\" '{pick}' \"$5\" | cut -f 4");
    for words in search.message_has {
        script.push_str(&format!(" | grep -iwF -e '{words}'"));
    }
    script.push_str(" | wc -l");
    let output = Command::new("sh")
        .env("LC_ALL", "C")
        .args(["-c", &script, "sh"])
        .args([search.service.unwrap_or(""), search.level.unwrap_or(""), from, to])
        .arg(table)
        .output()?;
    let count = String::from_utf8(output.stdout)?;
    count.trim().parse().with_context(|| format!("{script}: {count:?}"))
}

/// A filter on a field finds the records that have exactly this value, as parameter and in the query.
async fn compare_field(api: &Api, sent: &[Value], (name, value): (&str, &str)) -> Result<()> {
    let has = |record: &&Value| match record.get(name) {
        Some(Value::String(text)) => text == value,
        Some(Value::Number(number)) => number.to_string() == value,
        _ => false,
    };
    let expected = sent.iter().filter(has).count();
    let by_parameter = api.all_logs(&[(name, value)]).await?.len();
    let by_query = api.all_logs(&[("q", &format!("{name}:{value}"))]).await?.len();
    println!("{name}={value}: {by_parameter} and {by_query} found, {expected} sent");
    assert!(expected > 0, "the comparison proves nothing: no record has {name}={value}");
    assert_eq!((by_parameter, by_query), (expected, expected), "{name}={value}");
    Ok(())
}

fn text<'a>(record: &'a Value, name: &str) -> &'a str {
    record.get(name).and_then(Value::as_str).unwrap_or("")
}

fn gunzip(packed: &[u8]) -> Result<Vec<u8>> {
    let mut plain = Vec::new();
    flate2::read::GzDecoder::new(packed).read_to_end(&mut plain)?;
    Ok(plain)
}

fn gzip(plain: &[u8]) -> Result<Vec<u8>> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(plain)?;
    Ok(encoder.finish()?)
}
