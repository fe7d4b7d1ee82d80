use super::List;
use crate::{Client, Error, Operation, ProviderStatus, QuotaUsage, request::Request};

/// Suite offers: quotas that a subscription has of a provider, across its workspaces.
#[derive(Debug, Clone, Copy)]
pub struct SuiteOffers<'a> {
    client: &'a Client,
}

impl<'a> SuiteOffers<'a> {
    pub(crate) fn new(client: &'a Client) -> Self {
        Self { client }
    }

    /// What the workspace's subscription has used of a provider.
    pub fn quota_usages(&self, provider: &str) -> List<QuotaUsage> {
        let segments = ["suiteOffers", provider, "quotaUsages"];
        List::new(self.client, Request::of_subscription(Operation::SuiteOfferQuotaUsages, segments))
    }

    /// The provider as the workspace's subscription sees it.
    ///
    /// # Errors
    /// [`Error::is_not_found`] if the subscription has no such offer.
    pub async fn provider_status(&self, provider: &str) -> Result<ProviderStatus, Error> {
        let segments = ["suiteOffers", provider, "providerStatus"];
        self.client.fetch(&Request::of_subscription(Operation::SuiteOfferProviderStatus, segments)).await
    }
}
