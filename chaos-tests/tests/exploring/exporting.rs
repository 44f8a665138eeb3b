//! `GET /api/query/export`: a file has what a search finds, in every format and over the borders of pages.

use anyhow::{Context, Result, ensure};
use insighthub_chaos_tests::api::{Answer, Api};
use insighthub_chaos_tests::node_process::{NodeOptions, NodeProcess};
use serde_json::{Value, json};

use super::{count, moment, send, sent};

const EXPORT: &str = "/api/query/export";

async fn export(api: &Api, parameters: &[(&str, &str)]) -> Result<Answer> {
    let answer = api.get(EXPORT, parameters).await?;
    answer.expect(200)?;
    Ok(answer)
}

/// The rows of a file, as objects where it says the names of the columns.
fn rows(format: &str, answer: &Answer) -> Result<Vec<Value>> {
    let lines = || answer.text.lines().filter(|line| !line.is_empty());
    match format {
        "json" => answer.json.as_array().cloned().context("no array"),
        "ndjson" => lines().map(|line| Ok(serde_json::from_str(line)?)).collect(),
        // No cell of these records holds a line break.
        _ => Ok(lines().skip(1).map(|line| json!(line)).collect()),
    }
}

/// Log ids as a search lists them, page by page.
async fn searched(api: &Api, parameters: &[(&str, &str)]) -> Result<Vec<String>> {
    let (mut ids, mut cursor) = (Vec::new(), None::<String>);
    loop {
        let mut asked = parameters.to_vec();
        asked.push(("limit", "700"));
        asked.extend(cursor.iter().map(|cursor| ("cursor", cursor.as_str())));
        let page = api.get("/api/logs", &asked).await?;
        page.expect(200)?;
        let records = page.json["records"].as_array().into_iter().flatten();
        ids.extend(records.filter_map(|record| record["log_id"].as_str().map(str::to_owned)));
        cursor = page.json["next_cursor"].as_str().map(str::to_owned);
        if cursor.is_none() {
            return Ok(ids);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_has_what_a_search_finds() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let options = NodeOptions::in_directory(directory.path())?.sealing_all_the_time();
    let node = NodeProcess::start(options).await?;
    let (api, sent) = (node.api()?, sent());
    send(&[node.api()?], &sent).await?;
    let (from, to) = (moment(10).to_string(), moment(5_500).to_string());
    let questions: [(&[(&str, &str)], u64); 4] = [
        (&[], sent.len() as u64),
        (&[("level", "ERROR")], count(&sent, |sent| sent.level == "ERROR")),
        (&[("region", "eu"), ("q", "order OR user")], {
            count(&sent, |sent| {
                sent.region == "eu" && sent.service != "search" && !sent.message.contains("timed")
            })
        }),
        (&[("from", &from), ("to", &to)], 5_491),
    ];
    for (parameters, expected) in questions {
        let ids = searched(&api, parameters).await?;
        ensure!(ids.len() as u64 == expected, "{parameters:?}: found {} of {expected}", ids.len());
        for format in ["csv", "json", "ndjson"] {
            let answer = export(&api, &[parameters, &[("format", format)]].concat()).await?;
            let rows = rows(format, &answer)?;
            ensure!(rows.len() == ids.len(), "{parameters:?} {format}: {} of {}", rows.len(), ids.len());
            for (row, id) in rows.iter().zip(&ids) {
                let is_it = row["log_id"] == json!(id) || row.as_str().is_some_and(|line| line.contains(id));
                ensure!(is_it, "{parameters:?} {format}: {row} where {id} was searched");
            }
        }
    }
    files_are_named(&api, &from, &to).await?;
    tables_and_columns(&api, &sent).await?;
    refusals_are_ordinary(&api).await?;
    assert_eq!(node.complaints()?, Vec::<String>::new());
    Ok(())
}

async fn files_are_named(api: &Api, from: &str, to: &str) -> Result<()> {
    for (format, content_type) in
        [("csv", "text/csv; charset=utf-8"), ("json", "application/json"), ("ndjson", "application/x-ndjson")]
    {
        let answer = export(api, &[("from", from), ("to", to), ("format", format), ("q", "nothing")]).await?;
        let header =
            |name: &str| answer.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or("");
        let name = format!("attachment; filename=\"insighthub-20260131T100020Z-20260131T130320Z.{format}\"");
        assert_eq!((header("content-disposition"), header("content-type")), (name.as_str(), content_type));
    }
    Ok(())
}

async fn tables_and_columns(api: &Api, sent: &[super::Sent]) -> Result<()> {
    let counted = "* | stats count() as n by service | sort service";
    let table = export(api, &[("q", counted)]).await?;
    let lines: Vec<String> = ["auth", "checkout", "search"]
        .map(|service| format!("{service},{}", count(sent, |sent| sent.service == service)))
        .into();
    assert_eq!(table.text.lines().collect::<Vec<_>>(), [&["service,n".to_owned()], &lines[..]].concat());
    let table = export(api, &[("q", counted), ("format", "json"), ("region", "eu"), ("fields", "n")]).await?;
    let n: Vec<u64> = rows("json", &table)?.iter().filter_map(|row| row["n"].as_u64()).collect();
    assert_eq!(n.iter().sum::<u64>(), count(sent, |sent| sent.region == "eu"));
    let columns = export(api, &[("q", "* | offset 10 | limit 4500"), ("fields", "user,service")]).await?;
    assert_eq!(columns.text.lines().next(), Some("user,service"));
    let expected: Vec<String> =
        (0..sent.len()).rev().skip(10).take(4_500).map(|number| format!("u{number}")).collect();
    let users = columns.text.lines().skip(1).map(|line| line.split(',').next().unwrap_or("").to_owned());
    assert_eq!(users.collect::<Vec<_>>(), expected);
    Ok(())
}

async fn refusals_are_ordinary(api: &Api) -> Result<()> {
    for (parameters, field) in [
        ([("format", "xml")], "format"),
        ([("q", "level:")], "q"),
        ([("from", "yesterday")], "from"),
        ([("level", "loud")], "level"),
    ] {
        let answer = api.get(EXPORT, &parameters).await?;
        assert_eq!((answer.status, answer.error("field")), (400, field), "{parameters:?}: {}", answer.text);
        assert!(!answer.headers.contains_key("content-disposition"), "a refusal is no file");
    }
    Ok(())
}
