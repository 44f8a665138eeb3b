//! The live tail over a WebSocket: what was stored, then what is stored at another node, once each.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use futures::StreamExt;
use insighthub_chaos_tests::cluster::Cluster;
use serde_json::{Value, json};
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::Message;

use super::sent::{Sent, start};

const COMES_WITHIN: Duration = Duration::from_secs(20);
const LIVE: usize = 40;

pub(crate) async fn check(cluster: &Cluster, sent: &[Sent]) -> Result<()> {
    let mut url =
        reqwest::Url::parse(&cluster.node(0)?.url().replacen("http", "ws", 1))?.join("/loki/api/v1/tail")?;
    let from = start().to_string();
    let query =
        "{service_name=~\"checkout|tailed\"} |~ \"paid|live\" | json | drop __error__, __error_details__";
    url.query_pairs_mut().extend_pairs([
        ("query", query),
        ("start", &from),
        ("limit", "10"),
        ("delay_for", "2"),
    ]);
    let (mut socket, _) = connect_async(url.as_str()).await?;
    let past = next(&mut socket).await?;
    let paid = sent.iter().filter(|sent| sent.message.ends_with("paid"));
    let mut newest: Vec<(String, String)> =
        paid.rev().take(10).map(|sent| (sent.at.to_string(), sent.message.clone())).collect();
    newest.reverse();
    let mut shown = lines(&past)?;
    shown.sort();
    ensure!(shown == newest, "{past}");
    let records: String = (0..LIVE)
        .map(|number| {
            let message = json!({ "n": number, "is": "live" }).to_string();
            format!(
                "{}\n",
                json!({ "service": "tailed", "level": "warn", "message": message, "host": "web-9" })
            )
        })
        .chain([format!("{}\n", json!({ "service": "tailed", "message": "not meant" }))])
        .collect();
    let headers = [("content-type", "application/x-ndjson")];
    let answer = cluster.node(1)?.admin().ingest(&headers, records.into_bytes()).await?;
    ensure!(answer.status == 200, "{}", answer.text);
    let (mut numbers, began) = (Vec::new(), Instant::now());
    while numbers.len() < LIVE {
        ensure!(began.elapsed() < COMES_WITHIN, "only {} of {LIVE} came: {numbers:?}", numbers.len());
        let frame = next(&mut socket).await?;
        for stream in frame["streams"].as_array().context("no streams")? {
            let labels = &stream["stream"];
            ensure!(
                labels["service_name"] == "tailed" && labels["level"] == "warn" && labels["host"] == "web-9",
                "{labels}"
            );
            numbers.push(labels["n"].as_str().context("the pipeline did not run")?.parse::<usize>()?);
        }
        for (_, line) in lines(&frame)? {
            ensure!(line.contains("live"), "{line}");
        }
    }
    numbers.sort_unstable();
    ensure!(numbers == (0..LIVE).collect::<Vec<_>>(), "{numbers:?}");
    Ok(())
}

async fn next<S>(socket: &mut S) -> Result<Value>
where
    S: StreamExt<Item = Result<Message, tokio_tungstenite::tungstenite::Error>> + Unpin,
{
    loop {
        match tokio::time::timeout(COMES_WITHIN, socket.next()).await.context("nothing comes")? {
            Some(Ok(Message::Text(text))) => return Ok(serde_json::from_str(&text)?),
            Some(Ok(Message::Close(reason))) => bail!("closed: {reason:?}"),
            Some(Ok(_)) => {}
            Some(Err(error)) => return Err(error.into()),
            None => bail!("the socket ended"),
        }
    }
}

fn lines(frame: &Value) -> Result<Vec<(String, String)>> {
    let streams = frame["streams"].as_array().context("no streams")?;
    let values = streams.iter().filter_map(|stream| stream["values"].as_array()).flatten();
    let pair = |value: &Value| Some((value[0].as_str()?.to_owned(), value[1].as_str()?.to_owned()));
    values.map(|value| pair(value).context("no line")).collect()
}
