use http::Method;
use serde::{Deserialize, Serialize};

use crate::{BlobUri, Error, Operation, pipeline::Pipeline, request::Request};

/// Links to a workspace's storage.
#[derive(Debug, Clone, Copy)]
pub struct Storage<'a> {
    pipeline: &'a Pipeline,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct BlobDetails<'a> {
    container_name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    blob_name: Option<&'a str>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SasUriResponse {
    sas_uri: BlobUri,
}

impl<'a> Storage<'a> {
    pub(crate) fn new(pipeline: &'a Pipeline) -> Self {
        Self { pipeline }
    }

    /// A fresh link, with a SAS, to a container (`blob` none) or to a blob in it. Neither needs to exist; the service
    /// creates the container.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Forbidden`] also when the workspace itself has no role on its storage account.
    pub async fn sas_uri(&self, container: &str, blob: Option<&str>) -> Result<BlobUri, Error> {
        let request = Request::new(Operation::StorageSasUri, Method::POST, ["storage", "sasUri"]);
        let body = BlobDetails { container_name: container, blob_name: blob };
        let answer: SasUriResponse = self.pipeline.fetch(&request.json(&body)?).await?;
        Ok(answer.sas_uri)
    }
}
