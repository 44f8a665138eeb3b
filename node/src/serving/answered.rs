//! The body of an answer, which says that its request is under way until it ends or is dropped.

use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes, HttpBody};
use hyper::body::{Frame, SizeHint};

use super::activity::UnderWay;

#[derive(Debug)]
pub(super) struct Answered {
    body: Body,
    under_way: UnderWay,
}

impl Answered {
    pub(super) fn new(body: Body, under_way: UnderWay) -> Answered {
        Answered { body, under_way }
    }
}

impl HttpBody for Answered {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        // It is asked only where there is room for more: a client that does not read moves nothing.
        self.under_way.moved();
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
