//! Sends what was prepared over several connections, each of which waits for an answer before it goes on.

use std::sync::Arc;

use anyhow::{Result, ensure};
use reqwest::Client;
use reqwest::header::CONTENT_TYPE;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::sync::Mutex;
use tokio::task::JoinSet;

use super::Form;
use super::forms::Prepared;
use crate::cluster::node::Node;
use crate::grpc::Connection;

type Waiting = Arc<Mutex<std::vec::IntoIter<Prepared>>>;

pub(super) async fn send(node: &Node, form: Form, requests: Vec<Prepared>, connections: usize) -> Result<()> {
    let waiting: Waiting = Arc::new(Mutex::new(requests.into_iter()));
    let client = Client::builder().tcp_nodelay(true).build()?;
    let mut all = JoinSet::new();
    for _ in 0..connections {
        let waiting = Arc::clone(&waiting);
        match form {
            Form::Syslog => {
                let address = node.door("syslog_tcp")?;
                all.spawn(async move { write_all(TcpStream::connect(address).await?, waiting).await });
            }
            Form::OtlpGrpc => {
                let address = node.door("otlp")?;
                all.spawn(async move { call_all(Connection::open(address).await?, waiting).await });
            }
            _ => {
                let (url, client) = (node.url(), client.clone());
                all.spawn(async move { post_all(&client, &url, waiting).await });
            }
        }
    }
    while let Some(done) = all.join_next().await {
        done??;
    }
    Ok(())
}

async fn next(waiting: &Waiting) -> Option<Prepared> {
    waiting.lock().await.next()
}

async fn post_all(client: &Client, url: &str, waiting: Waiting) -> Result<()> {
    while let Some(Prepared { path, content_type, body }) = next(&waiting).await {
        let request = client.post(format!("{url}{path}")).header(CONTENT_TYPE, content_type);
        let answer = request.body(body).send().await?;
        let status = answer.status();
        let text = answer.text().await?;
        ensure!(status.is_success(), "{path}: {status} {text}");
        ensure!(!text.contains("\"errors\":true"), "{path}: {text}");
    }
    Ok(())
}

async fn call_all(mut connection: Connection, waiting: Waiting) -> Result<()> {
    while let Some(Prepared { path, body, .. }) = next(&waiting).await {
        let said = connection.call(path, &[], body.into()).await?;
        ensure!(said.status == 0 && said.message.is_empty(), "{path}: {said:?}");
    }
    Ok(())
}

async fn write_all(mut stream: TcpStream, waiting: Waiting) -> Result<()> {
    while let Some(prepared) = next(&waiting).await {
        stream.write_all(&prepared.body).await?;
    }
    Ok(stream.shutdown().await?)
}
