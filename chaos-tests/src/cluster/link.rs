//! One link from a node to another, which can be cut, slowed and reset: a TCP relay in this process.
//!
//! Each way of a connection has its own weather. A cut way is a black hole: bytes stop, the connection
//! stays, and what was held flows on when the way opens again, as TCP's retransmissions would.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{Instant, sleep, sleep_until};

/// Small enough that a slow link slows evenly, large enough for bulk transfer.
const CHUNK_BYTES: usize = 16 << 10;
/// Chunks under way on a delayed link; behind them the sender meets back-pressure.
const CHUNKS_MAX: usize = 64;

/// What a way does to bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Weather {
    pub cut: bool,
    pub delay: Duration,
    pub bytes_per_sec: Option<u64>,
}

impl Weather {
    pub const CUT: Weather = Weather { cut: true, delay: Duration::ZERO, bytes_per_sec: None };
}

/// Which way of a link: from the node that dials, or back to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    There,
    Back,
}

/// One direction of all connections of a link.
#[derive(Debug)]
struct Way {
    weather: watch::Sender<Weather>,
    passed_bytes: AtomicU64,
    held_bytes: AtomicU64,
}

/// A listening relay. Dropped, it closes its connections.
#[derive(Debug)]
pub struct Link {
    address: SocketAddr,
    ways: Arc<Ways>,
    accepting: JoinHandle<()>,
}

#[derive(Debug)]
struct Ways {
    there: Way,
    back: Way,
    /// Counts up; each connection ends with a reset when it changes.
    reset: watch::Sender<u64>,
    resets: AtomicU64,
    /// Connections that were tried while a way was cut.
    unanswered: AtomicU64,
}

