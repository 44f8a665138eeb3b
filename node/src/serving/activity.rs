//! When a connection must end: a head that does not come to its end, a request of which nothing moves, nothing for too long.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;

use super::limits::{HEAD_WITHIN, IDLE_MAX, STALLED_MAX};

/// What is known of one connection. Times are milliseconds since it was made, so that it stays small.
#[derive(Debug)]
pub(super) struct Activity {
    since: Instant,
    /// HTTP/2: heads of many requests are mixed, and its own limits hold for them.
    is_multiplexed: bool,
    requests: AtomicU32,
    /// When something of a request last moved.
    moved_ms: AtomicU32,
    /// When the first byte of the head that is being read came; 0 for none.
    head_ms: AtomicU32,
}

impl Activity {
    pub(super) fn new(is_multiplexed: bool) -> Arc<Activity> {
        Arc::new(Activity {
            since: Instant::now(),
            is_multiplexed,
            requests: AtomicU32::new(0),
            moved_ms: AtomicU32::new(0),
            head_ms: AtomicU32::new(0),
        })
    }

    fn now_ms(&self) -> u32 {
        u32::try_from(self.since.elapsed().as_millis()).unwrap_or(u32::MAX)
    }

    /// Bytes came.
    fn heard(&self) {
        if !self.is_multiplexed && self.requests.load(Ordering::Relaxed) == 0 {
            // Only the first byte counts: later ones must not buy time. One task reads a connection.
            if self.head_ms.load(Ordering::Relaxed) == 0 {
                self.head_ms.store(self.now_ms().max(1), Ordering::Relaxed);
            }
        }
    }

    pub(super) fn moved(&self) {
        self.moved_ms.store(self.now_ms(), Ordering::Relaxed);
    }

    /// A request's head is there; it is under way until the guard is dropped.
    pub(super) fn begin(self: &Arc<Self>) -> UnderWay {
        self.requests.fetch_add(1, Ordering::Relaxed);
        self.head_ms.store(0, Ordering::Relaxed);
        self.moved();
        UnderWay(Arc::clone(self))
    }

    /// Why the connection must end now, if it must.
    pub(super) fn verdict(&self) -> Option<&'static str> {
        let past = |ms: &AtomicU32, most: Duration| {
            u128::from(self.now_ms().saturating_sub(ms.load(Ordering::Relaxed))) >= most.as_millis()
        };
        let reading_head = self.head_ms.load(Ordering::Relaxed) > 0;
        if self.requests.load(Ordering::Relaxed) > 0 {
            return past(&self.moved_ms, STALLED_MAX)
                .then_some("nothing of its requests has moved for too long");
        }
        if reading_head {
            return past(&self.head_ms, HEAD_WITHIN).then_some("the head of a request came too slowly");
        }
        past(&self.moved_ms, IDLE_MAX).then_some("it was idle")
    }
}

/// A request between its head and the end of its answer.
#[derive(Debug)]
pub(super) struct UnderWay(Arc<Activity>);

impl UnderWay {
    pub(super) fn moved(&self) {
        self.0.moved();
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.moved();
        self.0.requests.fetch_sub(1, Ordering::Relaxed);
    }
}

/// For a handler whose client may be quiet in the middle of a request: where it waits for more and not for itself.
#[derive(Clone, Debug)]
pub(crate) struct Patience(Arc<Activity>);

impl Patience {
    /// An answerer asks for another [`STALLED_MAX`] at least this often.
    pub(crate) const EVERY: Duration = Duration::from_secs(STALLED_MAX.as_secs() / 4);

    pub(super) fn with(activity: Arc<Activity>) -> Patience {
        Patience(activity)
    }

    /// The request may stand still for another while.
    pub(crate) fn ask(&self) {
        self.0.moved();
    }
}

/// A stream that tells when bytes come, and holds its place among the connections, also once it has become a WebSocket.
#[derive(Debug)]
pub(super) struct Watched<S> {
    stream: S,
    activity: Arc<Activity>,
    _place: OwnedSemaphorePermit,
}

impl<S> Watched<S> {
    pub(super) fn new(stream: S, activity: Arc<Activity>, place: OwnedSemaphorePermit) -> Watched<S> {
        Watched { stream, activity, _place: place }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(cx, buf);
        if buf.filled().len() > before {
            self.activity.heard();
        }
        polled
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOMENT: Duration = Duration::from_millis(10);

    #[tokio::test(start_paused = true)]
    async fn each_state_has_its_time() {
        let activity = Activity::new(false);
        tokio::time::advance(IDLE_MAX - MOMENT).await;
        assert_eq!(activity.verdict(), None);
        tokio::time::advance(MOMENT).await;
        assert_eq!(activity.verdict(), Some("it was idle"));
        let under_way = activity.begin();
        tokio::time::advance(STALLED_MAX - MOMENT).await;
        assert_eq!(activity.verdict(), None);
        under_way.moved();
        tokio::time::advance(STALLED_MAX - MOMENT).await;
        assert_eq!(activity.verdict(), None, "what moves may take its time");
        tokio::time::advance(MOMENT).await;
        assert!(activity.verdict().is_some_and(|reason| reason.contains("moved")));
        drop(under_way);
        assert_eq!(activity.verdict(), None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_may_stand_still_for_as_long_as_its_handler_says() {
        let activity = Activity::new(false);
        let _under_way = activity.begin();
        let patience = Patience::with(Arc::clone(&activity));
        for _ in 0..10 {
            tokio::time::advance(Patience::EVERY).await;
            patience.ask();
        }
        tokio::time::advance(STALLED_MAX - MOMENT).await;
        assert_eq!(activity.verdict(), None);
        tokio::time::advance(MOMENT).await;
        assert!(activity.verdict().is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn bytes_of_a_head_buy_no_time() {
        let activity = Activity::new(false);
        tokio::time::advance(MOMENT).await;
        for _ in 0..10 {
            activity.heard();
            tokio::time::advance(HEAD_WITHIN / 10).await;
        }
        assert!(activity.verdict().is_some_and(|reason| reason.contains("head")));
        drop(activity.begin());
        assert_eq!(activity.verdict(), None, "it came to its end");
    }
}
