//! A marked secret in every input, and no trace of it in any text, log or chain of causes.

use std::sync::Arc;

use async_trait::async_trait;
use azure_core::credentials::{AccessToken, TokenCredential, TokenRequestOptions};
use qws::{
    Program, Workspace,
    auth::TokenCredentialAdapter,
    http::{Transport, TransportError, TransportErrorKind},
};
use qws_contract::{Local, everything};
use qws_emulator::{Action, Fault, Operation as Route};

use crate::{log::Log, main_job::GHZ};

/// Collects all that is logged until the guard goes.
pub(crate) fn logged() -> (Log, tracing::subscriber::DefaultGuard) {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer.clone())
        .finish();
    (log, tracing::subscriber::set_default(subscriber))
}

/// Values that whoever has them can use: the key, and the signature of every link that was handed out.
fn secrets(local: &Local) -> Vec<String> {
    let signatures = local.emulator.requests().into_iter().filter_map(|request| request.query_value("sig"));
    let encoded = |text: &String| text.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
    let plain: Vec<String> = std::iter::once(local.emulator.api_key()).chain(signatures).collect();
    let mut all: Vec<String> = plain.iter().map(encoded).collect();
    all.extend(plain);
    all
}

fn assert_clean(secrets: &[String], shown: &str) {
    for secret in secrets {
        assert!(!shown.contains(secret.as_str()), "`{secret}` shows in:\n{shown}");
    }
}

#[tokio::test]
async fn neither_key_nor_signature_shows_when_things_work() {
    let (log, _guard) = logged();
    let local = Local::start().await;
    let workspace = local.workspace();
    let target = workspace.target("ionq.simulator").await.unwrap();
    let submission = target.submit(Program::ionq_json(GHZ).unwrap());
    let mut job = submission.send().await.unwrap();
    job.wait().await.unwrap();
    let results = job.results().await.unwrap();
    let shown = format!("{workspace:?}{workspace:#?}{target:?}{submission:?}{job:?}{job:#?}{results:?}");
    let secrets = secrets(&local);
    assert!(secrets.len() > 4, "key and signatures were seen on the wire");
    assert_clean(&secrets, &shown);
    // The emulator lives in this process too; its log is held to the same rule.
    assert_clean(&secrets, &log.text());
    assert!(!log.text().is_empty(), "something was logged, so the capture works");
}

#[tokio::test]
async fn neither_shows_in_any_failure() {
    let (log, _guard) = logged();
    let routes = [
        Route::ProviderStatus,
        Route::SasUri,
        Route::BlobPut,
        Route::JobsCreate,
        Route::JobsGet,
        Route::BlobGet,
    ];
    let echo = "ApiKey and sig are not echoed by the service; a page that does would be cut";
    let actions = || {
        [
            Action::ResetBefore,
            Action::ResetAfter,
            Action::Truncate(10),
            Action::Malformed,
            Action::WrongType,
            Action::status(302),
            Action::status(401),
            Action::status(403),
            Action::status(404),
            Action::status(503),
            Action::service_error(400, "InvalidJobDefinition", echo),
        ]
    };
    let mut failures = 0;
    for route in routes {
        for action in actions() {
            let local = Local::start().await;
            local.emulator.inject(Fault::new(route, action.clone()).always());
            let Err(error) = main_job(&local.workspace()).await else { continue };
            failures += 1;
            let secrets = secrets(&local);
            assert_clean(&secrets, &everything(&error));
            assert_clean(&secrets, &log.text());
        }
    }
    assert!(failures >= 55, "{failures} of 66 combinations failed");
}

async fn main_job(workspace: &Workspace) -> Result<(), qws::Error> {
    let target = workspace.target("ionq.simulator").await?;
    let mut job = target.submit(Program::ionq_json(GHZ)?).send().await?;
    job.wait().patience(std::time::Duration::from_secs(30)).await?;
    job.results().await?.histogram()?;
    Ok(())
}

/// An official credential with a marked token.
#[derive(Debug)]
struct Marked;

#[async_trait]
impl TokenCredential for Marked {
    async fn get_token(
        &self,
        _: &[&str],
        _: Option<TokenRequestOptions<'_>>,
    ) -> azure_core::Result<AccessToken> {
        Ok(AccessToken::new("token-canary", azure_core::time::OffsetDateTime::now_utc()))
    }
}

#[tokio::test]
async fn a_token_does_not_show_and_is_refused_with_advice() {
    let (log, _guard) = logged();
    let local = Local::start().await;
    let credential = Arc::new(TokenCredentialAdapter::new(Arc::new(Marked)));
    let workspace = Workspace::builder()
        .connection_string(&local.emulator.connection_string())
        .unwrap()
        .credential(credential)
        .options(local.options())
        .build()
        .unwrap();
    let error = workspace.targets().await.unwrap_err();
    assert_eq!(error.kind(), qws::ErrorKind::Unauthenticated);
    assert!(error.hint().unwrap().contains("tenant"), "{:?}", error.hint());
    let request = local.emulator.requests().pop().unwrap();
    assert_eq!(request.header("authorization"), Some("Bearer token-canary"));
    assert_eq!(request.header("x-ms-quantum-api-key"), None, "never both");
    assert_clean(&["token-canary".into()], &format!("{}{workspace:?}{}", everything(&error), log.text()));
}

#[tokio::test]
async fn a_transport_that_names_the_request_does_not_leak_through_us() {
    #[derive(Debug)]
    struct Talkative;
    #[async_trait]
    impl Transport for Talkative {
        async fn send(
            &self,
            request: http::Request<bytes::Bytes>,
        ) -> Result<http::Response<qws::http::ResponseBody>, TransportError> {
            Err(TransportError::new(TransportErrorKind::Lost, request.uri()))
        }
    }
    let local = Local::start().await;
    let workspace = Workspace::builder()
        .connection_string(&local.emulator.connection_string())
        .unwrap()
        .options(local.options().transport(Arc::new(Talkative)))
        .build()
        .unwrap();
    let error = workspace.targets().await.unwrap_err();
    assert_clean(&secrets(&local), &everything(&error));
}
