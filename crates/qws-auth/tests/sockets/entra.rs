use std::{sync::Arc, time::Duration};

use qws_auth::{
    AuthErrorKind, ClientAssertion, Credential, EnvironmentCredential, Host, ManagedIdentity,
    ServicePrincipal, WorkloadIdentity,
};
use qws_config::Secret;
use qws_http::{BoxError, ManualClock};

use crate::{
    header, host, quantum,
    server::{Reply, Seen, Server, json},
};

pub(crate) const TENANT: &str = "aaaaaaaa-2222-3333-4444-555555555555";
pub(crate) const CLIENT_ID: &str = "11111111-2222-3333-4444-555555555555";

/// Answers as Entra ID does to the client credentials grant.
pub(crate) fn entra(seen: &Seen) -> Reply {
    assert_eq!(seen.method, "POST");
    assert_eq!(seen.header("content-type"), Some("application/x-www-form-urlencoded"));
    let field = |name: &str| seen.form.get(name).map(String::as_str);
    assert_eq!(field("grant_type"), Some("client_credentials"));
    assert_eq!(field("scope"), Some("https://quantum.microsoft.com/.default"));
    let refuse = |status, number: u64, error: &str, text: &str| {
        let body = serde_json::json!({
            "error": error, "error_codes": [number], "timestamp": "2026-02-03 04:05:06Z", "trace_id": "t",
            "error_description": format!("AADSTS{number}: {text} Trace ID: t Correlation ID: c\r\nTimestamp: now"),
            "correlation_id": "99999999-0000-0000-0000-000000000000",
            "error_uri": "https://login.microsoftonline.com/error?code=1",
        });
        Reply::Json(status, body.to_string())
    };
    if seen.path != format!("/{TENANT}/oauth2/v2.0/token") {
        return refuse(400, 90_002, "invalid_request", "Tenant \"x\" not found.");
    }
    if field("client_id") != Some(CLIENT_ID) {
        return refuse(400, 700_016, "unauthorized_client", "Application with identifier 'x' was not found.");
    }
    let jwt_bearer = Some("urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
    match (field("client_secret"), field("client_assertion_type"), field("client_assertion")) {
        (Some("the secret/+&="), None, None) => {}
        (Some(_), None, None) => {
            return refuse(401, 7_000_215, "invalid_client", "Invalid client secret provided.");
        }
        (None, kind, Some("assertion-1")) if kind == jwt_bearer => {}
        (None, kind, Some(_)) if kind == jwt_bearer => {
            return refuse(
                401,
                700_024,
                "invalid_client",
                "Client assertion is not within its valid time range.",
            );
        }
        _ => {
            return refuse(
                400,
                7_000_218,
                "invalid_client",
                "The request body must contain a secret or assertion.",
            );
        }
    }
    json(
        200,
        r#"{"token_type":"Bearer","expires_in":"3599","ext_expires_in":3599,"refresh_in":1800,"access_token":"tok"}"#,
    )
}

fn at(server: &Server) -> Host {
    host(&[]).with_authority_host(&server.url()).unwrap()
}

fn principal(secret: &str) -> ServicePrincipal {
    ServicePrincipal::with_secret(TENANT.parse().unwrap(), CLIENT_ID, secret).unwrap()
}

#[tokio::test]
async fn a_secret_gets_a_token() {
    let server = Server::start(entra).await;
    let credential = principal("the secret/+&=").with_host(at(&server));
    assert_eq!(header(&credential).await.unwrap(), "Bearer tok");
    let end = credential.authorize(&quantum()).await.unwrap().expires_on().unwrap();
    assert_eq!(end.unix_timestamp(), 1_800_000_000 + 3599);
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn refusals_keep_their_code_and_say_what_to_do() {
    let server = Server::start(entra).await;
    let error = header(&principal("hunter2").with_host(at(&server))).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "Entra ID refused application {CLIENT_ID} in tenant {TENANT}: AADSTS7000215 (invalid_client): Invalid client secret provided. (correlation id 99999999-0000-0000-0000-000000000000)"
        )
    );
    assert_eq!((error.kind(), error.code()), (AuthErrorKind::Refused, Some("AADSTS7000215")));
    assert!(error.hint().unwrap().contains("secret's value"));

    let strange = ServicePrincipal::with_secret("contoso.com".parse().unwrap(), CLIENT_ID, "s").unwrap();
    let error = header(&strange.with_host(at(&server))).await.unwrap_err();
    assert_eq!(error.code(), Some("AADSTS90002"), "an escaped quote in the text must not hide the code");
    assert!(error.to_string().contains("Tenant \"x\" not found."), "{error}");
}

