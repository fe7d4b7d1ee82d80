use std::sync::atomic::{AtomicUsize, Ordering};

use futures::{FutureExt, StreamExt, channel::oneshot, future::join_all, stream::FuturesUnordered};
use qws_http::ManualClock;

use super::*;

type Answer = Result<(&'static str, u64), &'static str>;

type Waiting = (AuthRequest, oneshot::Sender<Answer>);

/// A token service that answers when the test says so.
#[derive(Debug, Clone)]
struct Service {
    clock: ManualClock,
    asked: Arc<AtomicUsize>,
    waiting: Arc<Mutex<Vec<Waiting>>>,
}

#[async_trait]
impl TokenSource for Service {
    fn describe(&self) -> String {
        "test".into()
    }

    fn clock(&self) -> Arc<dyn Clock> {
        Arc::new(self.clock.clone())
    }

    async fn token(&self, request: &AuthRequest) -> Result<AccessToken, AuthError> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let (answer, wait) = oneshot::channel();
        self.waiting.lock().unwrap().push((request.clone(), answer));
        let asked = self.clock.now();
        match wait.await.expect("the test answers") {
            Ok((token, seconds)) => {
                Ok(AccessToken::until(token.into(), asked, asked + Duration::from_secs(seconds)))
            }
            Err(text) => Err(AuthError::refused(text)),
        }
    }
}

