//! The body of an answer as it goes out, spoiled where a fault asks for it.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use tokio::time::Sleep;

static SPACES: [u8; 64 * 1024] = [b' '; 64 * 1024];

#[derive(Debug)]
pub(crate) enum AnswerBody {
    Whole(Option<Bytes>),
    /// Some bytes, then the connection breaks.
    Cut {
        start: Option<Bytes>,
        flushes: u8,
    },
    Drip {
        rest: Bytes,
        chunk: usize,
        pause: Duration,
        timer: Pin<Box<Sleep>>,
    },
    Huge {
        left: u64,
    },
}

impl AnswerBody {
    pub(crate) fn whole(bytes: Bytes) -> Self {
        Self::Whole((!bytes.is_empty()).then_some(bytes))
    }

    pub(crate) fn cut(bytes: &Bytes, keep: usize) -> Self {
        // A few turns without data let the connection write out what it has before it breaks.
        Self::Cut { start: Some(bytes.slice(..keep.min(bytes.len()))), flushes: 3 }
    }

    pub(crate) fn drip(rest: Bytes, chunk: usize, pause: Duration) -> Self {
        Self::Drip { rest, chunk: chunk.max(1), pause, timer: Box::pin(tokio::time::sleep(pause)) }
    }
}

/// A truncated answer has said all it will say.
#[derive(Debug)]
pub(crate) struct Cut;

impl std::fmt::Display for Cut {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the answer is cut here by a fault")
    }
}

impl std::error::Error for Cut {}

impl Body for AnswerBody {
    type Data = Bytes;
    type Error = Cut;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Cut>>> {
        let frame = match self.get_mut() {
            Self::Whole(bytes) => bytes.take(),
            Self::Cut { start, flushes } => match start.take() {
                Some(bytes) => Some(bytes),
                None if *flushes == 0 => return Poll::Ready(Some(Err(Cut))),
                None => {
                    *flushes -= 1;
                    context.waker().wake_by_ref();
                    return Poll::Pending;
                }
            },
            Self::Drip { rest, chunk, pause, timer } => {
                if rest.is_empty() {
                    None
                } else {
                    ready!(timer.as_mut().poll(context));
                    timer.as_mut().reset(tokio::time::Instant::now() + *pause);
                    Some(rest.split_to((*chunk).min(rest.len())))
                }
            }
            Self::Huge { left } => {
                let size = usize::try_from(*left).unwrap_or(usize::MAX).min(SPACES.len());
                *left -= size as u64;
                (size > 0).then(|| Bytes::from_static(&SPACES[..size]))
            }
        };
        Poll::Ready(frame.map(|bytes| Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, Self::Whole(None))
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(bytes) => SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64)),
            _ => SizeHint::default(),
        }
    }
}
