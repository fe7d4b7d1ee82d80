use crate::{Client, Error, Operation, ProviderStatus, request::Request};

/// Providers of a workspace.
#[derive(Debug, Clone, Copy)]
pub struct Providers<'a> {
    client: &'a Client,
}

impl<'a> Providers<'a> {
    pub(crate) fn new(client: &'a Client) -> Self {
        Self { client }
    }

    /// All providers that are enabled in the workspace, with their targets.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Unauthenticated`] is usually the first thing that a wrong key meets.
    pub async fn list(&self) -> Result<Vec<ProviderStatus>, Error> {
        self.client.fetch_all(Request::get(Operation::ProvidersList, ["providerStatus"])).await
    }
}