#[derive(Debug)]
struct Given(&'static str);

#[async_trait::async_trait]
impl ClientAssertion for Given {
    async fn assertion(&self) -> Result<Secret, BoxError> {
        if self.0.is_empty() { Err("the pipeline gave nothing".into()) } else { Ok(self.0.into()) }
    }
}

#[tokio::test]
async fn an_assertion_gets_a_token_and_its_failures_stop() {
    let server = Server::start(entra).await;
    let with = |text| {
        let principal =
            ServicePrincipal::with_assertion(TENANT.parse().unwrap(), CLIENT_ID, Given(text)).unwrap();
        principal.with_host(at(&server))
    };
    assert_eq!(header(&with("assertion-1")).await.unwrap(), "Bearer tok");
    let error = header(&with("assertion-2")).await.unwrap_err();
    assert_eq!(error.code(), Some("AADSTS700024"));
    assert!(error.hint().unwrap().contains("clock"));
    let error = header(&with("")).await.unwrap_err();
    assert_eq!(error.kind(), AuthErrorKind::Refused);
    assert_eq!(std::error::Error::source(&error).unwrap().to_string(), "the pipeline gave nothing");
}

#[tokio::test]
async fn the_environment_gets_a_token_or_says_what_is_missing() {
    let server = Server::start(entra).await;
    let with = |variables: &[(&str, &str)]| {
        EnvironmentCredential::new().with_host(host(variables).with_authority_host(&server.url()).unwrap())
    };
    let (tenant, client) = (("AZURE_TENANT_ID", TENANT), ("AZURE_CLIENT_ID", CLIENT_ID));
    let secret = ("AZURE_CLIENT_SECRET", "the secret/+&=");
    assert_eq!(header(&with(&[tenant, client, secret])).await.unwrap(), "Bearer tok");

    let error = header(&with(&[tenant, ("AZURE_CLIENT_SECRET", "")])).await.unwrap_err();
    assert!(error.is_unavailable());
    assert_eq!(
        error.to_string(),
        "the environment names no identity: AZURE_CLIENT_ID is not set, AZURE_CLIENT_SECRET is empty (AZURE_TENANT_ID set)"
    );
    let unsupported: &[&[_]] = &[
        #[cfg(not(feature = "certificate"))]
        &[tenant, client, ("AZURE_CLIENT_CERTIFICATE_PATH", "/c.pem")],
        &[client, ("AZURE_USERNAME", "me"), ("AZURE_PASSWORD", "hunter2")],
    ];
    for variables in unsupported {
        let error = header(&with(variables)).await.unwrap_err();
        assert_eq!(error.kind(), AuthErrorKind::Unsupported, "{error}");
    }
    for wrong in [[("AZURE_TENANT_ID", "../x"), client, secret], [tenant, ("AZURE_CLIENT_ID", "me"), secret]]
    {
        assert_eq!(header(&with(&wrong)).await.unwrap_err().kind(), AuthErrorKind::InvalidInput);
    }
}

#[tokio::test]
async fn a_workload_reads_its_file_for_each_token() {
    let server = Server::start(entra).await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    let file_name = file.to_str().unwrap();
    let variables = [
        ("AZURE_TENANT_ID", TENANT),
        ("AZURE_CLIENT_ID", CLIENT_ID),
        ("AZURE_FEDERATED_TOKEN_FILE", file_name),
    ];
    let clock =
        ManualClock::new(azure_core::time::OffsetDateTime::from_unix_timestamp(1_800_000_000).unwrap());
    let host =
        host(&variables).with_authority_host(&server.url()).unwrap().with_clock(Arc::new(clock.clone()));
    let credential = WorkloadIdentity::new().with_host(host.clone());

    let error = header(&credential).await.unwrap_err();
    assert_eq!(error.kind(), AuthErrorKind::Refused, "named but not there: {error}");
    for (content, said) in [(String::new(), "is empty"), ("x".repeat(65 * 1024), "longer than 64 KiB")] {
        std::fs::write(&file, content).unwrap();
        let error = header(&credential).await.unwrap_err();
        assert!(error.to_string().contains(said), "{error}");
    }
    assert_eq!(server.seen().len(), 0);

    std::fs::write(&file, "assertion-0\n").unwrap();
    assert_eq!(header(&credential).await.unwrap_err().code(), Some("AADSTS700024"));
    std::fs::write(&file, " assertion-1\r\n").unwrap();
    assert_eq!(header(&credential).await.unwrap(), "Bearer tok");
    std::fs::write(&file, "assertion-2").unwrap();
    clock.advance(Duration::from_secs(3600));
    assert_eq!(header(&credential).await.unwrap_err().code(), Some("AADSTS700024"));
    let sent: Vec<String> = server.seen().iter().map(|seen| seen.form["client_assertion"].clone()).collect();
    assert_eq!(sent, ["assertion-0", "assertion-1", "assertion-2"]);
}

#[tokio::test]
async fn a_workload_that_is_not_set_up_lets_a_chain_go_on() {
    let error = header(&WorkloadIdentity::new().with_host(host(&[]))).await.unwrap_err();
    assert!(error.is_unavailable());
    assert_eq!(error.to_string(), "workload identity is not set up: AZURE_FEDERATED_TOKEN_FILE is not set");
}

#[tokio::test]
async fn a_managed_identity_in_a_cluster_is_its_workload_identity() {
    let server = Server::start(entra).await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    std::fs::write(&file, "assertion-1").unwrap();
    let variables = [
        ("AZURE_TENANT_ID", TENANT),
        ("AZURE_AUTHORITY_HOST", "https://login.microsoftonline.com"),
        ("AZURE_FEDERATED_TOKEN_FILE", file.to_str().unwrap()),
    ];
    let host = host(&variables).with_authority_host(&server.url()).unwrap();
    let identity = ManagedIdentity::by_client_id(CLIENT_ID).unwrap().with_host(host.clone());
    assert_eq!(header(&identity).await.unwrap(), "Bearer tok");
    let error = header(&ManagedIdentity::by_object_id(CLIENT_ID).unwrap().with_host(host)).await.unwrap_err();
    assert_eq!(error.kind(), AuthErrorKind::Unsupported);
}

#[tokio::test]
async fn a_busy_service_is_asked_again_and_attempts_are_told() {
    let mut attempts = 0;
    let server = Server::start(move |seen| {
        attempts += 1;
        match attempts {
            1 => json(503, "{}"),
            2 => Reply::Close,
            _ => entra(seen),
        }
    })
    .await;
    assert_eq!(header(&principal("the secret/+&=").with_host(at(&server))).await.unwrap(), "Bearer tok");

    let down = Server::start(|_| Reply::Raw(502, "Content-Type: text/html", "<html>hunter2".into())).await;
    let error = header(&principal("hunter2").with_host(at(&down))).await.unwrap_err();
    assert_eq!(error.to_string(), "127.0.0.1 answered 502 without a token or a reason, after 4 attempts");
    let throttled = Server::start(|_| json(429, r#"{"error":"temporarily_unavailable"}"#)).await;
    let error = header(&principal("hunter2").with_host(at(&throttled))).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "Entra ID answered 429 after 4 attempts to application {CLIENT_ID} in tenant {TENANT}: temporarily_unavailable"
        )
    );
    for body in ["{}", r#"{"access_token":"hunter2"}"#, "[]", ""] {
        let server = Server::start(move |_| json(200, body)).await;
        let error = header(&principal("hunter2").with_host(at(&server))).await.unwrap_err();
        assert!(error.to_string().contains("without"), "{body}: {error}");
        assert!(!error.to_string().contains("hunter2"));
    }
    let elsewhere =
        Server::start(|_| Reply::Raw(307, "Location: https://elsewhere.example", String::new())).await;
    let error = header(&principal("hunter2").with_host(at(&elsewhere))).await.unwrap_err();
    assert!(error.hint().unwrap().contains("redirects are not followed"), "{error}");
}

#[tokio::test]
async fn a_silent_service_ends_with_the_deadline() {
    let server = Server::start(|_| Reply::Hang).await;
    let clock =
        ManualClock::new(azure_core::time::OffsetDateTime::from_unix_timestamp(1_800_000_000).unwrap());
    let credential = principal("s").with_host(at(&server).with_clock(Arc::new(clock.clone())));
    let call = tokio::spawn(async move { header(&credential).await });
    server.wait_for(1).await;
    clock.advance(Duration::from_secs(30));
    let error = call.await.unwrap().unwrap_err();
    assert_eq!(
        error.to_string(),
        "no answer from 127.0.0.1 after 1 attempt in 30.0 s: the deadline of 30 s passed"
    );
    assert!(!error.is_unavailable());
}

#[tokio::test]
async fn a_tenant_that_was_not_allowed_is_refused_unasked_and_both_are_named() {
    let server = Server::start(entra).await;
    let other = "bbbbbbbb-2222-3333-4444-555555555555";
    let request = quantum().with_tenant(Some(other.parse().unwrap()));
    let credential = principal("the secret/+&=").with_host(at(&server));
    let error = credential.authorize(&request).await.unwrap_err();
    assert!(error.to_string().contains(TENANT) && error.to_string().contains(other), "{error}");
    assert_eq!(server.seen().len(), 0);
    let error = credential.allow_any_tenant().authorize(&request).await.unwrap_err();
    assert_eq!(error.code(), Some("AADSTS90002"));
    assert_eq!(server.seen()[0].path, format!("/{other}/oauth2/v2.0/token"));
}

#[tokio::test]
async fn claims_are_sent_as_they_were_asked_for() {
    let server = Server::start(entra).await;
    let claims = r#"{"access_token":{"nbf":{"essential":true,"value":"1"}}}"#;
    let request = quantum().with_claims(Some(claims.into()));
    principal("the secret/+&=").with_host(at(&server)).authorize(&request).await.unwrap();
    assert_eq!(server.seen()[0].form["claims"], claims);
}

#[test]
fn what_cannot_be_right_is_refused_where_it_is_given() {
    let tenant = || TENANT.parse().unwrap();
    assert!(
        ServicePrincipal::with_secret(tenant(), CLIENT_ID, "").unwrap_err().to_string().contains("empty")
    );
    assert!(ServicePrincipal::with_secret(tenant(), "app", "s").unwrap_err().to_string().contains("GUID"));
    assert!(host(&[]).with_authority_host("http://example.org").is_err());
}

#[tokio::test]
async fn an_environment_that_leads_elsewhere_is_told_in_the_log_and_must_speak_https() {
    let variables = [
        ("AZURE_TENANT_ID", TENANT),
        ("AZURE_CLIENT_ID", CLIENT_ID),
        ("AZURE_CLIENT_SECRET", "hunter2"),
        ("AZURE_AUTHORITY_HOST", "elsewhere.invalid"),
    ];
    let log = crate::log::log();
    let mut transport = qws_http::MockTransport::new();
    transport.expect_send().returning(|request| {
        assert_eq!(request.uri().scheme_str(), Some("https"));
        Err(qws_http::TransportError::new(qws_http::TransportErrorKind::Connect, request.uri()))
    });
    let elsewhere = host(&variables).with_transport(Arc::new(transport));
    let error = header(&EnvironmentCredential::new().with_host(elsewhere)).await.unwrap_err();
    assert!(error.to_string().contains("no answer from elsewhere.invalid after 4 attempts"), "{error}");
    assert!(
        log.text().contains("leads sign-in to a host that is not Microsoft's host=\"elsewhere.invalid\"")
    );

    let plain = [&variables[..3], &[("AZURE_AUTHORITY_HOST", "http://elsewhere.invalid")]].concat();
    let error = header(&EnvironmentCredential::new().with_host(host(&plain))).await.unwrap_err();
    assert_eq!(error.to_string(), "AZURE_AUTHORITY_HOST must be an https URL, or http on this machine");
}
