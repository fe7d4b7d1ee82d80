//! Who is known: tenants, applications, identities, and what they may do.

use std::time::Duration;

use http::Method;
use serde::Deserialize;

use crate::route::Operation;
use crate::token::{Claims, Holder, LIFETIME, TENANT};

/// What a holder of tokens may do in every workspace of the emulator.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub enum Role {
    /// Everything.
    #[default]
    Contributor,
    /// Looking, without access keys and without submitting.
    Reader,
    /// Nothing: requests are refused with 403.
    None,
}

impl Role {
    pub(crate) fn allows(self, method: &Method, operation: Operation) -> bool {
        match self {
            Self::Contributor => true,
            // A query is a POST, but it only reads.
            Self::Reader => method == Method::GET || operation == Operation::ResourceGraph,
            Self::None => false,
        }
    }
}

/// An application of a tenant, which signs in as its service principal.
///
/// With neither secrets nor federated credentials it is a public client: it can only redeem refresh tokens.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Application {
    /// Its client id, a GUID.
    pub client_id: String,
    /// The object id of its service principal, a GUID.
    pub object_id: String,
    /// The tenant it is in: [`Identity::tenant_id`](crate::Identity::tenant_id) unless set.
    pub tenant_id: String,
    /// Its secrets; any of them opens.
    pub secrets: Vec<String>,
    /// Secrets that it once had.
    pub expired_secrets: Vec<String>,
    /// Whose assertions it trusts.
    pub federated_credentials: Vec<FederatedCredential>,
    /// What it may do.
    pub role: Role,
}

impl Default for Application {
    fn default() -> Self {
        Self {
            client_id: "aaaaaaaa-1111-4111-8111-aaaaaaaaaaaa".to_owned(),
            object_id: "aaaaaaaa-2222-4222-8222-aaaaaaaaaaaa".to_owned(),
            tenant_id: TENANT.to_owned(),
            secrets: Vec::new(),
            expired_secrets: Vec::new(),
            federated_credentials: Vec::new(),
            role: Role::default(),
        }
    }
}

/// The one outside identity that an application trusts; all three are compared to the letter.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FederatedCredential {
    /// Who signs: `iss` of the assertion.
    pub issuer: String,
    /// Whom it names: `sub`, for a Kubernetes service account `system:serviceaccount:NAMESPACE:NAME`.
    pub subject: String,
    /// Whom it is for: `aud`, nearly always `api://AzureADTokenExchange`.
    #[serde(default = "token_exchange")]
    pub audience: String,
}

pub(crate) fn token_exchange() -> String {
    "api://AzureADTokenExchange".to_owned()
}

/// A managed identity of the machine or app that asks.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct AssignedIdentity {
    /// Whether it is the machine's own (at most one is), or was assigned by a user.
    pub system_assigned: bool,
    /// Its client id, a GUID.
    pub client_id: String,
    /// Its object id, a GUID.
    pub object_id: String,
    /// Its resource id.
    pub resource_id: String,
    /// What it may do.
    pub role: Role,
}

impl Default for AssignedIdentity {
    fn default() -> Self {
        Self {
            system_assigned: false,
            client_id: "bbbbbbbb-1111-4111-8111-bbbbbbbbbbbb".to_owned(),
            object_id: "bbbbbbbb-2222-4222-8222-bbbbbbbbbbbb".to_owned(),
            resource_id: "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/emulator-rg/providers/Microsoft.ManagedIdentity/userAssignedIdentities/emulator-identity".to_owned(),
            role: Role::default(),
        }
    }
}

impl AssignedIdentity {
    /// The machine's own identity, there from the start.
    fn of_the_machine() -> Self {
        Self {
            system_assigned: true,
            client_id: "cccccccc-1111-4111-8111-cccccccccccc".to_owned(),
            object_id: "cccccccc-2222-4222-8222-cccccccccccc".to_owned(),
            resource_id: "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/emulator-rg/providers/Microsoft.Compute/virtualMachines/emulator-vm".to_owned(),
            role: Role::default(),
        }
    }

    pub(crate) fn holder(&self) -> Holder {
        Holder {
            tenant: TENANT.to_owned(),
            client_id: self.client_id.clone(),
            object_id: self.object_id.clone(),
        }
    }
}

