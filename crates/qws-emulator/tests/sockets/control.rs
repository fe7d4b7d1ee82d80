use http::Method;
use qws_emulator::Emulator;
use serde_json::{Value, json};

use super::client::{Answer, get, send, submit};
use super::{GHZ, ID, still};

async fn control(emulator: &Emulator, method: Method, what: &str, body: &Value) -> Answer {
    let url = format!("{}_emulator/{what}", emulator.endpoint());
    send(method, &url, &[("content-type", "application/json")], body.to_string()).await.unwrap()
}

#[tokio::test]
async fn the_control_api_does_what_the_handle_does() {
    let emulator = still().start().await.unwrap();
    submit(&emulator, ID, GHZ, &json!({})).await;
    let post = async |what, body| control(&emulator, Method::POST, what, &body).await;
    assert_eq!(post("clock", json!({ "advanceSeconds": 180.0 })).await.status, 200);
    assert_eq!(get(&emulator, &format!("jobs/{ID}")).await.json()["status"], "Succeeded");

    let fault = json!({ "route": "Quotas", "times": 1, "action": { "status": { "status": 503, "headers": { "Retry-After": "2" } } } });
    assert_eq!(post("faults", fault).await.status, 200);
    let throttled = get(&emulator, "quotas").await;
    assert_eq!((throttled.status, throttled.header("retry-after")), (503, "2"));
    assert_eq!(post("faults", json!({ "action": "resetBefore" })).await.status, 200);
    let reset = super::client::call(&emulator, Method::GET, "quotas", "").await;
    assert!(reset.is_err());
    let unknown = post("faults", json!({ "route": "Warp", "action": "malformed" })).await;
    assert_eq!(unknown.status, 400);
    assert!(unknown.text().contains("unknown variant `Warp`"), "{}", unknown.text());

    let requests = control(&emulator, Method::GET, "requests", &json!(null)).await.json();
    let operations: Vec<_> =
        requests.as_array().unwrap().iter().map(|request| request["operation"].clone()).collect();
    assert_eq!(operations, ["SasUri", "BlobPut", "JobsCreate", "JobsGet", "Quotas", "Quotas"]);

    assert_eq!(post("keys", json!({ "enabled": false })).await.status, 200);
    assert_eq!(get(&emulator, "quotas").await.status, 401);
    let token = post("token", json!({ "audience": "https://quantum.microsoft.com/.default" })).await.json();
    let bearer = format!("Bearer {}", token["token"].as_str().unwrap());
    let url = super::client::url(&emulator, "quotas");
    assert_eq!(send(Method::GET, &url, &[("authorization", &bearer)], "").await.unwrap().status, 200);
    let plain =
        send(Method::POST, &format!("{}_emulator/keys", emulator.endpoint()), &[], "{}").await.unwrap();
    assert_eq!(plain.status, 415, "a browser's simple request changes nothing");
}

#[tokio::test]
async fn what_is_exported_can_be_loaded_elsewhere() {
    let first = still().start().await.unwrap();
    let open = json!({ "name": "s", "target": "ionq.simulator" });
    super::client::call(&first, Method::PUT, "sessions/s1", &open.to_string()).await.unwrap();
    submit(&first, ID, GHZ, &json!({ "sessionId": "s1", "tags": ["t"] })).await;
    first.clock().advance(std::time::Duration::from_mins(3));
    get(&first, "jobs").await;
    let exported = control(&first, Method::GET, "state", &json!(null)).await.json();

    let second = still().start().await.unwrap();
    assert_eq!(control(&second, Method::POST, "state", &exported).await.status, 200);
    let job = get(&second, &format!("jobs/{ID}")).await.json();
    assert_eq!((job["status"].as_str(), &job["tags"]), (Some("Succeeded"), &json!(["t"])));
    let output = send(Method::GET, job["outputDataUri"].as_str().unwrap(), &[], "").await.unwrap().json();
    assert!(output["histogram"]["7"].is_number());
    assert_eq!(get(&second, "sessions/s1/jobs").await.json()["value"].as_array().unwrap().len(), 1);
    assert_eq!(second.export(), exported);

    let bad = json!({ "workspaces": [{ "jobs": [{ "id": "x", "status": "Flying" }] }] });
    let refused = second.load(&bad).unwrap_err().to_string();
    assert_eq!(refused, "the description of the state cannot be loaded: job 'x' cannot begin as `Flying`");
}

#[cfg(feature = "assertions")]
#[tokio::test]
async fn a_workspace_keeps_its_kind() {
    let emulator = still().start().await.unwrap();
    let mut state = emulator.export();
    state["workspaces"][0]["kind"] = json!("V2");
    let refused = emulator.load(&state).unwrap_err().to_string();
    assert!(refused.ends_with("workspace 'emulator-ws' is there and is V1, not V2"), "{refused}");
}

#[tokio::test]
async fn other_languages_can_say_who_may_sign_in() {
    let emulator = still().start().await.unwrap();
    let post = async |what, body| control(&emulator, Method::POST, what, &body).await;
    let application = json!({
        "clientId": "12121212-1212-4212-8212-121212121212",
        "secrets": ["s"],
        "federatedCredentials": [{ "issuer": "https://i.example/", "subject": "me" }],
    });
    assert_eq!(post("identity/applications", application).await.status, 200);
    assert_eq!(post("identity/terms", json!({ "lifetimeSeconds": 60 })).await.status, 200);
    let assertion = json!({ "issuer": "https://i.example/", "subject": "me" });
    let assertion = post("identity/assertion", assertion).await.json();
    let fields = [
        ("client_id", "12121212-1212-4212-8212-121212121212"),
        ("grant_type", "client_credentials"),
        ("scope", "https://quantum.microsoft.com/.default"),
        ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
        ("client_assertion", assertion["assertion"].as_str().unwrap()),
    ];
    let token = super::entra::post(&emulator, emulator.identity().tenant_id(), &fields).await.json();
    assert_eq!(token["expires_in"], 60);
    assert_eq!(super::entra::data_plane(&emulator, &token).await.status, 200);
    let role = json!({ "clientId": "12121212-1212-4212-8212-121212121212", "role": "None" });
    assert_eq!(post("identity/role", role).await.status, 200);
    assert_eq!(super::entra::data_plane(&emulator, &token).await.status, 403);
    assert_eq!(post("identity/warp", json!({})).await.status, 404);
    assert_eq!(post("identity/applications", json!({ "secret": "s" })).await.status, 400);
}
