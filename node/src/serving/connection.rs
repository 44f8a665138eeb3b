//! One connection of a client: TLS where there is a certificate, HTTP/2 or HTTP/1.1 as the client chose, until it ends or must.

use std::convert::Infallible;
use std::fmt;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;

use axum::Router;
use axum::extract::ConnectInfo;
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::Service;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio::time::{MissedTickBehavior, interval, timeout};
use tokio_rustls::TlsAcceptor;

use super::activity::{Activity, Patience, Watched};
use super::answered::Answered;
use super::arriving::arriving;
use super::limits;
use super::told;

/// The first byte of a TLS handshake.
const TLS_HANDSHAKE: u8 = 22;
/// How a client begins that knows beforehand that we speak HTTP/2 (RFC 9113, section 3.4): no method of HTTP/1.1 begins so. Those
/// who do send it whole, with more behind it.
const HTTP2_PREFACE: [u8; 3] = *b"PRI";
/// For who speaks HTTP to a port that speaks TLS.
const SPEAK_TLS: &[u8] = b"HTTP/1.1 400 Bad Request\r\ncontent-type: text/plain\r\nconnection: close\r\n\
    content-length: 40\r\n\r\nthis address speaks TLS: use https://...";

/// What all connections share.
pub(super) struct Server {
    router: TowerToHyperService<Router>,
    tls: Option<TlsAcceptor>,
    http1: http1::Builder,
    http2: http2::Builder<TokioExecutor>,
}

impl fmt::Debug for Server {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Server").field("tls", &self.tls.is_some()).finish_non_exhaustive()
    }
}

impl Server {
    pub(super) fn new(router: Router, tls: Option<TlsAcceptor>) -> Server {
        let mut http1 = http1::Builder::new();
        http1
            .timer(TokioTimer::new())
            // Heads have a deadline of our own, which leaves connections alone between two requests.
            .header_read_timeout(None)
            // Of at most a hundred headers: said aloud, hyper would set aside memory for each request.
            .max_header_size(limits::HEAD_BYTES_MAX);
        let mut http2 = http2::Builder::new(TokioExecutor::new());
        http2
            .timer(TokioTimer::new())
            .max_concurrent_streams(limits::STREAMS_MAX)
            .max_header_list_size(limits::HEAD_BYTES_MAX as u32)
            .max_pending_accept_reset_streams(limits::RESET_STREAMS_MAX)
            .max_local_error_reset_streams(limits::MISTAKEN_STREAMS_MAX)
            .initial_stream_window_size(limits::STREAM_WINDOW_BYTES)
            .initial_connection_window_size(limits::CONNECTION_WINDOW_BYTES)
            .max_send_buf_size(limits::SEND_BUFFER_BYTES_MAX)
            .keep_alive_interval(limits::PING_EVERY)
            .keep_alive_timeout(limits::PONG_WITHIN);
        Server { router: TowerToHyperService::new(router), tls, http1, http2 }
    }

    /// Until it ends by itself, breaks a rule, or the node stops. A connection that says nothing costs no more than this
    /// small future: what HTTP needs is made with its first byte.
    pub(super) async fn serve(
        self: Arc<Self>,
        stream: TcpStream,
        from: SocketAddr,
        place: OwnedSemaphorePermit,
        mut stop: watch::Receiver<bool>,
    ) {
        // Looked at, not taken: what is only said to be readable may not be.
        let mut first = [0; HTTP2_PREFACE.len()];
        let first_byte = tokio::select! {
            peeked = timeout(limits::HEAD_WITHIN, stream.peek(&mut first)) => peeked,
            () = told(&mut stop) => return,
        };
        match first_byte {
            Ok(Ok(1..)) => Box::pin(self.converse(stream, first, from, place, stop)).await,
            Ok(Ok(_)) => tracing::debug!(%from, "a connection ended before it said anything"),
            Ok(Err(error)) => tracing::debug!(%from, %error, "a connection ended before it said anything"),
            Err(_) => tracing::debug!(%from, "a connection said nothing"),
        }
    }

