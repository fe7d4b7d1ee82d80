use std::time::Duration;

use http::Method;
use qws_emulator::WorkspaceKind;
use serde_json::json;

use super::client::{get, id, send, submit};
use super::{GHZ, ID, still};

#[tokio::test]
async fn quotas_count_and_fail_the_job_that_goes_beyond() {
    let emulator = still().start().await.unwrap();
    // One H and two CNOTs: 1 + 2 * 10 for each of 100 shots.
    emulator.set_quota_limit("qgs", 3000.0);
    let job = json!({ "target": "ionq.qpu.forte-1", "inputParams": { "shots": 100 } });
    submit(&emulator, &id(1), GHZ, &job).await;
    submit(&emulator, &id(2), GHZ, &job).await;
    emulator.clock().advance(Duration::from_mins(3));
    let quotas = get(&emulator, "quotas").await.json();
    let expected = json!({
        "dimension": "qgs", "scope": "Subscription", "providerId": "ionq",
        "utilization": 2100.0, "holds": 0.0, "limit": 3000.0, "period": "Monthly"
    });
    assert_eq!(quotas["value"][0], expected);
    assert_eq!(get(&emulator, &format!("jobs/{}", id(1))).await.json()["status"], "Succeeded");
    let refused = get(&emulator, &format!("jobs/{}", id(2))).await.json();
    assert_eq!(refused["errorData"]["code"], "InsufficientQuota");
    assert_eq!(
        refused["errorData"]["message"],
        "Insufficient quota: the job needs 2100 qgs of provider 'ionq', of which 900 are left."
    );
}

#[tokio::test]
async fn a_v2_workspace_counts_minutes_by_target() {
    let emulator = still().workspace_kind(WorkspaceKind::V2).start().await.unwrap();
    submit(&emulator, ID, GHZ, &json!({ "priority": "High" })).await;
    emulator.clock().advance(Duration::from_mins(3));
    let usages = get(&emulator, "quotaUsages?providerId=ionq").await.json();
    let usage = &usages["value"][0];
    assert_eq!(
        (usage["scope"].as_str(), usage["targetId"].as_str()),
        (Some("WorkspaceTarget"), Some("ionq.simulator"))
    );
    assert_eq!(usage["usage"], json!({ "StandardMinutesLifetime": 0.0, "HighMinutesLifetime": 2.0 }));
    assert_eq!(get(&emulator, "quotaUsages").await.status, 400, "the provider must be named");
    assert_eq!(get(&emulator, "quotas").await.json()["value"], json!([]));
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
