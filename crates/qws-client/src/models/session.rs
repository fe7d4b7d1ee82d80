use azure_core::time::OffsetDateTime;
use serde::{Deserialize, Deserializer, Serialize, de};
use serde_json::{Map, Value};

use super::{
    CostEstimate, CreatedByType, ItemType, JobDetails, Priority, ServiceError, null_as_default,
    open_enum::open_enum, time,
};

open_enum! {
    /// Where a session is.
    SessionStatus {
        /// Waiting for its first job to run.
        Waiting = "Waiting",
        /// Its jobs are running.
        Executing = "Executing",
        /// Closed, all jobs well.
        Succeeded = "Succeeded",
        /// Ended by a failed job, under [`SessionJobFailurePolicy::Abort`].
        Failed = "Failed",
        /// A job failed, and the session goes on.
        Failures = "Failure(s)",
        /// Ended for want of jobs.
        TimedOut = "TimedOut",
    }
}

impl SessionStatus {
    /// Whether the session takes no further jobs. [`SessionStatus::Failures`] still does.
    #[must_use]
    pub fn is_terminal(&self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::TimedOut)
    }
}

open_enum! {
    /// What becomes of a session when one of its jobs fails.
    SessionJobFailurePolicy {
        /// It ends.
        Abort = "Abort",
        /// It goes on.
        Continue = "Continue",
    }
}

/// What the service knows about a session (REST: sessions, get).
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct SessionDetails {
    /// The id.
    pub id: String,
    /// The name.
    pub name: Option<String>,
    /// The provider of its target.
    pub provider_id: Option<String>,
    /// Its target.
    pub target: Option<String>,
    /// Always [`ItemType::Session`] for sessions.
    pub item_type: Option<ItemType>,
    /// Where it is.
    pub status: Option<SessionStatus>,
    /// What a failed job does to it.
    pub job_failure_policy: Option<SessionJobFailurePolicy>,
    /// Why it failed.
    pub error_data: Option<ServiceError>,
    /// How soon its jobs are wanted.
    pub priority: Option<Priority>,
    /// Older field for the priority; recorded traffic has `Basic`.
    pub job_priority: Option<String>,
    /// Tags.
    #[serde(default, deserialize_with = "null_as_default")]
    pub tags: Vec<String>,
    /// When it was opened.
    #[serde(default, deserialize_with = "time::optional")]
    pub creation_time: Option<OffsetDateTime>,
    /// When its first job began to run.
    #[serde(default, deserialize_with = "time::optional")]
    pub begin_execution_time: Option<OffsetDateTime>,
    /// When it ended.
    #[serde(default, deserialize_with = "time::optional")]
    pub end_execution_time: Option<OffsetDateTime>,
    /// When something about it last changed.
    #[serde(default, deserialize_with = "time::optional")]
    pub last_modified_time: Option<OffsetDateTime>,
    /// When the service last updated it.
    #[serde(default, deserialize_with = "time::optional")]
    pub last_updated_time: Option<OffsetDateTime>,
    /// Who opened it.
    pub created_by: Option<String>,
    /// What kind of caller opened it.
    pub created_by_type: Option<CreatedByType>,
    /// Who changed it last.
    pub last_modified_by: Option<String>,
    /// What kind of caller changed it last.
    pub last_modified_by_type: Option<CreatedByType>,
    /// What its jobs cost.
    pub cost_estimate: Option<CostEstimate>,
    /// Metrics and their amounts.
    pub usage: Option<Map<String, Value>>,
}

/// A session as it is opened (REST: sessions, open). Fields that are not set are left out.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
#[allow(clippy::exhaustive_structs, reason = "filled in by literal")]
pub struct NewSession {
    /// A name for people.
    pub name: String,
    /// The target of its jobs.
    pub target: String,
    /// Always `Session`.
    pub item_type: ItemType,
    /// The provider of the target.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider_id: Option<String>,
    /// What a failed job does to it. The specification requires it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub job_failure_policy: Option<SessionJobFailurePolicy>,
    /// How soon its jobs are wanted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub priority: Option<Priority>,
    /// Tags.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tags: Option<Vec<String>>,
}

/// An item of a workspace.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Item {
    /// A job.
    Job(Box<JobDetails>),
    /// A session.
    Session(Box<SessionDetails>),
    /// Something of a kind that this version does not know, as it came.
    Other(Value),
}

impl<'de> Deserialize<'de> for Item {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        // Only the field's name and the reason are told, not the value.
        let wrong = |error: serde_json::Error| {
            de::Error::custom(format!("an item that cannot be read: {:?}", error.classify()))
        };
        match value.get("itemType").and_then(Value::as_str) {
            Some("Job") => serde_json::from_value(value).map(|job| Self::Job(Box::new(job))).map_err(wrong),
            Some("Session") => {
                serde_json::from_value(value).map(|session| Self::Session(Box::new(session))).map_err(wrong)
            }
            _ => Ok(Self::Other(value)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_are_told_apart_and_unknown_ones_kept() {
        let text = r#"[{"itemType":"Job","id":"1"},{"itemType":"Session","id":"2","status":"Failure(s)"},{"itemType":"Batch","x":1}]"#;
        let items: Vec<Item> = serde_json::from_str(text).unwrap();
        assert!(matches!(&items[0], Item::Job(job) if job.id.as_str() == "1"));
        assert!(
            matches!(&items[1], Item::Session(session) if session.status == Some(SessionStatus::Failures))
        );
        assert!(matches!(&items[2], Item::Other(value) if value["x"] == 1));
    }

    #[test]
    fn a_session_with_failures_goes_on() {
        let terminal = |text: &str| SessionStatus::from(text).is_terminal();
        assert!(["Succeeded", "Failed", "TimedOut"].into_iter().all(terminal));
        assert!(!["Waiting", "Executing", "Failure(s)", "New"].into_iter().any(terminal));
    }
}
