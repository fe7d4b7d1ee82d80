use std::{sync::Arc, time::Duration};

use qws_auth::{AuthErrorKind, Credential, ManagedIdentity};

use crate::{
    clock, header, host, quantum,
    server::{Reply, Seen, Server, json},
};

pub(crate) const CLIENT_ID: &str = "11111111-2222-3333-4444-555555555555";
pub(crate) const RESOURCE_ID: &str = "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/g/providers/Microsoft.ManagedIdentity/userAssignedIdentities/me";

/// Answers as the metadata service of a virtual machine does.
pub(crate) fn imds(seen: &Seen) -> Reply {
    let missing =
        r#"{"error":"invalid_request","error_description":"Required metadata header not specified"}"#;
    if seen.header("metadata") != Some("true") {
        return json(400, missing);
    }
    assert_eq!((seen.method.as_str(), seen.path.as_str()), ("GET", "/metadata/identity/oauth2/token"));
    assert_eq!(seen.query["api-version"], "2018-02-01");
    assert_eq!(seen.query["resource"], "https://quantum.microsoft.com");
    assert!(!seen.headers.contains_key("x-identity-header"));
    let id = |name: &str| seen.query.get(name).map(String::as_str);
    let whose = match (id("client_id"), id("object_id"), id("msi_res_id")) {
        (None, None, None) => "system",
        (Some(CLIENT_ID), None, None) => "by-client-id",
        (None, Some(CLIENT_ID), None) => "by-object-id",
        (None, None, Some(RESOURCE_ID)) => "by-resource-id",
        _ => return json(400, r#"{"error":"invalid_request","error_description":"Identity not found"}"#),
    };
    let body = format!(
        r#"{{"access_token":"{whose}","client_id":"{CLIENT_ID}","expires_in":"86399","expires_on":"1800086399","ext_expires_in":"86399","not_before":"1799999999","resource":"https://quantum.microsoft.com","token_type":"Bearer"}}"#
    );
    json(200, &body)
}

/// The same identity at this server in place of the link-local address.
fn at(server: &Server, identity: ManagedIdentity) -> ManagedIdentity {
    identity.with_host(host(&[("AZURE_POD_IDENTITY_AUTHORITY_HOST", &server.url())]))
}

#[tokio::test]
async fn a_virtual_machine_gives_tokens_of_each_identity() {
    let server = Server::start(imds).await;
    let identities = [
        (ManagedIdentity::system(), "Bearer system"),
        (ManagedIdentity::by_client_id(CLIENT_ID).unwrap(), "Bearer by-client-id"),
        (ManagedIdentity::by_object_id(CLIENT_ID).unwrap(), "Bearer by-object-id"),
        (ManagedIdentity::by_resource_id(RESOURCE_ID).unwrap(), "Bearer by-resource-id"),
    ];
    for (identity, expected) in identities {
        let identity = at(&server, identity);
        assert_eq!(header(&identity).await.unwrap(), expected);
        assert_eq!(header(&identity).await.unwrap(), expected);
    }
    assert_eq!(server.seen().len(), 4, "each token is asked for once");
}

#[tokio::test]
async fn an_identity_that_is_not_assigned_lets_a_chain_go_on() {
    let server = Server::start(imds).await;
    let identity = ManagedIdentity::by_client_id("99999999-2222-3333-4444-555555555555").unwrap();
    let error = header(&at(&server, identity)).await.unwrap_err();
    assert!(error.is_unavailable());
    assert_eq!(
        error.to_string(),
        "no such managed identity here, client id 99999999-2222-3333-4444-555555555555: Identity not found"
    );
    assert_eq!(error.code(), Some("invalid_request"));
    assert!(error.hint().unwrap().contains("assign that identity"));
}

/// The class of the error when every attempt is answered like this, the attempts made and the waits between them in s.
async fn failing(
    status: u16,
    kind: &'static str,
    body: &'static str,
) -> (AuthErrorKind, usize, Vec<f64>, String) {
    let server = Server::start(move |_| Reply::Raw(status, kind, body.into())).await;
    let clock = clock();
    let host = host(&[("AZURE_POD_IDENTITY_AUTHORITY_HOST", &server.url())]);
    let identity = ManagedIdentity::system().with_host(host.with_clock(Arc::new(clock.clone())));
    let error = header(&identity).await.unwrap_err();
    let waits = clock.sleeps().iter().map(Duration::as_secs_f64).collect();
    (error.kind(), server.seen().len(), waits, error.to_string())
}

const JSON: &str = "Content-Type: application/json";
const HTML: &str = "Content-Type: text/html";

#[tokio::test]
async fn a_service_that_is_there_but_failing_stops_a_chain_after_its_retries() {
    let waits = vec![0.0, 1.6, 3.2, 6.4, 12.8];
    for status in [404, 429, 500, 503] {
        let (kind, attempts, waited, text) = failing(status, JSON, r#"{"error":"busy"}"#).await;
        assert_eq!((kind, attempts, &waited), (AuthErrorKind::Refused, 6, &waits), "{status}");
        assert_eq!(text, format!("the managed identity endpoint answered {status} after 6 attempts: busy"));
    }
    let (kind, attempts, waited, _) = failing(410, HTML, "gone").await;
    assert_eq!((kind, attempts, waited), (AuthErrorKind::Refused, 6, vec![0.0, 5.0, 10.0, 20.0, 40.0]));
    let (kind, attempts, ..) = failing(401, JSON, "{}").await;
    assert_eq!((kind, attempts), (AuthErrorKind::Refused, 1));
}

#[tokio::test]
async fn a_servers_wish_to_wait_is_obeyed_up_to_a_minute() {
    let (_, _, waited, _) = failing(429, "Retry-After: 4", "").await;
    assert_eq!(waited, [4.0, 4.0, 4.0, 6.4, 12.8]);
    let (_, _, waited, _) = failing(503, "Retry-After: 86400", "").await;
    assert_eq!(waited, [60.0; 5]);
}

#[tokio::test]
async fn odd_answers_have_their_class_and_show_nothing_of_their_body() {
    use AuthErrorKind::{Refused, Unavailable};
    let cases = [
        (200, JSON, "{}", Refused, "without `access_token`"),
        (200, JSON, r#"{"access_token":"hunter2"}"#, Refused, "without `expires_in`"),
        (200, JSON, r#"{"access_token":"hunter2"#, Refused, "broken JSON"),
        (200, HTML, "<html>hunter2", Unavailable, "something other than a managed identity endpoint"),
        (
            403,
            JSON,
            r#"{"error_description":"A socket operation: host unreachable"}"#,
            Unavailable,
            "out of reach",
        ),
        (302, "Location: http://127.0.0.1:1/hunter2", "", Refused, "answered 302"),
    ];
    for (status, content, body, expected, text) in cases {
        let (kind, attempts, _, said) = failing(status, content, body).await;
        assert_eq!((kind, attempts), (expected, 1), "{status} {body}");
        assert!(said.contains(text) && !said.contains("hunter2"), "{said}");
    }
}

#[tokio::test]
async fn a_lost_connection_is_tried_again_and_a_closed_port_is_not() {
    let mut attempts = 0;
    let server = Server::start(move |seen| {
        attempts += 1;
        if attempts == 1 { Reply::Close } else { imds(seen) }
    })
    .await;
    assert_eq!(header(&at(&server, ManagedIdentity::system())).await.unwrap(), "Bearer system");

    let nobody = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", nobody.local_addr().unwrap());
    drop(nobody);
    let clock = clock();
    let host = host(&[("AZURE_POD_IDENTITY_AUTHORITY_HOST", &address)]).with_clock(Arc::new(clock.clone()));
    let error = header(&ManagedIdentity::system().with_host(host)).await.unwrap_err();
    assert!(error.is_unavailable());
    assert!(error.hint().unwrap().contains("az login"));
    assert!(clock.sleeps().is_empty());
}

#[tokio::test]
async fn plain_http_to_a_far_address_is_refused_unsent() {
    for address in ["http://example.org", "http://1.1.1.1", "not a url"] {
        let identity =
            ManagedIdentity::system().with_host(host(&[("AZURE_POD_IDENTITY_AUTHORITY_HOST", address)]));
        let error = header(&identity).await.unwrap_err();
        assert_eq!(error.kind(), AuthErrorKind::InvalidInput, "{address}: {error}");
        let variables = [("IDENTITY_ENDPOINT", address), ("IDENTITY_HEADER", "hunter2")];
        let error = header(&ManagedIdentity::system().with_host(host(&variables))).await.unwrap_err();
        assert!(!error.is_unavailable(), "{address}: {error}");
    }
}

/// Answers as App Service, Functions and Container Apps do.
fn app_service(seen: &Seen) -> Reply {
    assert_eq!((seen.method.as_str(), seen.path.as_str()), ("GET", "/msi/token"));
    assert_eq!(seen.query["api-version"], "2019-08-01");
    if seen.header("x-identity-header") != Some("header-secret") {
        return json(403, r#"{"statusCode":403,"message":"the header is missing or wrong"}"#);
    }
    let id = |name: &str| seen.query.get(name).map(String::as_str);
    let whose = match (id("client_id"), id("object_id"), id("mi_res_id"), id("msi_res_id")) {
        (None, None, None, None) => "system",
        (Some(CLIENT_ID), None, None, None) => "by-client-id",
        (None, Some(CLIENT_ID), None, None) => "by-object-id",
        (None, None, Some(RESOURCE_ID), None) => "by-resource-id",
        _ => {
            let text = "No User Assigned or Delegated Managed Identity found for specified ClientId/ResourceId/PrincipalId.";
            return json(400, &format!(r#"{{"statusCode":400,"message":"{text}","correlationId":"c"}}"#));
        }
    };
    let body = format!(
        r#"{{"access_token":"{whose}","expires_on":"1800086400","resource":"https://quantum.microsoft.com","token_type":"Bearer","client_id":"{CLIENT_ID}"}}"#
    );
    json(200, &body)
}

fn in_app(server: &Server, identity: ManagedIdentity, secret: &str) -> ManagedIdentity {
    let endpoint = format!("{}/msi/token", server.url());
    // Leftovers of other hosts must not lead elsewhere.
    let variables =
        [("IDENTITY_ENDPOINT", &*endpoint), ("IDENTITY_HEADER", secret), ("MSI_ENDPOINT", "http://x")];
    identity.with_host(host(&variables))
}

#[tokio::test]
async fn an_app_gives_tokens_of_each_identity() {
    let server = Server::start(app_service).await;
    let identities = [
        (ManagedIdentity::system(), "Bearer system"),
        (ManagedIdentity::by_client_id(CLIENT_ID).unwrap(), "Bearer by-client-id"),
        (ManagedIdentity::by_object_id(CLIENT_ID).unwrap(), "Bearer by-object-id"),
        (ManagedIdentity::by_resource_id(RESOURCE_ID).unwrap(), "Bearer by-resource-id"),
    ];
    for (identity, expected) in identities {
        let identity = in_app(&server, identity, "header-secret");
        assert_eq!(header(&identity).await.unwrap(), expected);
        let end = identity.authorize(&quantum()).await.unwrap().expires_on().unwrap();
        assert_eq!(end.unix_timestamp(), 1_800_086_400);
    }
    assert_eq!(server.seen().len(), 4);
}

#[tokio::test]
async fn an_apps_refusals_have_their_class() {
    let server = Server::start(app_service).await;
    let error = header(&in_app(&server, ManagedIdentity::system(), "other-secret")).await.unwrap_err();
    assert_eq!(error.kind(), AuthErrorKind::Refused);
    assert!(error.to_string().ends_with("403: the header is missing or wrong"), "{error}");
    let stranger = ManagedIdentity::by_object_id("99999999-2222-3333-4444-555555555555").unwrap();
    let error = header(&in_app(&server, stranger, "header-secret")).await.unwrap_err();
    assert!(error.is_unavailable(), "{error}");

    let broken = Server::start(|_| json(500, r#"{"statusCode":500,"message":"oops header-secret"}"#)).await;
    let error = header(&in_app(&broken, ManagedIdentity::system(), "header-secret")).await.unwrap_err();
    assert_eq!(error.kind(), AuthErrorKind::Refused);
    assert_eq!(error.to_string(), "the managed identity endpoint answered 500 after 4 attempts: oops ***");
}

#[test]
fn ids_are_checked_where_they_are_given() {
    assert!(
        ManagedIdentity::by_client_id("me")
            .unwrap_err()
            .to_string()
            .starts_with("the client id of the managed identity must be a GUID")
    );
    assert!(ManagedIdentity::by_object_id("").is_err());
    assert!(ManagedIdentity::by_resource_id("/subscriptions/x/resourceGroups/y").is_err());
}
