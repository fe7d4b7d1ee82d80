use serde::Deserialize;

use super::{null_as_default, open_enum::open_enum};

open_enum! {
    /// Whether a provider takes jobs.
    ProviderAvailability {
        /// It does.
        Available = "Available",
        /// It does, with trouble.
        Degraded = "Degraded",
        /// It does not.
        Unavailable = "Unavailable",
    }
}

open_enum! {
    /// Whether a target takes jobs.
    TargetAvailability {
        /// It does.
        Available = "Available",
        /// It does, with longer queues or some failures.
        Degraded = "Degraded",
        /// It does not: a job for it is refused.
        Unavailable = "Unavailable",
    }
}

/// A provider of the workspace and its targets (REST: provider status).
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ProviderStatus {
    /// The provider's id, for example `ionq`.
    pub id: String,
    /// Whether the provider as a whole takes jobs.
    pub current_availability: Option<ProviderAvailability>,
    /// Its targets.
    #[serde(default, deserialize_with = "null_as_default")]
    pub targets: Vec<TargetStatus>,
}

/// A target: a machine or simulator that runs jobs.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct TargetStatus {
    /// The target's id, for example `ionq.simulator`.
    pub id: String,
    /// Whether it takes jobs now.
    pub current_availability: Option<TargetAvailability>,
    /// Average time in the queue, in seconds.
    pub average_queue_time: Option<u64>,
    /// Average time in the queue of jobs with high priority, in seconds.
    pub average_queue_time_high_priority: Option<u64>,
    /// Average time in the queue of jobs with standard priority, in seconds.
    pub average_queue_time_standard_priority: Option<u64>,
    /// A page with news about the target.
    pub status_page: Option<String>,
    /// How many qubits it has.
    pub num_qubits: Option<u64>,
    /// Which QIR profile it runs, for example `Base`.
    pub target_profile: Option<String>,
    /// Whatever else the provider tells.
    pub metadata: Option<serde_json::Value>,
}
