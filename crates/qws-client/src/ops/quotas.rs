use super::List;
use crate::{Operation, Quota, QuotaUsage, pipeline::Pipeline, request::Request};

/// Quotas of a workspace. Which of the two lists says something depends on the kind of workspace.
#[derive(Debug, Clone, Copy)]
pub struct Quotas<'a> {
    pipeline: &'a Pipeline,
}

impl<'a> Quotas<'a> {
    pub(crate) fn new(pipeline: &'a Pipeline) -> Self {
        Self { pipeline }
    }

    /// Quotas of a V1 workspace, by dimension, with how much is used.
    pub fn list(&self) -> List<Quota> {
        List::new(self.pipeline, Request::get(Operation::QuotasList, ["quotas"]))
    }

    /// What a V2 workspace has used of a provider.
    pub fn usages(&self, provider: &str) -> List<QuotaUsage> {
        let request = Request::get(Operation::QuotaUsagesList, ["quotaUsages"]);
        List::new(self.pipeline, request.query("providerId", provider.to_owned()))
    }
}
