use std::time::Duration;

use http::Method;
use qws_emulator::{Action, Application, Emulator, Fault, Operation, Role};
use serde_json::{Value, json};

use super::client::{Answer, send, url};
use super::still;

const SECRET: &str = "s3cret~value";
const QUANTUM: &str = "https://quantum.microsoft.com/.default";
const ARM: &str = "https://management.azure.com/.default";

type Fields<'a> = &'a [(&'a str, &'a str)];

/// Posts a form to a tenant's token endpoint.
pub async fn post(emulator: &Emulator, tenant: &str, fields: Fields<'_>) -> Answer {
    let form: String = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    let url = format!("{}{tenant}/oauth2/v2.0/token", emulator.identity().authority_url());
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    send(Method::POST, &url, &headers, form).await.unwrap()
}

/// A client credentials request by secret; `changed` replaces fields, and empty ones are left out.
async fn by_secret(emulator: &Emulator, changed: Fields<'_>) -> Answer {
    let client_id = Application::default().client_id;
    let mut fields = vec![
        ("client_id", client_id.as_str()),
        ("grant_type", "client_credentials"),
        ("scope", QUANTUM),
        ("client_secret", SECRET),
    ];
    for (name, value) in changed {
        fields.retain(|(known, _)| known != name);
        fields.push((name, value));
    }
    post(emulator, emulator.identity().tenant_id(), &fields).await
}

async fn with_application(application: Application) -> Emulator {
    let emulator = still().start().await.unwrap();
    let secrets = vec![SECRET.to_owned()];
    emulator.identity().register(Application { secrets, ..application });
    emulator
}

/// Whether the data plane takes the token of an answer.
pub async fn data_plane(emulator: &Emulator, token: &Value) -> Answer {
    let bearer = format!("Bearer {}", token["access_token"].as_str().unwrap());
    send(Method::GET, &url(emulator, "providerStatus"), &[("authorization", &bearer)], "").await.unwrap()
}

/// What the Resource Manager says of the workspace.
async fn arm(emulator: &Emulator, method: Method, rest: &str, token: &Value) -> Answer {
    let bearer = format!("Bearer {}", token["access_token"].as_str().unwrap());
    let path = emulator.resource_id();
    let url = format!("{}{}{rest}", emulator.endpoint(), path.trim_start_matches('/'));
    send(method, &url, &[("authorization", &bearer)], "").await.unwrap()
}

#[tokio::test]
async fn a_secret_opens_the_data_plane_for_as_long_as_the_token_lives() {
    let emulator = with_application(Application::default()).await;
    let answer = by_secret(&emulator, &[]).await;
    let token = answer.json();
    assert_eq!(
        (answer.status, &token["token_type"], &token["expires_in"]),
        (200, &json!("Bearer"), &json!(3600))
    );
    assert_eq!((answer.header("cache-control"), &token["refresh_in"]), ("no-store", &Value::Null));
    assert_eq!(data_plane(&emulator, &token).await.status, 200);
    assert_eq!(arm(&emulator, Method::GET, "", &token).await.status, 401, "another audience");
    emulator.clock().advance(Duration::from_hours(1));
    assert_eq!(data_plane(&emulator, &token).await.status, 401);

    emulator.identity().set_token_lifetime(Duration::from_hours(24));
    emulator.identity().set_refresh_in(Some(Duration::from_hours(12)));
    let token = by_secret(&emulator, &[("scope", ARM)]).await.json();
    assert_eq!((&token["expires_in"], &token["refresh_in"]), (&json!(86_400), &json!(43_200)));
    assert_eq!(arm(&emulator, Method::GET, "", &token).await.status, 200);
    let asked =
        emulator.requests().into_iter().filter(|request| request.operation == Some(Operation::EntraToken));
    assert_eq!(asked.count(), 2);
}

