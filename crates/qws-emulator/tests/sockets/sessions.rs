use std::time::Duration;

use http::Method;
use qws_emulator::{Emulator, WorkspaceKind};
use serde_json::json;

use super::client::{call, get, id, patch, post, submit};
use super::{GHZ, ID, still};

const BROKEN: &str = "{}";

async fn open(emulator: &Emulator, policy: Option<&str>) {
    let mut body = json!({ "name": "s", "target": "ionq.simulator", "providerId": "ionq" });
    if let Some(policy) = policy {
        body["jobFailurePolicy"] = policy.into();
    }
    let answer = call(emulator, Method::PUT, "sessions/s1", &body.to_string()).await.unwrap();
    assert_eq!(answer.status, 201, "{}", answer.text());
    assert_eq!(answer.json()["status"], "Waiting");
    assert_eq!(answer.json()["jobFailurePolicy"], policy.unwrap_or("Abort"));
}

async fn status(emulator: &Emulator) -> String {
    get(emulator, "sessions/s1").await.json()["status"].as_str().unwrap().to_owned()
}

async fn job_status(emulator: &Emulator, job: &str) -> String {
    get(emulator, &format!("jobs/{job}")).await.json()["status"].as_str().unwrap().to_owned()
}

async fn submit_to(emulator: &Emulator, number: usize, input: &str) -> u16 {
    submit(emulator, &id(number), input, &json!({ "sessionId": "s1" })).await.status
}

#[tokio::test]
async fn a_session_takes_jobs_until_it_is_closed() {
    let emulator = still().start().await.unwrap();
    open(&emulator, None).await;
    assert_eq!(submit_to(&emulator, 1, GHZ).await, 201);
    assert_eq!(status(&emulator).await, "Executing");
    emulator.clock().advance(Duration::from_mins(3));
    let closed = post(&emulator, "sessions/s1:close").await;
    assert_eq!((closed.status, closed.json()["status"].as_str()), (200, Some("Succeeded")));
    assert!(closed.json()["endExecutionTime"].as_str().unwrap().ends_with('Z'));
    let late = submit(&emulator, &id(2), GHZ, &json!({ "sessionId": "s1" })).await;
    assert_eq!(late.status, 400);
    assert!(
        late.json()["error"]["message"]
            .as_str()
            .unwrap()
            .starts_with("Session is already in a terminal state")
    );
    assert_eq!(
        post(&emulator, "sessions/s1:close").await.json()["status"],
        "Succeeded",
        "closing twice is harmless"
    );
}

#[tokio::test]
async fn an_aborting_session_ends_with_its_first_failure() {
    let emulator = still().start().await.unwrap();
    open(&emulator, Some("Abort")).await;
    submit_to(&emulator, 1, BROKEN).await;
    emulator.clock().advance(Duration::from_mins(1));
    submit_to(&emulator, 2, GHZ).await;
    emulator.clock().advance(Duration::from_mins(5));
    assert_eq!(job_status(&emulator, &id(2)).await, "Cancelled", "the failure came before its end");
    assert_eq!(status(&emulator).await, "Failed");
    assert_eq!(submit_to(&emulator, 3, GHZ).await, 400);
}

#[tokio::test]
async fn a_continuing_session_says_that_it_had_failures() {
    let emulator = still().start().await.unwrap();
    open(&emulator, Some("Continue")).await;
    submit_to(&emulator, 1, BROKEN).await;
    emulator.clock().advance(Duration::from_mins(3));
    assert_eq!(status(&emulator).await, "Failure(s)");
    assert_eq!(submit_to(&emulator, 2, GHZ).await, 201);
    emulator.clock().advance(Duration::from_mins(3));
    assert_eq!(post(&emulator, "sessions/s1:close").await.json()["status"], "Failed");
}

