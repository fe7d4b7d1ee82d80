use std::sync::Mutex;

use super::*;
use crate::{ManualClock, MockTransport, TransportErrorKind};

fn clock() -> ManualClock {
    ManualClock::skipping(azure_core::time::parse_rfc3339("2026-02-03T04:05:06Z").unwrap())
}

fn http(transport: MockTransport, clock: &ManualClock) -> Http {
    Http::new(Arc::new(transport)).with_clock(Arc::new(clock.clone())).with_random(|| 0.0)
}

fn request() -> http::Request<Bytes> {
    http::Request::get("https://example.org/jobs?sig=hunter2").body(Bytes::new()).unwrap()
}

type Step = Result<(u16, &'static str), TransportErrorKind>;

/// Answers step by step and fails the test when asked once too often or too seldom.
fn script(steps: &'static [Step]) -> MockTransport {
    let mut transport = MockTransport::new();
    let mut left = steps.iter();
    transport.expect_send().times(steps.len()).returning(move |request| match *left.next().unwrap() {
        Ok((status, body)) => {
            Ok(http::Response::builder().status(status).body(ResponseBody::from_bytes(body)).unwrap())
        }
        Err(kind) => Err(TransportError::new(kind, request.uri())),
    });
    transport
}

#[tokio::test]
async fn transient_answers_are_tried_again_with_growing_waits() {
    let clock = clock();
    let http = http(script(&[Ok((503, "")), Err(TransportErrorKind::Lost), Ok((200, "x"))]), &clock);
    let answer = http.send(Call::new(request()).repeatable(true)).await.unwrap();
    assert_eq!(
        (answer.response.status().as_u16(), answer.attempts, answer.maybe_done_before),
        (200, 3, true)
    );
    assert_eq!(clock.sleeps(), [Duration::from_millis(400), Duration::from_millis(800)]);
    assert_eq!(answer.elapsed, Duration::from_millis(1200));
}

#[tokio::test]
async fn a_call_that_is_not_repeatable_is_sent_once() {
    let clock = clock();
    let answer = http(script(&[Ok((503, "busy"))]), &clock).send(Call::new(request())).await.unwrap();
    assert_eq!((answer.response.status().as_u16(), answer.attempts), (503, 1));
    let failure = http(script(&[Err(TransportErrorKind::Connect)]), &clock).send(Call::new(request())).await;
    assert_eq!(failure.unwrap_err().attempts, 1);
}

#[tokio::test]
async fn a_throttled_attempt_does_not_count_as_maybe_done() {
    let clock = clock();
    let http = http(script(&[Ok((429, "")), Err(TransportErrorKind::Connect), Ok((404, ""))]), &clock);
    let answer = http.send(Call::new(request()).repeatable(true)).await.unwrap();
    assert!(!answer.maybe_done_before);
}

#[tokio::test]
async fn all_attempts_of_a_call_share_one_request_id_and_other_calls_have_others() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let log = seen.clone();
    let mut transport = MockTransport::new();
    transport.expect_send().times(8).returning(move |request| {
        log.lock().unwrap().push(request.headers()[CLIENT_REQUEST_ID].clone());
        Err(TransportError::new(TransportErrorKind::Lost, request.uri()))
    });
    let http = http(transport, &clock());
    let failure = http.send(Call::new(request()).repeatable(true)).await.unwrap_err();
    assert_eq!(failure.attempts, 4);
    assert_eq!(failure.to_string(), "lost the connection to https://example.org before an answer came");
    http.clone().send(Call::new(request()).repeatable(true)).await.unwrap_err();
    let seen = seen.lock().unwrap();
    let (first, second) = seen.split_at(4);
    assert!(first.iter().all(|id| *id == first[0]) && second.iter().all(|id| *id == second[0]));
    assert_ne!(first[0], second[0]);
    let id = Uuid::parse_str(second[0].to_str().unwrap()).unwrap();
    assert_eq!((id.get_version_num(), id.get_variant()), (4, Uuid::new_v4().get_variant()));
}

