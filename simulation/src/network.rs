//! The transport's network on the simulated one.

use std::io;
use std::net::SocketAddr;

use futures::FutureExt;
use futures::future::BoxFuture;
use insighthub_storage::transport::{Listener, Network, Stream};
use turmoil::net::{TcpListener, TcpStream};

#[derive(Debug)]
pub(crate) struct SimulatedNetwork;

struct SimulatedListener(TcpListener);

impl Network for SimulatedNetwork {
    fn dial(&self, address: &str) -> BoxFuture<'static, io::Result<Box<dyn Stream>>> {
        let address = address.to_owned();
        async move { Ok(Box::new(TcpStream::connect(address).await?) as Box<dyn Stream>) }.boxed()
    }

    fn listen(&self, address: SocketAddr) -> BoxFuture<'static, io::Result<Box<dyn Listener>>> {
        async move { Ok(Box::new(SimulatedListener(TcpListener::bind(address).await?)) as Box<dyn Listener>) }
            .boxed()
    }
}

impl Listener for SimulatedListener {
    fn accept(&mut self) -> BoxFuture<'_, io::Result<(Box<dyn Stream>, String)>> {
        async move {
            let (stream, from) = self.0.accept().await?;
            Ok((Box::new(stream) as Box<dyn Stream>, from.to_string()))
        }
        .boxed()
    }

    fn local_address(&self) -> Option<SocketAddr> {
        self.0.local_addr().ok()
    }
}
