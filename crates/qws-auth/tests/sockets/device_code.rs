//! A person with a code, and Entra ID's side of it.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use qws_auth::{Audience, AuthErrorKind, AuthRequest, Credential, DeviceCode, Host};
use qws_http::ManualClock;

use crate::{
    clock, header, host, quantum,
    server::{Reply, Seen, Server, json},
};

pub(crate) const DEVELOPERS: &str = "04b07795-8ddb-461a-bbee-02f9e1bf7b46";
const QUANTUM_SCOPE: &str = "https://quantum.microsoft.com/.default offline_access openid profile";

pub(crate) fn refusal(word: &str, number: u64) -> Reply {
    let body = serde_json::json!({
        "error": word, "error_codes": [number],
        "error_description": format!("AADSTS{number}: Some words. Trace ID: t\r\nTimestamp: now"),
    });
    json(400, &body.to_string())
}

const ISSUED: &str = r#"{"user_code":"ABCD-1234","device_code":"device-secret","verification_uri":"https://microsoft.com/devicelogin","expires_in":"900","interval":5,"message":"Open https://microsoft.com/devicelogin and enter ABCD-1234."}"#;

/// Entra ID with one person: the answers to the polls in their order, then a token; and what refresh tokens it takes.
fn entra(polls: &[&'static str]) -> impl FnMut(&Seen) -> Reply + Send + use<> {
    let mut polls: Vec<&'static str> = polls.iter().rev().copied().collect();
    let mut given = 0;
    move |seen: &Seen| {
        let field = |name: &str| seen.form.get(name).map(String::as_str);
        assert_eq!(field("client_id"), Some(DEVELOPERS));
        if seen.path == "/organizations/oauth2/v2.0/devicecode" {
            assert_eq!(seen.form.len(), 2);
            assert!(field("scope").unwrap().ends_with(" offline_access openid profile"));
            return json(200, ISSUED);
        }
        assert_eq!(seen.path, "/organizations/oauth2/v2.0/token");
        match field("grant_type") {
            Some("urn:ietf:params:oauth:grant-type:device_code") => {
                assert_eq!(field("device_code"), Some("device-secret"));
                if let Some(word) = polls.pop() {
                    return refusal(word, 70_016);
                }
            }
            Some("refresh_token") => {
                assert!(field("scope").unwrap().ends_with(" offline_access openid profile"));
                if field("refresh_token") != Some(&*format!("refresh-{given}")) {
                    return refusal("invalid_grant", 700_082);
                }
            }
            other => panic!("{other:?}"),
        }
        given += 1;
        json(
            200,
            &format!(
                r#"{{"access_token":"tok-{given}","expires_in":3600,"refresh_token":"refresh-{given}","id_token":"x"}}"#
            ),
        )
    }
}

fn at(server: &Server) -> Host {
    host(&[]).with_authority_host(&server.url()).unwrap()
}

/// A credential that notes what it shows.
fn noting(host: Host) -> (DeviceCode, Arc<Mutex<Vec<String>>>) {
    let shown: Arc<Mutex<Vec<String>>> = Arc::default();
    let notes = shown.clone();
    let credential = DeviceCode::new(move |prompt| {
        assert_eq!(prompt.verification_uri(), "https://microsoft.com/devicelogin");
        assert_eq!(prompt.user_code(), "ABCD-1234");
        assert_eq!(prompt.expires_in(), Duration::from_secs(900));
        assert!(!format!("{prompt:?}").contains("ABCD"));
        notes.lock().unwrap().push(prompt.to_string());
    });
    (credential.with_host(host), shown)
}

#[tokio::test]
async fn a_person_enters_the_code_and_polls_slow_down_when_asked() {
    let server = Server::start(entra(&["authorization_pending", "slow_down", "authorization_pending"])).await;
    let clock = clock();
    let (credential, shown) = noting(at(&server).with_clock(Arc::new(clock.clone())));
    assert_eq!(header(&credential).await.unwrap(), "Bearer tok-1");
    assert_eq!(*shown.lock().unwrap(), ["Open https://microsoft.com/devicelogin and enter ABCD-1234."]);
    let waits: Vec<u64> = clock.sleeps().iter().map(Duration::as_secs).collect();
    assert_eq!(waits, [5, 5, 10, 10]);
    assert_eq!(server.seen()[0].form["scope"], QUANTUM_SCOPE);
}

#[tokio::test]
async fn the_sign_in_lasts_for_other_services_and_later_tokens() {
    let server = Server::start(entra(&[])).await;
    let clock = clock();
    let (credential, shown) = noting(at(&server).with_clock(Arc::new(clock.clone())));
    assert_eq!(header(&credential).await.unwrap(), "Bearer tok-1");
    let management = AuthRequest::new(Audience::RESOURCE_MANAGER);
    credential.authorize(&management).await.unwrap();
    clock.advance(Duration::from_secs(3600));
    assert_eq!(header(&credential).await.unwrap(), "Bearer tok-3");
    assert_eq!(shown.lock().unwrap().len(), 1, "asked once");
    let refreshed = &server.seen()[2].form;
    assert_eq!(refreshed["refresh_token"], "refresh-1");
    assert_eq!(refreshed["scope"], "https://management.azure.com/.default offline_access openid profile");
}

#[tokio::test]
async fn two_services_at_once_need_one_sign_in() {
    let server = Server::start(entra(&["authorization_pending"])).await;
    let (credential, shown) = noting(at(&server));
    let management = AuthRequest::new(Audience::RESOURCE_MANAGER);
    let (one, two) = futures::join!(header(&credential), async { credential.authorize(&management).await });
    assert_eq!(one.unwrap(), "Bearer tok-1");
    two.unwrap();
    assert_eq!(shown.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn an_ended_sign_in_is_asked_for_again_unless_nobody_may_be_asked() {
    let mut inner = entra(&[]);
    let server = Server::start(move |seen| match seen.form.get("grant_type").map(String::as_str) {
        Some("refresh_token") => refusal("invalid_grant", 50_173),
        _ => inner(seen),
    })
    .await;
    let clock = clock();
    let (credential, shown) = noting(at(&server).with_clock(Arc::new(clock.clone())));
    let silent = credential.clone().silent_only();
    let error = header(&silent).await.unwrap_err();
    assert!(error.is_unavailable(), "{error}");
    assert_eq!(server.seen().len(), 0);

    assert_eq!(header(&credential).await.unwrap(), "Bearer tok-1");
    let error = header(&silent).await.unwrap_err();
    assert!(error.is_unavailable());
    assert_eq!(error.to_string(), "nobody has signed in yet, or the sign-in has ended");
    clock.advance(Duration::from_secs(3600));
    assert_eq!(header(&credential).await.unwrap(), "Bearer tok-2");
    assert_eq!(shown.lock().unwrap().len(), 2);
}

#[tokio::test]
async fn a_silent_credential_lives_on_the_sign_in_that_it_was_made_from() {
    let server = Server::start(entra(&[])).await;
    let (credential, shown) = noting(at(&server));
    let silent = credential.clone().silent_only();
    header(&credential).await.unwrap();
    assert_eq!(header(&silent).await.unwrap(), "Bearer tok-2");
    assert_eq!(shown.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn nobody_is_asked_while_the_old_token_is_good() {
    let mut inner = entra(&[]);
    let server = Server::start(move |seen| match seen.form.get("grant_type").map(String::as_str) {
        Some("refresh_token") => refusal("invalid_grant", 50_173),
        _ => inner(seen),
    })
    .await;
    let clock = ManualClock::skipping(clock_start());
    let (credential, shown) = noting(at(&server).with_clock(Arc::new(clock.clone())));
    header(&credential).await.unwrap();
    clock.advance(Duration::from_secs(2000));
    // It is renewed in the background, which fails.
    assert_eq!(header(&credential).await.unwrap(), "Bearer tok-1");
    server.wait_for(3).await;
    assert_eq!(header(&credential).await.unwrap(), "Bearer tok-1");
    assert_eq!(shown.lock().unwrap().len(), 1);
}

fn clock_start() -> azure_core::time::OffsetDateTime {
    azure_core::time::OffsetDateTime::from_unix_timestamp(1_800_000_000).unwrap()
}

#[tokio::test]
async fn whoever_does_not_come_or_declines_ends_the_sign_in() {
    let ended = async |polls: &[&'static str], limit: Option<u64>| {
        let server = Server::start(entra(polls)).await;
        let (credential, _) = noting(at(&server));
        let credential = match limit {
            Some(limit) => credential.with_time_limit(Duration::from_secs(limit)),
            None => credential,
        };
        let error = header(&credential).await.unwrap_err();
        assert_eq!(error.kind(), AuthErrorKind::Refused);
        (error, server.seen().len())
    };
    let (error, requests) = ended(&["authorization_pending"; 1000], None).await;
    assert_eq!(error.to_string(), "nobody signed in with the code within 900 s");
    assert_eq!((error.code(), requests), (Some("expired_token"), 181));
    let (error, requests) = ended(&["authorization_pending"; 1000], Some(12)).await;
    assert_eq!(error.to_string(), "nobody signed in with the code within 12 s");
    assert_eq!(requests, 3);
    assert_eq!(ended(&["expired_token"], None).await.0.code(), Some("expired_token"));
    let (error, _) = ended(&["authorization_pending", "authorization_declined"], None).await;
    assert_eq!(error.to_string(), "the person declined the sign-in");
    let (error, _) = ended(&["bad_verification_code"], None).await;
    assert!(error.to_string().contains("bad_verification_code"), "{error}");
}

#[tokio::test]
async fn tenant_application_and_claims_are_passed_on() {
    let tenant = crate::entra::TENANT;
    let client_id = crate::entra::CLIENT_ID;
    let server = Server::start(move |seen| {
        assert!(seen.path.starts_with(&format!("/{tenant}/oauth2/v2.0/")));
        assert_eq!(seen.form["client_id"], client_id);
        if seen.path.ends_with("devicecode") {
            return json(200, ISSUED);
        }
        assert_eq!(seen.form["claims"], r#"{"a":1}"#);
        json(200, r#"{"access_token":"tok","expires_in":3600}"#)
    })
    .await;
    let (credential, _) = noting(at(&server));
    let credential = credential.with_tenant(tenant.parse().unwrap()).with_client_id(client_id).unwrap();
    let request = quantum().with_claims(Some(r#"{"a":1}"#.into()));
    assert!(credential.authorize(&request).await.is_ok());
    assert_eq!(credential.describe(), format!("device code (tenant {tenant})"));
    assert!(credential.with_client_id("my app").is_err());
}

#[tokio::test]
async fn an_odd_answer_shows_nobody_anything() {
    for issued in [
        "{}",
        r#"{"device_code":"hunter2","verification_uri":"https://x","expires_in":900}"#,
        r#"{"device_code":"hunter2","user_code":"A","expires_in":900}"#,
        r#"{"device_code":"hunter2","user_code":"A","verification_uri":"http://x","expires_in":900}"#,
        r#"{"device_code":"hunter2","user_code":"A","verification_uri":"javascript:x","expires_in":900}"#,
        r#"{"device_code":"hunter2","user_code":"A","verification_uri":"https://x"}"#,
    ] {
        let server = Server::start(move |_| json(200, issued)).await;
        let (credential, shown) = noting(at(&server));
        let error = header(&credential).await.unwrap_err();
        assert!(error.to_string().contains("without a usable"), "{issued}: {error}");
        assert!(shown.lock().unwrap().is_empty() && !format!("{error:?}").contains("hunter2"));
    }
}
