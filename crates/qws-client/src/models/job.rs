use std::{fmt, str::FromStr};

use azure_core::{Uuid, time::OffsetDateTime};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{BlobUri, ServiceError, null_as_default, open_enum::open_enum, time};
use crate::{Error, ErrorKind};

/// The id of a job, chosen by the client before anything is sent, so that a job can be found again whatever happens.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct JobId(Box<str>);

impl JobId {
    /// A new random id (a version 4 UUID).
    #[must_use]
    pub fn random() -> Self {
        Self(Uuid::new_v4().to_string().into())
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for JobId {
    type Err = Error;

    /// Takes any id that the service may know: not empty, no white space or control characters, at most 128 bytes.
    /// Ids that the service hands out are UUIDs.
    fn from_str(text: &str) -> Result<Self, Error> {
        let text = text.trim();
        if text.is_empty() || text.len() > 128 || text.contains(|c: char| c.is_whitespace() || c.is_control())
        {
            let message = "a job id is a UUID such as 00000000-0000-0000-0000-000000000001";
            return Err(Error::new(ErrorKind::InvalidInput, message));
        }
        Ok(Self(text.into()))
    }
}

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

open_enum! {
    /// Where a job is.
    JobStatus {
        /// Taken in; newer name of [`JobStatus::Waiting`].
        Queued = "Queued",
        /// Waiting for its target.
        Waiting = "Waiting",
        /// Running.
        Executing = "Executing",
        /// Someone asked to cancel it.
        CancellationRequested = "CancellationRequested",
        /// Being cancelled.
        Cancelling = "Cancelling",
        /// Run, its output being written.
        Finishing = "Finishing",
        /// Done; newer name of [`JobStatus::Succeeded`].
        Completed = "Completed",
        /// Done.
        Succeeded = "Succeeded",
        /// Ended without a result.
        Failed = "Failed",
        /// Ended by request.
        Cancelled = "Cancelled",
    }
}

impl JobStatus {
    /// Whether the job has ended. A status that this version does not know counts as not ended.
    #[must_use]
    pub fn is_terminal(&self) -> bool {
        self.is_success() || matches!(self, Self::Failed | Self::Cancelled)
    }

    /// Whether the job ended with a result.
    #[must_use]
    pub fn is_success(&self) -> bool {
        matches!(self, Self::Completed | Self::Succeeded)
    }
}

open_enum! {
    /// What kind of work a job is.
    JobType {
        /// Not told.
        NotTold = "Unknown",
        /// A quantum program.
        QuantumComputing = "QuantumComputing",
        /// An optimization problem.
        Optimization = "Optimization",
    }
}

open_enum! {
    /// What an item of the workspace is.
    ItemType {
        /// A job.
        Job = "Job",
        /// A session.
        Session = "Session",
    }
}

open_enum! {
    /// How soon a job is wanted.
    Priority {
        /// In turn.
        Standard = "Standard",
        /// Before the others, where the workspace's quota allows.
        High = "High",
    }
}

open_enum! {
    /// Who made an item.
    CreatedByType {
        /// A person.
        User = "User",
        /// A service principal.
        Application = "Application",
        /// A managed identity.
        ManagedIdentity = "ManagedIdentity",
        /// An access key.
        Key = "Key",
    }
}

/// What the service knows about a job (REST: jobs, get).
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct JobDetails {
    /// The id.
    pub id: JobId,
    /// The name given at submission.
    pub name: Option<String>,
    /// The provider of the target.
    pub provider_id: Option<String>,
    /// The target.
    pub target: Option<String>,
    /// Always [`ItemType::Job`] for jobs.
    pub item_type: Option<ItemType>,
    /// What kind of work it is.
    pub job_type: Option<JobType>,
    /// The session it belongs to.
    pub session_id: Option<String>,
    /// The storage container of its data.
    pub container_uri: Option<BlobUri>,
    /// Its input.
    pub input_data_uri: Option<BlobUri>,
    /// The format of its input, for example `ionq.circuit.v1`.
    pub input_data_format: Option<String>,
    /// Parameters of the run, such as `shots`.
    pub input_params: Option<Value>,
    /// Its output.
    pub output_data_uri: Option<BlobUri>,
    /// The format of its output, for example `microsoft.quantum-results.v2`.
    pub output_data_format: Option<String>,
    /// Where it is.
    pub status: Option<JobStatus>,
    /// Why it failed.
    pub error_data: Option<ServiceError>,
    /// What was noted with it at submission. The service keeps every value as text.
    pub metadata: Option<Map<String, Value>>,
    /// Tags.
    #[serde(default, deserialize_with = "null_as_default")]
    pub tags: Vec<String>,
    /// How soon it is wanted.
    pub priority: Option<Priority>,
    /// Older field for the priority; recorded traffic has `Basic`.
    pub job_priority: Option<String>,
    /// Whether it is being cancelled; seen in recorded traffic.
    pub is_cancelling: Option<bool>,
    /// When it was submitted.
    #[serde(default, deserialize_with = "time::optional")]
    pub creation_time: Option<OffsetDateTime>,
    /// When it began to run.
    #[serde(default, deserialize_with = "time::optional")]
    pub begin_execution_time: Option<OffsetDateTime>,
    /// When it stopped running.
    #[serde(default, deserialize_with = "time::optional")]
    pub end_execution_time: Option<OffsetDateTime>,
    /// When it was cancelled.
    #[serde(default, deserialize_with = "time::optional")]
    pub cancellation_time: Option<OffsetDateTime>,
    /// When something about it last changed.
    #[serde(default, deserialize_with = "time::optional")]
    pub last_modified_time: Option<OffsetDateTime>,
    /// When the service last updated it.
    #[serde(default, deserialize_with = "time::optional")]
    pub last_updated_time: Option<OffsetDateTime>,
    /// Who submitted it.
    pub created_by: Option<String>,
    /// What kind of caller submitted it.
    pub created_by_type: Option<CreatedByType>,
    /// Who changed it last.
    pub last_modified_by: Option<String>,
    /// What kind of caller changed it last.
    pub last_modified_by_type: Option<CreatedByType>,
    /// What it cost, once it has run.
    pub cost_estimate: Option<CostEstimate>,
    /// How many quantum computing items it holds.
    pub quantum_computing_data: Option<QuantumComputingData>,
    /// Metrics and their amounts.
    pub usage: Option<Map<String, Value>>,
}

impl JobDetails {
    /// How many shots were asked for at submission (`shots`, or the older `count`, of `inputParams`).
    #[must_use]
    pub fn shots(&self) -> Option<u64> {
        let parameters = self.input_params.as_ref()?;
        let number = |name| {
            let value = parameters.get(name)?;
            value.as_u64().or_else(|| value.as_str()?.parse().ok())
        };
        number("shots").or_else(|| number("count"))
    }

    /// How many qubits the program has, as noted in the metadata at submission.
    #[must_use]
    pub fn num_qubits(&self) -> Option<usize> {
        let value = self.metadata.as_ref()?.get("num_qubits")?;
        value.as_u64().and_then(|n| n.try_into().ok()).or_else(|| value.as_str()?.parse().ok())
    }
}

/// What a job cost.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct CostEstimate {
    /// ISO 4217 code, for example `USD`.
    pub currency_code: Option<String>,
    /// In that currency.
    pub estimated_total: Option<f64>,
    /// What it is made of.
    #[serde(default, deserialize_with = "null_as_default")]
    pub events: Vec<UsageEvent>,
}

/// One line of a cost estimate.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct UsageEvent {
    /// What was used, as an id.
    pub dimension_id: Option<String>,
    /// What was used, for people.
    pub dimension_name: Option<String>,
    /// The unit of the amounts.
    pub measure_unit: Option<String>,
    /// How much is billed.
    pub amount_billed: Option<f64>,
    /// How much was used.
    pub amount_consumed: Option<f64>,
    /// The price of one unit.
    pub unit_price: Option<f64>,
}