#[tokio::test]
async fn the_deadline_ends_a_call_that_hangs() {
    let clock = ManualClock::new(azure_core::time::parse_rfc3339("2026-02-03T04:05:06Z").unwrap());
    let http = Http::new(Arc::new(Hangs)).with_clock(Arc::new(clock.clone()));
    let call = http.send(Call::new(request()).deadline(Some(Duration::from_secs(30))));
    let mut call = std::pin::pin!(call);
    assert!(futures::poll!(call.as_mut()).is_pending());
    clock.advance(Duration::from_secs(29));
    assert!(futures::poll!(call.as_mut()).is_pending());
    clock.advance(Duration::from_secs(1));
    let failure = call.await.unwrap_err();
    assert_eq!(failure.to_string(), "the deadline of 30 s passed");
    assert_eq!((failure.attempts, failure.elapsed), (1, Duration::from_secs(30)));
    assert_eq!(clock.waiting(), 0, "nothing is left behind");
}

#[derive(Debug)]
struct Hangs;

#[async_trait]
impl Transport for Hangs {
    async fn send(&self, _: http::Request<Bytes>) -> Result<http::Response<ResponseBody>, TransportError> {
        std::future::pending().await
    }
}

/// Hands out numbered tokens and asks for one more try on a 401.
#[derive(Default)]
struct Tokens(AtomicU32);

#[async_trait]
impl Authorize for Tokens {
    async fn authorize(&self, headers: &mut HeaderMap) -> Result<(), BoxError> {
        let number = self.0.fetch_add(1, Ordering::Relaxed);
        headers.insert("authorization", format!("Bearer {number}").parse()?);
        Ok(())
    }

    async fn refused(&self, _: &HeaderMap) -> Result<bool, BoxError> {
        Ok(true)
    }
}

#[tokio::test]
async fn a_401_is_answered_with_new_headers_once() {
    let tokens = Tokens::default();
    let clock = clock();
    let answer = http(script(&[Ok((401, "")), Ok((401, ""))]), &clock)
        .send(Call::new(request()).authorize(&tokens))
        .await
        .unwrap();
    assert_eq!((answer.response.status().as_u16(), answer.attempts), (401, 2));
    assert!(clock.sleeps().is_empty());
}

#[tokio::test]
async fn long_error_pages_are_cut_and_long_answers_refused() {
    let page = || ResponseBody::from_bytes(vec![b'x'; 10 << 20]);
    let mut transport = MockTransport::new();
    transport
        .expect_send()
        .returning(move |_| Ok(http::Response::builder().status(400).body(page()).unwrap()));
    let answer = http(transport, &clock()).send(Call::new(request())).await.unwrap();
    assert_eq!(answer.response.body().len(), ERROR_BODY_LIMIT_BYTES);

    let mut transport = MockTransport::new();
    transport.expect_send().returning(move |_| Ok(http::Response::new(page())));
    let failure =
        http(transport, &clock()).send(Call::new(request()).body_limit_bytes(1 << 20)).await.unwrap_err();
    assert_eq!(failure.to_string(), "the answer of https://example.org is longer than 1048576 bytes");
}

#[test]
fn engine_and_futures_cross_threads() {
    fn assert_send_sync<T: Send + Sync + 'static>() {}
    fn assert_send(_: impl Future + Send) {}
    assert_send_sync::<Http>();
    assert_send_sync::<Failure>();
    let http = http(MockTransport::new(), &clock());
    assert_send(http.send(Call::new(request())));
}

#[tokio::test]
async fn a_wait_past_the_deadline_is_not_begun() {
    let clock = clock();
    let mut transport = MockTransport::new();
    transport.expect_send().times(1).returning(|_| {
        Ok(http::Response::builder()
            .status(503)
            .header("retry-after", "60")
            .body(ResponseBody::empty())
            .unwrap())
    });
    let call = Call::new(request()).repeatable(true).deadline(Some(Duration::from_secs(30)));
    let answer = http(transport, &clock).send(call).await.unwrap();
    assert_eq!((answer.response.status().as_u16(), answer.attempts), (503, 1));
    assert!(clock.sleeps().is_empty());
}