    async fn converse(
        &self,
        mut stream: TcpStream,
        first: [u8; HTTP2_PREFACE.len()],
        from: SocketAddr,
        place: OwnedSemaphorePermit,
        stop: watch::Receiver<bool>,
    ) {
        // Answers are written whole: waiting for more only delays them.
        drop(stream.set_nodelay(true));
        let Some(acceptor) = &self.tls else {
            return match first {
                HTTP2_PREFACE => self.speak_http2(stream, from, place, stop).await,
                _ => self.speak_http1(stream, from, place, stop).await,
            };
        };
        if !first.starts_with(&[TLS_HANDSHAKE]) {
            // What it has said is taken out, for closing over it would take the answer back.
            drop(stream.try_read(&mut [0; limits::HEAD_BYTES_MAX]));
            drop(stream.write_all(SPEAK_TLS).await);
            return;
        }
        match timeout(limits::HEAD_WITHIN, acceptor.accept(stream)).await {
            Ok(Ok(stream)) if stream.get_ref().1.alpn_protocol() == Some(b"h2") => {
                self.speak_http2(stream, from, place, stop).await;
            }
            Ok(Ok(stream)) => self.speak_http1(stream, from, place, stop).await,
            Ok(Err(error)) => tracing::debug!(%from, %error, "a TLS handshake failed"),
            Err(_) => tracing::debug!(%from, "a TLS handshake took too long"),
        }
    }

    async fn speak_http1<S>(
        &self,
        stream: S,
        from: SocketAddr,
        place: OwnedSemaphorePermit,
        stop: watch::Receiver<bool>,
    ) where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let activity = Activity::new(false);
        let service = self.service(from, &activity);
        let stream = TokioIo::new(Watched::new(stream, Arc::clone(&activity), place));
        let connection = self.http1.serve_connection(stream, service).with_upgrades();
        until_it_ends(connection, |connection| connection.graceful_shutdown(), from, &activity, stop).await;
    }

    async fn speak_http2<S>(
        &self,
        stream: S,
        from: SocketAddr,
        place: OwnedSemaphorePermit,
        stop: watch::Receiver<bool>,
    ) where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let activity = Activity::new(true);
        let service = self.service(from, &activity);
        let stream = TokioIo::new(Watched::new(stream, Arc::clone(&activity), place));
        let connection = self.http2.serve_connection(stream, service);
        until_it_ends(connection, |connection| connection.graceful_shutdown(), from, &activity, stop).await;
    }

    fn service(
        &self,
        from: SocketAddr,
        activity: &Arc<Activity>,
    ) -> impl Service<
        Request<Incoming>,
        Response = Response<Answered>,
        Error = Infallible,
        Future = impl Future<Output = Result<Response<Answered>, Infallible>> + Send + 'static,
    > + Send
    + 'static {
        let (router, activity) = (self.router.clone(), Arc::clone(activity));
        hyper::service::service_fn(move |mut request: Request<Incoming>| {
            let under_way = activity.begin();
            request.extensions_mut().insert(ConnectInfo(from));
            request.extensions_mut().insert(Patience::with(Arc::clone(&activity)));
            let answering = router.call(request.map(|body| arriving(body, Arc::clone(&activity))));
            async move {
                let Ok(answer) = answering.await;
                Ok::<_, Infallible>(answer.map(|body| Answered::new(body, under_way)))
            }
        })
    }
}

/// Drives a connection; asks it to end when the node stops, and drops it when its time is over.
async fn until_it_ends<C: Future<Output = hyper::Result<()>>>(
    connection: C,
    ask_to_end: impl Fn(Pin<&mut C>),
    from: SocketAddr,
    activity: &Activity,
    mut stop: watch::Receiver<bool>,
) {
    let mut connection = pin!(connection);
    let mut looks = interval(limits::LOOK_EVERY);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut is_asked = false;
    loop {
        tokio::select! {
            ended = connection.as_mut() => {
                if let Err(error) = ended {
                    tracing::debug!(%from, %error, "a connection broke");
                }
                return;
            }
            () = told(&mut stop), if !is_asked => {
                ask_to_end(connection.as_mut());
                is_asked = true;
            }
            _ = looks.tick() => if let Some(reason) = activity.verdict() {
                tracing::debug!(%from, reason, "a connection was cut");
                return;
            },
        }
    }
}
