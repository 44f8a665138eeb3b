//! The node under attack: how it is started, spoken to byte by byte, and how much memory it holds.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use insighthub_chaos_tests::api::{Answer, Api};
use insighthub_chaos_tests::node_process::{NodeOptions, NodeProcess};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// A refusal comes at once; a debug build on a busy machine may take this long.
const ANSWER_WITHIN: Duration = Duration::from_secs(20);

/// Started with small bounds, where a smaller one proves the same.
const BOUNDS: [(&str, &str); 5] = [
    ("INSIGHTHUB_LIMITS__INFLATED_BYTES_MAX", "16777216"),
    ("INSIGHTHUB_LIMITS__SERVICES_MAX", "64"),
    ("INSIGHTHUB_HTTP__CONNECTIONS_MAX", "10500"),
    ("INSIGHTHUB_HTTP__TAILS_MAX", "20"),
    ("INSIGHTHUB_HTTP__ALLOWED_ORIGINS", "https://ops.example"),
];

pub(crate) struct Target {
    pub(crate) node: NodeProcess,
    pub(crate) api: Api,
    pub(crate) admin: Api,
    pub(crate) directory: tempfile::TempDir,
}

impl Target {
    pub(crate) async fn start() -> Result<Target> {
        let directory = tempfile::tempdir()?;
        let mut options = NodeOptions::in_directory(directory.path())?;
        options.environment.extend(BOUNDS.map(|(name, value)| (name.to_owned(), value.to_owned())));
        let node = NodeProcess::start(options).await?;
        Ok(Target { api: node.api()?, admin: node.admin_api()?, node, directory })
    }

    /// Posts a body as it is.
    pub(crate) async fn post(&self, headers: &[(&str, &str)], body: impl Into<Vec<u8>>) -> Result<Answer> {
        self.api.ingest(headers, body.into()).await
    }

    pub(crate) fn memory_kib(&self) -> Result<i64> {
        memory_kib(&self.node)
    }

    pub(crate) async fn is_well(&self) -> Result<()> {
        let record = serde_json::json!({"service": "well", "level": "INFO", "message": "still here"});
        let answer = self.post(&[("content-type", "application/json")], record.to_string()).await?;
        ensure!(answer.status == 200, "after an attack the node answers {} {}", answer.status, answer.text);
        Ok(())
    }
}

pub(crate) fn memory_kib(node: &NodeProcess) -> Result<i64> {
    let status = std::fs::read_to_string(format!("/proc/{}/status", node.process_id()))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("VmRSS")?;
    line.trim().trim_end_matches("kB").trim().parse().with_context(|| line.to_owned())
}

/// Writes bytes and reads until the other side closes, or nothing comes any more.
pub(crate) async fn exchange(address: SocketAddr, bytes: &[u8]) -> Result<Vec<u8>> {
    let mut stream = TcpStream::connect(address).await?;
    // A node that refuses early closes while bytes are still being written.
    drop(stream.write_all(bytes).await);
    Ok(read_to_end(&mut stream, ANSWER_WITHIN).await.0)
}

/// All that comes within the time, and whether the other side closed.
pub(crate) async fn read_to_end(stream: &mut TcpStream, within: Duration) -> (Vec<u8>, bool) {
    let mut heard = Vec::new();
    let reading = async {
        let mut piece = [0; 4_096];
        while let Ok(count) = stream.read(&mut piece).await {
            if count == 0 {
                break;
            }
            heard.extend_from_slice(&piece[..count]);
        }
    };
    let has_closed = timeout(within, reading).await.is_ok();
    (heard, has_closed)
}

/// The status of the first answer in what was heard.
pub(crate) fn status(heard: &[u8]) -> Option<u16> {
    String::from_utf8_lossy(heard).strip_prefix("HTTP/1.1 ")?.get(..3)?.parse().ok()
}

/// Every file and directory below a directory, itself included.
pub(crate) fn everything_below(root: &Path) -> Result<Vec<std::path::PathBuf>> {
    let mut all = vec![root.to_owned()];
    if root.is_dir() {
        for entry in std::fs::read_dir(root)? {
            all.extend(everything_below(&entry?.path())?);
        }
    }
    Ok(all)
}
