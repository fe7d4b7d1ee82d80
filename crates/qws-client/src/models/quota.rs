use azure_core::time::OffsetDateTime;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{open_enum::open_enum, time};

open_enum! {
    /// For whom a quota counts.
    DimensionScope {
        /// For the workspace.
        Workspace = "Workspace",
        /// For the subscription.
        Subscription = "Subscription",
    }
}

open_enum! {
    /// How often a quota begins anew.
    MeterPeriod {
        /// Never.
        Never = "None",
        /// Every month.
        Monthly = "Monthly",
    }
}

open_enum! {
    /// For what a suite offer's quota counts.
    SuiteOfferScope {
        /// For one target.
        Target = "Target",
        /// For one target in the subscription.
        SubscriptionTarget = "SubscriptionTarget",
        /// For one target in the workspace.
        WorkspaceTarget = "WorkspaceTarget",
    }
}

/// A quota of a V1 workspace (REST: quotas, list).
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Quota {
    /// What is counted, for example `qgs`; its unit is the provider's.
    pub dimension: Option<String>,
    /// For whom it counts.
    pub scope: Option<DimensionScope>,
    /// The provider.
    pub provider_id: Option<String>,
    /// How much is used.
    pub utilization: Option<f64>,
    /// How much is set aside for jobs under way.
    pub holds: Option<f64>,
    /// How much there is.
    pub limit: Option<f64>,
    /// How often it begins anew.
    pub period: Option<MeterPeriod>,
}

/// What was used of a provider (REST: quota usages, list; V2 workspaces and suite offers).
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct QuotaUsage {
    /// The provider.
    pub provider_id: Option<String>,
    /// For what it counts.
    pub scope: Option<SuiteOfferScope>,
    /// The target.
    pub target_id: Option<String>,
    /// Metrics and their amounts, for example `StandardMinutesLifetime`.
    pub usage: Option<Map<String, Value>>,
    /// When it last changed.
    #[serde(default, deserialize_with = "time::optional")]
    pub last_modified_time: Option<OffsetDateTime>,
    /// Whatever else the service tells.
    pub metadata: Option<Map<String, Value>>,
}
