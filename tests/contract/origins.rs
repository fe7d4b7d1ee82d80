//! Keys and tokens go to one host, and to no other, whoever names it.

use std::sync::Arc;

use qws::{BlobUri, Continuation, Error, ErrorKind, JobId, Workspace, auth::StaticCredential};
use qws_contract::{Local, new_job};
use qws_emulator::{Action, Fault, Operation as Route};
use serde_json::json;
use tokio::net::TcpListener;

/// Another host, which would hear of every connection.
struct Elsewhere(TcpListener);

impl Elsewhere {
    async fn open() -> Self {
        Self(TcpListener::bind("127.0.0.1:0").await.unwrap())
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.0.local_addr().unwrap())
    }

    /// A connection that was made would be waiting to be accepted.
    async fn nobody_came(&self) -> bool {
        futures::poll!(std::pin::pin!(self.0.accept())).is_pending()
    }
}

/// The workspace by key, and by token.
fn workspaces(local: &Local) -> [Workspace; 2] {
    let token = StaticCredential::new(local.emulator.bearer_token()).unwrap();
    let by_token = Workspace::builder()
        .resource_id(&local.emulator.resource_id())
        .unwrap()
        .endpoint(&local.emulator.endpoint())
        .unwrap()
        .credential(Arc::new(token))
        .options(local.options());
    [local.workspace(), by_token.build().unwrap()]
}

fn page(link: &str) -> Action {
    let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
    let body = json!({"value": [], "nextLink": link}).to_string();
    Action::Status { status: 200, headers, body: body.into() }
}

#[tokio::test]
async fn links_to_another_host_are_not_followed() {
    let local = Local::start().await;
    let elsewhere = Elsewhere::open().await;
    let port = elsewhere.0.local_addr().unwrap().port();
    for workspace in workspaces(&local) {
        for link in [
            elsewhere.url("/jobs?api-version=1"),
            format!("//127.0.0.1:{port}/jobs"),
            format!("http://localhost:{port}/jobs"),
            format!("http://{}@127.0.0.1:{port}/jobs", local.emulator.endpoint().replace('/', "")),
        ] {
            local.emulator.inject(Fault::new(Route::JobsList, page(&link)));
            let error = workspace.jobs().list().collect().await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::ForeignOrigin, "{link}: {error}");
            let kept = workspace.jobs().list().resume(Continuation::new(&link));
            assert_eq!(kept.collect().await.unwrap_err().kind(), ErrorKind::ForeignOrigin, "{link}");
        }
    }
    assert!(elsewhere.nobody_came().await);
}

#[tokio::test]
async fn redirects_are_not_followed_by_any_method() {
    let local = Local::start().await;
    let elsewhere = Elsewhere::open().await;
    let id = JobId::random();
    let new_job = || new_job(&BlobUri::new("https://store.example/c"));
    for workspace in workspaces(&local) {
        for status in [301, 302, 303, 307, 308] {
            let headers = vec![("location".to_owned(), elsewhere.url("/there"))];
            let redirect = Action::Status { status, headers, body: bytes::Bytes::new() };
            for route in [Route::JobsGet, Route::JobsCreate, Route::SasUri, Route::JobsDelete] {
                local.emulator.inject(Fault::new(route, redirect.clone()));
            }
            let client = workspace.client();
            let made: [Result<(), Error>; 4] = [
                client.jobs().get(&id).await.map(drop),
                client.jobs().create(&id, &new_job()).await.map(drop),
                client.storage().sas_uri("c", None).await.map(drop),
                client.jobs().delete(&id).await,
            ];
            for error in made.map(Result::unwrap_err) {
                assert_eq!((error.kind(), error.attempts()), (ErrorKind::Redirect, 1), "{status}: {error}");
            }
        }
    }
    assert!(elsewhere.nobody_came().await);
}
