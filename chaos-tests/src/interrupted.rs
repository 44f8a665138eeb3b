//! Ctrl-C and SIGTERM as a value, so that what runs is dropped and ends what it started.

use tokio::signal::unix::{SignalKind, signal};

/// Comes when somebody wants this process to end.
pub async fn interrupted() -> anyhow::Error {
    let Ok(mut term) = signal(SignalKind::terminate()) else { return std::future::pending().await };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = term.recv() => {}
    }
    anyhow::anyhow!("interrupted")
}
