//! `GET /api/query/export?format=parquet`: pyarrow reads what a search finds, with types, from a cluster one of whose nodes is
//! dead. `cargo xtask test` installs pyarrow.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use insighthub_chaos_tests::binary::workspace;
use insighthub_chaos_tests::cluster::{ADMIN_PASSWORD, Cluster, ClusterOptions};
use serde_json::{Value, json};
use tokio::process::Command;

const RECORDS: u64 = 7_000;

/// What pyarrow says of a file.
async fn described(file: &Path) -> Result<Value> {
    let python = std::env::var_os("INSIGHTHUB_PYARROW").map(PathBuf::from);
    let python =
        python.context("INSIGHTHUB_PYARROW names no Python with pyarrow; cargo xtask test installs one")?;
    let script = workspace().join("chaos-tests/pyarrow/described.py");
    let output = Command::new(python).arg(script).arg(file).output().await?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(serde_json::from_slice(&output.stdout)?)
}

async fn export(url: &str, directory: &Path, parameters: &[(&str, &str)]) -> Result<Value> {
    let mut address = reqwest::Url::parse(url)?.join("/api/query/export")?;
    address.query_pairs_mut().append_pair("format", "parquet").extend_pairs(parameters);
    let request = reqwest::Client::new().get(address).basic_auth("admin", Some(ADMIN_PASSWORD));
    let response = request.send().await?.error_for_status()?;
    let header = |name: &str| response.headers()[name].to_str().unwrap_or("").to_owned();
    ensure!(header("content-type") == "application/vnd.apache.parquet", "{:?}", response.headers());
    ensure!(header("content-disposition").ends_with(".parquet\""), "{:?}", response.headers());
    let file = directory.join("export.parquet");
    std::fs::write(&file, response.bytes().await?)?;
    described(&file).await
}

fn lines() -> String {
    let line = |number: u64| {
        let mut record = json!({
            "service": format!("s{}", number % 3), "message": format!("order {number}"), "user": format!("u{}", number % 10),
            "status": 200 + number % 2, "timestamp": format!("2026-01-31T10:00:00.{:09}Z", number + 1),
        });
        if number.is_multiple_of(2) {
            record["latency_ms"] = json!(number as f64 / 2.0);
        }
        format!("{record}\n")
    };
    (0..RECORDS).map(line).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pyarrow_reads_what_a_search_finds() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let cluster = Cluster::start(&ClusterOptions::default()).await?;
    let (node, url) = (cluster.node(0)?, cluster.node(0)?.url());
    node.admin().ingest(&[("content-type", "application/x-ndjson")], lines().into()).await?.expect(200)?;
    cluster.node(2)?.kill().await?;
    cluster.wait_for_leaders_without(2, std::time::Duration::from_secs(60)).await?;
    let all = export(&url, directory.path(), &[]).await?;
    assert_eq!((&all["rows"], &all["row_groups"]), (&json!(RECORDS), &json!(1)));
    for (name, kind) in [
        ("timestamp", "timestamp[ns, tz=UTC]"),
        ("service", "string"),
        ("level", "string"),
        ("message", "string"),
        ("latency_ms", "double"),
        ("is_anomaly", "bool"),
        ("created_at", "timestamp[ns, tz=UTC]"),
        ("log_id", "string"),
    ] {
        assert_eq!(all["types"][name], json!(kind), "{name}: {}", all["types"]);
    }
    for name in ["service", "level"] {
        let encodings = all["encodings"][name].to_string();
        assert!(encodings.contains("DICTIONARY"), "{name}: {encodings}");
    }
    assert_eq!(all["nulls"]["latency_ms"], json!(RECORDS / 2));
    let sum: f64 =
        (0..RECORDS).filter(|number| number.is_multiple_of(2)).map(|number| number as f64 / 2.0).sum();
    assert_eq!(all["sums"]["latency_ms"], json!(sum));
    let mut expected: Vec<String> = (0..RECORDS).map(|number| format!("order {number}")).collect();
    expected.sort_unstable();
    assert_eq!(all["messages"], json!(expected));
    // Newest first, to the nanosecond; other fields are one object.
    let first = &all["first"][0];
    assert_eq!(first["message"], json!(format!("order {}", RECORDS - 1)));
    let nanos = format!(".{RECORDS:09}");
    assert!(first["timestamp"].as_str().is_some_and(|at| at.contains(&nanos)), "{first}");
    let fields: Value = serde_json::from_str(first["fields"].as_str().context("no fields")?)?;
    assert_eq!((&fields["user"], &fields["status"]), (&json!("u9"), &json!(201)));
    columns_and_tables(&url, directory.path()).await
}

async fn columns_and_tables(url: &str, directory: &Path) -> Result<()> {
    let chosen = [("fields", "timestamp,latency_ms,status"), ("service", "s1")];
    let chosen = export(url, directory, &chosen).await?;
    let types = json!({ "timestamp": "timestamp[ns, tz=UTC]", "latency_ms": "double", "status": "string" });
    assert_eq!((&chosen["types"], &chosen["rows"]), (&types, &json!((RECORDS + 1) / 3)));
    let table = [("q", "* | stats count() as n, avg(latency_ms) as mean by service | sort service")];
    let table = export(url, directory, &table).await?;
    assert_eq!(table["types"], json!({ "service": "string", "n": "int64", "mean": "double" }));
    assert_eq!((&table["rows"], &table["sums"]["n"]), (&json!(3), &json!(RECORDS)));
    let nothing = export(url, directory, &[("q", "nothing of the kind")]).await?;
    assert_eq!(nothing["rows"], json!(0));
    Ok(())
}
