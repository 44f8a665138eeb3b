//! The body of a request, which says that something moves with each piece that comes.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::HttpBody;
use hyper::body::{Frame, SizeHint};

use super::activity::Activity;

#[derive(Debug)]
pub(super) struct Arriving<B> {
    body: B,
    activity: Arc<Activity>,
}

impl<B> Arriving<B> {
    pub(super) fn new(body: B, activity: Arc<Activity>) -> Arriving<B> {
        Arriving { body, activity }
    }
}

impl<B: HttpBody + Unpin> HttpBody for Arriving<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(cx);
        if polled.is_ready() {
            self.activity.moved();
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
    use std::time::Duration;

    use axum::body::{Body, Bytes};
    use futures::{StreamExt, stream};

    use super::super::limits::STALLED_MAX;
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_body_may_take_as_long_as_it_keeps_coming() {
        let activity = Activity::new(false);
        let _under_way = activity.begin();
        let step = STALLED_MAX - Duration::from_secs(1);
        let pieces = stream::iter(0..4).then(move |_| async move {
            tokio::time::sleep(step).await;
            Ok::<_, std::io::Error>(Bytes::from_static(b"piece"))
        });
        let arriving = Arriving::new(Body::from_stream(pieces), Arc::clone(&activity));
        let mut pieces = Body::new(arriving).into_data_stream();
        while let Some(piece) = pieces.next().await {
            piece.unwrap();
            tokio::time::advance(step).await;
            assert_eq!(activity.verdict(), None);
        }
        tokio::time::advance(STALLED_MAX).await;
        assert!(activity.verdict().is_some(), "nothing comes any more");
    }
}