/// Which identity a request to the machine's endpoints means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wanted<'a> {
    Unnamed,
    Client(&'a str),
    Object(&'a str),
    Resource(&'a str),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NotAssigned {
    Unknown,
    /// No identity was named, there is no system-assigned one, and several could be meant.
    Ambiguous,
}

/// A person signed in through an application, as far as the application knows: it holds a refresh token.
#[derive(Clone, Debug)]
pub(crate) struct SignIn {
    pub(crate) refresh_token: String,
    pub(crate) client_id: String,
    pub(crate) user: String,
}

/// How tokens are described to those who ask.
#[derive(Clone, Debug)]
pub(crate) struct Terms {
    pub(crate) lifetime: Duration,
    pub(crate) refresh_in: Option<Duration>,
    /// Whether the machine's endpoints tell times as JSON numbers in place of text.
    pub(crate) numbers: bool,
}

#[derive(Debug)]
pub(crate) struct Directory {
    pub(crate) tenants: Vec<String>,
    pub(crate) applications: Vec<Application>,
    pub(crate) assigned: Vec<AssignedIdentity>,
    pub(crate) users: Vec<String>,
    pub(crate) sign_ins: Vec<SignIn>,
    /// The keys of issuers that sign for themselves.
    #[cfg(feature = "assertions")]
    pub(crate) issuers: super::assertion::Issuers,
    pub(crate) app_service_header: String,
    pub(crate) terms: Terms,
}

impl Directory {
    pub(crate) fn new(random: &mut fastrand::Rng) -> Self {
        Self {
            tenants: vec![TENANT.to_owned()],
            applications: Vec::new(),
            assigned: vec![AssignedIdentity::of_the_machine()],
            users: Vec::new(),
            sign_ins: Vec::new(),
            #[cfg(feature = "assertions")]
            issuers: super::assertion::Issuers::default(),
            app_service_header: format!("{:032X}", random.u128(..)),
            terms: Terms { lifetime: LIFETIME, refresh_in: None, numbers: false },
        }
    }

    /// What the holder of a token may do now. Tokens of the emulator's own handle have no holder and may do everything.
    pub(crate) fn role(&self, claims: &Claims) -> Role {
        let Some(holder) = &claims.oid else { return Role::Contributor };
        let applications = self.applications.iter().map(|known| (&known.object_id, known.role));
        let assigned = self.assigned.iter().map(|known| (&known.object_id, known.role));
        let users = self.users.iter().map(|user| (user, Role::Contributor));
        applications
            .chain(assigned)
            .chain(users)
            .find(|(id, _)| id.eq_ignore_ascii_case(holder))
            .map_or(Role::None, |(_, role)| role)
    }

    pub(crate) fn application(&self, tenant: &str, client_id: &str) -> Option<&Application> {
        self.applications.iter().find(|known| {
            known.client_id.eq_ignore_ascii_case(client_id) && known.tenant_id.eq_ignore_ascii_case(tenant)
        })
    }

    /// The identity that is meant; without a name the machine's own, or the only one there is.
    pub(crate) fn assigned(&self, wanted: Wanted<'_>) -> Result<&AssignedIdentity, NotAssigned> {
        let by = |field: fn(&AssignedIdentity) -> &String, id: &str| {
            let found = self.assigned.iter().find(|known| field(known).eq_ignore_ascii_case(id));
            found.ok_or(NotAssigned::Unknown)
        };
        match wanted {
            Wanted::Client(id) => by(|known| &known.client_id, id),
            Wanted::Object(id) => by(|known| &known.object_id, id),
            Wanted::Resource(id) => by(|known| &known.resource_id, id),
            Wanted::Unnamed => match self.assigned.as_slice() {
                [] => Err(NotAssigned::Unknown),
                [only] => Ok(only),
                several => several.iter().find(|known| known.system_assigned).ok_or(NotAssigned::Ambiguous),
            },
        }
    }

    /// Adds an application, in place of the one with its id in its tenant.
    pub(crate) fn register(&mut self, application: Application) {
        let same = |known: &Application| {
            known.client_id.eq_ignore_ascii_case(&application.client_id)
                && known.tenant_id.eq_ignore_ascii_case(&application.tenant_id)
        };
        self.applications.retain(|known| !same(known));
        self.applications.push(application);
    }

    /// Adds an identity, in place of the one with its id.
    pub(crate) fn assign(&mut self, identity: AssignedIdentity) {
        self.assigned.retain(|known| !known.client_id.eq_ignore_ascii_case(&identity.client_id));
        self.assigned.push(identity);
    }

    pub(crate) fn set_role(&mut self, client_id: &str, role: Role) {
        let applications = self.applications.iter_mut().map(|known| (&known.client_id, &mut known.role));
        let assigned = self.assigned.iter_mut().map(|known| (&known.client_id, &mut known.role));
        for (id, known) in applications.chain(assigned) {
            if id.eq_ignore_ascii_case(client_id) {
                *known = role;
            }
        }
    }

    pub(crate) fn sign_in(&mut self, refresh_token: &str, client_id: &str, user: &str) {
        if !self.users.iter().any(|known| known == user) {
            self.users.push(user.to_owned());
        }
        self.sign_ins.push(SignIn {
            refresh_token: refresh_token.to_owned(),
            client_id: client_id.to_owned(),
            user: user.to_owned(),
        });
    }

    /// Takes an application, identity or user away, whichever has this id.
    pub(crate) fn remove(&mut self, id: &str) {
        self.applications.retain(|known| !known.client_id.eq_ignore_ascii_case(id));
        self.assigned.retain(|known| !known.client_id.eq_ignore_ascii_case(id));
        self.users.retain(|known| !known.eq_ignore_ascii_case(id));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_without_a_name_gets_the_machines_own_identity_or_the_only_one() {
        let mut directory = Directory::new(&mut fastrand::Rng::with_seed(1));
        let first = AssignedIdentity::default();
        directory.assigned.push(first.clone());
        assert!(directory.assigned(Wanted::Unnamed).unwrap().system_assigned);
        directory.remove("cccccccc-1111-4111-8111-cccccccccccc");
        assert_eq!(directory.assigned(Wanted::Unnamed), Ok(&first), "as on machines with one identity");
        let second = AssignedIdentity { client_id: "2".to_owned(), ..AssignedIdentity::default() };
        directory.assigned.push(second.clone());
        assert_eq!(directory.assigned(Wanted::Unnamed), Err(NotAssigned::Ambiguous));
        assert_eq!(directory.assigned(Wanted::Client("2")), Ok(&second));
        assert_eq!(directory.assigned(Wanted::Object("2")), Err(NotAssigned::Unknown));
        assert_eq!(directory.assigned(Wanted::Resource(&first.resource_id.to_uppercase())), Ok(&first));
    }
}
