use std::collections::BTreeMap;

use azure_core::time::OffsetDateTime;
use qws_config::Secret;
use serde::{Deserialize, Deserializer};

use crate::models::{null_as_default, open_enum::open_enum, time};

/// A workspace as a resource.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct WorkspaceResource {
    /// The resource id.
    pub id: Option<String>,
    /// The name.
    pub name: Option<String>,
    /// The resource type: `Microsoft.Quantum/workspaces`.
    #[serde(rename = "type")]
    pub resource_type: Option<String>,
    /// The location, as it was given: `East US` or `eastus`.
    pub location: Option<String>,
    /// Tags.
    #[serde(default, deserialize_with = "null_as_default")]
    pub tags: BTreeMap<String, String>,
    /// What makes it a quantum workspace.
    #[serde(default, deserialize_with = "null_as_default")]
    pub properties: WorkspaceProperties,
}

/// What makes a resource a quantum workspace.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct WorkspaceProperties {
    /// The data plane's address.
    pub endpoint_uri: Option<String>,
    /// `V1` or `V2`.
    pub workspace_kind: Option<String>,
    /// `Succeeded` once it is ready.
    pub provisioning_state: Option<String>,
    /// `Yes`, `No` or `Partial`.
    pub usable: Option<String>,
    /// Whether access keys work.
    pub api_key_enabled: Option<bool>,
    /// The resource id of its storage account.
    pub storage_account: Option<String>,
}

open_enum! {
    /// Which of a workspace's two access keys.
    KeyType {
        /// The first.
        Primary = "Primary",
        /// The second; with two keys one can be replaced while the other is in use.
        Secondary = "Secondary",
    }
}

/// The access keys of a workspace. `Debug` shows none of them.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct AccessKeys {
    /// Whether keys work at all.
    #[serde(default, deserialize_with = "null_as_default")]
    pub api_key_enabled: bool,
    /// The first key.
    pub primary_key: Option<AccessKey>,
    /// The second key.
    pub secondary_key: Option<AccessKey>,
    /// A connection string with the first key.
    #[serde(default, deserialize_with = "secret")]
    pub primary_connection_string: Option<Secret>,
    /// A connection string with the second key.
    #[serde(default, deserialize_with = "secret")]
    pub secondary_connection_string: Option<Secret>,
}

/// One access key.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct AccessKey {
    /// When it was made.
    #[serde(default, deserialize_with = "time::optional")]
    pub created_at: Option<OffsetDateTime>,
    /// The key.
    #[serde(default, deserialize_with = "secret")]
    pub key: Option<Secret>,
}

fn secret<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Secret>, D::Error> {
    Ok(Option::<String>::deserialize(deserializer)?.map(Secret::from))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_do_not_show() {
        let text = r#"{"apiKeyEnabled":true,"primaryKey":{"createdAt":"2023-11-13T23:06:09.147165Z","key":"hunter2"},
            "secondaryKey":null,"primaryConnectionString":"ApiKey=hunter2"}"#;
        let keys: AccessKeys = serde_json::from_str(text).unwrap();
        assert!(!format!("{keys:?}{keys:#?}").contains("hunter2"));
        let key = keys.primary_key.and_then(|key| key.key);
        assert_eq!(key.as_ref().map(Secret::expose), Some("hunter2"));
    }

    #[test]
    fn null_properties_are_no_crash() {
        let resource: WorkspaceResource = serde_json::from_str(r#"{"properties":null,"tags":null}"#).unwrap();
        assert!(resource.properties.endpoint_uri.is_none());
    }
}
