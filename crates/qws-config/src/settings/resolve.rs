//! From settings to a workspace address.

use super::error::SettingsError;
use super::merge::{Merged, merge};
use super::value::{Given, Value};
use super::{Settings, Source};
use crate::address::WorkspaceAddress;
use crate::cloud::{Cloud, CloudUrl};
use crate::endpoint::Endpoint;
use crate::error::Part;
use crate::location::Location;
use crate::names::{ResourceGroup, SubscriptionId, TenantId, WorkspaceName};
use crate::resource_id::ResourceId;
use crate::secret::Secret;

/// How far the settings tell the workspace.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Resolution {
    /// All is known.
    Complete(WorkspaceAddress),
    /// The workspace is known, its endpoint is not: ask Azure Resource Manager.
    #[non_exhaustive]
    NeedsEndpoint {
        /// The workspace.
        resource_id: ResourceId,
        /// Where it is said to be.
        location: Option<Location>,
    },
    /// Only the name is known for sure: find the workspace with Azure Resource Graph, narrowed by what else is known.
    #[non_exhaustive]
    NeedsIds {
        /// The name.
        workspace_name: WorkspaceName,
        /// Its subscription, if known.
        subscription_id: Option<SubscriptionId>,
        /// Its resource group, if known.
        resource_group: Option<ResourceGroup>,
        /// Its location, if known.
        location: Option<Location>,
        /// Its endpoint, if known: then it is not to be asked for.
        endpoint: Option<Endpoint>,
    },
}

/// The outcome of [`Settings::resolve`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolved {
    workspace: Resolution,
    api_key: Option<Secret>,
    tenant_id: Option<TenantId>,
    client_id: Option<Box<str>>,
    app_id: Option<Box<str>>,
    cloud: Cloud,
}

impl Resolved {
    /// The workspace, or what is left to find out about it.
    #[must_use]
    pub fn workspace(&self) -> &Resolution {
        &self.workspace
    }

    /// The complete address, if nothing is left to find out.
    #[must_use]
    pub fn address(&self) -> Option<&WorkspaceAddress> {
        match &self.workspace {
            Resolution::Complete(address) => Some(address),
            _ => None,
        }
    }

    /// The API key; it came with the endpoint of [`address`](Self::address) and goes nowhere else.
    #[must_use]
    pub fn api_key(&self) -> Option<&Secret> {
        self.api_key.as_ref()
    }

    /// The tenant to sign in to.
    #[must_use]
    pub fn tenant_id(&self) -> Option<&TenantId> {
        self.tenant_id.as_ref()
    }

    /// The application or managed identity to sign in as.
    #[must_use]
    pub fn client_id(&self) -> Option<&str> {
        self.client_id.as_deref()
    }

    /// What the program calls itself in the user agent.
    #[must_use]
    pub fn app_id(&self) -> Option<&str> {
        self.app_id.as_deref()
    }

    /// The cloud around the workspace.
    #[must_use]
    pub fn cloud(&self) -> &Cloud {
        &self.cloud
    }
}

impl Settings {
    /// The workspace that the settings name, as completely as they do.
    ///
    /// # Errors
    /// [`SettingsError::Missing`] if no source names a workspace; [`SettingsError::Conflict`] if two sources of one rank disagree;
    /// [`SettingsError::Invalid`], or `SettingsError::Profile` with feature `files`, if a source that is needed cannot be read.
    pub fn resolve(&self) -> Result<Resolved, SettingsError> {
        self.merged().resolve()
    }

    pub(super) fn merged(&self) -> Merged {
        let mut merged = match self.ranked() {
            Ok(layers) => merge(&layers),
            Err(error) => Merged { problem: Some(error), ..Merged::default() },
        };
        merged.ignored.extend(self.notes.iter().cloned());
        merged
    }
}

/// The value of one kind, if it was taken.
macro_rules! taken {
    ($merged:expr, $kind:ident) => {
        match $merged.get(Part::$kind) {
            Some(Given { value: Value::$kind(value), .. }) => Some(value.clone()),
            _ => None,
        }
    };
}

impl Merged {
    pub(super) fn resolve(&self) -> Result<Resolved, SettingsError> {
        if let Some(problem) = &self.problem {
            return Err(problem.clone());
        }
        Ok(Resolved {
            workspace: self.workspace()?,
            api_key: taken!(self, ApiKey).flatten(),
            tenant_id: taken!(self, TenantId),
            client_id: taken!(self, ClientId),
            app_id: taken!(self, AppId),
            cloud: self.cloud(),
        })
    }

    fn workspace(&self) -> Result<Resolution, SettingsError> {
        let endpoint = taken!(self, Endpoint);
        let location = taken!(self, Location).or_else(|| endpoint.as_ref()?.location().cloned());
        let ids = (taken!(self, SubscriptionId), taken!(self, ResourceGroup), taken!(self, WorkspaceName));
        Ok(match ids {
            (Some(subscription), Some(group), Some(name)) => {
                let resource_id = ResourceId::new(subscription, group, name);
                match endpoint {
                    Some(endpoint) => {
                        let address = WorkspaceAddress::new(resource_id, endpoint);
                        Resolution::Complete(match location {
                            Some(location) => address.with_location(location),
                            None => address,
                        })
                    }
                    None => Resolution::NeedsEndpoint { resource_id, location },
                }
            }
            (subscription_id, resource_group, Some(workspace_name)) => {
                Resolution::NeedsIds { workspace_name, subscription_id, resource_group, location, endpoint }
            }
            (subscription, group, None) => {
                let partly = subscription.is_some() || group.is_some();
                let ignored = self.ignored.iter().map(ToString::to_string).collect();
                return Err(SettingsError::Missing { partly, ignored });
            }
        })
    }

    pub(super) fn cloud(&self) -> Cloud {
        let public = Cloud::public();
        let url = |part, default: CloudUrl| match self.get(part) {
            Some(Given { value: Value::ResourceManager(url) | Value::Authority(url), source }) => {
                CloudUrl { part, url: url.clone(), source: source.clone() }
            }
            _ => default,
        };
        Cloud {
            resource_manager: url(Part::ResourceManager, public.resource_manager),
            authority: url(Part::Authority, public.authority),
            quantum_scope: taken!(self, QuantumScope),
            management_scope: taken!(self, ManagementScope),
            ca_file: taken!(self, CaFile),
        }
    }
}

impl Cloud {
    /// What differs from the public cloud.
    pub(super) fn values(&self) -> Vec<Value> {
        let set = |url: &CloudUrl| (url.source != Source::Default).then(|| url.url.clone());
        let mut values = Vec::new();
        values.extend(set(&self.resource_manager).map(Value::ResourceManager));
        values.extend(set(&self.authority).map(Value::Authority));
        values.extend(self.quantum_scope.clone().map(Value::QuantumScope));
        values.extend(self.management_scope.clone().map(Value::ManagementScope));
        values.extend(self.ca_file.clone().map(Value::CaFile));
        values
    }
}
