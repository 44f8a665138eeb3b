//! Stands before several nodes as a load balancer does: each connection goes to the first that takes it.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

/// A listening relay. Dropped, it closes its connections.
#[derive(Debug)]
pub struct Relay {
    address: SocketAddr,
    accepting: JoinHandle<()>,
}

impl Relay {
    /// Relays to the targets, earlier ones first.
    pub async fn open(targets: Vec<SocketAddr>) -> io::Result<Relay> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        Ok(Relay { address, accepting: tokio::spawn(accept(listener, targets)) })
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(listener: TcpListener, targets: Vec<SocketAddr>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => if let Ok((near, _)) = accepted {
                drop(connections.spawn(carry(near, targets.clone())));
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

/// Where a side breaks, the other one is told: a client must not believe that everything arrived.
async fn carry(mut near: TcpStream, targets: Vec<SocketAddr>) {
    let mut far = None;
    for target in targets {
        far = TcpStream::connect(target).await.ok();
        if far.is_some() {
            break;
        }
    }
    let carried = match far.as_mut() {
        Some(far) => {
            drop((near.set_nodelay(true), far.set_nodelay(true)));
            copy_bidirectional(&mut near, far).await.is_ok()
        }
        None => false,
    };
    if !carried {
        drop(near.set_zero_linger());
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    #[tokio::test]
    async fn a_connection_goes_to_the_first_that_lives() {
        let gone = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap().local_addr().unwrap();
        let alive = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let relay = Relay::open(vec![gone, alive.local_addr().unwrap()]).await.unwrap();
        let mut client = TcpStream::connect(relay.address()).await.unwrap();
        let (mut server, _) = alive.accept().await.unwrap();
        client.write_all(b"hello").await.unwrap();
        let mut heard = [0; 5];
        server.read_exact(&mut heard).await.unwrap();
        assert_eq!(&heard, b"hello");
        drop(server);
        assert_eq!(client.read(&mut heard).await.unwrap_or(0), 0, "the end of the server reaches the client");
    }
}
