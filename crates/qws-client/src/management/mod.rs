//! The control plane: Azure Resource Manager and Resource Graph, as far as they know quantum workspaces.

mod graph;
mod models;
mod resolver;

use std::{fmt, sync::Arc, time::Duration};

use futures::future::{BoxFuture, FutureExt};
use http::Method;
use qws_auth::Credential;
use qws_config::{ResourceGroup, ResourceId, SubscriptionId};
use serde_json::{Value, json};

use crate::{
    ClientOptions, Error, List, Operation,
    pipeline::{Origin, Pipeline},
    request::{Base, Request},
};

pub use graph::{FoundWorkspace, WorkspaceQuery};
pub use models::{AccessKey, AccessKeys, KeyType, WorkspaceProperties, WorkspaceResource};
pub(crate) use resolver::Resolver;

/// The version of the Resource Manager's API for quantum workspaces.
const MANAGEMENT_API_VERSION: &str = "2025-12-15-preview";

/// The version of Resource Graph's API.
const GRAPH_API_VERSION: &str = "2021-03-01";

/// Workspaces as resources: where they are, their access keys. It needs a token; an API key does not open it.
///
/// Cheap to clone.
#[derive(Clone)]
pub struct Management {
    pipeline: Pipeline,
}

/// The Resource Manager's address does not change.
#[derive(Debug)]
struct Fixed(Arc<Base>);

impl Origin for Fixed {
    fn base(&self) -> Arc<Base> {
        self.0.clone()
    }

    fn renew(&self) -> BoxFuture<'_, Result<Option<Arc<Base>>, Error>> {
        async { Ok(None) }.boxed()
    }
}

impl Management {
    /// The Resource Manager of the options' cloud, with this credential. Nothing is sent.
    ///
    /// # Errors
    /// As [`crate::Client::new`]; [`crate::ErrorKind::InvalidInput`] if the cloud's Resource Manager is foreign and was
    /// named by an environment variable alone: a token goes only where code or a profile sends it.
    pub fn new(credential: Arc<dyn Credential>, options: &ClientOptions) -> Result<Self, Error> {
        let cloud = options.in_cloud();
        let url = cloud
            .resource_manager()
            .for_secrets()
            .map_err(|error| Error::from(error).with_operation(Operation::Connect))?;
        if cloud.resource_manager().is_foreign() {
            tracing::info!(host = url.host_str(), "using a Resource Manager outside the public clouds");
        }
        let origin = Arc::new(Fixed(Arc::new(Base::of_service(url.clone(), MANAGEMENT_API_VERSION))));
        Ok(Self { pipeline: Pipeline::new(origin, credential, cloud.management_scope(), options)? })
    }

    /// The same with another limit for its single calls, retries included; `None` for no limit.
    #[must_use]
    pub fn with_deadline(mut self, deadline: impl Into<Option<Duration>>) -> Self {
        self.pipeline = self.pipeline.with_deadline(deadline.into());
        self
    }

    /// Fetches a workspace (REST: workspaces, get).
    ///
    /// # Errors
    /// [`Error::is_not_found`], with codes `SubscriptionNotFound`, `ResourceGroupNotFound` or `ResourceNotFound`.
    pub async fn workspace(&self, id: &ResourceId) -> Result<WorkspaceResource, Error> {
        self.pipeline.fetch(&request(Operation::WorkspacesGet, Method::GET, &id.workspace_path())).await
    }

    /// The workspaces of a subscription, or of one of its resource groups (REST: workspaces, list).
    pub fn workspaces(
        &self,
        subscription: &SubscriptionId,
        group: Option<&ResourceGroup>,
    ) -> List<WorkspaceResource> {
        let path = match group {
            None => format!("/subscriptions/{subscription}/providers/Microsoft.Quantum/workspaces"),
            Some(group) => {
                let group = crate::request::encode(group.as_str());
                format!(
                    "/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.Quantum/workspaces"
                )
            }
        };
        List::new(&self.pipeline, request(Operation::WorkspacesList, Method::GET, &path))
    }

    /// Finds workspaces by name (and whatever else is known) among all that the identity may see, through Resource Graph.
    ///
    /// # Errors
    /// [`crate::ErrorKind::MalformedAnswer`] for rows that are not workspaces. No match is an empty list.
    pub async fn find(&self, query: &WorkspaceQuery) -> Result<Vec<FoundWorkspace>, Error> {
        let path = "/providers/Microsoft.ResourceGraph/resources";
        let request = request(Operation::WorkspacesFind, Method::POST, path).api_version(GRAPH_API_VERSION);
        let answer: graph::Answer = self.pipeline.fetch(&request.json(&query.body())?).await?;
        Ok(answer.data)
    }

    /// The access keys of a workspace, in clear (REST: workspaces, list keys).
    ///
    /// # Errors
    /// [`crate::ErrorKind::Forbidden`] for an identity that may not see them.
    pub async fn keys(&self, id: &ResourceId) -> Result<AccessKeys, Error> {
        let path = format!("{}/listKeys", id.workspace_path());
        self.pipeline.fetch(&request(Operation::KeysList, Method::POST, &path)).await
    }

    /// Replaces access keys; the old ones stop working at once (REST: workspaces, regenerate keys). It is never
    /// repeated by itself: after an error that [`Error::is_transient`], look with [`Management::keys`].
    ///
    /// # Errors
    /// [`crate::ErrorKind::Forbidden`] for an identity that may not.
    pub async fn regenerate_keys(&self, id: &ResourceId, keys: &[KeyType]) -> Result<(), Error> {
        let path = format!("{}/regenerateKey", id.workspace_path());
        let request =
            request(Operation::KeysRegenerate, Method::POST, &path).ok(&[200, 204]).not_repeatable();
        let names: Vec<&str> = keys.iter().map(KeyType::as_str).collect();
        self.pipeline.send(&request.json(&json!({"keys": names}))?).await.map(drop)
    }

    /// Switches the workspace's access keys on or off: fetches the resource and puts it back with that one change, as
    /// the Azure CLI does (REST: workspaces, create or update).
    ///
    /// # Errors
    /// [`crate::ErrorKind::Forbidden`] for an identity that may not; [`Error::is_not_found`].
    pub async fn set_access_keys_enabled(
        &self,
        id: &ResourceId,
        enabled: bool,
    ) -> Result<WorkspaceResource, Error> {
        let path = id.workspace_path();
        let mut resource: Value =
            self.pipeline.fetch(&request(Operation::WorkspacesGet, Method::GET, &path)).await?;
        if let Some(fields) = resource.as_object_mut() {
            for read_only in ["id", "name", "type", "systemData"] {
                fields.remove(read_only);
            }
        }
        resource["properties"]["apiKeyEnabled"] = enabled.into();
        let request = request(Operation::WorkspacesUpdate, Method::PUT, &path).ok(&[200, 201]);
        self.pipeline.fetch(&request.json(&resource)?).await
    }
}

fn request(operation: Operation, method: Method, path: &str) -> Request {
    Request::at_path(operation, method, path)
}

impl fmt::Debug for Management {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Management").field("pipeline", &self.pipeline).finish()
    }
}
