use http::Method;
use qws_emulator::{Emulator, WorkspaceKind, WorkspaceSpec};
use serde_json::json;

use super::client::{Answer, get, send};
use super::still;

async fn arm(emulator: &Emulator, method: Method, path: &str, body: &str) -> Answer {
    let bearer = format!("Bearer {}", emulator.management_token());
    let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
    let url =
        format!("{}{}?api-version=2025-12-15-preview", emulator.endpoint(), path.trim_start_matches('/'));
    send(method, &url, &headers, body.to_owned()).await.unwrap()
}

#[tokio::test]
async fn a_resource_id_leads_to_the_endpoint() {
    let emulator = still().start().await.unwrap();
    let found = arm(&emulator, Method::GET, &emulator.resource_id(), "").await;
    assert_eq!(found.status, 200);
    let resource = found.json();
    assert_eq!(resource["properties"]["endpointUri"], emulator.endpoint());
    assert_eq!(resource["properties"]["workspaceKind"], "V1");
    assert_eq!(resource["location"], "eastus");
    let list =
        format!("/subscriptions/{}/providers/Microsoft.Quantum/workspaces", emulator.subscription_id());
    assert_eq!(arm(&emulator, Method::GET, &list, "").await.json()["value"], json!([resource]));
}

#[tokio::test]
async fn the_unknown_part_of_an_id_is_named() {
    let emulator = still().start().await.unwrap();
    let code = async |from: String, to: &str| {
        let path = emulator.resource_id().replace(&from, to);
        arm(&emulator, Method::GET, &path, "").await.header("x-ms-error-code").to_owned()
    };
    assert_eq!(code(emulator.workspace_name(), "nobody").await, "ResourceNotFound");
    assert_eq!(code(emulator.resource_group(), "nowhere").await, "ResourceGroupNotFound");
    assert_eq!(
        code(emulator.subscription_id(), "00000000-0000-0000-0000-000000000000").await,
        "SubscriptionNotFound"
    );
}

#[tokio::test]
async fn management_wants_its_own_token_and_names_the_tenant() {
    let emulator = still().start().await.unwrap();
    let url = format!("{}{}", emulator.endpoint().trim_end_matches('/'), emulator.resource_id());
    let data_plane = format!("Bearer {}", emulator.bearer_token());
    let wrong = send(Method::GET, &url, &[("authorization", &data_plane)], "").await.unwrap();
    assert_eq!((wrong.status, wrong.header("x-ms-error-code")), (401, "InvalidAuthenticationToken"));
    let none = send(Method::GET, &url, &[("x-ms-quantum-api-key", &emulator.api_key())], "").await.unwrap();
    assert_eq!((none.status, none.header("x-ms-error-code")), (401, "AuthenticationFailed"));
    assert!(none.header("www-authenticate").contains("authorization_uri=\"https://login.windows.net/"));
}

#[tokio::test]
async fn keys_are_listed_regenerated_and_switched() {
    let emulator = still().start().await.unwrap();
    let id = emulator.resource_id();
    let keys = arm(&emulator, Method::POST, &format!("{id}/listKeys"), "").await.json();
    assert_eq!(keys["primaryConnectionString"], emulator.connection_string());
    let old = emulator.api_key();
    let regenerated =
        arm(&emulator, Method::POST, &format!("{id}/regenerateKey"), r#"{"keys":["Primary"]}"#).await;
    assert_eq!(regenerated.status, 204);
    assert_ne!(emulator.api_key(), old);
    let with = async |key: &str| {
        let url = super::client::url(&emulator, "quotas");
        send(Method::GET, &url, &[("x-ms-quantum-api-key", key)], "").await.unwrap().status
    };
    assert_eq!(with(&old).await, 401);
    assert_eq!(with(keys["secondaryKey"]["key"].as_str().unwrap()).await, 200, "the other key stays");
    let off = arm(&emulator, Method::PATCH, &id, r#"{"properties":{"apiKeyEnabled":false}}"#).await;
    assert_eq!(off.json()["properties"]["apiKeyEnabled"], false);
    assert_eq!(get(&emulator, "quotas").await.status, 401);
}

#[tokio::test]
async fn workspaces_are_found_by_name() {
    let emulator = still().start().await.unwrap();
    let other = WorkspaceSpec {
        resource_group: "other-rg".to_owned(),
        kind: WorkspaceKind::V2,
        ..WorkspaceSpec::default()
    };
    emulator.add_workspace(other);
    let query = "Resources | where type =~ 'microsoft.quantum/workspaces' | where name =~ 'EMULATOR-WS'";
    let ask = async |rest: &str| {
        let body =
            json!({ "query": format!("{query}{rest}"), "subscriptions": [emulator.subscription_id()] });
        arm(&emulator, Method::POST, "/providers/Microsoft.ResourceGraph/resources", &body.to_string())
            .await
            .json()
    };
    assert_eq!(ask("").await["count"], 2, "ambiguous");
    let one = ask(" | where resourceGroup =~ 'other-rg' | extend workspaceKind = tostring(properties.workspaceKind) | project name, workspaceKind").await;
    assert_eq!(one["data"], json!([{ "name": "emulator-ws", "workspaceKind": "V2" }]));
    assert_eq!(ask(" | summarize count()").await["error"]["code"], "InvalidQuery");
}
