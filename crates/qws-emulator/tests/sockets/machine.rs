use http::Method;
use qws_emulator::{Action, AssignedIdentity, Emulator, Fault, Operation, Role};
use serde_json::{Value, json};

use super::client::{Answer, send};
use super::entra::data_plane;
use super::still;

const QUANTUM: &str = "https://quantum.microsoft.com";
type Headers<'a> = &'a [(&'a str, &'a str)];

const METADATA: (&str, &str) = ("Metadata", "true");

async fn imds(emulator: &Emulator, rest: &str, headers: Headers<'_>) -> Answer {
    let base = emulator.identity().imds_url();
    let url = format!("{base}/metadata/identity/oauth2/token?api-version=2018-02-01{rest}");
    send(Method::GET, &url, headers, "").await.unwrap()
}

async fn app(emulator: &Emulator, query: &str, header: Option<&str>) -> Answer {
    let url = format!("{}?{query}", emulator.identity().app_service_endpoint());
    let headers: Vec<_> = header.map(|value| ("X-IDENTITY-HEADER", value)).into_iter().collect();
    send(Method::GET, &url, &headers, "").await.unwrap()
}

/// The object id that a token names.
fn holder(token: &Value) -> String {
    use base64::Engine as _;
    let claims = token["access_token"].as_str().unwrap().split('.').nth(1).unwrap();
    let claims = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(claims).unwrap();
    serde_json::from_slice::<Value>(&claims).unwrap()["oid"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_machine_gives_its_own_identity_and_those_it_was_given() {
    let emulator = still().start().await.unwrap();
    let user = AssignedIdentity::default();
    emulator.identity().assign(user.clone());
    let resource = format!("&resource={QUANTUM}");
    let system = imds(&emulator, &resource, &[METADATA]).await;
    let token = system.json();
    assert_eq!(
        (system.status, &token["expires_in"], &token["resource"]),
        (200, &json!("3600"), &json!(QUANTUM))
    );
    assert_eq!(data_plane(&emulator, &token).await.status, 200);
    assert_ne!(holder(&token), user.object_id);
    for name in [
        format!("client_id={}", user.client_id),
        format!("object_id={}", user.object_id),
        format!("msi_res_id={}", user.resource_id),
    ] {
        let token = imds(&emulator, &format!("{resource}&{name}"), &[METADATA]).await.json();
        assert_eq!(holder(&token), user.object_id, "{name}");
    }
    emulator.identity().set_times_as_numbers(true);
    let token = imds(&emulator, &resource, &[METADATA]).await.json();
    assert_eq!(token["expires_in"], 3600);
    assert_eq!(token["expires_on"], emulator.clock().now().unix_timestamp() + 3600);
    emulator.identity().set_role(&user.client_id, Role::None);
    let token =
        imds(&emulator, &format!("{resource}&client_id={}", user.client_id), &[METADATA]).await.json();
    assert_eq!(data_plane(&emulator, &token).await.status, 403);
}

#[tokio::test]
async fn a_machine_refuses_as_the_real_service_does() {
    let emulator = still().start().await.unwrap();
    let resource = format!("&resource={QUANTUM}");
    let forwarded = [METADATA, ("X-Forwarded-For", "10.0.0.1")];
    let cases: [(&str, Headers<'_>, &str, &str); 6] = [
        (&resource, &[], "bad_request_102", "Required metadata header not specified"),
        (&resource, &forwarded, "invalid_request", "X-Forwarded-For"),
        ("", &[METADATA], "invalid_request", "'resource' is missing"),
        ("&resource=https://vault.azure.net", &[METADATA], "invalid_resource", "AADSTS500011"),
        (&format!("{resource}&client_id=nobody"), &[METADATA], "invalid_request", "Identity not found"),
        (&format!("{resource}&client_id=a&object_id=b"), &[METADATA], "invalid_request", "Only one"),
    ];
    for (rest, headers, error, text) in cases {
        let refused = imds(&emulator, rest, headers).await;
        let body = refused.json();
        assert_eq!((refused.status, &body["error"]), (400, &json!(error)), "{rest}");
        assert!(body["error_description"].as_str().unwrap().contains(text), "{body}");
    }
    emulator.identity().unassign_all();
    let none = imds(&emulator, &resource, &[METADATA]).await;
    assert_eq!((none.status, &none.json()["error_description"]), (400, &json!("Identity not found")));
    for status in [410, 429, 500] {
        emulator.inject(Fault::new(Operation::Imds, Action::status(status)));
        assert_eq!(imds(&emulator, &resource, &[METADATA]).await.status, status);
    }
    let elsewhere = format!("{}/metadata/instance", emulator.identity().imds_url());
    assert_eq!(send(Method::GET, &elsewhere, &[METADATA], "").await.unwrap().status, 404);
}

#[tokio::test]
async fn an_app_gives_tokens_to_whoever_knows_its_header() {
    let emulator = still().start().await.unwrap();
    let user = AssignedIdentity::default();
    emulator.identity().assign(user.clone());
    let header = emulator.identity().app_service_header();
    let query = format!("api-version=2019-08-01&resource={QUANTUM}");
    let answer = app(&emulator, &query, Some(&header)).await;
    let token = answer.json();
    let expires = (emulator.clock().now().unix_timestamp() + 3600).to_string();
    assert_eq!((answer.status, &token["expires_on"]), (200, &json!(expires)));
    assert_eq!(data_plane(&emulator, &token).await.status, 200);
    for name in [
        format!("client_id={}", user.client_id),
        format!("principal_id={}", user.object_id),
        format!("mi_res_id={}", user.resource_id),
    ] {
        let token = app(&emulator, &format!("{query}&{name}"), Some(&header)).await.json();
        assert_eq!(holder(&token), user.object_id, "{name}");
    }
    for (query, header, status) in [
        (query.clone(), None, 400),
        (query.clone(), Some("wrong"), 401),
        (format!("{query}&client_id=nobody"), Some(&*header), 400),
        ("api-version=2019-08-01".to_owned(), Some(&*header), 400),
        (format!("resource={QUANTUM}"), Some(&*header), 400),
        ("api-version=2019-08-01&resource=https://vault.azure.net".to_owned(), Some(&*header), 500),
    ] {
        let refused = app(&emulator, &query, header).await;
        assert_eq!((refused.status, &refused.json()["statusCode"]), (status, &json!(status)), "{query}");
        assert!(!refused.text().contains("wrong"), "{}", refused.text());
    }
}

#[cfg(feature = "https")]
#[tokio::test]
async fn the_machines_endpoints_stay_on_plain_http() {
    let emulator = still().https().public_names().start().await.unwrap();
    assert_eq!(emulator.identity().authority_url(), "https://login.microsoftonline.com/");
    let token = imds(&emulator, &format!("&resource={QUANTUM}"), &[METADATA]).await;
    assert_eq!(token.status, 200);
}
