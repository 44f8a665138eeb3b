//! A request's body must keep coming: one that stands still or trickles is cut, on every route but the one for journals, which are
//! quiet when nothing happens.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::Request;
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use hyper::body::{Frame, SizeHint};
use tokio::time::{Instant, Sleep, sleep_until};

use super::{ApiError, clients};

/// A body may begin slowly, and stand still for so long.
const GRACE: Duration = Duration::from_secs(10);
/// Slower than the worst line that is still in use; a trickle of single bytes is an attack.
const BYTES_PER_SEC_MIN: u64 = 1_024;

/// Answers 408 where the body came too slowly, whatever the handler makes of that.
pub(super) async fn keep_pace(request: Request, next: Next) -> Response {
    if request.body().is_end_stream() || request.uri().path() == clients::JOURNALS {
        return next.run(request).await;
    }
    let is_late = Arc::new(AtomicBool::new(false));
    let request = request.map(|body| Body::new(PacedBody::new(body, Arc::clone(&is_late))));
    let response = next.run(request).await;
    if !is_late.load(Ordering::Relaxed) {
        return response;
    }
    let message = format!(
        "the body came too slowly: it may not stand still for {} s, nor come slower than {BYTES_PER_SEC_MIN} bytes a second",
        GRACE.as_secs()
    );
    ApiError::new(StatusCode::REQUEST_TIMEOUT, "body_timeout", message).into_response()
}

struct PacedBody {
    body: Body,
    /// When it is too late for the next piece.
    deadline: Pin<Box<Sleep>>,
    began: Instant,
    bytes: u64,
    is_late: Arc<AtomicBool>,
}

impl PacedBody {
    fn new(body: Body, is_late: Arc<AtomicBool>) -> PacedBody {
        let began = Instant::now();
        PacedBody { body, deadline: Box::pin(sleep_until(began + GRACE)), began, bytes: 0, is_late }
    }

    /// The earlier of two: a while from now, and when the bytes that have come are used up at the slowest rate.
    fn next_deadline(&self) -> Instant {
        let earned = Duration::from_secs(self.bytes / BYTES_PER_SEC_MIN);
        (self.began + GRACE + earned).min(Instant::now() + GRACE)
    }
}

impl HttpBody for PacedBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(cx);
        match &polled {
            Poll::Ready(Some(Ok(frame))) => {
                self.bytes += frame.data_ref().map_or(0, |data| data.len() as u64);
                let deadline = self.next_deadline();
                self.deadline.as_mut().reset(deadline);
            }
            Poll::Ready(_) => return polled,
            Poll::Pending => {}
        }
        // Also where a piece came: a trickle is always ready.
        if self.deadline.as_mut().poll(cx).is_ready() {
            self.is_late.store(true, Ordering::Relaxed);
            return Poll::Ready(Some(Err(axum::Error::new(io::Error::from(io::ErrorKind::TimedOut)))));
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::{StreamExt, stream};

    /// How much of a body arrives of which a piece comes at each step.
    async fn arrives(piece: usize, step: Duration, pieces: usize) -> (usize, bool) {
        let source = stream::iter(0..pieces).then(move |_| async move {
            tokio::time::sleep(step).await;
            Ok::<_, io::Error>(Bytes::from(vec![b'a'; piece]))
        });
        let is_late = Arc::new(AtomicBool::new(false));
        let paced = PacedBody::new(Body::from_stream(source), Arc::clone(&is_late));
        let mut bytes = 0;
        let mut pieces = Body::new(paced).into_data_stream();
        while let Some(Ok(piece)) = pieces.next().await {
            bytes += piece.len();
        }
        (bytes, is_late.load(Ordering::Relaxed))
    }

    const SECOND: Duration = Duration::from_secs(1);

    #[tokio::test(start_paused = true)]
    async fn a_body_that_keeps_coming_may_take_its_time() {
        assert_eq!(arrives(2_048, SECOND, 100).await, (204_800, false));
        assert_eq!(arrives(1 << 20, SECOND * 9, 5).await, (5 << 20, false));
    }

    #[tokio::test(start_paused = true)]
    async fn a_trickle_is_cut() {
        let (bytes, is_late) = arrives(1, SECOND / 10, 10_000).await;
        assert!(is_late && bytes < 200, "{bytes} bytes came");
    }

    #[tokio::test(start_paused = true)]
    async fn what_stands_still_is_cut_whatever_came_before() {
        assert_eq!(arrives(1 << 20, GRACE + SECOND, 3).await, (0, true));
    }
}
