//! Azure Arc: the agent's challenge, and what somebody in its place might try.

use std::{fs, path::PathBuf};

use qws_auth::{AuthError, AuthErrorKind, Host, ManagedIdentity};
use tempfile::TempDir;

use crate::{
    header, host,
    managed_identity::{CLIENT_ID, RESOURCE_ID},
    server::{Reply, Seen, Server, json},
};

const CHALLENGE: &str = "WWW-Authenticate: Basic realm=/var/opt/azcmagent/tokens/key-1.key";

/// Answers as the agent does: proof first, and the identity in the answer.
fn agent(seen: &Seen) -> Reply {
    assert_eq!((seen.method.as_str(), seen.path.as_str()), ("GET", "/metadata/identity/oauth2/token"));
    assert_eq!(seen.query["api-version"], "2020-06-01");
    assert_eq!(seen.query["resource"], "https://quantum.microsoft.com");
    assert_eq!(seen.header("metadata"), Some("true"));
    match seen.header("authorization") {
        None => return Reply::Raw(401, CHALLENGE, r#"{"error":"unauthorized_client"}"#.into()),
        Some("Basic the key") => {}
        Some(_) => return json(401, r#"{"error":"unauthorized_client","error_description":"wrong key"}"#),
    }
    let echoed = ["client_id", "object_id", "msi_res_id"]
        .iter()
        .find_map(|name| Some(format!(r#","{name}":"{}""#, seen.query.get(*name)?.to_uppercase())));
    let echoed = echoed.unwrap_or_default();
    json(200, &format!(r#"{{"access_token":"arc","expires_in":"3600","token_type":"Bearer"{echoed}}}"#))
}

/// A machine with the agent's folder, and this key in it.
fn machine(server: &Server, key: &[u8]) -> (TempDir, Host) {
    let root = tempfile::tempdir().unwrap();
    let folder = tokens(&root);
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("key-1.key"), key).unwrap();
    let endpoint = format!("{}/metadata/identity/oauth2/token", server.url());
    let host = host(&[("IDENTITY_ENDPOINT", &endpoint), ("IMDS_ENDPOINT", &server.url())]);
    let host = host.with_system_root(root.path());
    (root, host)
}

fn tokens(root: &TempDir) -> PathBuf {
    root.path().join("var/opt/azcmagent/tokens")
}

async fn system(host: &Host) -> Result<String, AuthError> {
    header(&ManagedIdentity::system().with_host(host.clone())).await
}

#[tokio::test]
async fn who_may_read_the_key_gets_tokens_of_each_identity() {
    let server = Server::start(agent).await;
    let (_root, host) = machine(&server, b"the key");
    for identity in [
        ManagedIdentity::system(),
        ManagedIdentity::by_client_id(CLIENT_ID).unwrap(),
        ManagedIdentity::by_object_id(CLIENT_ID).unwrap(),
        ManagedIdentity::by_resource_id(RESOURCE_ID).unwrap(),
    ] {
        assert_eq!(header(&identity.with_host(host.clone())).await.unwrap(), "Bearer arc");
    }
    assert_eq!(server.seen().len(), 8);
}

#[tokio::test]
async fn an_installed_agent_is_found_by_its_file() {
    let root = tempfile::tempdir().unwrap();
    fs::create_dir_all(root.path().join("opt/azcmagent/bin")).unwrap();
    fs::write(root.path().join("opt/azcmagent/bin/himds"), "").unwrap();
    let mut local = qws_http::MockTransport::new();
    local.expect_send().times(1).returning(|request| {
        assert_eq!(
            request.uri().to_string().split('?').next(),
            Some("http://localhost:40342/metadata/identity/oauth2/token")
        );
        let mut answer = http::Response::new(qws_http::ResponseBody::empty());
        *answer.status_mut() = http::StatusCode::UNAUTHORIZED;
        Ok(answer)
    });
    let host = host(&[]).with_system_root(root.path()).with_identity_transport(std::sync::Arc::new(local));
    assert_eq!(
        system(&host).await.unwrap_err().to_string(),
        "the challenge of Azure Arc's agent names no key file"
    );
}

#[tokio::test]
async fn an_old_agent_that_ignores_the_identity_is_noticed() {
    let server = Server::start(|seen| match agent(seen) {
        Reply::Json(200, _) => json(200, r#"{"access_token":"system","expires_in":"3600"}"#),
        other => other,
    })
    .await;
    let (_root, host) = machine(&server, b"the key");
    assert_eq!(system(&host).await.unwrap(), "Bearer system");
    let named = ManagedIdentity::by_client_id(CLIENT_ID).unwrap().with_host(host);
    let error = header(&named).await.unwrap_err();
    assert_eq!(error.kind(), AuthErrorKind::Refused);
    assert_eq!(
        error.to_string(),
        format!("the managed identity endpoint does not say that its token is of client id {CLIENT_ID}")
    );
    assert!(error.hint().unwrap().contains("update it"));
}

#[tokio::test]
async fn a_token_that_comes_without_a_challenge_is_not_taken_and_not_shown() {
    let server = Server::start(|_| json(200, r#"{"access_token":"hunter2","expires_in":"3600"}"#)).await;
    let (_root, host) = machine(&server, b"the key");
    let error = system(&host).await.unwrap_err();
    assert_eq!(error.kind(), AuthErrorKind::Refused);
    assert_eq!(error.to_string(), "Azure Arc's agent answered without asking for its key file");
    assert!(!format!("{error:?}").contains("hunter2"));
}

#[tokio::test]
async fn no_file_but_a_key_in_the_agents_folder_is_ever_sent() {
    let challenges = [
        "WWW-Authenticate: Basic realm=/etc/hostname",
        "WWW-Authenticate: Basic realm=/var/opt/azcmagent/tokens/../key-1.key",
        "WWW-Authenticate: Basic realm=/var/opt/azcmagent/tokens/secret.txt",
        "WWW-Authenticate: Basic realm=/var/opt/azcmagent/tokens/folder.key",
        "WWW-Authenticate: Basic realm=/var/opt/azcmagent/tokens/link.key",
        "WWW-Authenticate: Basic realm=/var/opt/azcmagent/tokens/inner-link.key",
        "WWW-Authenticate: Basic realm=/var/opt/azcmagent/tokens/long.key",
        "WWW-Authenticate: Basic realm=/var/opt/azcmagent/tokens/binary.key",
        "WWW-Authenticate: Basic realm=/var/opt/azcmagent/tokens/lines.key",
        "WWW-Authenticate: Basic realm=/var/opt/azcmagent/tokens/none.key",
        "WWW-Authenticate: Bearer realm=/var/opt/azcmagent/tokens/key-1.key",
        "X-Nothing: 1",
    ];
    for challenge in challenges {
        let server = Server::start(move |_| Reply::Raw(401, challenge, "{}".into())).await;
        let (root, host) = machine(&server, b"the key");
        let folder = tokens(&root);
        fs::write(root.path().join("outside.key"), "hunter2").unwrap();
        fs::write(root.path().join("var/opt/azcmagent/key-1.key"), "hunter2").unwrap();
        fs::write(folder.join("secret.txt"), "hunter2").unwrap();
        fs::write(folder.join("long.key"), "x".repeat(4097)).unwrap();
        fs::write(folder.join("binary.key"), [0xFF]).unwrap();
        fs::write(folder.join("lines.key"), "hunter2\r\nX-Other: 1").unwrap();
        fs::create_dir(folder.join("folder.key")).unwrap();
        std::os::unix::fs::symlink(root.path().join("outside.key"), folder.join("link.key")).unwrap();
        std::os::unix::fs::symlink(folder.join("key-1.key"), folder.join("inner-link.key")).unwrap();
        let error = system(&host).await.unwrap_err();
        assert!(!error.is_unavailable(), "{challenge}: {error}");
        assert_eq!(server.seen().len(), 1, "{challenge}");
        assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
    }
}

#[tokio::test]
async fn a_refused_key_and_a_broken_agent_stop_a_chain() {
    let server = Server::start(agent).await;
    let (_root, host) = machine(&server, b"another key");
    let error = system(&host).await.unwrap_err();
    assert_eq!((error.kind(), error.code()), (AuthErrorKind::Refused, Some("unauthorized_client")));
    assert_eq!(error.to_string(), "the managed identity endpoint answered 401: wrong key");
    assert_eq!(server.seen().len(), 2, "a key is good for one request");

    let broken = Server::start(|_| json(500, r#"{"error":"oops"}"#)).await;
    let (_root, host) = machine(&broken, b"the key");
    let error = system(&host).await.unwrap_err();
    assert_eq!(error.to_string(), "the managed identity endpoint answered 500 after 4 attempts: oops");
}
