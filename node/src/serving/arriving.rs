//! The body of a request, which says that something moves with each piece that comes.

use std::sync::Arc;

use axum::body::HttpBody;
use http_body_util::BodyExt;

use super::activity::Activity;

pub(super) fn arriving<B: HttpBody>(
    body: B,
    activity: Arc<Activity>,
) -> impl HttpBody<Data = B::Data, Error = B::Error> + use<B> {
    body.inspect_frame(move |_| activity.moved())
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
        let body = arriving(Body::from_stream(pieces), Arc::clone(&activity));
        let mut pieces = Body::new(body).into_data_stream();
        while let Some(piece) = pieces.next().await {
            piece.unwrap();
            tokio::time::advance(step).await;
            assert_eq!(activity.verdict(), None);
        }
        tokio::time::advance(STALLED_MAX).await;
        assert!(activity.verdict().is_some(), "nothing comes any more");
    }
}
