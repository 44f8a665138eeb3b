//! Asks a node whether it is ready, with nothing but a socket.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use anyhow::{Result, bail};

/// One question is answered at once or not at all.
const TIMEOUT: Duration = Duration::from_secs(2);

/// Whether the node says that it is ready.
pub(crate) fn is_ready(http: SocketAddr) -> bool {
    answer(http).is_ok_and(|status| status == "200")
}

/// Whether anything answers there: a node that is not ready lives too.
pub(crate) fn is_alive(http: SocketAddr) -> bool {
    answer(http).is_ok_and(|status| !status.is_empty())
}

/// The status of `GET /readyz`.
fn answer(http: SocketAddr) -> std::io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&http, TIMEOUT)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.set_write_timeout(Some(TIMEOUT))?;
    // In one piece: who answers and hangs up after the first would reset the connection over the rest.
    let request = format!("GET /readyz HTTP/1.1\r\nHost: {http}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes())?;
    let mut head = [0; 64];
    let mut length = 0;
    while let Some(rest) = head.get_mut(length..).filter(|rest| !rest.is_empty()) {
        match stream.read(rest)? {
            0 => break,
            read => length += read,
        }
    }
    let head = String::from_utf8_lossy(&head);
    Ok(head.split_whitespace().nth(1).unwrap_or_default().to_owned())
}

/// Says plainly if another program listens where a node should.
pub(crate) fn ensure_free(address: SocketAddr) -> Result<()> {
    match TcpListener::bind(address) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => bail!(
            "{address} is taken: another program listens there, perhaps another `cargo xtask up`. \
             Stop it, or change the address in cluster.toml"
        ),
        Err(error) => bail!("cannot listen on {address}: {error}. Change the address in cluster.toml"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn serve(reply: &'static str) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = [0; 512];
            let read = stream.read(&mut request).unwrap();
            assert!(request.get(..read).unwrap().starts_with(b"GET /readyz"));
            stream.write_all(reply.as_bytes()).unwrap();
        });
        address
    }

    #[test]
    fn only_200_is_ready() {
        assert!(is_ready(serve("HTTP/1.1 200 OK\r\n\r\n")));
        assert!(!is_ready(serve("HTTP/1.1 503 Service Unavailable\r\n\r\n")));
        assert!(!is_ready(serve("")));
        assert!(is_alive(serve("HTTP/1.1 503 Service Unavailable\r\n\r\n")));
        assert!(!is_alive(serve("")));
    }

    #[test]
    fn a_taken_port_is_named() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let error = ensure_free(address).unwrap_err().to_string();
        assert!(error.contains(&address.to_string()) && error.contains("is taken"), "{error}");
        drop(listener);
        ensure_free(address).unwrap();
    }
}
