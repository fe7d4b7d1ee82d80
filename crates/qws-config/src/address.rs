//! A workspace, completely told.

use crate::connection_string::ConnectionString;
use crate::endpoint::Endpoint;
use crate::kind::WorkspaceKind;
use crate::location::Location;
use crate::resource_id::ResourceId;

/// All that is needed to reach a workspace: which one, and where its data plane is.
///
/// ```
/// use qws_config::{ConnectionString, WorkspaceAddress, WorkspaceKind};
///
/// let string: ConnectionString = "SubscriptionId=11111111-2222-3333-4444-555555555555;ResourceGroupName=contoso-rg;\
///     WorkspaceName=contoso-ws;ApiKey=k1;QuantumEndpoint=https://eastus-v2.quantum.azure.com/;"
///     .parse()?;
/// let address = WorkspaceAddress::from(&string);
/// assert_eq!(address.location().map(|l| l.as_str()), Some("eastus"));
/// assert_eq!(address.kind(), Some(WorkspaceKind::V2));
/// # Ok::<(), qws_config::ParseError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct WorkspaceAddress {
    resource_id: ResourceId,
    endpoint: Endpoint,
    location: Option<Location>,
    kind: Option<WorkspaceKind>,
}

impl WorkspaceAddress {
    /// Joins a workspace and its endpoint; location and kind are those that the endpoint's host tells.
    #[must_use]
    pub fn new(resource_id: ResourceId, endpoint: Endpoint) -> Self {
        let (location, kind) = (endpoint.location().cloned(), endpoint.kind());
        Self { resource_id, endpoint, location, kind }
    }

    /// Sets the location, as Resource Manager tells it.
    #[must_use]
    pub fn with_location(mut self, location: Location) -> Self {
        self.location = Some(location);
        self
    }

    /// Sets the kind, as Resource Manager tells it.
    #[must_use]
    pub fn with_kind(mut self, kind: WorkspaceKind) -> Self {
        self.kind = Some(kind);
        self
    }

    /// Which workspace.
    #[must_use]
    pub fn resource_id(&self) -> &ResourceId {
        &self.resource_id
    }

    /// Where its data plane is.
    #[must_use]
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Its region, if known.
    #[must_use]
    pub fn location(&self) -> Option<&Location> {
        self.location.as_ref()
    }

    /// Its generation, if known.
    #[must_use]
    pub fn kind(&self) -> Option<WorkspaceKind> {
        self.kind.clone()
    }
}

impl From<&ConnectionString> for WorkspaceAddress {
    fn from(string: &ConnectionString) -> Self {
        Self::new(string.resource_id().clone(), string.endpoint().clone())
    }
}
