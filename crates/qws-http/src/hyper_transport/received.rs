use std::{
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use futures::Stream;
use http::Uri;
use hyper::body::{Body, Incoming};
use tokio::{
    sync::OwnedSemaphorePermit,
    time::{Sleep, sleep},
};

use crate::{TransportError, TransportErrorKind};

/// The body of an answer as it arrives. It holds the connection's turn until it is dropped.
pub(super) struct Received {
    body: Incoming,
    from: Uri,
    idle_timeout: Duration,
    /// Runs while nothing is here; most bodies come with their head and never start it.
    silence: Option<Pin<Box<Sleep>>>,
    _turn: Option<OwnedSemaphorePermit>,
}

impl Received {
    pub(super) fn new(
        body: Incoming,
        from: Uri,
        idle_timeout: Duration,
        turn: Option<OwnedSemaphorePermit>,
    ) -> Self {
        Self { body, from, idle_timeout, silence: None, _turn: turn }
    }
}

impl Stream for Received {
    type Item = Result<Bytes, TransportError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        loop {
            let Poll::Ready(frame) = Pin::new(&mut this.body).poll_frame(cx) else {
                let silence = this.silence.get_or_insert_with(|| Box::pin(sleep(this.idle_timeout)));
                ready!(silence.as_mut().poll(cx));
                let error = TransportError::new(TransportErrorKind::Timeout, &this.from);
                return Poll::Ready(Some(Err(error)));
            };
            this.silence = None;
            let chunk = match frame {
                None => return Poll::Ready(None),
                Some(Err(error)) => {
                    Err(TransportError::new(TransportErrorKind::Body, &this.from).with_source(error))
                }
                // Trailers are of no use here.
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => Ok(data),
                    Err(_) => continue,
                },
            };
            return Poll::Ready(Some(chunk));
        }
    }
}
