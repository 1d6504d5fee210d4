//! The bodies of the answers: a stream of messages, or one empty message.
use crate::Subscription;
use crate::proto::{self, FlowControl};
use bytes::Bytes;
use hyper::HeaderMap;
use hyper::body::{Body, Frame, Incoming};
use std::{
    convert::Infallible,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll},
};

pub enum Answer {
    Stream(Deliveries),
    /// The frames that are left, the last one first.
    Unary(Vec<Frame<Bytes>>),
}

/// The messages on one stream.
pub struct Deliveries {
    pub subscription: Rc<Subscription>,
    pub flow_control: FlowControl,
    /// The stream is open as long as the subscriber's half is.
    pub _requests: Incoming,
}

impl Answer {
    /// An empty message, or the status UNIMPLEMENTED.
    pub fn unary(is_known: bool) -> Self {
        let mut trailers = HeaderMap::new();
        trailers.insert("grpc-status", if is_known { "0" } else { "12" }.parse().expect("ASCII"));
        Self::Unary(vec![Frame::trailers(trailers), Frame::data(proto::EMPTY)])
    }
}

impl Body for Answer {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match &mut *self {
            Self::Unary(frames) => Poll::Ready(frames.pop().map(Ok)),
            Self::Stream(deliveries) => match deliveries.next() {
                Some(response) => Poll::Ready(Some(Ok(Frame::data(response)))),
                None => {
                    *deliveries.subscription.stream.borrow_mut() = Some(context.waker().clone());
                    Poll::Pending
                }
            },
        }
    }
}

impl Deliveries {
    /// The next response, if the subscriber has room for it.
    fn next(&self) -> Option<Bytes> {
        let Subscription { entry, messages, batch, delivered, .. } = &*self.subscription;
        let (first, outstanding) = (delivered.get(), delivered.get() - self.subscription.answered());
        let count = (*batch).min(messages - first).min(self.flow_control.0.saturating_sub(outstanding));
        // Not one message after the other while the subscriber answers: Pub/Sub delivers in batches, too.
        if count == 0 || (count < *batch && outstanding > 0 && first + count < *messages) {
            return None;
        }
        delivered.set(first + count);
        Some(entry.response(first..first + count))
    }
}
