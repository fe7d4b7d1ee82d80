//! What the service sends and takes, as types.
//!
//! Facts are those of the data plane's REST API, version 2026-01-15-preview. Sets of values are open, unknown fields
//! are ignored, and every field may be missing or null unless the service always sends it.

mod blob_uri;
mod error;
mod job;
mod open_enum;
mod provider;
mod time;

pub use blob_uri::BlobUri;
pub use error::ServiceError;
pub(crate) use error::one_line;
pub use job::{
    CostEstimate, CreatedByType, ItemType, JobDetails, JobId, JobStatus, JobType, NewJob, Priority,
    QuantumComputingData, UsageEvent,
};
pub use provider::{ProviderAvailability, ProviderStatus, TargetAvailability, TargetStatus};

use serde::{Deserialize, Deserializer, de::DeserializeOwned};

/// One page of a list. A missing or null `value` is an empty page, and an empty page does not end the list.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", bound = "T: DeserializeOwned")]
pub(crate) struct Page<T> {
    #[serde(default, deserialize_with = "null_as_default")]
    pub(crate) value: Vec<T>,
    pub(crate) next_link: Option<String>,
}

/// Reads `null` as the type's default, as the service sends nulls nearly everywhere.
pub(crate) fn null_as_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}
