//! What the credentials of all command-line tools can be told.

use std::time::Duration;

use qws_config::TenantId;
use zeroize::Zeroizing;

use crate::{AuthError, AuthRequest, Host, tenants::Tenants, tool::ToolFailure};

/// Which machine, whose tokens, and how long a tool may take.
#[derive(Clone)]
pub(crate) struct ToolSettings {
    pub(crate) host: Host,
    pub(crate) tenants: Tenants,
    pub(crate) limit: Duration,
}

impl ToolSettings {
    pub(crate) fn new() -> Self {
        Self { host: Host::from_process(), tenants: Tenants::default(), limit: Duration::from_secs(10) }
    }

    /// The tenant to name to the tool; `None` leaves it its own.
    pub(crate) fn tenant<'a>(&'a self, request: &'a AuthRequest) -> Result<Option<&'a TenantId>, AuthError> {
        self.tenants.choose(&self.host, request.tenant())
    }

    /// As [`super::run`], within the limit.
    pub(crate) async fn run(
        &self,
        name: &str,
        arguments: &[&str],
        variables: &[(&str, &str)],
    ) -> Result<Zeroizing<Vec<u8>>, ToolFailure> {
        super::run(&self.host, name, arguments, variables, self.limit).await
    }
}

/// These settings as methods, for a type with `new` whose `tokens` have a source with a field `tool`.
macro_rules! tool_settings {
    ($name:ty) => {
        impl $name {
            /// Uses this environment and clock.
            #[must_use]
            pub fn with_host(self, host: $crate::Host) -> Self {
                Self { tokens: self.tokens.reconfigured(|source| source.tool.host = host) }
            }

            /// Gives tokens of this tenant.
            #[must_use]
            pub fn with_tenant(self, tenant: $crate::TenantId) -> Self {
                Self { tokens: self.tokens.reconfigured(|source| source.tool.tenants.set_own(tenant)) }
            }

            /// Gives tokens of this tenant too, when a request asks for one.
            #[must_use]
            pub fn allow_tenant(self, tenant: $crate::TenantId) -> Self {
                Self { tokens: self.tokens.reconfigured(|source| source.tool.tenants.allow(tenant)) }
            }

            /// How long the tool may take. Default 10 s.
            #[must_use]
            pub fn with_time_limit(self, limit: ::std::time::Duration) -> Self {
                Self { tokens: self.tokens.reconfigured(|source| source.tool.limit = limit) }
            }
        }

        impl Default for $name {
            fn default() -> Self {
                Self::new()
            }
        }
    };
}
pub(crate) use tool_settings;
