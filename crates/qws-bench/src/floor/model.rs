//! Every field of a job, in the plainest types that hold it.
#![expect(dead_code, reason = "fields are kept to be kept; the floor reads two of them")]
#![expect(clippy::struct_field_names, reason = "the names are the service's")]

use serde::Deserialize;
use serde_json::{Map, Value};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Page {
    pub(super) value: Vec<Job>,
    pub(super) next_link: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Job {
    pub(super) id: String,
    name: Option<String>,
    provider_id: Option<String>,
    target: Option<String>,
    item_type: Option<String>,
    job_type: Option<String>,
    session_id: Option<String>,
    container_uri: Option<String>,
    input_data_uri: Option<String>,
    input_data_format: Option<String>,
    input_params: Option<Value>,
    output_data_uri: Option<String>,
    output_data_format: Option<String>,
    status: Option<String>,
    error_data: Option<Failure>,
    metadata: Option<Map<String, Value>>,
    tags: Option<Vec<String>>,
    priority: Option<String>,
    job_priority: Option<String>,
    is_cancelling: Option<bool>,
    creation_time: Option<String>,
    begin_execution_time: Option<String>,
    end_execution_time: Option<String>,
    cancellation_time: Option<String>,
    last_modified_time: Option<String>,
    last_updated_time: Option<String>,
    created_by: Option<String>,
    created_by_type: Option<String>,
    last_modified_by: Option<String>,
    last_modified_by_type: Option<String>,
    cost_estimate: Option<Cost>,
    quantum_computing_data: Option<Items>,
    usage: Option<Map<String, Value>>,
}

impl Job {
    pub(super) fn has_ended(&self) -> bool {
        let last = ["Succeeded", "Completed", "Failed", "Cancelled"];
        self.status.as_deref().is_some_and(|status| last.contains(&status))
    }
}

#[derive(Debug, Deserialize)]
struct Failure {
    code: Option<String>,
    message: Option<String>,
    target: Option<String>,
    details: Option<Vec<Failure>>,
    innererror: Option<Inner>,
}

#[derive(Debug, Deserialize)]
struct Inner {
    code: Option<String>,
    innererror: Option<Box<Inner>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Cost {
    currency_code: Option<String>,
    estimated_total: Option<f64>,
    events: Option<Vec<Event>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Event {
    dimension_id: Option<String>,
    dimension_name: Option<String>,
    measure_unit: Option<String>,
    amount_billed: Option<f64>,
    amount_consumed: Option<f64>,
    unit_price: Option<f64>,
}

#[derive(Debug, Deserialize)]
struct Items {
    count: Option<u64>,
}