#[tokio::test]
async fn a_session_ends_ten_minutes_after_its_last_job() {
    let emulator = still().start().await.unwrap();
    open(&emulator, None).await;
    emulator.clock().advance(Duration::from_mins(9));
    submit_to(&emulator, 1, GHZ).await;
    emulator.clock().advance(Duration::from_mins(3 + 9));
    assert_eq!(status(&emulator).await, "Executing");
    emulator.clock().advance(Duration::from_mins(1));
    // The first to look is the one who submits.
    assert_eq!(submit_to(&emulator, 2, GHZ).await, 400);
    assert_eq!(status(&emulator).await, "TimedOut");
}

#[tokio::test]
async fn cancelling_stops_waiting_jobs_at_once_and_executing_ones_soon() {
    let emulator = still().start().await.unwrap();
    let cancel = async |number| post(&emulator, &format!("jobs/{}:cancel", id(number))).await;
    submit(&emulator, &id(1), GHZ, &json!({})).await;
    submit(&emulator, &id(2), GHZ, &json!({})).await;
    submit(&emulator, &id(3), GHZ, &json!({})).await;
    let waiting = cancel(1).await.json();
    assert_eq!(waiting["status"], "Cancelled");
    assert!(waiting["beginExecutionTime"].is_null() && waiting["cancellationTime"].is_string());
    emulator.clock().advance(Duration::from_mins(2));
    let executing = cancel(2).await.json();
    assert_eq!(
        (executing["status"].as_str(), executing["isCancelling"].as_bool()),
        (Some("CancellationRequested"), Some(true))
    );
    emulator.clock().advance(Duration::from_mins(1));
    assert_eq!(job_status(&emulator, &id(2)).await, "Cancelled");
    let done = cancel(3).await;
    assert_eq!((done.status, done.header("x-ms-error-code")), (409, "JobFinished"));
    assert_eq!(cancel(1).await.status, 200, "cancelling twice is harmless");
}

#[tokio::test]
async fn only_a_job_that_has_ended_can_be_deleted() {
    let emulator = still().start().await.unwrap();
    submit(&emulator, ID, GHZ, &json!({})).await;
    let delete = async || call(&emulator, Method::DELETE, &format!("jobs/{ID}"), "").await.unwrap();
    assert_eq!(delete().await.header("x-ms-error-code"), "JobNotFinished");
    emulator.clock().advance(Duration::from_mins(3));
    let deleted = delete().await;
    assert_eq!((deleted.status, deleted.body.len()), (204, 0));
    assert_eq!(delete().await.status, 404);
    assert_eq!(get(&emulator, "jobs").await.json()["value"], json!([]));
}

#[tokio::test]
async fn a_merge_patch_tells_null_from_absent() {
    let emulator = still().start().await.unwrap();
    submit(&emulator, ID, GHZ, &json!({ "tags": ["a", "b"], "priority": "High" })).await;
    let renamed = patch(&emulator, ID, r#"{"name":"new"}"#).await;
    assert_eq!(renamed.json(), json!({ "name": "new", "priority": "High", "tags": ["a", "b"] }));
    let cleared = patch(&emulator, ID, r#"{"tags":null,"priority":null}"#).await;
    assert_eq!(cleared.json(), json!({ "name": "new", "priority": "Standard", "tags": [] }));
    assert_eq!(patch(&emulator, ID, r#"{"name":""}"#).await.status, 400);
    assert_eq!(patch(&emulator, ID, r#"{"priority":"Urgent"}"#).await.status, 400);
    let json = call(&emulator, Method::PATCH, &format!("jobs/{ID}"), "{}").await.unwrap();
    assert_eq!(json.status, 415, "plain JSON is no merge patch");
    assert_eq!(get(&emulator, &format!("jobs/{ID}")).await.json()["name"], "new");
}

#[tokio::test]
async fn a_v2_workspace_has_its_own_names_for_states() {
    let emulator = still().workspace_kind(WorkspaceKind::V2).start().await.unwrap();
    let created = submit(&emulator, ID, GHZ, &json!({})).await;
    assert_eq!(created.json()["status"], "Queued");
    emulator.clock().advance(Duration::from_mins(3));
    assert_eq!(job_status(&emulator, ID).await, "Completed");
}
