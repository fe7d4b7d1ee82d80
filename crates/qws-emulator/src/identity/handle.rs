//! What programs and tests say about identities.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::directory::{Application, AssignedIdentity, Role};
use crate::state::Shared;
use crate::token;

/// Who may sign in to an emulator, and how; [`Emulator::identity`](crate::Emulator::identity) gives it.
///
/// From the start there is one tenant, and the machine has a system-assigned identity.
///
/// ```
/// use qws_emulator::{Application, Emulator};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), std::io::Error> {
/// let emulator = Emulator::start().await?;
/// let secrets = vec!["open sesame".to_owned()];
/// emulator.identity().register(Application { secrets, ..Application::default() });
/// let token_endpoint =
///     format!("{}{}/oauth2/v2.0/token", emulator.identity().authority_url(), emulator.identity().tenant_id());
/// # let _ = token_endpoint;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Identity {
    shared: Arc<Shared>,
}

impl Identity {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }

    /// Entra ID: `http://127.0.0.1:PORT/`, tenants right below.
    #[must_use]
    pub fn authority_url(&self) -> String {
        format!("{}/", self.shared.addresses.authority)
    }

    /// The tenant of the emulated subscription.
    #[must_use]
    pub fn tenant_id(&self) -> &'static str {
        token::TENANT
    }

    /// The instance metadata service of the machine, for `AZURE_POD_IDENTITY_AUTHORITY_HOST`; always plain HTTP.
    #[must_use]
    pub fn imds_url(&self) -> String {
        self.shared.addresses.metadata.clone()
    }

    /// What App Service puts into `IDENTITY_ENDPOINT`; always plain HTTP.
    #[must_use]
    pub fn app_service_endpoint(&self) -> String {
        format!("{}{}", self.shared.addresses.metadata, crate::route::APP_SERVICE)
    }

    /// What App Service puts into `IDENTITY_HEADER`.
    #[must_use]
    pub fn app_service_header(&self) -> String {
        self.shared.directory().app_service_header.clone()
    }

    /// Adds a tenant. The Resource Manager refuses its tokens: the subscription is in [`Self::tenant_id`].
    pub fn add_tenant(&self, tenant_id: &str) {
        self.shared.directory().tenants.push(tenant_id.to_owned());
    }

    /// Adds an application, in place of one with the same client id.
    pub fn register(&self, application: Application) {
        self.shared.directory().register(application);
    }

    /// Assigns an identity to the machine, in place of one with the same client id.
    pub fn assign(&self, identity: AssignedIdentity) {
        self.shared.directory().assign(identity);
    }

    /// Takes away the application, identity or user with this client id or name; what they hold opens nothing any more.
    pub fn remove(&self, id: &str) {
        self.shared.directory().remove(id);
    }

    /// Takes all identities away from the machine, its own included.
    pub fn unassign_all(&self) {
        self.shared.directory().assigned.clear();
    }

    /// Sets what the application or identity with this client id may do, from now on and with every token it has.
    pub fn set_role(&self, client_id: &str, role: Role) {
        self.shared.directory().set_role(client_id, role);
    }

    /// A refresh token, as if this user had signed in through an application. It can be redeemed once, for the next one.
    #[must_use]
    pub fn refresh_token(&self, client_id: &str, user: &str) -> String {
        let refresh_token = self.shared.request_id();
        self.shared.directory().sign_in(&refresh_token, client_id, user);
        refresh_token
    }

    /// Gives a federated assertion, as the issuer that it names would.
    #[cfg(feature = "assertions")]
    #[must_use]
    pub fn assertion(&self, assertion: &super::Assertion) -> String {
        assertion.sign(self.shared.clock.now())
    }

    /// Takes the keys that an issuer publishes, a JSON Web Key Set: assertions of this issuer must then be signed with
    /// one of them, and no more by [`Self::assertion`].
    ///
    /// # Errors
    /// If it is no key set, or a key is not an RSA key.
    #[cfg(feature = "assertions")]
    pub fn publish_keys(&self, issuer: &str, keys: &serde_json::Value) -> Result<(), super::KeyError> {
        self.shared.directory().issuers.publish(issuer, keys)
    }

    /// How long tokens live from now on, on the emulator's clock; an hour unless set.
    pub fn set_token_lifetime(&self, lifetime: Duration) {
        self.shared.directory().terms.lifetime = lifetime;
    }

    /// Tells clients when to renew (`refresh_in`); they are not told unless set.
    pub fn set_refresh_in(&self, refresh_in: Option<Duration>) {
        self.shared.directory().terms.refresh_in = refresh_in;
    }

    /// Whether the machine's endpoints give times as JSON numbers in place of text; both are met in Azure.
    pub fn set_times_as_numbers(&self, numbers: bool) {
        self.shared.directory().terms.numbers = numbers;
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity").field("authority", &self.authority_url()).finish_non_exhaustive()
    }
}
