//! Which host of managed identities is found, and the two that are asked by one plain request.

use qws_auth::{AuthErrorKind, Credential, ManagedIdentity};

use crate::{
    header, host,
    managed_identity::{CLIENT_ID, RESOURCE_ID},
    quantum,
    server::{Reply, Seen, Server, json},
};

/// Says by which protocol it was asked.
fn any_host(seen: &Seen) -> Reply {
    let version = seen.query.get("api-version").map_or("none", String::as_str);
    if version == "2020-06-01" {
        return Reply::Raw(401, "WWW-Authenticate: Basic realm=/etc/passwd", String::new());
    }
    json(200, &format!(r#"{{"access_token":"{version}","expires_in":3600}}"#))
}

#[tokio::test]
async fn the_host_is_found_in_the_documented_order_and_empty_variables_count_as_not_set() {
    let server = Server::start(any_host).await;
    let url = &*server.url();
    let found = async |variables: &[(&str, &str)]| match header(
        &ManagedIdentity::system().with_host(host(variables)),
    )
    .await
    {
        Ok(token) => token,
        Err(error) => error.to_string(),
    };
    let all = [
        ("IDENTITY_ENDPOINT", url),
        ("IDENTITY_HEADER", "s"),
        ("IDENTITY_SERVER_THUMBPRINT", "0"),
        ("IMDS_ENDPOINT", url),
        ("MSI_ENDPOINT", url),
        ("MSI_SECRET", "s"),
        ("AZURE_POD_IDENTITY_AUTHORITY_HOST", url),
        ("AZURE_AUTHORITY_HOST", "https://login.microsoftonline.com"),
        ("AZURE_TENANT_ID", "t"),
        ("AZURE_FEDERATED_TOKEN_FILE", "/nonexistent/token"),
    ];
    // Each row: the variable that is emptied (all before it are, too), and who answers then.
    let rows = [
        ("", "the IDENTITY_ENDPOINT of Service Fabric must be an https URL"),
        ("IDENTITY_SERVER_THUMBPRINT", "Bearer 2019-08-01"),
        ("IDENTITY_HEADER", "the challenge of Azure Arc's agent names a file outside the agent's own folder"),
        (
            "IMDS_ENDPOINT",
            "IDENTITY_ENDPOINT is set, but IDENTITY_HEADER is not: this is no known host of managed identities",
        ),
        ("IDENTITY_ENDPOINT", "Bearer 2017-09-01"),
        ("MSI_SECRET", "Bearer none"),
        ("MSI_ENDPOINT", "workload identity is not set up: AZURE_CLIENT_ID is not set"),
        ("AZURE_TENANT_ID", "Bearer 2018-02-01"),
    ];
    let mut emptied = Vec::new();
    for (name, expected) in rows {
        emptied.push(name);
        let variables = all.map(|(name, value)| (name, if emptied.contains(&name) { "" } else { value }));
        if !cfg!(target_os = "linux") && expected.contains("Azure Arc") {
            continue;
        }
        assert_eq!(found(&variables).await, expected, "without {emptied:?}");
    }
}

/// Answers as Azure Machine Learning does, with dates in words.
fn machine_learning(seen: &Seen) -> Reply {
    assert_eq!((seen.method.as_str(), seen.path.as_str()), ("GET", "/msi/token"));
    assert_eq!(seen.query["api-version"], "2017-09-01");
    assert_eq!(seen.query["resource"], "https://quantum.microsoft.com");
    if seen.header("secret") != Some("ml-secret") {
        return json(401, r#"{"statusCode":401,"message":"ml-secret was expected"}"#);
    }
    let id = |name: &str| seen.query.get(name).map(String::as_str);
    let whose = match (id("clientid"), id("client_id"), id("object_id"), id("msi_res_id")) {
        (Some(CLIENT_ID), None, None, None) => "by-client-id",
        (None, None, Some(CLIENT_ID), None) => "by-object-id",
        (None, None, None, Some(RESOURCE_ID)) => "by-resource-id",
        // None is named, or an unknown one: this host gives out its own.
        _ => "system",
    };
    let client_id = if whose == "system" { "99999999-0000-0000-0000-000000000000" } else { CLIENT_ID };
    let body = format!(
        r#"{{"access_token":"{whose}","expires_on":"1/15/2027 9:00:00 AM +00:00","resource":"r","token_type":"Bearer","client_id":"{client_id}"}}"#
    );
    json(200, &body)
}

fn in_machine_learning(server: &Server, identity: ManagedIdentity, secret: &str) -> ManagedIdentity {
    let endpoint = format!("{}/msi/token", server.url());
    identity.with_host(host(&[("MSI_ENDPOINT", &endpoint), ("MSI_SECRET", secret)]))
}

#[tokio::test]
async fn machine_learning_gives_tokens_of_each_identity() {
    let server = Server::start(machine_learning).await;
    let identities = [
        (ManagedIdentity::system(), "Bearer system"),
        (ManagedIdentity::by_client_id(CLIENT_ID).unwrap(), "Bearer by-client-id"),
        (ManagedIdentity::by_object_id(CLIENT_ID).unwrap(), "Bearer by-object-id"),
        (ManagedIdentity::by_resource_id(RESOURCE_ID).unwrap(), "Bearer by-resource-id"),
    ];
    for (identity, expected) in identities {
        let identity = in_machine_learning(&server, identity, "ml-secret");
        assert_eq!(header(&identity).await.unwrap(), expected);
        let end = identity.authorize(&quantum()).await.unwrap().expires_on().unwrap();
        assert_eq!(end.unix_timestamp(), 1_800_003_600);
    }
    let error =
        header(&in_machine_learning(&server, ManagedIdentity::system(), "other-secret")).await.unwrap_err();
    assert_eq!(error.kind(), AuthErrorKind::Refused);
}

#[tokio::test]
async fn a_token_of_another_identity_is_thrown_away() {
    let server = Server::start(machine_learning).await;
    let stranger = ManagedIdentity::by_client_id("88888888-2222-3333-4444-555555555555").unwrap();
    let error = header(&in_machine_learning(&server, stranger, "ml-secret")).await.unwrap_err();
    assert_eq!(error.kind(), AuthErrorKind::Refused);
    assert_eq!(
        error.to_string(),
        "the managed identity endpoint gave a token of another identity than client id 88888888-2222-3333-4444-555555555555"
    );
    // The token itself tells, too.
    let tokens = [
        ("oid", "by_object_id", "88888888-2222-3333-4444-555555555555"),
        ("appid", "by_client_id", "88888888-2222-3333-4444-555555555555"),
    ];
    for (claim, by, other) in tokens {
        use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
        let payload = URL_SAFE_NO_PAD.encode(format!(r#"{{"{claim}":"{other}"}}"#));
        let body = format!(r#"{{"access_token":"e30.{payload}.x","expires_in":3600}}"#);
        let server = Server::start(move |_| json(200, &body)).await;
        let identity = |id| match by {
            "by_object_id" => ManagedIdentity::by_object_id(id).unwrap(),
            _ => ManagedIdentity::by_client_id(id).unwrap(),
        };
        let error = header(&in_machine_learning(&server, identity(CLIENT_ID), "s")).await.unwrap_err();
        assert!(error.to_string().contains("another identity"), "{claim}: {error}");
        assert!(header(&in_machine_learning(&server, identity(other), "s")).await.is_ok(), "{claim}");
    }
}

/// Answers as Cloud Shell does.
fn cloud_shell(seen: &Seen) -> Reply {
    assert_eq!((seen.method.as_str(), seen.path.as_str()), ("POST", "/oauth2/token"));
    assert_eq!(seen.header("content-type"), Some("application/x-www-form-urlencoded"));
    assert!(seen.query.is_empty());
    if seen.header("metadata") != Some("true") {
        return json(400, r#"{"error":{"code":"MissingMetadata","message":"no metadata header"}}"#);
    }
    assert_eq!(seen.form.len(), 1);
    if seen.form["resource"] != "https://quantum.microsoft.com" {
        let text = r#"{"error":{"code":"AudienceNotSupported","message":"Audience x is not supported."}}"#;
        return json(403, text);
    }
    json(
        200,
        r#"{"access_token":"shell","refresh_token":"","expires_in":"3600","expires_on":"1800003600","not_before":"1800000000","resource":"r","token_type":"Bearer"}"#,
    )
}

#[tokio::test]
async fn cloud_shell_gives_the_token_of_its_one_identity() {
    let server = Server::start(cloud_shell).await;
    let surroundings = || host(&[("MSI_ENDPOINT", &format!("{}/oauth2/token", server.url()))]);
    let identity = ManagedIdentity::system().with_host(surroundings());
    assert_eq!(header(&identity).await.unwrap(), "Bearer shell");

    let other = qws_auth::AuthRequest::new(qws_auth::Audience::from_scope("https://other/.default"));
    let error = identity.authorize(&other).await.unwrap_err();
    assert_eq!((error.kind(), error.code()), (AuthErrorKind::Refused, Some("AudienceNotSupported")));
    assert_eq!(error.to_string(), "the managed identity endpoint answered 403: Audience x is not supported.");

    let asked = server.seen().len();
    let named = [
        ManagedIdentity::by_client_id(CLIENT_ID).unwrap(),
        ManagedIdentity::by_object_id(CLIENT_ID).unwrap(),
        ManagedIdentity::by_resource_id(RESOURCE_ID).unwrap(),
    ];
    for identity in named {
        let error = header(&identity.with_host(surroundings())).await.unwrap_err();
        assert_eq!(error.kind(), AuthErrorKind::Unsupported);
        assert!(error.to_string().starts_with("Cloud Shell gives tokens of one identity only"), "{error}");
    }
    assert_eq!(server.seen().len(), asked, "no other identity's token was even asked for");
}

#[tokio::test]
async fn endpoints_that_fail_or_are_far_away_stop_a_chain() {
    let busy = Server::start(|_| json(503, r#"{"message":"busy"}"#)).await;
    let nobody = "http://127.0.0.1:1";
    for (endpoint, secret) in [(&*busy.url(), "s"), (&*busy.url(), ""), (nobody, "s"), (nobody, "")] {
        let surroundings = host(&[("MSI_ENDPOINT", endpoint), ("MSI_SECRET", secret)]);
        let error = header(&ManagedIdentity::system().with_host(surroundings)).await.unwrap_err();
        assert_eq!(error.kind(), AuthErrorKind::Refused, "{error}");
        assert!(error.to_string().contains("after 4 attempts"), "{error}");
    }
    for endpoint in ["http://example.org", "http://1.1.1.1", "not a url", "http://u:p@127.0.0.1"] {
        for secret in ["s", ""] {
            let surroundings = host(&[("MSI_ENDPOINT", endpoint), ("MSI_SECRET", secret)]);
            let error = header(&ManagedIdentity::system().with_host(surroundings)).await.unwrap_err();
            assert!(!error.is_unavailable(), "{endpoint}: {error}");
        }
    }
}
