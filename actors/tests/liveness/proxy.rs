//! A link between two nodes that can be cut: connections stay open and new ones are taken, but nothing
//! passes. What was open or opened meanwhile is closed when the link heals: nothing of it is of use. Or the
//! link forgets the connections it has: they stay open and take everything, and nothing comes out.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

/// Listens for one node on behalf of another; its threads end with the test's process.
pub(crate) struct Proxy {
    pub(crate) address: SocketAddr,
    link: Arc<Link>,
}

#[derive(Default)]
struct Link {
    cut: AtomicBool,
    /// Connections taken in an earlier era are forgotten.
    era: AtomicU64,
}

impl Proxy {
    pub(crate) fn to(target: SocketAddr) -> Proxy {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (address, link) = (listener.local_addr().unwrap(), Arc::new(Link::default()));
        let shared = Arc::clone(&link);
        std::thread::spawn(move || {
            for client in listener.incoming() {
                let (client, link) = (client.unwrap(), Arc::clone(&shared));
                let era = link.era.load(Ordering::Relaxed);
                std::thread::spawn(move || {
                    if link.was_cut() {
                        return;
                    }
                    let Ok(server) = TcpStream::connect(target) else { return };
                    let (back, forth) = (server.try_clone().unwrap(), client.try_clone().unwrap());
                    let also = Arc::clone(&link);
                    std::thread::spawn(move || pass(back, forth, &also, era));
                    pass(client, server, &link, era);
                });
            }
        });
        Proxy { address, link }
    }

    pub(crate) fn cut(&self) {
        self.link.cut.store(true, Ordering::Relaxed);
    }

    pub(crate) fn heal(&self) {
        self.link.cut.store(false, Ordering::Relaxed);
    }

    pub(crate) fn forget(&self) {
        self.link.era.fetch_add(1, Ordering::Relaxed);
    }
}

impl Link {
    /// Whether the link is cut; answers when it no longer is.
    fn was_cut(&self) -> bool {
        let was_cut = self.cut.load(Ordering::Relaxed);
        while self.cut.load(Ordering::Relaxed) {
            std::thread::sleep(Duration::from_millis(5));
        }
        was_cut
    }
}

fn pass(mut from: TcpStream, mut to: TcpStream, link: &Link, era: u64) {
    let mut buffer = [0; 16 * 1_024];
    loop {
        let read = from.read(&mut buffer).unwrap_or(0);
        let forgotten = link.era.load(Ordering::Relaxed) > era;
        if forgotten && read == 0 {
            // One end has given up; the other hears nothing of it until the test ends.
            std::thread::park();
        }
        if link.was_cut() || read == 0 || (!forgotten && to.write_all(&buffer[..read]).is_err()) {
            break;
        }
    }
    // Either side may have closed first.
    drop((from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both)));
}