#[tokio::test]
async fn what_is_refused_is_numbered() {
    let expired_secrets = vec!["old".to_owned()];
    let emulator = with_application(Application { expired_secrets, ..Application::default() }).await;
    let cases: [(Fields<'_>, u16, &str, u32); 12] = [
        (&[("client_secret", "guess")], 401, "invalid_client", 7_000_215),
        (&[("client_secret", "old")], 401, "invalid_client", 7_000_222),
        (&[("client_secret", "")], 401, "invalid_client", 7_000_218),
        (&[("client_id", "00000000-0000-0000-0000-000000000000")], 400, "unauthorized_client", 700_016),
        (&[("client_id", "")], 400, "invalid_request", 900_144),
        (&[("grant_type", "")], 400, "invalid_request", 900_144),
        (&[("grant_type", "password")], 400, "unsupported_grant_type", 70_003),
        (&[("scope", "https://quantum.microsoft.com/read")], 400, "invalid_scope", 1_002_012),
        (&[("scope", &format!("{QUANTUM} {ARM}"))], 400, "invalid_scope", 70_011),
        (&[("scope", "openid")], 400, "invalid_scope", 70_011),
        (&[("scope", "https://vault.azure.net/.default")], 400, "invalid_resource", 500_011),
        (&[("grant_type", "refresh_token"), ("refresh_token", "guess")], 400, "invalid_grant", 70_000),
    ];
    for (changed, status, error, number) in cases {
        let answer = by_secret(&emulator, changed).await;
        let body = answer.json();
        assert_eq!((answer.status, body["error"].as_str()), (status, Some(error)), "{changed:?}");
        assert_eq!(body["error_codes"], json!([number]));
        let description = body["error_description"].as_str().unwrap();
        assert!(description.starts_with(&format!("AADSTS{number}: ")), "{description}");
        assert!(description.contains("\r\nTrace ID: ") && description.contains("\r\nCorrelation ID: "));
        assert!(!description.contains("guess") && !description.contains(SECRET), "{description}");
        assert_eq!(body["timestamp"].as_str().unwrap().len(), "2026-02-03 04:05:06Z".len());
    }
    let unknown = post(&emulator, "contoso.com", &[("grant_type", "client_credentials")]).await;
    assert_eq!(unknown.json()["error_codes"], json!([90_002]));
}

#[tokio::test]
async fn a_correlation_id_comes_back() {
    let emulator = still().start().await.unwrap();
    let url = format!("{}nobody/oauth2/v2.0/token", emulator.identity().authority_url());
    let id = "12345678-1234-4234-8234-123456789012";
    let refused = send(Method::POST, &url, &[("client-request-id", id)], "").await.unwrap().json();
    assert_eq!(refused["correlation_id"], id);
    assert_ne!(refused["trace_id"], id);
}

#[tokio::test]
async fn roles_are_looked_up_when_a_token_is_used() {
    let emulator = with_application(Application { role: Role::None, ..Application::default() }).await;
    let quantum = by_secret(&emulator, &[]).await.json();
    let management = by_secret(&emulator, &[("scope", ARM)]).await.json();
    let refused = data_plane(&emulator, &quantum).await;
    assert_eq!((refused.status, refused.header("x-ms-error-code")), (403, "Forbidden"));
    let refused = arm(&emulator, Method::GET, "", &management).await;
    assert_eq!((refused.status, refused.header("x-ms-error-code")), (403, "AuthorizationFailed"));
    let client_id = Application::default().client_id;
    let message = refused.json()["error"]["message"].as_str().unwrap().to_owned();
    assert!(
        message.contains(&client_id) && message.contains("'Microsoft.Quantum/Workspaces/read'"),
        "{message}"
    );

    emulator.identity().set_role(&client_id, Role::Reader);
    assert_eq!(data_plane(&emulator, &quantum).await.status, 200);
    assert_eq!(arm(&emulator, Method::GET, "", &management).await.status, 200);
    assert_eq!(arm(&emulator, Method::POST, "/listKeys", &management).await.status, 403);
    emulator.identity().remove(&client_id);
    assert_eq!(data_plane(&emulator, &quantum).await.status, 403);
}

#[tokio::test]
async fn a_token_of_another_tenant_is_told_which_tenant_is_right() {
    const OTHER: &str = "77777777-7777-4777-8777-777777777777";
    let application = Application { tenant_id: OTHER.to_owned(), ..Application::default() };
    let emulator = with_application(application).await;
    let home = by_secret(&emulator, &[]).await.json();
    assert_eq!(home["error_codes"], json!([700_016]), "it is not in this tenant");
    emulator.identity().add_tenant(OTHER);
    let client_id = Application::default().client_id;
    let fields = [
        ("client_id", client_id.as_str()),
        ("grant_type", "client_credentials"),
        ("scope", ARM),
        ("client_secret", SECRET),
    ];
    let token = post(&emulator, OTHER, &fields).await.json();
    let refused = arm(&emulator, Method::GET, "", &token).await;
    assert_eq!(
        (refused.status, refused.header("x-ms-error-code")),
        (401, "InvalidAuthenticationTokenTenant")
    );
    let message = refused.json()["error"]["message"].as_str().unwrap().to_owned();
    assert!(message.contains(OTHER) && message.contains(emulator.identity().tenant_id()), "{message}");
}

#[tokio::test]
async fn a_refresh_token_serves_once_and_only_while_its_user_is_there() {
    let emulator = still().start().await.unwrap();
    let public = Application::default();
    emulator.identity().register(public.clone());
    let redeem = async |refresh_token: &str| {
        let fields = [
            ("client_id", public.client_id.as_str()),
            ("grant_type", "refresh_token"),
            ("refresh_token", refresh_token),
            ("scope", "https://quantum.microsoft.com/.default offline_access openid profile"),
        ];
        post(&emulator, emulator.identity().tenant_id(), &fields).await.json()
    };
    let first = emulator.identity().refresh_token(&public.client_id, "ada@contoso.com");
    let token = redeem(&first).await;
    assert_eq!(data_plane(&emulator, &token).await.status, 200);
    assert_eq!(redeem(&first).await["error_codes"], json!([70_000]));
    let second = token["refresh_token"].as_str().unwrap();
    emulator.identity().remove("ada@contoso.com");
    assert_eq!(redeem(second).await["error_codes"], json!([50_034]));
}

#[tokio::test]
async fn discovery_leads_to_the_token_endpoint() {
    let emulator = still().start().await.unwrap();
    let (authority, tenant) = (emulator.identity().authority_url(), emulator.identity().tenant_id());
    let get = async |rest: &str| send(Method::GET, &format!("{authority}{rest}"), &[], "").await.unwrap();
    let found = get(&format!("{tenant}/v2.0/.well-known/openid-configuration")).await.json();
    assert_eq!(found["token_endpoint"], format!("{authority}{tenant}/oauth2/v2.0/token"));
    assert_eq!(found["issuer"], format!("{authority}{tenant}/v2.0"));
    let unknown = get("contoso.com/v2.0/.well-known/openid-configuration").await;
    assert_eq!((unknown.status, &unknown.json()["error_codes"]), (400, &json!([90_002])));

    let instance = |host: &str| {
        let endpoint = format!("https%3A%2F%2F{host}%2F{tenant}%2Foauth2%2Fv2.0%2Fauthorize");
        format!("common/discovery/instance?api-version=1.1&authorization_endpoint={endpoint}")
    };
    let known = get(&instance("login.microsoftonline.com")).await.json();
    let discovery = format!("{authority}{tenant}/v2.0/.well-known/openid-configuration");
    assert_eq!(known["tenant_discovery_endpoint"], discovery);
    let foreign = get(&instance("login.example.com")).await;
    assert_eq!((foreign.status, &foreign.json()["error"]), (400, &json!("invalid_instance")));
}

#[tokio::test]
async fn faults_meet_sign_in_alone() {
    let emulator = with_application(Application::default()).await;
    emulator.inject(Fault::new(Operation::EntraToken, Action::throttle(7)));
    let url = url(&emulator, "quotas");
    let key = emulator.api_key();
    let other = send(Method::GET, &url, &[("x-ms-quantum-api-key", &key)], "").await.unwrap();
    assert_eq!(other.status, 200);
    let throttled = by_secret(&emulator, &[]).await;
    assert_eq!((throttled.status, throttled.header("retry-after")), (429, "7"));
    assert_eq!(by_secret(&emulator, &[]).await.status, 200);
}
