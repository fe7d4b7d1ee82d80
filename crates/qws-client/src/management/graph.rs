//! Finding workspaces by name with Azure Resource Graph.

use qws_config::{Location, ResourceGroup, ResourceId, SubscriptionId, WorkspaceName};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::models::null_as_default;

/// What is known of a workspace that is to be found.
#[derive(Debug, Clone)]
#[must_use]
pub struct WorkspaceQuery {
    name: WorkspaceName,
    subscription: Option<SubscriptionId>,
    group: Option<ResourceGroup>,
    location: Option<Location>,
}

impl WorkspaceQuery {
    /// Workspaces of this name; case does not matter.
    pub fn by_name(name: WorkspaceName) -> Self {
        Self { name, subscription: None, group: None, location: None }
    }

    /// Only in this subscription.
    pub fn in_subscription(mut self, subscription: impl Into<Option<SubscriptionId>>) -> Self {
        self.subscription = subscription.into();
        self
    }

    /// Only in this resource group.
    pub fn in_group(mut self, group: impl Into<Option<ResourceGroup>>) -> Self {
        self.group = group.into();
        self
    }

    /// Only in this location.
    pub fn in_location(mut self, location: impl Into<Option<Location>>) -> Self {
        self.location = location.into();
        self
    }

    /// The query in Resource Graph's language, one stage a line, and the subscription it is limited to.
    pub(super) fn body(&self) -> Value {
        let mut stages = vec![
            "Resources".to_owned(),
            "where type =~ 'microsoft.quantum/workspaces'".to_owned(),
            format!("where name =~ {}", literal(self.name.as_str())),
        ];
        stages.extend(
            self.group.as_ref().map(|group| format!("where resourceGroup =~ {}", literal(group.as_str()))),
        );
        stages.extend(
            self.location.as_ref().map(|place| format!("where location =~ {}", literal(place.as_str()))),
        );
        stages.push(
            "extend endpointUri = tostring(properties.endpointUri), workspaceKind = tostring(properties.workspaceKind)"
                .to_owned(),
        );
        stages.push(
            "project name, subscriptionId, resourceGroup, location, endpointUri, workspaceKind".to_owned(),
        );
        let query = stages.join("\n| ");
        match &self.subscription {
            Some(subscription) => json!({"query": query, "subscriptions": [subscription.as_str()]}),
            None => json!({"query": query}),
        }
    }
}

/// A text as a literal of the query language: backslash and quote are escaped, so that no name can change the query.
fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
}

/// A workspace that was found.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct FoundWorkspace {
    /// The name.
    pub name: Option<String>,
    /// Its subscription.
    pub subscription_id: Option<String>,
    /// Its resource group.
    pub resource_group: Option<String>,
    /// Its location.
    pub location: Option<String>,
    /// The data plane's address; empty for a workspace that is not ready.
    pub endpoint_uri: Option<String>,
    /// `V1` or `V2`; empty where the service does not tell.
    pub workspace_kind: Option<String>,
}

impl FoundWorkspace {
    /// The resource id, if the row holds all its parts.
    #[must_use]
    pub fn resource_id(&self) -> Option<ResourceId> {
        let part = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        let subscription = part(&self.subscription_id)?.parse().ok()?;
        let group = part(&self.resource_group)?.parse().ok()?;
        let name = part(&self.name)?.parse().ok()?;
        Some(ResourceId::new(subscription, group, name))
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct Answer {
    #[serde(default, deserialize_with = "null_as_default")]
    pub(super) data: Vec<FoundWorkspace>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_narrows_the_query() {
        let query = WorkspaceQuery::by_name("contoso-ws".parse().unwrap())
            .in_group("rg(1)".parse::<ResourceGroup>().unwrap())
            .in_location("West Europe".parse::<Location>().unwrap())
            .in_subscription("11111111-2222-3333-4444-555555555555".parse::<SubscriptionId>().unwrap());
        let body = query.body();
        let lines: Vec<&str> = body["query"].as_str().unwrap().lines().collect();
        assert_eq!(lines[2], "| where name =~ 'contoso-ws'");
        assert_eq!(lines[3], "| where resourceGroup =~ 'rg(1)'");
        assert_eq!(lines[4], "| where location =~ 'westeurope'");
        assert_eq!(body["subscriptions"][0], "11111111-2222-3333-4444-555555555555");
        assert_eq!(WorkspaceQuery::by_name("ws".parse().unwrap()).body().get("subscriptions"), None);
    }

    #[test]
    fn literals_cannot_be_left() {
        assert_eq!(literal(r"a' or '\"), r"'a\' or \'\\'");
    }
}
