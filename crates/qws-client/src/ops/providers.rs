use super::List;
use crate::{Client, Operation, ProviderStatus, request::Request};

/// Providers of a workspace.
#[derive(Debug, Clone, Copy)]
pub struct Providers<'a> {
    client: &'a Client,
}

impl<'a> Providers<'a> {
    pub(crate) fn new(client: &'a Client) -> Self {
        Self { client }
    }

    /// The providers that are enabled in the workspace, with their targets and how these are now.
    /// [`crate::ErrorKind::Unauthenticated`] is usually the first thing that a wrong key meets here.
    pub fn list(&self) -> List<ProviderStatus> {
        List::new(self.client, Request::get(Operation::ProvidersList, ["providerStatus"]))
    }
}
