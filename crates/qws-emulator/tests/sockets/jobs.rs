use std::time::Duration;

use http::Method;
use serde_json::{Value, json};

use super::client::{get, id, patch, send, submit};
use super::{GHZ, ID, still};

#[tokio::test]
async fn a_job_passes_its_states_on_the_clock_and_leaves_real_results() {
    let emulator = still().start().await.unwrap();
    let created = submit(&emulator, ID, GHZ, &json!({ "metadata": { "num_qubits": 3, "ok": true } })).await;
    assert_eq!(created.status, 201);
    let job = created.json();
    assert_eq!(job["status"], "Waiting");
    assert_eq!(job["metadata"], json!({ "num_qubits": "3", "ok": "true" }));
    let container = format!("{}job-{ID}", emulator.storage_endpoint());
    assert_eq!(job["containerUri"], container.as_str(), "no SAS in the answer to PUT");
    assert_eq!(job["outputDataUri"], format!("{container}/outputData"));
    for null in ["beginExecutionTime", "endExecutionTime", "errorData", "costEstimate", "sessionId"] {
        assert!(job.as_object().unwrap().contains_key(null) && job[null].is_null(), "{null}");
    }
    let time = job["creationTime"].as_str().unwrap();
    assert!(time.len() == 33 && time.ends_with("+00:00"), "{time}: seven fraction digits");

    let status = async || get(&emulator, &format!("jobs/{ID}")).await.json()["status"].clone();
    assert_eq!(status().await, "Waiting");
    emulator.clock().advance(Duration::from_mins(1));
    assert_eq!(status().await, "Executing");
    emulator.clock().advance(Duration::from_mins(2));
    let job = get(&emulator, &format!("jobs/{ID}")).await.json();
    assert_eq!(job["status"], "Succeeded");
    assert_eq!(job["costEstimate"]["estimatedTotal"], 0.0);

    let output = job["outputDataUri"].as_str().unwrap();
    assert!(
        output.contains("/rawOutputData?") && output.contains("rscd=attachment%3B+filename%3Da%2Bjob-"),
        "{output}"
    );
    let blob = send(Method::GET, output, &[("x-ms-range", "bytes=0-33554431")], "").await.unwrap();
    assert_eq!(blob.status, 206);
    assert_eq!(blob.header("content-disposition"), format!("attachment; filename=a+job-{ID}.output.json"));
    let histogram = blob.json()["histogram"].clone();
    let probability = |label: &str| histogram[label].as_f64().unwrap();
    assert_eq!(histogram.as_object().unwrap().len(), 2);
    assert!((probability("0") - 0.5).abs() < 1e-12 && (probability("7") - 0.5).abs() < 1e-12);
}

#[tokio::test]
async fn a_repeated_put_finds_the_same_job() {
    let emulator = still().start().await.unwrap();
    let first = submit(&emulator, ID, GHZ, &json!({})).await;
    emulator.clock().advance(Duration::from_secs(61));
    let body = json!({ "name": "another" }).to_string();
    let again = super::client::call(&emulator, Method::PUT, &format!("jobs/{ID}"), &body).await.unwrap();
    assert_eq!((first.status, again.status), (201, 200));
    assert_eq!(again.json()["creationTime"], first.json()["creationTime"]);
    assert_eq!(again.json()["name"], "a job");
    assert_eq!(again.json()["status"], "Executing");
}

#[tokio::test]
async fn qir_runs_on_another_simulator() {
    let qir = r#"
define void @main() #0 {
entry:
  call void @__quantum__qis__x__body(ptr null)
  call void @__quantum__qis__mz__body(ptr null, ptr null)
  call void @__quantum__qis__mz__body(ptr inttoptr (i64 1 to ptr), ptr inttoptr (i64 1 to ptr))
  call void @__quantum__rt__array_record_output(i64 2, ptr null)
  call void @__quantum__rt__result_record_output(ptr null, ptr null)
  call void @__quantum__rt__result_record_output(ptr inttoptr (i64 1 to ptr), ptr null)
  ret void
}
attributes #0 = { "entry_point" }
"#;
    let emulator = still().start().await.unwrap();
    let details = json!({
        "providerId": "rigetti",
        "target": "rigetti.sim.qvm",
        "inputDataFormat": "qir.v1",
        "outputDataFormat": "microsoft.quantum-results.v2",
        "inputParams": { "entryPoint": "main", "arguments": [], "shots": 10 },
    });
    submit(&emulator, ID, qir, &details).await;
    emulator.clock().advance(Duration::from_mins(3));
    let job = get(&emulator, &format!("jobs/{ID}")).await.json();
    let output = send(Method::GET, job["outputDataUri"].as_str().unwrap(), &[], "").await.unwrap().json();
    let histogram: &Value = &output["Results"][0]["Histogram"];
    assert_eq!(*histogram, json!([{ "Outcome": [1, 0], "Display": "[1, 0]", "Count": 10 }]));
}

