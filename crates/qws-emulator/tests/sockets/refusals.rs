use http::Method;
use serde_json::json;

use super::client::{call, get, send, submit, url};
use super::{GHZ, ID, still};

#[tokio::test]
async fn credentials_are_checked_as_the_service_checks_them() {
    let emulator = still().start().await.unwrap();
    let status = async |header: &[(&str, &str)]| {
        send(Method::GET, &url(&emulator, "providerStatus"), header, "").await.unwrap()
    };
    let (key, bearer) = (emulator.api_key(), format!("Bearer {}", emulator.bearer_token()));
    assert_eq!(status(&[("x-ms-quantum-api-key", &key)]).await.status, 200);
    assert_eq!(status(&[("authorization", &bearer)]).await.status, 200);

    let wrong = status(&[("x-ms-quantum-api-key", "wrong")]).await;
    assert_eq!((wrong.status, wrong.body.len()), (401, 0));
    assert_eq!(wrong.header("www-authenticate"), "Bearer error=\"invalid_token\"");
    let none = status(&[]).await;
    assert_eq!(none.status, 401);
    assert_eq!(none.json()["error"]["code"], "AuthenticationFailed");
    assert!(none.json()["error"]["message"].as_str().unwrap().contains("'Authorization' header is missing"));
    assert_eq!(none.header("x-ms-error-code"), "AuthenticationFailed");
    assert_eq!(none.header("x-ms-request-id").len(), 36);

    emulator.disable_access_keys();
    assert_eq!(status(&[("x-ms-quantum-api-key", &key)]).await.status, 401);
    assert_eq!(status(&[("authorization", &bearer)]).await.status, 200, "tokens are not keys");
    emulator.enable_access_keys();
    assert_eq!(status(&[("x-ms-quantum-api-key", &key)]).await.status, 200);
    emulator.revoke_bearer_tokens();
    assert_eq!(status(&[("authorization", &bearer)]).await.status, 401);
    emulator.clock().advance(std::time::Duration::from_hours(1));
    let fresh = format!("Bearer {}", emulator.bearer_token());
    assert_eq!(status(&[("authorization", &fresh)]).await.status, 200);
    emulator.clock().advance(std::time::Duration::from_hours(1));
    assert_eq!(status(&[("authorization", &fresh)]).await.status, 401, "expired");
}

#[tokio::test]
async fn jobs_are_refused_for_what_is_wrong_with_them() {
    let emulator = still().start().await.unwrap();
    let cases = [
        (
            json!({ "target": "ionq.warp" }),
            "InvalidJobDefinition: The target specified does not exist or is not enabled for the workspace.",
        ),
        (
            json!({ "providerId": "acme" }),
            "InvalidJobDefinition: The provider specified does not exist or is not enabled for the workspace.",
        ),
        (json!({ "outputDataFormat": "" }), "InvalidJobDefinition: The OutputDataFormat field is required."),
        (
            json!({ "target": "ionq.qpu.aria-1" }),
            "TargetUnavailable: The target 'ionq.qpu.aria-1' is currently unavailable. Please try again later.",
        ),
    ];
    for (number, (details, expected)) in cases.into_iter().enumerate() {
        let id = format!("aaaaaaaa-0000-4000-8000-00000000000{number}");
        let answer = submit(&emulator, &id, GHZ, &details).await;
        let error = &answer.json()["error"];
        let found = format!("{}: {}", error["code"].as_str().unwrap(), error["message"].as_str().unwrap());
        assert_eq!(found, expected);
        let status = if expected.contains("OutputDataFormat") {
            400
        } else if expected.starts_with("Target") {
            409
        } else {
            403
        };
        assert_eq!(answer.status, status, "{expected}");
        assert_eq!(
            get(&emulator, &format!("jobs/{id}")).await.status,
            404,
            "nothing is left of a refused job"
        );
    }
}

#[tokio::test]
async fn availability_can_be_set() {
    let emulator = still().start().await.unwrap();
    emulator.set_target_availability("ionq.simulator", "Unavailable");
    assert_eq!(submit(&emulator, ID, GHZ, &json!({})).await.status, 409);
    let providers = get(&emulator, "providerStatus").await.json();
    let ionq = &providers["value"][0];
    assert_eq!(ionq["targets"][0]["currentAvailability"], "Unavailable");
    assert_eq!(ionq["targets"][0]["numQubits"], 29);
    assert_eq!(providers["nextLink"], json!(null));
}

#[tokio::test]
async fn what_is_not_there_is_404_in_the_services_envelope() {
    let emulator = still().start().await.unwrap();
    let job = get(&emulator, &format!("jobs/{ID}")).await;
    assert_eq!((job.status, job.header("x-ms-error-code")), (404, "JobNotFound"));
    let route = get(&emulator, "jobz").await;
    assert_eq!(route.status, 404);
    assert!(
        route.json()["error"]["message"]
            .as_str()
            .unwrap()
            .contains("nearest known operation: GET {workspace}/jobs")
    );
    let other = url(&emulator, "jobs/x").replace("emulator-ws", "other-ws");
    let key = emulator.api_key();
    let workspace = send(Method::GET, &other, &[("x-ms-quantum-api-key", &key)], "").await.unwrap();
    assert_eq!((workspace.status, workspace.header("x-ms-error-code")), (404, "WorkspaceNotFound"));
}

#[tokio::test]
async fn a_body_that_cannot_be_read_is_refused() {
    let emulator = still().start().await.unwrap();
    let answer = call(&emulator, Method::PUT, &format!("jobs/{ID}"), "{\"name\":5}").await.unwrap();
    assert_eq!(answer.status, 400);
    assert!(answer.json()["error"]["message"].as_str().unwrap().contains("expected a string"));
    let answer = call(&emulator, Method::POST, "storage/sasUri", "{}").await.unwrap();
    assert_eq!((answer.status, answer.header("x-ms-error-code")), (400, "InvalidContainerName"));
}
