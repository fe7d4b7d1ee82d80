//! From what is known of a workspace to its address, asking only for what is missing.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use http::StatusCode;
use qws_config::{Endpoint, Location, Resolution, ResourceId, WorkspaceAddress, WorkspaceKind};

use super::{FoundWorkspace, Management, WorkspaceQuery};
use crate::{Error, ErrorKind, Operation};

/// Finds the address of a workspace, and finds it again when the service says that it is wrong.
#[derive(Debug, Clone)]
pub(crate) struct Resolver {
    management: Management,
    /// A Resource Manager on this machine may name an endpoint on this machine; the public one may not.
    local: bool,
    resolution: Resolution,
    found: Arc<Mutex<HashMap<ResourceId, WorkspaceAddress>>>,
}

impl Resolver {
    pub(crate) fn new(management: Management, local: bool, resolution: Resolution) -> Self {
        Self { management, local, resolution, found: Arc::default() }
    }

    /// The address, from memory if it was found before.
    pub(crate) async fn address(&self) -> Result<WorkspaceAddress, Error> {
        match &self.resolution {
            Resolution::Complete(address) => Ok(address.clone()),
            Resolution::NeedsEndpoint { resource_id, location, .. } => {
                if let Some(known) = self.remembered(resource_id) {
                    return Ok(known);
                }
                let found = self.ask_resource_manager(resource_id, location.as_ref()).await?;
                self.remember(found.clone());
                Ok(found)
            }
            Resolution::NeedsIds { .. } => self.discover().await,
            _ => Err(connect(
                ErrorKind::Other,
                "the settings leave something to find out that this version cannot",
            )),
        }
        .map_err(|error| error.with_operation(Operation::Connect))
    }

    /// The address as the Resource Manager tells it now, whatever was found or given before.
    pub(crate) async fn address_anew(&self) -> Result<WorkspaceAddress, Error> {
        let id = match &self.resolution {
            Resolution::Complete(address) => address.resource_id().clone(),
            Resolution::NeedsEndpoint { resource_id, .. } => resource_id.clone(),
            _ => return self.discover().await,
        };
        self.found.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
        let found = self.ask_resource_manager(&id, None).await?;
        self.remember(found.clone());
        Ok(found)
    }

    fn remembered(&self, id: &ResourceId) -> Option<WorkspaceAddress> {
        self.found.lock().unwrap_or_else(PoisonError::into_inner).get(id).cloned()
    }

    fn remember(&self, address: WorkspaceAddress) {
        let id = address.resource_id().clone();
        self.found.lock().unwrap_or_else(PoisonError::into_inner).insert(id, address);
    }

    /// Asks for the endpoint. If the Resource Manager refuses this identity or is out of reach, the location, where one
    /// was given, says where the workspace must be; never if it says that there is no such workspace.
    async fn ask_resource_manager(
        &self,
        id: &ResourceId,
        location: Option<&Location>,
    ) -> Result<WorkspaceAddress, Error> {
        let resource = match self.management.workspace(id).await {
            Ok(resource) => resource,
            Err(error) => {
                let refused =
                    matches!(error.status(), Some(StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN));
                let unreachable = matches!(error.kind(), ErrorKind::Network | ErrorKind::Deadline);
                let by_location = location.and_then(|place| Some((place, Endpoint::for_location(place)?)));
                let Some((place, endpoint)) = by_location.filter(|_| refused || unreachable) else {
                    return Err(error);
                };
                tracing::warn!(%error, %endpoint, "the Resource Manager did not tell the endpoint; taking it from the location");
                return Ok(WorkspaceAddress::new(id.clone(), endpoint).with_location(place.clone()));
            }
        };
        let properties = &resource.properties;
        let state = properties.provisioning_state.as_deref().unwrap_or("unknown");
        let Some(uri) = properties.endpoint_uri.as_deref().filter(|uri| !uri.is_empty()) else {
            let text = format!("the workspace {id} has no endpoint; its state is `{state}`");
            return Err(connect(ErrorKind::InvalidRequest, &text)
                .with_hint("wait until it is deployed; if that failed, create it again"));
        };
        self.address_of(id.clone(), uri, resource.location.as_deref(), properties.workspace_kind.as_deref())
    }

    async fn discover(&self) -> Result<WorkspaceAddress, Error> {
        let Resolution::NeedsIds {
            workspace_name, subscription_id, resource_group, location, endpoint, ..
        } = &self.resolution
        else {
            let text = "the settings leave something to find out that this version cannot";
            return Err(connect(ErrorKind::Other, text));
        };
        let query = WorkspaceQuery::by_name(workspace_name.clone())
            .in_subscription(subscription_id.clone())
            .in_group(resource_group.clone())
            .in_location(location.clone());
        let found = self.management.find(&query).await?;
        let one = match found.as_slice() {
            [one] => one,
            [] => {
                let text = format!("no workspace named `{workspace_name}` is visible to this identity");
                return Err(connect(ErrorKind::NotFound, &text).with_hint(
                    "check the name and the tenant you are signed in to, and that the identity has a role on the workspace",
                ));
            }
            several => {
                let ids: Vec<String> =
                    several.iter().filter_map(FoundWorkspace::resource_id).map(|id| id.to_string()).collect();
                let text = format!("{} workspaces are named `{workspace_name}`", several.len());
                return Err(connect(ErrorKind::InvalidInput, &text)
                    .with_hint(format!("name one by its resource id: {}", ids.join(", "))));
            }
        };
        let incomplete = || {
            let text = format!("the workspace `{workspace_name}` was found without its ids or endpoint");
            connect(ErrorKind::InvalidRequest, &text)
                .with_hint("it may still be deploying; name it by its resource id")
        };
        let id = one.resource_id().ok_or_else(incomplete)?;
        if let Some(endpoint) = endpoint {
            return Ok(WorkspaceAddress::new(id, endpoint.clone()));
        }
        let uri = one.endpoint_uri.as_deref().filter(|uri| !uri.is_empty()).ok_or_else(incomplete)?;
        self.address_of(id, uri, one.location.as_deref(), one.workspace_kind.as_deref())
    }

    /// The address that was told, its endpoint checked before any token or key goes there.
    fn address_of(
        &self,
        id: ResourceId,
        uri: &str,
        location: Option<&str>,
        kind: Option<&str>,
    ) -> Result<WorkspaceAddress, Error> {
        let endpoint: Endpoint = uri.parse().map_err(|error: qws_config::ParseError| {
            connect(
                ErrorKind::ForeignOrigin,
                "the Resource Manager gave an endpoint that is none of Azure Quantum's",
            )
            .with_source(error)
        })?;
        if endpoint.is_loopback() && !self.local {
            let text = "the Resource Manager gave an endpoint on this machine, and is not on it itself";
            return Err(connect(ErrorKind::ForeignOrigin, text));
        }
        let mut address = WorkspaceAddress::new(id, endpoint);
        // Location and kind are only told; one that we cannot read is left out.
        if let Some(location) = location.and_then(|text| text.parse().ok()) {
            address = address.with_location(location);
        }
        if let Some(kind) = kind.and_then(WorkspaceKind::read) {
            address = address.with_kind(kind);
        }
        Ok(address)
    }
}

fn connect(kind: ErrorKind, text: &str) -> Error {
    Error::new(kind, text).with_operation(Operation::Connect)
}
