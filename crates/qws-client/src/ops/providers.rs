use super::List;
use crate::{Operation, ProviderStatus, pipeline::Pipeline, request::Request};

/// Providers of a workspace.
#[derive(Debug, Clone, Copy)]
pub struct Providers<'a> {
    pipeline: &'a Pipeline,
}

impl<'a> Providers<'a> {
    pub(crate) fn new(pipeline: &'a Pipeline) -> Self {
        Self { pipeline }
    }

    /// The providers that are enabled in the workspace, with their targets and how these are now.
    /// [`crate::ErrorKind::Unauthenticated`] is usually the first thing that a wrong key meets here.
    pub fn list(&self) -> List<ProviderStatus> {
        List::new(self.pipeline, Request::get(Operation::ProvidersList, ["providerStatus"]))
    }
}