impl Service {
    fn new() -> Self {
        let start = OffsetDateTime::from_unix_timestamp(1_800_000_000).unwrap();
        Self { clock: ManualClock::new(start), asked: Arc::default(), waiting: Arc::default() }
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    fn answer(&self, answer: Answer) -> AuthRequest {
        let (request, waiting) = self.waiting.lock().unwrap().remove(0);
        waiting.send(answer).unwrap();
        request
    }

    fn advance(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }
}

fn request() -> AuthRequest {
    AuthRequest::new(Audience::QUANTUM)
}

fn token(authorization: &Authorization) -> String {
    authorization.bearer_token().unwrap().to_owned()
}

/// Lets spawned renewals run until they wait for the test.
async fn settle() {
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
}

/// Tokens of which the first, living for so long, is already there.
async fn with_first(seconds: u64) -> (Service, Tokens<Service>) {
    let service = Service::new();
    let tokens = Tokens::new(service.clone());
    let asked = request();
    let mut first = Box::pin(tokens.authorize(&asked));
    assert!(first.as_mut().now_or_never().is_none());
    service.answer(Ok(("first", seconds)));
    assert_eq!(token(&first.await.unwrap()), "first");
    (service, tokens)
}

#[tokio::test]
async fn ten_thousand_calls_pass_while_one_renewal_hangs_and_wait_for_it_once_the_token_is_gone() {
    let (service, tokens) = with_first(3600).await;
    service.advance(1801);
    let asked = request();
    for authorization in join_all((0..10_000).map(|_| tokens.authorize(&asked))).await {
        assert_eq!(token(&authorization.unwrap()), "first");
    }
    settle().await;
    assert_eq!((service.asked(), service.waiting.lock().unwrap().len()), (2, 1));
    // However long it hangs, there is no second one beside it.
    service.advance(60);
    assert_eq!(token(&tokens.authorize(&asked).await.unwrap()), "first");
    settle().await;
    assert_eq!(service.asked(), 2);

    service.advance(1800);
    let mut calls: FuturesUnordered<_> = (0..10_000).map(|_| tokens.authorize(&asked)).collect();
    assert!(calls.next().now_or_never().is_none());
    settle().await;
    assert_eq!(service.asked(), 2);
    service.answer(Ok(("second", 3600)));
    let mut done = 0;
    while let Some(authorization) = calls.next().await {
        assert_eq!(token(&authorization.unwrap()), "second");
        done += 1;
    }
    assert_eq!((done, service.asked()), (10_000, 2));
}

#[tokio::test]
async fn a_failed_renewal_keeps_the_token_and_rests_before_the_next() {
    let (service, tokens) = with_first(3600).await;
    service.advance(1801);
    for second in 0..35 {
        assert_eq!(token(&tokens.authorize(&request()).await.unwrap()), "first", "{second}");
        settle().await;
        if !service.waiting.lock().unwrap().is_empty() {
            service.answer(Err("no"));
            settle().await;
        }
        service.advance(1);
    }
    assert_eq!(service.asked(), 3);
}

#[tokio::test]
async fn a_token_is_not_handed_out_in_its_last_moments() {
    for (life, last_good) in [(3600, 3569), (20, 17)] {
        let (service, tokens) = with_first(life).await;
        service.advance(last_good);
        assert_eq!(token(&tokens.authorize(&request()).await.unwrap()), "first");
        service.advance(1);
        assert!(tokens.authorize(&request()).now_or_never().is_none(), "{life}");
    }
}

#[tokio::test]
async fn once_the_token_is_gone_the_failure_is_everybodys() {
    let (service, tokens) = with_first(3600).await;
    service.advance(3600);
    let asked = request();
    let mut calls: FuturesUnordered<_> = (0..3).map(|_| tokens.authorize(&asked)).collect();
    assert!(calls.next().now_or_never().is_none());
    service.answer(Err("locked out"));
    while let Some(outcome) = calls.next().await {
        assert_eq!(outcome.unwrap_err().to_string(), "locked out");
    }
    assert_eq!(service.asked(), 2);
}

#[tokio::test]
async fn one_audience_never_waits_for_another() {
    let service = Service::new();
    let tokens = Tokens::new(service.clone());
    let (quantum, manager) = (request(), AuthRequest::new(Audience::RESOURCE_MANAGER));
    let mut slow = Box::pin(tokens.authorize(&quantum));
    assert!(slow.as_mut().now_or_never().is_none());
    let mut fast = Box::pin(tokens.authorize(&manager));
    assert!(fast.as_mut().now_or_never().is_none());
    assert_eq!(service.waiting.lock().unwrap().remove(1).1.send(Ok(("fast", 60))), Ok(()));
    assert_eq!(token(&fast.await.unwrap()), "fast");
    assert!(slow.as_mut().now_or_never().is_none());
}

#[tokio::test]
async fn a_call_that_gives_up_leaves_nothing_behind() {
    let service = Service::new();
    let tokens = Tokens::new(service.clone());
    let asked = request();
    let mut first = Box::pin(tokens.authorize(&asked));
    assert!(first.as_mut().now_or_never().is_none());
    let mut second = Box::pin(tokens.authorize(&asked));
    assert!(second.as_mut().now_or_never().is_none());
    drop(first);
    assert_eq!(service.asked(), 1);
    drop(second);
    assert!(service.waiting.lock().unwrap()[0].1.is_canceled());
    let mut third = Box::pin(tokens.authorize(&asked));
    assert!(third.as_mut().now_or_never().is_none());
    assert_eq!(service.asked(), 2);
}

#[tokio::test]
async fn a_refused_token_is_dropped_once_and_a_newer_one_is_not() {
    let (service, tokens) = with_first(3600).await;
    let old = tokens.authorize(&request()).await.unwrap();
    let none = Challenge::default();
    assert_eq!(tokens.refused(&request(), &old, &none).unwrap(), Some(request()));
    let asked = request();
    let mut next = Box::pin(tokens.authorize(&asked));
    assert!(next.as_mut().now_or_never().is_none());
    service.answer(Ok(("second", 3600)));
    let new = next.await.unwrap();
    // Another call that was sent with the old token: the new one is worth a try, and stays.
    assert_eq!(tokens.refused(&request(), &old, &none).unwrap(), Some(request()));
    assert_eq!(tokens.authorize(&request()).await.unwrap(), new);
    // The new one is refused as well: no third token for now.
    assert_eq!(tokens.refused(&request(), &new, &none).unwrap(), None);
    service.advance(30);
    assert_eq!(tokens.refused(&request(), &new, &none).unwrap(), Some(request()));
    assert_eq!(service.asked(), 2);
}

fn challenge(text: &str) -> Challenge {
    let mut headers = http::HeaderMap::new();
    headers.insert("www-authenticate", text.parse().unwrap());
    Challenge::from_headers(&headers)
}

#[tokio::test]
async fn a_token_with_claims_serves_later_calls_without() {
    let (service, tokens) = with_first(3600).await;
    let old = tokens.authorize(&request()).await.unwrap();
    let with_claims = request().with_claims(Some("{}".into()));
    assert!(tokens.authorize(&with_claims).now_or_never().is_none(), "the first token has no claims");
    service.waiting.lock().unwrap().clear();
    let asks = challenge(r#"Bearer error="insufficient_claims", claims="eyJhIjoxfQ""#);
    let next = tokens.refused(&request(), &old, &asks).unwrap().unwrap();
    assert_eq!(next.claims(), Some(r#"{"a":1}"#));
    let mut second = Box::pin(tokens.authorize(&next));
    assert!(second.as_mut().now_or_never().is_none());
    assert_eq!(service.answer(Ok(("second", 3600))).claims(), Some(r#"{"a":1}"#));
    assert_eq!(token(&second.await.unwrap()), "second");
    assert_eq!(token(&tokens.authorize(&request()).await.unwrap()), "second");
    assert_eq!(token(&tokens.authorize(&next).await.unwrap()), "second");
    assert_eq!(service.asked(), 3);
}

#[tokio::test]
async fn a_wrong_tenant_is_an_error_that_names_both() {
    const OURS: &str = "11111111-2222-3333-4444-555555555555";
    const THEIRS: &str = "99999999-2222-3333-4444-555555555555";
    let payload = base64::Engine::encode(
        &base64::engine::general_purpose::URL_SAFE_NO_PAD,
        format!(r#"{{"tid":"{OURS}"}}"#),
    );
    let jwt: &'static str = format!("e30.{payload}.sig").leak();
    let sent = Authorization::bearer(jwt).unwrap();
    let tokens = Tokens::new(Service::new());
    let asks = challenge(&format!(
        r#"Bearer authorization_uri="https://login.microsoftonline.com/{THEIRS}", error="invalid_token""#
    ));
    let error = tokens.refused(&request(), &sent, &asks).unwrap_err();
    assert!(error.to_string().contains(OURS) && error.to_string().contains(THEIRS), "{error}");
    assert!(error.hint().unwrap().contains(THEIRS));

    let service = tokens.source().clone();
    let asked = request().with_tenant(Some(THEIRS.parse().unwrap()));
    let mut call = Box::pin(tokens.authorize(&asked));
    assert!(call.as_mut().now_or_never().is_none());
    service.answer(Ok((jwt, 3600)));
    let error = call.await.unwrap_err();
    assert!(error.to_string().contains(OURS) && error.to_string().contains(THEIRS), "{error}");
}
