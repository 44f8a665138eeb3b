//! Clients that take a place and do nothing with it: trickled heads and bodies, silence, ten thousand idle sockets.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use crate::target::{Target, status};

/// 10 s for a head or a pause, and 5 s until it is noticed.
const CUT_WITHIN: Duration = Duration::from_secs(20);
const IDLE_SOCKETS: usize = 10_000;
const MEMORY_KIB_MAX: i64 = 64 * 1024;

pub(crate) async fn attack(target: &Target) -> Result<usize> {
    let address = target.node.address();
    let heads = b"GET /api/services HTTP/1.1\r\nHost: localhost\r\nX-A: ";
    let body = b"POST /api/logs HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n{";
    let login = b"POST /api/login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{";
    let (trickled_head, trickled_body, standing_body, standing_login, silent, crowd) = tokio::join!(
        trickle(address, heads, Some(Duration::from_millis(500))),
        trickle(address, body, Some(Duration::from_millis(500))),
        trickle(address, body, None),
        trickle(address, login, None),
        trickle(address, b"", None),
        idle_crowd(target),
    );
    let cut = |name: &'static str, heard: Result<Vec<u8>>, expected: Option<u16>| -> Result<()> {
        let heard = heard.context(name)?;
        ensure!(status(&heard) == expected, "{name}: {}", String::from_utf8_lossy(&heard));
        Ok(())
    };
    cut("a trickled head", trickled_head, None)?;
    cut("a trickled body", trickled_body, Some(408))?;
    cut("a body that stands still", standing_body, Some(408))?;
    cut("a login that stands still", standing_login, Some(408))?;
    cut("silence", silent, None)?;
    crowd?;
    Ok(6)
}

/// Writes the beginning, then a byte from time to time; gives what the node said before it closed.
async fn trickle(address: SocketAddr, beginning: &[u8], every: Option<Duration>) -> Result<Vec<u8>> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(beginning).await?;
    let (reading, mut writing) = stream.into_split();
    let writer = tokio::spawn(async move {
        while let Some(every) = every {
            sleep(every).await;
            if writing.write_all(b"a").await.is_err() {
                return;
            }
        }
        std::future::pending::<()>().await;
    });
    let started = Instant::now();
    let heard = timeout(CUT_WITHIN, heard_until_closed(reading)).await;
    writer.abort();
    let heard = heard.with_context(|| format!("still open after {:?}", started.elapsed()))?;
    ensure!(started.elapsed() > Duration::from_secs(5), "cut after {:?} already", started.elapsed());
    Ok(heard)
}

async fn heard_until_closed(mut reading: tokio::net::tcp::OwnedReadHalf) -> Vec<u8> {
    use tokio::io::AsyncReadExt;
    let mut heard = Vec::new();
    drop(reading.read_to_end(&mut heard).await);
    heard
}

/// Silent sockets are cut after ten seconds: what they cost is measured while they are there, however fast they come.
async fn idle_crowd(target: &Target) -> Result<()> {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum })?;
    let room = maximum.map_or(usize::MAX, |files| files as usize);
    ensure!(room > IDLE_SOCKETS + 2_048, "this system allows {room} open files: too few for this test");
    let (before, files) = (target.memory_kib()?, open_files(target)?);
    let started = Instant::now();
    let crowd = sockets(target.node.address(), IDLE_SOCKETS).await?;
    // A node that is busy accepting answers all the same, and has then accepted them.
    target.is_well().await.context("beside 10,000 idle sockets")?;
    let (growth, open) = (target.memory_kib()? - before, open_files(target)?.saturating_sub(files));
    println!("{open} idle sockets after {:?}: {:.1} MiB", started.elapsed(), growth as f64 / 1024.0);
    ensure!(open > IDLE_SOCKETS / 4, "only {open} of {IDLE_SOCKETS} sockets are open at once");
    let of_all = growth * IDLE_SOCKETS as i64 / open as i64;
    ensure!(of_all < MEMORY_KIB_MAX, "{IDLE_SOCKETS} idle sockets take {of_all} KiB");
    drop(crowd);
    Ok(())
}

fn open_files(target: &Target) -> Result<usize> {
    Ok(std::fs::read_dir(format!("/proc/{}/fd", target.node.process_id()))?.count())
}

async fn sockets(address: SocketAddr, count: usize) -> Result<Vec<std::net::TcpStream>> {
    let connecting = tokio::task::spawn_blocking(move || {
        (0..count).map(|_| std::net::TcpStream::connect(address)).collect::<std::io::Result<Vec<_>>>()
    });
    Ok(connecting.await??)
}