/// How many quantum computing items a job holds.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct QuantumComputingData {
    /// The number.
    pub count: Option<u64>,
}

/// A job as it is submitted (REST: jobs, create). Fields that are not set are left out.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
#[allow(clippy::exhaustive_structs, reason = "filled in by literal")]
pub struct NewJob {
    /// A name for people.
    pub name: String,
    /// The container of its data, with its SAS.
    pub container_uri: BlobUri,
    /// Its input, without SAS.
    pub input_data_uri: BlobUri,
    /// The format of the input.
    pub input_data_format: String,
    /// The format wanted for the output.
    pub output_data_format: String,
    /// The provider of the target.
    pub provider_id: String,
    /// The target.
    pub target: String,
    /// Parameters of the run; `{}` if there are none.
    pub input_params: Map<String, Value>,
    /// Always `Job`.
    pub item_type: ItemType,
    /// The session it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
    /// How soon it is wanted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub priority: Option<Priority>,
    /// Tags.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tags: Option<Vec<String>>,
    /// Notes to keep with the job.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Map<String, Value>>,
    /// What kind of job it is; the service knows by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub job_type: Option<JobType>,
    /// Where the output goes; without it the service chooses a blob in the container.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output_data_uri: Option<BlobUri>,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The shape of recorded traffic: nulls everywhere, unknown values and fields, a port in a URI, seven digits.
    const RECORDED_SHAPE: &str = r#"{"containerUri":"https://store.example/job-1","inputDataUri":null,"inputParams":
        {"shots":"100","count":100},"metadata":{"name":"x","num_qubits":"4","metadata":"{}"},"sessionId":null,
        "jobPriority":"Basic","status":"Paused","jobType":"QuantumChemistry","outputDataUri":
        "https://store.example:443/job-1/outputData?sig=hunter2","beginExecutionTime":null,"cancellationTime":null,
        "lastModifiedTime":"2025-11-20T00:00:24.1200209+00:00","quantumComputingData":{"count":1},"errorData":null,
        "isCancelling":false,"tags":null,"name":null,"id":"00000000-0000-0000-0000-000000000001","providerId":null,
        "target":"ionq.simulator","creationTime":"","costEstimate":{"currencyCode":"USD","events":null},
        "usage":{"x":1.5},"itemType":"Job","futureField":{"a":[1]}}"#;

    #[test]
    fn answers_of_the_real_shape_are_read() {
        let job: JobDetails = serde_json::from_str(RECORDED_SHAPE).unwrap();
        assert_eq!(job.status, Some(JobStatus::Unknown("Paused".into())));
        assert_eq!(job.job_type.as_ref().map(JobType::as_str), Some("QuantumChemistry"));
        assert_eq!((job.shots(), job.num_qubits()), (Some(100), Some(4)));
        assert_eq!(job.last_modified_time.unwrap().nanosecond(), 120_020_900);
        assert!(job.creation_time.is_none() && job.tags.is_empty());
        assert!(!format!("{job:?}").contains("hunter2"));
    }

    #[test]
    fn only_the_four_final_states_are_terminal_and_case_counts() {
        let terminal = |text: &str| JobStatus::from(text).is_terminal();
        assert!(["Completed", "Succeeded", "Failed", "Cancelled"].into_iter().all(terminal));
        assert!(!["Queued", "Finishing", "Cancelling", "succeeded", "New"].into_iter().any(terminal));
    }

    #[test]
    fn ids_with_white_space_or_nothing_are_refused() {
        assert_eq!(" abc\n".parse::<JobId>().unwrap().as_str(), "abc");
        for text in ["", " ", "a b", &"x".repeat(129)] {
            assert!(text.parse::<JobId>().is_err(), "{text}");
        }
        assert_eq!(JobId::random().as_str().len(), 36);
    }
}
