//! A link between two nodes that can be cut: connections stay open and new ones are taken, but nothing
//! passes, as with a network that drops every packet.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Listens for one node on behalf of another; its threads end with the test's process.
pub(crate) struct Proxy {
    pub(crate) address: SocketAddr,
    cut: Arc<AtomicBool>,
}

impl Proxy {
    pub(crate) fn to(target: SocketAddr) -> Proxy {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (address, cut) = (listener.local_addr().unwrap(), Arc::new(AtomicBool::new(false)));
        let shared = Arc::clone(&cut);
        std::thread::spawn(move || {
            for client in listener.incoming() {
                let (client, cut) = (client.unwrap(), Arc::clone(&shared));
                std::thread::spawn(move || {
                    wait_for_heal(&cut);
                    let Ok(server) = TcpStream::connect(target) else { return };
                    let (back, forth) = (server.try_clone().unwrap(), client.try_clone().unwrap());
                    let also = Arc::clone(&cut);
                    std::thread::spawn(move || pass(back, forth, &also));
                    pass(client, server, &cut);
                });
            }
        });
        Proxy { address, cut }
    }

    pub(crate) fn cut(&self) {
        self.cut.store(true, Ordering::Relaxed);
    }

    pub(crate) fn heal(&self) {
        self.cut.store(false, Ordering::Relaxed);
    }
}

fn wait_for_heal(cut: &AtomicBool) {
    while cut.load(Ordering::Relaxed) {
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn pass(mut from: TcpStream, mut to: TcpStream, cut: &AtomicBool) {
    let mut buffer = [0; 16 * 1_024];
    loop {
        let read = from.read(&mut buffer).unwrap_or(0);
        wait_for_heal(cut);
        if read == 0 || to.write_all(&buffer[..read]).is_err() {
            break;
        }
    }
    // Either side may have closed first.
    drop((from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both)));
}
