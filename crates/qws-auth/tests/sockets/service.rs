//! The service's side: a Resource Manager that knows its tenant, and tokens that it stops taking.

use std::{sync::Arc, time::Duration};

use azure_core::time::OffsetDateTime;
use bytes::Bytes;
use qws_auth::{Audience, AuthErrorKind, AuthRequest, Authorizer, ServicePrincipal, tenant_of_subscription};
use qws_http::{Call, Http, HyperTransport, ManualClock};

use crate::{
    clock,
    entra::{CLIENT_ID, TENANT},
    header, host,
    server::{Reply, Seen, Server, json},
};

const SUBSCRIPTION: &str = "cccccccc-2222-3333-4444-555555555555";
const AUTHENTICATE: &str = "WWW-Authenticate: Bearer authorization_uri=\"https://login.windows.net/aaaaaaaa-2222-3333-4444-555555555555\", error=\"invalid_token\", error_description=\"The authentication failed because of missing 'Authorization' header.\"";

fn http() -> Http {
    Http::new(Arc::new(HyperTransport::new().unwrap())).with_clock(Arc::new(clock()))
}

/// Answers as the Resource Manager does to somebody without a token.
fn resource_manager(seen: &Seen) -> Reply {
    assert!(seen.header("authorization").is_none());
    assert_eq!(seen.query["api-version"], "2022-12-01");
    if seen.path == format!("/subscriptions/{SUBSCRIPTION}") {
        let body = r#"{"error":{"code":"AuthenticationFailed","message":"Authentication failed. The 'Authorization' header is missing."}}"#;
        return Reply::Raw(401, AUTHENTICATE, body.into());
    }
    json(404, r#"{"error":{"code":"SubscriptionNotFound","message":"The subscription could not be found."}}"#)
}

#[tokio::test]
async fn the_tenant_of_a_subscription_is_found_without_signing_in() {
    let server = Server::start(resource_manager).await;
    let subscription = SUBSCRIPTION.parse().unwrap();
    let tenant = tenant_of_subscription(&http(), &server.url(), &subscription).await.unwrap();
    assert_eq!(tenant.as_str(), TENANT);

    let unknown = "dddddddd-2222-3333-4444-555555555555".parse().unwrap();
    let error = tenant_of_subscription(&http(), &server.url(), &unknown).await.unwrap_err();
    assert_eq!((error.kind(), error.code()), (AuthErrorKind::InvalidInput, Some("SubscriptionNotFound")));

    for reply in [(401, "{}"), (403, r#"{"error":{"code":"Odd"}}"#), (200, "{}")] {
        let server = Server::start(move |_| json(reply.0, reply.1)).await;
        let error = tenant_of_subscription(&http(), &server.url(), &subscription).await.unwrap_err();
        assert_eq!(error.kind(), AuthErrorKind::Refused, "{error}");
    }
}

/// A service that takes one token only; the others get its challenge.
async fn service(taken: &'static str, challenge: &'static str) -> Server {
    Server::start(move |seen| {
        if seen.header("authorization") == Some(taken) {
            json(200, "{}")
        } else {
            Reply::Raw(401, challenge, String::new())
        }
    })
    .await
}

/// Calls the service with tokens numbered from 1; the last status, and the claims of each token request.
async fn call(service: &Server) -> (u16, Vec<Option<String>>) {
    let mut given = 0;
    let tokens = Server::start(move |_| {
        given += 1;
        json(200, &format!(r#"{{"access_token":"tok{given}","expires_in":3600}}"#))
    })
    .await;
    let credential = ServicePrincipal::with_secret(TENANT.parse().unwrap(), CLIENT_ID, "s").unwrap();
    let credential = credential.with_host(host(&[]).with_authority_host(&tokens.url()).unwrap());
    let authorizer = Authorizer::new(&credential, AuthRequest::new(Audience::QUANTUM));
    let request = http::Request::get(service.url()).body(Bytes::new()).unwrap();
    let answer = http().send(Call::new(request).authorize(&authorizer)).await.unwrap();
    let claims = tokens.seen().iter().map(|seen| seen.form.get("claims").cloned()).collect();
    (answer.response.status().as_u16(), claims)
}

#[tokio::test]
async fn a_revoked_token_is_replaced_once_within_the_call() {
    let challenge = "WWW-Authenticate: Bearer error=\"invalid_token\"";
    assert_eq!(call(&service("Bearer tok2", challenge).await).await, (200, vec![None, None]));
    // A service that takes none of them is asked twice and no more.
    let nothing = service("Bearer none", challenge).await;
    assert_eq!(call(&nothing).await, (401, vec![None, None]));
    assert_eq!(nothing.seen().len(), 2);
}

#[tokio::test]
async fn claims_that_the_service_asks_for_are_in_the_next_token_request() {
    let challenge = "WWW-Authenticate: Bearer error=\"insufficient_claims\", claims=\"eyJhIjoxfQ==\"";
    let claims = vec![None, Some(r#"{"a":1}"#.to_owned())];
    assert_eq!(call(&service("Bearer tok2", challenge).await).await, (200, claims));
}

#[tokio::test]
async fn while_the_token_endpoint_hangs_ten_thousand_calls_pass_with_the_old_token() {
    let mut first = true;
    let tokens = Server::start(move |_| {
        if std::mem::take(&mut first) {
            json(200, r#"{"access_token":"old","expires_in":3600}"#)
        } else {
            Reply::Hang
        }
    })
    .await;
    let clock = ManualClock::new(OffsetDateTime::from_unix_timestamp(1_800_000_000).unwrap());
    let host = host(&[]).with_authority_host(&tokens.url()).unwrap().with_clock(Arc::new(clock.clone()));
    let credential =
        ServicePrincipal::with_secret(TENANT.parse().unwrap(), CLIENT_ID, "s").unwrap().with_host(host);
    assert_eq!(header(&credential).await.unwrap(), "Bearer old");
    clock.advance(Duration::from_secs(1801));
    for value in futures::future::join_all((0..10_000).map(|_| header(&credential))).await {
        assert_eq!(value.unwrap(), "Bearer old");
    }
    tokens.wait_for(2).await;
    assert_eq!(tokens.seen().len(), 2);
}
