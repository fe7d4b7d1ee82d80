use std::time::Duration;

use http::Method;
use qws_emulator::{Emulator, WorkspaceKind};
use serde_json::{Value, json};

use super::client::{blob, container, get, id, post, put_blob, send, submit};
use super::{GHZ, ID, still};

/// One H and two CNOTs: 1 + 2 * 10 for each of 100 shots.
fn on_a_qpu() -> Value {
    json!({ "target": "ionq.qpu.forte-1", "inputParams": { "shots": 100 } })
}

async fn qgs(emulator: &Emulator) -> Value {
    get(emulator, "quotas").await.json()["value"][0].clone()
}

#[tokio::test]
async fn quotas_hold_then_count_and_refuse_the_job_that_goes_beyond() {
    let emulator = still().start().await.unwrap();
    emulator.set_quota_limit("qgs", 3000.0);
    submit(&emulator, &id(1), GHZ, &on_a_qpu()).await;
    let mut expected = json!({
        "dimension": "qgs", "scope": "Subscription", "providerId": "ionq",
        "utilization": 0.0, "holds": 2100.0, "limit": 3000.0, "period": "Monthly"
    });
    assert_eq!(qgs(&emulator).await, expected);
    let refused = submit(&emulator, &id(2), GHZ, &on_a_qpu()).await;
    assert_eq!((refused.status, refused.header("x-ms-error-code")), (403, "InsufficientQuota"));
    assert_eq!(
        refused.json()["error"]["message"],
        "Insufficient quota: the job needs 2100 qgs of provider 'ionq', of which 900 are left."
    );
    assert_eq!(get(&emulator, &format!("jobs/{}", id(2))).await.status, 404);
    emulator.clock().advance(Duration::from_mins(3));
    (expected["utilization"], expected["holds"]) = (json!(2100.0), json!(0.0));
    assert_eq!(qgs(&emulator).await, expected);
    assert_eq!(submit(&emulator, &id(3), GHZ, &on_a_qpu()).await.status, 403, "used is used");
    emulator.set_quota_limit("qgs", 4200.0);
    assert_eq!(submit(&emulator, &id(4), GHZ, &on_a_qpu()).await.status, 201);
    let free = submit(&emulator, &id(5), GHZ, &json!({})).await;
    assert_eq!(free.status, 201, "simulators cost nothing");
}

#[tokio::test]
async fn a_job_that_does_not_run_gives_back_what_was_held() {
    let emulator = still().start().await.unwrap();
    submit(&emulator, &id(1), GHZ, &on_a_qpu()).await;
    post(&emulator, &format!("jobs/{}:cancel", id(1))).await;
    // Cancelled while it executes, which is seen only when it has stopped.
    submit(&emulator, &id(2), GHZ, &on_a_qpu()).await;
    emulator.clock().advance(Duration::from_secs(61));
    post(&emulator, &format!("jobs/{}:cancel", id(2))).await;
    assert_eq!(qgs(&emulator).await["holds"], 2100.0);
    emulator.clock().advance(Duration::from_mins(1));
    let quota = qgs(&emulator).await;
    assert_eq!((&quota["holds"], &quota["utilization"]), (&json!(0.0), &json!(0.0)));
    // What cannot be read has no price; it fails as any job does.
    submit(&emulator, &id(3), "{}", &on_a_qpu()).await;
    assert_eq!(qgs(&emulator).await["holds"], 0.0);
}

#[tokio::test]
async fn a_monthly_quota_is_whole_again_in_the_next_month() {
    let emulator = still().start().await.unwrap();
    submit(&emulator, &id(1), GHZ, &on_a_qpu()).await;
    emulator.clock().advance(Duration::from_mins(3));
    assert_eq!(qgs(&emulator).await["utilization"], 2100.0);
    emulator.clock().advance(Duration::from_hours(31 * 24));
    assert_eq!(qgs(&emulator).await["utilization"], 0.0);
}

