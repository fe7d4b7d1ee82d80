use futures::{FutureExt, future::pending};
use qws_http::ManualClock;

use super::*;
use crate::{ApiKey, Audience, StaticCredential};

/// Fails in one way, or hangs.
#[derive(Debug)]
struct Odd(Option<AuthErrorKind>);

#[async_trait]
impl Credential for Odd {
    fn describe(&self) -> String {
        "odd".into()
    }

    async fn authorize(&self, _: &AuthRequest) -> Result<Authorization, AuthError> {
        match self.0 {
            Some(kind) => Err(AuthError::new(kind, "said no").with_hint("ask again").with_code("E1")),
            None => pending().await,
        }
    }
}

const GONE: Odd = Odd(Some(AuthErrorKind::Unavailable));

fn token() -> StaticCredential {
    StaticCredential::new("tok").unwrap()
}

fn request() -> AuthRequest {
    AuthRequest::new(Audience::QUANTUM)
}

fn chain() -> (Chain, ManualClock) {
    let clock =
        ManualClock::new(azure_core::time::OffsetDateTime::from_unix_timestamp(1_800_000_000).unwrap());
    (Chain::new().with_clock(Arc::new(clock.clone())), clock)
}

#[tokio::test]
async fn the_first_that_works_is_kept_and_reported() {
    let (chain, _) = chain();
    let chain = chain.then(GONE).then(token()).then(Odd(None));
    assert_eq!(chain.describe(), "chain of odd, a token given as it is, odd");
    assert!(chain.authorize(&request()).await.is_ok());
    assert_eq!(
        chain.report().unwrap().to_string(),
        "odd: not available: said no (0 ms)\na token given as it is: used (0 ms)"
    );
    assert_eq!(chain.describe(), "a token given as it is");
}

#[tokio::test]
async fn once_found_a_credential_is_not_left_again() {
    let mut sometimes = crate::MockCredential::new();
    sometimes.expect_describe().return_const("sometimes".to_owned());
    let mut calls = 0;
    sometimes.expect_authorize().times(2).returning(move |_| {
        calls += 1;
        if calls == 1 { Authorization::bearer("t") } else { Err(AuthError::unavailable("gone")) }
    });
    let chain = chain().0.then(sometimes).then(token());
    assert!(chain.authorize(&request()).await.is_ok());
    assert_eq!(chain.authorize(&request()).await.unwrap_err().to_string(), "gone");
}

#[tokio::test]
async fn what_is_there_but_fails_ends_the_search() {
    for kind in [AuthErrorKind::Refused, AuthErrorKind::InvalidInput, AuthErrorKind::Unsupported] {
        let chain = chain().0.then(GONE).then(Odd(Some(kind))).then(token());
        let error = chain.authorize(&request()).await.unwrap_err();
        assert_eq!((error.kind(), error.hint(), error.code()), (kind, Some("ask again"), Some("E1")));
        assert_eq!(error.to_string(), "odd is set up but failed, so no other credential was tried: said no");
        assert_eq!(error.report().unwrap().steps().len(), 2);
        assert!(
            matches!(error.report().unwrap().steps()[1].outcome(), StepOutcome::Failed(why) if why == "said no")
        );
    }
}

#[tokio::test]
async fn when_nobody_is_there_each_reason_is_told_and_an_outer_chain_may_go_on() {
    let inner = chain().0.then(GONE).then(GONE);
    let error = inner.authorize(&request()).await.unwrap_err();
    assert!(error.is_unavailable());
    assert_eq!(error.to_string(), "no credential of the chain can sign in: odd: said no; odd: said no");
    assert!(chain().0.then(inner).then(token()).authorize(&request()).await.is_ok());
    assert!(
        Chain::new().authorize(&request()).await.unwrap_err().to_string().contains("holds no credential")
    );
}

#[tokio::test]
async fn a_failing_tool_does_not_end_the_search_but_is_no_absence_either() {
    let refusing = || Step::TryTool(Arc::new(Odd(Some(AuthErrorKind::Refused))) as Arc<dyn Credential>);
    assert!(chain().0.step(refusing()).then(token()).authorize(&request()).await.is_ok());
    let error = chain().0.step(refusing()).then(GONE).authorize(&request()).await.unwrap_err();
    assert_eq!(error.kind(), AuthErrorKind::Refused);
}

#[tokio::test]
async fn the_deadline_ends_it_and_names_who_was_at_work() {
    let (chain, clock) = chain();
    let chain = chain.with_deadline(Duration::from_secs(5)).then(GONE).then(Odd(None));
    let asked = request();
    let mut call = chain.authorize(&asked);
    assert!((&mut call).now_or_never().is_none());
    clock.advance(Duration::from_secs(5));
    let error = call.await.unwrap_err();
    assert_eq!(error.to_string(), "the chain's deadline of 5 s passed");
    let report = error.report().unwrap();
    assert_eq!(report.steps()[1].to_string(), "odd: no answer in time (5000 ms)");
    assert_eq!(chain.report().as_ref(), Some(report));
}

#[tokio::test]
async fn official_clients_are_told_that_a_key_yields_no_token() {
    use azure_core::credentials::TokenCredential;
    let chain = chain().0.then(ApiKey::new("hunter2").unwrap());
    let error = chain.get_token(&["https://quantum.microsoft.com/.default"], None).await.unwrap_err();
    assert_eq!(error.to_string(), "API key yields no token");
    assert!(!format!("{chain:?}").contains("hunter2"));
}
