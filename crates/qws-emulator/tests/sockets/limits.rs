//! A long-running emulator does not grow: what is deleted is gone, and there is an end to what is kept.

use http::Method;
use qws_emulator::Emulator;
use serde_json::{Value, json};

use super::client::{blob, call, container, get, id, post, put_blob, send, submit};
use super::{GHZ, ID, still};

async fn delete(emulator: &Emulator, id: &str) -> u16 {
    call(emulator, Method::DELETE, &format!("jobs/{id}"), "").await.unwrap().status
}

#[tokio::test]
async fn a_deleted_job_takes_its_own_container_along() {
    let emulator = still().start().await.unwrap();
    let links = container(&emulator, &format!("job-{ID}")).await;
    submit(&emulator, ID, GHZ, &json!({})).await;
    emulator.clock().advance(std::time::Duration::from_mins(3));
    assert_eq!(get(&emulator, &format!("jobs/{ID}")).await.json()["status"], "Succeeded");
    assert!(emulator.stored_bytes() > GHZ.len());
    assert_eq!(delete(&emulator, ID).await, 204);
    let gone = send(Method::GET, &blob(&links, "inputData"), &[], "").await.unwrap();
    assert_eq!((gone.status, gone.header("x-ms-error-code")), (404, "ContainerNotFound"));
    assert_eq!(emulator.stored_bytes(), 0);
}

#[tokio::test]
async fn a_container_of_the_callers_stays() {
    let emulator = still().start().await.unwrap();
    let shared = container(&emulator, "shared").await;
    put_blob(&blob(&shared, "in"), GHZ).await;
    let elsewhere = json!({ "containerUri": shared, "inputDataUri": blob(&shared, "in") });
    submit(&emulator, &id(1), GHZ, &elsewhere).await;
    // And so does the container of one job that another one reads.
    let first = container(&emulator, &format!("job-{}", id(2))).await;
    submit(&emulator, &id(2), GHZ, &json!({})).await;
    submit(&emulator, &id(3), GHZ, &json!({ "inputDataUri": blob(&first, "inputData") })).await;
    emulator.clock().advance(std::time::Duration::from_mins(3));
    for number in [1, 2] {
        assert_eq!(delete(&emulator, &id(number)).await, 204);
    }
    for kept in [blob(&shared, "in"), blob(&shared, "rawOutputData"), blob(&first, "inputData")] {
        assert_eq!(send(Method::GET, &kept, &[], "").await.unwrap().status, 200, "{kept}");
    }
}

#[tokio::test]
async fn a_full_storage_account_says_so_and_has_room_again() {
    let emulator = still().blob_limit(8 * 1024).start().await.unwrap();
    let links = container(&emulator, "mine").await;
    assert_eq!(put_blob(&blob(&links, "a"), &"x".repeat(6 * 1024)).await.status, 201);
    let refused = put_blob(&blob(&links, "b"), &"x".repeat(1024)).await;
    assert_eq!((refused.status, refused.header("x-ms-error-code")), (403, "InsufficientStorage"));
    assert!(refused.text().contains("--blob-limit"), "{}", refused.text());
    let shorter =
        send(Method::PUT, &blob(&links, "a"), &[("x-ms-blob-type", "BlockBlob")], "x").await.unwrap();
    assert_eq!(shorter.status, 201, "less is always taken");
    assert_eq!(put_blob(&blob(&links, "b"), &"x".repeat(1024)).await.status, 201);
    let full = still().blob_limit(100).start().await.unwrap();
    let body = r#"{"containerName":"mine"}"#;
    let refused = call(&full, Method::POST, "storage/sasUri", body).await.unwrap();
    assert_eq!(
        (refused.status, refused.json()["error"]["code"].as_str()),
        (403, Some("InsufficientStorage"))
    );
}

#[tokio::test]
async fn an_output_without_room_fails_its_job() {
    let emulator = still().blob_limit(1700).start().await.unwrap();
    let created = submit(&emulator, ID, GHZ, &json!({})).await;
    assert_eq!(created.status, 201, "{}", created.text());
    emulator.clock().advance(std::time::Duration::from_mins(3));
    let job: Value = get(&emulator, &format!("jobs/{ID}")).await.json();
    assert_eq!(job["status"], "Failed");
    assert!(job["errorData"]["message"].as_str().unwrap().contains("--blob-limit"), "{job}");
}

#[tokio::test]
async fn jobs_and_sessions_have_an_end_too() {
    let emulator = still().job_limit(2).start().await.unwrap();
    submit(&emulator, &id(1), GHZ, &json!({})).await;
    let session = json!({ "name": "s", "target": "ionq.simulator" }).to_string();
    assert_eq!(call(&emulator, Method::PUT, "sessions/s1", &session).await.unwrap().status, 201);
    let refused = submit(&emulator, &id(2), GHZ, &json!({})).await;
    assert_eq!((refused.status, refused.header("x-ms-error-code")), (403, "InsufficientStorage"));
    assert!(refused.text().contains("--job-limit"), "{}", refused.text());
    assert_eq!(call(&emulator, Method::PUT, "sessions/s2", &session).await.unwrap().status, 403);
    post(&emulator, &format!("jobs/{}:cancel", id(1))).await;
    assert_eq!(delete(&emulator, &id(1)).await, 204);
    assert_eq!(submit(&emulator, &id(3), GHZ, &json!({})).await.status, 201);
}
