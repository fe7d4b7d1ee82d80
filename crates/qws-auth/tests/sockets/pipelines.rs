//! Azure Pipelines: the job's token is exchanged for an assertion, and that for a token of Entra ID.

use qws_auth::{AuthErrorKind, AzurePipelines, Credential};

use crate::{
    entra::{CLIENT_ID, TENANT, entra},
    header, host,
    server::{Reply, Seen, Server, json},
};

pub(crate) const CONNECTION: &str = "66666666-7777-8888-9999-000000000000";

/// Answers as the identity provider of Azure Pipelines does.
fn provider(seen: &Seen) -> Reply {
    assert_eq!((seen.method.as_str(), seen.path.as_str()), ("POST", "/_apis/oidctoken"));
    assert_eq!(seen.query["api-version"], "7.1");
    assert_eq!(seen.query["kept"], "1");
    assert_eq!(seen.header("x-tfs-fedauthredirect"), Some("Suppress"));
    assert_eq!(seen.header("content-type"), Some("application/json"));
    if seen.header("authorization") != Some("Bearer job-token") {
        return Reply::Raw(401, "X-VSS-E2EID: activity-1", "<html>job-token".into());
    }
    if seen.query["serviceConnectionId"] != CONNECTION {
        return json(404, r#"{"message":"No service connection found with identifier x, job-token."}"#);
    }
    json(200, r#"{"oidcToken":"assertion-1"}"#)
}

fn job(provider: &Server, entra: &Server, connection: &str, token: &str) -> AzurePipelines {
    let url = format!("{}/_apis/oidctoken?kept=1", provider.url());
    let host = host(&[("SYSTEM_OIDCREQUESTURI", &url)]).with_authority_host(&entra.url()).unwrap();
    AzurePipelines::new(TENANT.parse().unwrap(), CLIENT_ID, connection, token).unwrap().with_host(host)
}

#[tokio::test]
async fn a_job_gets_a_token_of_its_service_connection() {
    let (provider, entra) = (Server::start(provider).await, Server::start(entra).await);
    let credential = job(&provider, &entra, CONNECTION, "job-token");
    assert_eq!(header(&credential).await.unwrap(), "Bearer tok");
    assert_eq!(entra.seen()[0].form["client_assertion"], "assertion-1");
    assert_eq!(credential.describe(), format!("Azure Pipelines (client id {CLIENT_ID}, tenant {TENANT})"));
}

#[tokio::test]
async fn refusals_stop_and_say_what_to_do() {
    let (provider, entra) = (Server::start(provider).await, Server::start(entra).await);
    let error = header(&job(&provider, &entra, CONNECTION, "old-token")).await.unwrap_err();
    assert_eq!(error.kind(), AuthErrorKind::Refused);
    assert_eq!(
        error.to_string(),
        "Azure Pipelines answered 401 without an `oidcToken` (activity id activity-1)"
    );
    assert!(error.hint().unwrap().contains("$(System.AccessToken)"));

    let other = "99999999-7777-8888-9999-000000000000";
    let error = header(&job(&provider, &entra, other, "job-token")).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "Azure Pipelines answered 404 without an `oidcToken`: No service connection found with identifier x, ***."
    );
    assert!(error.hint().unwrap().contains("service connection"));

    for body in ["{}", "[]", r#"{"oidcToken":""}"#, "<html>"] {
        let odd = Server::start(move |_| json(200, body)).await;
        let error = header(&job(&odd, &entra, CONNECTION, "job-token")).await.unwrap_err();
        assert_eq!(error.kind(), AuthErrorKind::Refused, "{body}");
    }
    let distrusting = Server::start(|_| json(200, r#"{"oidcToken":"assertion-of-another-issuer"}"#)).await;
    let error = header(&job(&distrusting, &entra, CONNECTION, "job-token")).await.unwrap_err();
    assert_eq!(error.code(), Some("AADSTS700024"));
    assert_eq!(entra.seen().len(), 1);
}

#[tokio::test]
async fn outside_a_job_a_chain_goes_on_and_the_job_token_stays_here() {
    let tenant = || TENANT.parse().unwrap();
    let credential = AzurePipelines::new(tenant(), CLIENT_ID, CONNECTION, "job-token").unwrap();
    let error = header(&credential.clone().with_host(host(&[]))).await.unwrap_err();
    assert!(error.is_unavailable(), "{error}");
    for url in ["not a url", "https://user:hunter2@dev.azure.com/x", "http://dev.azure.com/x"] {
        let host = host(&[("SYSTEM_OIDCREQUESTURI", url)]);
        let error = header(&credential.clone().with_host(host)).await.unwrap_err();
        assert!(!error.is_unavailable() && !format!("{error:?}").contains("hunter2"), "{error:?}");
    }
    for (client, connection, token) in [
        ("app", CONNECTION, "t"),
        (CLIENT_ID, "mine", "t"),
        (CLIENT_ID, CONNECTION, ""),
        (CLIENT_ID, CONNECTION, "a\nb"),
    ] {
        assert!(AzurePipelines::new(tenant(), client, connection, token).is_err());
    }
}
