//! The addresses for other nodes, against whoever else finds them.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Result, ensure};
use insighthub_chaos_tests::node_process::NodeProcess;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::target::{memory_kib, read_to_end};

/// A handshake has 5 s.
const CLOSED_WITHIN: Duration = Duration::from_secs(8);

pub(crate) async fn attack(node: &NodeProcess, peer: SocketAddr, control: SocketAddr) -> Result<usize> {
    let before = memory_kib(node)?;
    let to_peer = openings(b"IHPT\x01\x00\x01\xff\xff");
    let to_control = openings(&u64::MAX.to_be_bytes());
    let mut attacks = Vec::new();
    for (address, opening, must_close) in to_peer
        .into_iter()
        .map(|opening| (peer, opening, true))
        .chain(to_control.into_iter().map(|opening| (control, opening, false)))
    {
        attacks.push(tokio::spawn(async move {
            let mut stream = TcpStream::connect(address).await?;
            drop(stream.write_all(&opening).await);
            let (heard, has_closed) = read_to_end(&mut stream, CLOSED_WITHIN).await;
            ensure!(
                has_closed || !must_close,
                "{address} waits for more after {:?}",
                &opening[..opening.len().min(16)]
            );
            // A refusal, or the beginning of a proof; never an answer.
            ensure!(heard.len() < 2_048, "{address} says {} bytes to a stranger", heard.len());
            Ok(())
        }));
    }
    let count = attacks.len();
    for attack in attacks {
        attack.await??;
    }
    let growth = memory_kib(node)? - before;
    println!("{count} openings at the doors for peers: {:.1} MiB", growth as f64 / 1024.0);
    ensure!(growth < 16 * 1024, "strangers at the doors for peers took {growth} KiB");
    Ok(count)
}

/// What strangers say first; `lie` says that a huge message follows.
fn openings(lie: &[u8]) -> Vec<Vec<u8>> {
    let mut noise = vec![0; 1 << 16];
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    for byte in &mut noise {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        *byte = state as u8;
    }
    vec![
        Vec::new(),
        noise,
        vec![0; 1 << 16],
        vec![0xff; 1 << 16],
        b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n".to_vec(),
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".to_vec(),
        lie.to_vec(),
        [lie, &[b'a'; 1 << 16]].concat(),
        lie[..lie.len() / 2].to_vec(),
    ]
}
