//! Ports that stay free while a node is down: below those the system gives to outgoing connections.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::atomic::{AtomicU16, Ordering};

/// Linux gives outgoing connections 32768 and above; what is privileged or well known lies below these.
const FIRST: u16 = 12_000;
const PORTS: u16 = 20_000;

/// Where this process looks next; processes start apart from each other.
static NEXT: AtomicU16 = AtomicU16::new(0);

/// An address of this machine on which nobody listens, given out once by this process.
pub fn free_address() -> io::Result<SocketAddr> {
    let apart = u16::try_from(u64::from(std::process::id()) * 131 % u64::from(PORTS)).unwrap_or(0);
    for _ in 0..PORTS {
        let step = NEXT.fetch_add(1, Ordering::Relaxed) % PORTS;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, FIRST + (apart + step) % PORTS));
        // std sets SO_REUSEADDR, as the nodes do: a port in TIME_WAIT is free.
        if TcpListener::bind(address).is_ok() {
            return Ok(address);
        }
    }
    Err(io::Error::new(io::ErrorKind::AddrInUse, "no free port from 12000 to 31999"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_address_is_given_twice() {
        let mut addresses: Vec<SocketAddr> = (0..50).map(|_| free_address().unwrap()).collect();
        addresses.sort_unstable();
        addresses.dedup();
        assert_eq!(addresses.len(), 50);
        assert!(addresses.iter().all(|address| (12_000..32_768).contains(&address.port())));
    }
}
