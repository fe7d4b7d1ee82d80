//! The JSON of the data plane, as the service writes it: nulls everywhere, nothing left out.
//!
//! These structs are the emulator's own. Sharing them with a client would let both make the same mistake.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// What a client sends to create a job. Everything is optional here; what is missing is refused by name.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct JobRequest {
    pub(crate) name: Option<String>,
    pub(crate) provider_id: Option<String>,
    pub(crate) target: Option<String>,
    pub(crate) container_uri: Option<String>,
    pub(crate) input_data_uri: Option<String>,
    pub(crate) input_data_format: Option<String>,
    pub(crate) output_data_format: Option<String>,
    pub(crate) input_params: Option<Value>,
    pub(crate) metadata: Option<Map<String, Value>>,
    pub(crate) session_id: Option<String>,
    pub(crate) job_type: Option<String>,
    pub(crate) priority: Option<String>,
    pub(crate) tags: Option<Vec<String>>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct JobDetails {
    pub(crate) container_uri: String,
    pub(crate) input_data_uri: String,
    pub(crate) input_data_format: Option<String>,
    pub(crate) input_params: Value,
    pub(crate) metadata: Option<Map<String, Value>>,
    pub(crate) session_id: Option<String>,
    pub(crate) job_priority: &'static str,
    pub(crate) priority: String,
    pub(crate) status: &'static str,
    pub(crate) job_type: String,
    pub(crate) output_data_format: String,
    pub(crate) output_data_uri: String,
    pub(crate) begin_execution_time: Option<String>,
    pub(crate) cancellation_time: Option<String>,
    pub(crate) last_modified_time: Option<String>,
    pub(crate) quantum_computing_data: Option<QuantumComputingData>,
    pub(crate) error_data: Option<ErrorData>,
    pub(crate) is_cancelling: bool,
    pub(crate) tags: Vec<String>,
    pub(crate) name: String,
    pub(crate) id: String,
    pub(crate) provider_id: String,
    pub(crate) target: String,
    pub(crate) creation_time: String,
    pub(crate) end_execution_time: Option<String>,
    pub(crate) cost_estimate: Option<CostEstimate>,
    pub(crate) item_type: &'static str,
}

/// What a client may change of a job.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct JobUpdate {
    pub(crate) name: Patch<String>,
    pub(crate) priority: Patch<String>,
    pub(crate) tags: Patch<Vec<String>>,
}

/// A field of a merge patch (RFC 7396): absent leaves the value alone, null takes it away.
#[derive(Debug, Default)]
pub(crate) enum Patch<T> {
    #[default]
    Absent,
    Null,
    Value(T),
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Patch<T> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Option::deserialize(deserializer)?.map_or(Self::Null, Self::Value))
    }
}

#[derive(Debug, Serialize)]
pub(crate) struct JobUpdateResponse {
    pub(crate) name: String,
    pub(crate) priority: String,
    pub(crate) tags: Vec<String>,
}

/// What a client sends to open a session.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct SessionRequest {
    pub(crate) name: Option<String>,
    pub(crate) provider_id: Option<String>,
    pub(crate) target: Option<String>,
    pub(crate) job_failure_policy: Option<String>,
    pub(crate) priority: Option<String>,
    pub(crate) tags: Option<Vec<String>>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SessionDetails {
    pub(crate) status: &'static str,
    pub(crate) job_failure_policy: &'static str,
    pub(crate) job_priority: &'static str,
    pub(crate) priority: String,
    pub(crate) tags: Vec<String>,
    pub(crate) name: String,
    pub(crate) id: String,
    pub(crate) provider_id: String,
    pub(crate) target: String,
    pub(crate) creation_time: String,
    pub(crate) end_execution_time: Option<String>,
    pub(crate) cost_estimate: Option<CostEstimate>,
    pub(crate) item_type: &'static str,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct QuotaDetails {
    pub(crate) dimension: &'static str,
    pub(crate) scope: &'static str,
    pub(crate) provider_id: &'static str,
    pub(crate) utilization: f64,
    pub(crate) holds: f64,
    pub(crate) limit: f64,
    pub(crate) period: &'static str,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct QuotaUsageDetails {
    pub(crate) provider_id: String,
    pub(crate) scope: &'static str,
    pub(crate) target_id: Option<String>,
    pub(crate) usage: Map<String, Value>,
    pub(crate) last_modified_time: String,
    pub(crate) metadata: Option<Map<String, Value>>,
}

#[derive(Debug, Serialize)]
pub(crate) struct QuantumComputingData {
    pub(crate) count: u32,
}

#[derive(Debug, Serialize)]
pub(crate) struct ErrorData {
    pub(crate) code: String,
    pub(crate) message: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CostEstimate {
    pub(crate) currency_code: &'static str,
    pub(crate) events: Vec<UsageEvent>,
    pub(crate) estimated_total: f64,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct UsageEvent {
    pub(crate) dimension_id: &'static str,
    pub(crate) dimension_name: &'static str,
    pub(crate) measure_unit: &'static str,
    pub(crate) amount_billed: f64,
    pub(crate) amount_consumed: f64,
    pub(crate) unit_price: f64,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ProviderStatus {
    pub(crate) id: String,
    pub(crate) current_availability: String,
    pub(crate) targets: Vec<TargetStatus>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TargetStatus {
    pub(crate) id: String,
    pub(crate) current_availability: String,
    /// Seconds, as the next two.
    pub(crate) average_queue_time: u32,
    pub(crate) average_queue_time_high_priority: Option<u32>,
    pub(crate) average_queue_time_standard_priority: Option<u32>,
    pub(crate) status_page: Option<String>,
    pub(crate) num_qubits: Option<u32>,
    pub(crate) target_profile: Option<String>,
    pub(crate) metadata: Option<Value>,
}

/// One page of a list.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Page<T> {
    pub(crate) value: Vec<T>,
    pub(crate) next_link: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct BlobDetails {
    pub(crate) container_name: Option<String>,
    pub(crate) blob_name: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SasUriResponse {
    pub(crate) sas_uri: String,
}