impl Link {
    /// Relays from a free port of this machine to the target.
    pub async fn open(target: SocketAddr) -> io::Result<Link> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let ways = Arc::new(Ways {
            there: Way::open_way(),
            back: Way::open_way(),
            reset: watch::Sender::new(0),
            resets: AtomicU64::new(0),
            unanswered: AtomicU64::new(0),
        });
        let accepting = tokio::spawn(accept(listener, target, Arc::clone(&ways)));
        Ok(Link { address, ways, accepting })
    }

    /// What to dial instead of the target.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn set(&self, direction: Direction, weather: Weather) {
        self.ways.way(direction).weather.send_replace(weather);
    }

    /// Ends every connection with a RST in both directions.
    pub fn reset(&self) {
        self.ways.reset.send_modify(|count| *count += 1);
    }

    pub fn passed_bytes(&self, direction: Direction) -> u64 {
        self.ways.way(direction).passed_bytes.load(Ordering::Relaxed)
    }

    /// What somebody tried to send and could not: bytes held, and connections that got no answer.
    pub fn held(&self, direction: Direction) -> u64 {
        self.ways.way(direction).held_bytes.load(Ordering::Relaxed)
            + self.ways.unanswered.load(Ordering::Relaxed)
    }

    pub fn resets(&self) -> u64 {
        self.ways.resets.load(Ordering::Relaxed)
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl Ways {
    fn way(&self, direction: Direction) -> &Way {
        match direction {
            Direction::There => &self.there,
            Direction::Back => &self.back,
        }
    }
}

impl Way {
    fn open_way() -> Way {
        Way {
            weather: watch::Sender::new(Weather::default()),
            passed_bytes: AtomicU64::new(0),
            held_bytes: AtomicU64::new(0),
        }
    }

    fn weather(&self) -> Weather {
        *self.weather.borrow()
    }

    /// Waits until the way is not cut.
    async fn opened(&self) {
        // The sender lives as long as the way, so the wait cannot fail.
        drop(self.weather.subscribe().wait_for(|weather| !weather.cut).await);
    }
}

async fn accept(listener: TcpListener, target: SocketAddr, ways: Arc<Ways>) {
    // Dropped with this task, which ends the connections too.
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((near, _)) => drop(connections.spawn(carry(near, target, Arc::clone(&ways)))),
                // Out of descriptors: the next try may work.
                Err(_) => sleep(Duration::from_millis(10)).await,
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

/// One connection until either side ends it.
async fn carry(mut near: TcpStream, target: SocketAddr, ways: Arc<Ways>) {
    let mut reset = ways.reset.subscribe();
    let dialed = tokio::select! {
        far = dial(target, &ways) => far,
        _ = reset.changed() => Err(io::ErrorKind::ConnectionReset.into()),
    };
    let Ok(mut far) = dialed else {
        // Nobody listens there: the dialing node is refused, as it would be without the relay.
        drop(near.set_zero_linger());
        return;
    };
    drop(near.set_nodelay(true));
    drop(far.set_nodelay(true));
    let ended_by_itself = tokio::select! {
        ended = exchange(&mut near, &mut far, &ways) => ended.is_ok(),
        _ = reset.changed() => {
            ways.resets.fetch_add(1, Ordering::Relaxed);
            false
        }
    };
    if !ended_by_itself {
        drop(near.set_zero_linger());
        drop(far.set_zero_linger());
    }
}

/// A call into a black hole gets no answer: there is no connection until both ways are open.
async fn dial(target: SocketAddr, ways: &Ways) -> io::Result<TcpStream> {
    if ways.there.weather().cut || ways.back.weather().cut {
        ways.unanswered.fetch_add(1, Ordering::Relaxed);
        ways.there.opened().await;
        ways.back.opened().await;
    }
    TcpStream::connect(target).await
}

async fn exchange(near: &mut TcpStream, far: &mut TcpStream, ways: &Ways) -> io::Result<()> {
    let (near_reader, near_writer) = near.split();
    let (far_reader, far_writer) = far.split();
    let there = pump(near_reader, far_writer, &ways.there);
    let back = pump(far_reader, near_writer, &ways.back);
    tokio::try_join!(there, back).map(drop)
}

async fn pump(
    reader: impl AsyncRead + Unpin,
    mut writer: impl AsyncWrite + Unpin,
    way: &Way,
) -> io::Result<()> {
    let (under_way, mut due) = mpsc::channel::<(Instant, Vec<u8>)>(CHUNKS_MAX);
    let mut reader = reader;
    let read = async move {
        loop {
            let mut bytes = vec![0; CHUNK_BYTES];
            let read = reader.read(&mut bytes).await;
            if read.is_err() {
                // The end of a connection does not come through a cut either.
                way.opened().await;
            }
            bytes.truncate(read?);
            let is_end = bytes.is_empty();
            if is_end || under_way.send((Instant::now() + way.weather().delay, bytes)).await.is_err() {
                return io::Result::Ok(());
            }
        }
    };
    let write = async {
        while let Some((at, bytes)) = due.recv().await {
            sleep_until(at).await;
            if way.weather().cut {
                way.held_bytes.fetch_add(bytes.len() as u64, Ordering::Relaxed);
                way.opened().await;
            }
            writer.write_all(&bytes).await?;
            way.passed_bytes.fetch_add(bytes.len() as u64, Ordering::Relaxed);
            if let Some(rate) = way.weather().bytes_per_sec {
                sleep(Duration::from_secs_f64(bytes.len() as f64 / rate.max(1) as f64)).await;
            }
        }
        way.opened().await;
        writer.shutdown().await
    };
    tokio::try_join!(read, write).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sends back what it gets.
    async fn echo() -> SocketAddr {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((mut socket, _)) = listener.accept().await {
                tokio::spawn(async move {
                    let (mut reader, mut writer) = socket.split();
                    tokio::io::copy(&mut reader, &mut writer).await
                });
            }
        });
        address
    }

    async fn says(socket: &mut TcpStream, word: &[u8]) -> io::Result<()> {
        socket.write_all(word).await?;
        let mut heard = vec![0; word.len()];
        socket.read_exact(&mut heard).await?;
        assert_eq!(heard, word);
        Ok(())
    }

    const SHORT: Duration = Duration::from_millis(150);

    #[tokio::test]
    async fn a_cut_holds_bytes_and_gives_them_back_when_it_heals() {
        for direction in [Direction::There, Direction::Back] {
            let link = Link::open(echo().await).await.unwrap();
            let mut socket = TcpStream::connect(link.address()).await.unwrap();
            says(&mut socket, b"before").await.unwrap();
            link.set(direction, Weather::CUT);
            let passed = link.passed_bytes(direction);
            socket.write_all(b"during").await.unwrap();
            let mut heard = [0; 6];
            let answer = tokio::time::timeout(SHORT, socket.read_exact(&mut heard)).await;
            assert!(answer.is_err(), "{direction:?}: an answer came through the cut");
            assert_eq!(link.passed_bytes(direction), passed);
            assert!(link.held(direction) > 0, "{direction:?}: nothing was held");
            link.set(direction, Weather::default());
            socket.read_exact(&mut heard).await.unwrap();
            assert_eq!(&heard, b"during");
        }
    }

    #[tokio::test]
    async fn only_one_way_is_cut() {
        let link = Link::open(echo().await).await.unwrap();
        let mut socket = TcpStream::connect(link.address()).await.unwrap();
        says(&mut socket, b"before").await.unwrap();
        link.set(Direction::Back, Weather::CUT);
        socket.write_all(b"during").await.unwrap();
        tokio::time::sleep(SHORT).await;
        assert_eq!(link.passed_bytes(Direction::There), 12, "the open way must carry");
        assert_eq!(link.passed_bytes(Direction::Back), 6);
    }

    #[tokio::test]
    async fn a_new_connection_into_a_cut_gets_no_answer_until_it_heals() {
        let link = Link::open(echo().await).await.unwrap();
        link.set(Direction::There, Weather::CUT);
        let mut socket = TcpStream::connect(link.address()).await.unwrap();
        assert!(tokio::time::timeout(SHORT, says(&mut socket, b"hello")).await.is_err());
        link.set(Direction::There, Weather::default());
        let mut heard = [0; 5];
        socket.read_exact(&mut heard).await.unwrap();
        assert_eq!(link.held(Direction::There), 1, "the connection itself");
    }

    #[tokio::test]
    async fn a_reset_breaks_connections_and_lets_new_ones_through() {
        let link = Link::open(echo().await).await.unwrap();
        let mut socket = TcpStream::connect(link.address()).await.unwrap();
        says(&mut socket, b"before").await.unwrap();
        link.reset();
        let error = socket.read_exact(&mut [0]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
        assert_eq!(link.resets(), 1);
        says(&mut TcpStream::connect(link.address()).await.unwrap(), b"after").await.unwrap();
    }

    #[tokio::test]
    async fn a_delay_delays_and_a_limit_limits() {
        let link = Link::open(echo().await).await.unwrap();
        let mut socket = TcpStream::connect(link.address()).await.unwrap();
        let delay = Duration::from_millis(60);
        link.set(Direction::There, Weather { delay, ..Weather::default() });
        let started = Instant::now();
        says(&mut socket, b"late").await.unwrap();
        assert!(started.elapsed() >= delay);
        link.set(Direction::There, Weather { bytes_per_sec: Some(100_000), ..Weather::default() });
        let started = Instant::now();
        for _ in 0..3 {
            says(&mut socket, &[7; 10_000]).await.unwrap();
        }
        assert!(started.elapsed() >= Duration::from_millis(200), "{:?}", started.elapsed());
    }

    #[tokio::test]
    async fn a_target_that_is_gone_refuses() {
        let gone = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap().local_addr().unwrap();
        let link = Link::open(gone).await.unwrap();
        let mut socket = TcpStream::connect(link.address()).await.unwrap();
        assert!(!matches!(socket.read(&mut [0]).await, Ok(1..)));
    }
}