#[tokio::test]
async fn a_job_that_cannot_run_fails_with_the_services_code() {
    let emulator = still().start().await.unwrap();
    submit(&emulator, ID, r#"{"qubits":1,"circuit":[{"gate":"warp","target":0}]}"#, &json!({})).await;
    emulator.clock().advance(Duration::from_mins(3));
    let job = get(&emulator, &format!("jobs/{ID}")).await.json();
    assert_eq!(job["status"], "Failed");
    assert_eq!(job["errorData"]["code"], "InvalidInputData");
    assert_eq!(job["errorData"]["message"], "Gate 0 of the circuit: unknown gate `warp`.");
}

#[tokio::test]
async fn a_missing_input_fails_the_job_and_not_the_request() {
    let emulator = still().start().await.unwrap();
    let body = json!({
        "name": "n", "providerId": "IonQ", "target": "ionq.simulator",
        "containerUri": format!("{}job-x", emulator.storage_endpoint()),
        "inputDataFormat": "ionq.circuit.v1", "outputDataFormat": "ionq.quantum-results.v1",
    });
    let created =
        super::client::call(&emulator, Method::PUT, &format!("jobs/{ID}"), &body.to_string()).await.unwrap();
    assert_eq!(created.json()["providerId"], "ionq", "the provider's own spelling");
    emulator.clock().advance(Duration::from_mins(3));
    let job = get(&emulator, &format!("jobs/{ID}")).await.json();
    assert_eq!(job["errorData"]["code"], "InputDataNotFound");
}

#[tokio::test]
async fn requests_are_recorded_as_sent() {
    let emulator = still().start().await.unwrap();
    get(&emulator, "jobs/a%2Fb").await;
    let requests = emulator.requests();
    assert_eq!(requests[0].operation, Some(qws_emulator::Operation::JobsGet));
    assert!(requests[0].path.ends_with("/jobs/a%2Fb"));
    assert_eq!(requests[0].query, "api-version=2026-01-15-preview");
    assert_eq!(requests[0].status, Some(404));
    assert_eq!(requests[0].header("x-ms-quantum-api-key"), Some(emulator.api_key().as_str()));
    assert!(!format!("{requests:?}").contains(&emulator.api_key()));
}

#[tokio::test]
async fn high_priority_goes_first_and_may_be_given_later() {
    let emulator = still().start().await.unwrap();
    for (number, priority) in [(1, "Standard"), (2, "Standard"), (3, "High")] {
        submit(&emulator, &id(number), GHZ, &json!({ "priority": priority })).await;
        emulator.clock().advance(Duration::from_secs(1));
    }
    let statuses = async || {
        let list = get(&emulator, "jobs").await.json()["value"].clone();
        let status = |job: &Value| job["status"].as_str().unwrap().to_owned();
        list.as_array().unwrap().iter().map(status).collect::<Vec<_>>()
    };
    emulator.clock().advance(Duration::from_secs(30));
    assert_eq!(statuses().await, ["Waiting", "Waiting", "Executing"]);
    patch(&emulator, &id(2), r#"{"priority":"High"}"#).await;
    assert_eq!(statuses().await, ["Waiting", "Executing", "Executing"]);
    // Its two minutes of execution begin only now.
    emulator.clock().advance(Duration::from_secs(119));
    assert_eq!(statuses().await, ["Executing", "Executing", "Succeeded"]);
    patch(&emulator, &id(2), r#"{"priority":"Standard"}"#).await;
    emulator.clock().advance(Duration::from_secs(1));
    assert_eq!(statuses().await, ["Executing", "Succeeded", "Succeeded"]);
}
