use super::List;
use crate::{Error, Operation, ProviderStatus, QuotaUsage, pipeline::Pipeline, request::Request};

/// Suite offers: quotas that a subscription has of a provider, across its workspaces.
#[derive(Debug, Clone, Copy)]
pub struct SuiteOffers<'a> {
    pipeline: &'a Pipeline,
}

impl<'a> SuiteOffers<'a> {
    pub(crate) fn new(pipeline: &'a Pipeline) -> Self {
        Self { pipeline }
    }

    /// What the workspace's subscription has used of a provider.
    pub fn quota_usages(&self, provider: &str) -> List<QuotaUsage> {
        let segments = ["suiteOffers", provider, "quotaUsages"];
        List::new(self.pipeline, Request::of_subscription(Operation::SuiteOfferQuotaUsages, segments))
    }

    /// The provider as the workspace's subscription sees it.
    ///
    /// # Errors
    /// [`Error::is_not_found`] if the subscription has no such offer.
    pub async fn provider_status(&self, provider: &str) -> Result<ProviderStatus, Error> {
        let segments = ["suiteOffers", provider, "providerStatus"];
        self.pipeline.fetch(&Request::of_subscription(Operation::SuiteOfferProviderStatus, segments)).await
    }
}