#[tokio::test]
async fn a_price_known_only_at_the_end_fails_the_job() {
    let (emulator, elsewhere) = (still().start().await.unwrap(), still().start().await.unwrap());
    let links = container(&elsewhere, "theirs").await;
    put_blob(&blob(&links, "in"), GHZ).await;
    emulator.set_quota_limit("qgs", 2000.0);
    let mut job = on_a_qpu();
    (job["containerUri"], job["inputDataUri"]) = (json!(links), json!(blob(&links, "in")));
    assert_eq!(submit(&emulator, ID, GHZ, &job).await.status, 201);
    emulator.clock().advance(Duration::from_mins(3));
    let failed = get(&emulator, &format!("jobs/{ID}")).await.json();
    assert_eq!(failed["errorData"]["code"], "InsufficientQuota");
    let output = send(Method::GET, &blob(&links, "rawOutputData"), &[], "").await.unwrap();
    assert_eq!(output.status, 404, "nothing is written that was not paid for");
}

#[tokio::test]
async fn a_v2_workspace_counts_minutes_by_target_and_refuses_more() {
    let emulator = still().workspace_kind(WorkspaceKind::V2).start().await.unwrap();
    emulator.set_quota_limit("HighMinutesLifetime", 3.0);
    let high = json!({ "priority": "High" });
    submit(&emulator, &id(1), GHZ, &high).await;
    let refused = submit(&emulator, &id(2), GHZ, &high).await;
    assert_eq!((refused.status, refused.header("x-ms-error-code")), (403, "InsufficientQuota"));
    assert_eq!(
        refused.json()["error"]["message"],
        "Insufficient quota: the job needs 2 HighMinutesLifetime of target 'ionq.simulator', of which 1 are left."
    );
    let minutes = async || {
        let quotas = get(&emulator, "quotas").await.json()["value"].clone();
        let of =
            |quota: &&Value| quota["dimension"] == "HighMinutesLifetime" && quota["providerId"] == "ionq";
        quotas.as_array().unwrap().iter().find(of).unwrap().clone()
    };
    let mut expected = json!({
        "dimension": "HighMinutesLifetime", "scope": "Workspace", "providerId": "ionq",
        // Three targets of three minutes each.
        "utilization": 0.0, "holds": 2.0, "limit": 9.0, "period": "None"
    });
    assert_eq!(minutes().await, expected);
    emulator.clock().advance(Duration::from_mins(3));
    (expected["utilization"], expected["holds"]) = (json!(2.0), json!(0.0));
    assert_eq!(minutes().await, expected);
    let other_target = json!({ "priority": "High", "target": "ionq.qpu.forte-1" });
    assert_eq!(submit(&emulator, &id(3), GHZ, &other_target).await.status, 201, "each target has its own");
    assert_eq!(submit(&emulator, &id(4), GHZ, &json!({})).await.status, 201, "each priority has its own");
    let usages = get(&emulator, "quotaUsages?providerId=ionq").await.json();
    assert_eq!(usages["value"].as_array().unwrap().len(), 1, "{usages}");
    let usage = &usages["value"][0];
    assert_eq!(
        (usage["scope"].as_str(), usage["targetId"].as_str()),
        (Some("WorkspaceTarget"), Some("ionq.simulator"))
    );
    assert_eq!(usage["usage"], json!({ "StandardMinutesLifetime": 0.0, "HighMinutesLifetime": 2.0 }));
    assert!(usage["lastModifiedTime"].as_str().unwrap().ends_with('Z'));
    assert_eq!(get(&emulator, "quotaUsages").await.status, 400, "the provider must be named");
}

#[tokio::test]
async fn suite_offers_belong_to_the_subscription() {
    let emulator = still().start().await.unwrap();
    let offer = format!(
        "{}subscriptions/{}/providers/Microsoft.Quantum/suiteOffers/IonQ",
        emulator.endpoint(),
        emulator.subscription_id()
    );
    let key = emulator.api_key();
    let ask = async |rest: &str| {
        let url = format!("{offer}/{rest}?api-version=2026-01-15-preview");
        send(Method::GET, &url, &[("x-ms-quantum-api-key", &key)], "").await.unwrap()
    };
    assert_eq!(ask("providerStatus").await.json()["id"], "ionq");
    assert_eq!(ask("quotaUsages").await.json(), json!({ "value": [], "nextLink": null }));
    assert_eq!(get(&emulator, "quotaUsages?providerId=ionq").await.status, 400, "not in a V1 workspace");
}
