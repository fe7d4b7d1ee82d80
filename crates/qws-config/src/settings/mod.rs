//! Settings from many sources, and the one workspace they name.

mod environment;
mod error;
mod explain;
mod ignored;
mod merge;
mod resolve;
mod source;
pub(crate) mod value;

pub use environment::variables;
pub use error::SettingsError;
pub use explain::{Explained, Explanation};
pub use ignored::Ignored;
pub use resolve::{Resolution, Resolved};
pub use source::Source;

use crate::cloud::Cloud;
use crate::connection_string::ConnectionString;
use crate::endpoint::Endpoint;
use crate::error::{ParseError, Part};
use crate::location::Location;
use crate::names::{ResourceGroup, SubscriptionId, TenantId, WorkspaceName};
use crate::plain;
use crate::resource_id::ResourceId;
use value::{Given, Layer, Rank, Value};

/// What is known about the workspace to use, from every source, each value with where it came from.
///
/// Sources rank, highest first:
///
/// 1. arguments: values, resource id and connection string that the program gives,
/// 2. the profile that the program or `QWS_PROFILE` asks for,
/// 3. environment variables of single values and of a resource id (see [`variables`]),
/// 4. the environment's connection string,
/// 5. the default profile of the profile file,
/// 6. what the Azure CLI was told.
///
/// The highest source that names a workspace fixes it. A lower source may add what is missing, unless it speaks of another workspace,
/// endpoint or location: then it is ignored as a whole, its key included, and [`explain`](Self::explain) says so. Sources of one rank
/// that disagree are an error. `SUBSCRIPTION_ID`, `RESOURCE_GROUP` and `LOCATION`, which other programs set too, are each asked last
/// before the Azure CLI, and never displace a source that names a workspace.
///
/// ```
/// use qws_config::{Resolution, Settings};
///
/// let environment = |name: &str| match name {
///     "AZURE_QUANTUM_CONNECTION_STRING" => Some(
///         "SubscriptionId=99999999-8888-7777-6666-555555555555;ResourceGroupName=other-rg;WorkspaceName=other-ws;\
///          ApiKey=k1;QuantumEndpoint=https://westus.quantum.azure.com/;"
///             .to_owned(),
///     ),
///     _ => None,
/// };
/// let id = "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/contoso-rg\
///     /providers/Microsoft.Quantum/Workspaces/contoso-ws";
/// let settings = Settings::from_lookup(environment).with_resource_id(&id.parse()?);
///
/// // The connection string is of another workspace: neither its endpoint nor its key is used.
/// let resolved = settings.resolve()?;
/// assert!(matches!(resolved.workspace(), Resolution::NeedsEndpoint { .. }));
/// assert!(resolved.api_key().is_none());
/// assert!(settings.explain().to_string().contains("ignored"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Settings {
    layers: Vec<Layer>,
    /// The profile asked for, and by whom.
    profile: Option<(Box<str>, Source)>,
    #[cfg(feature = "files")]
    profiles: Option<Result<crate::profile::Profiles, crate::profile::ProfileError>>,
    /// Sources that have no say, and why.
    notes: Vec<Ignored>,
}

impl Settings {
    /// Nothing known yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// What the environment says; `lookup` gives the value of a variable.
    ///
    /// Values that cannot be read are kept, and are an error only if they turn out to be needed.
    ///
    /// ```
    /// use qws_config::Settings;
    ///
    /// let settings = Settings::from_lookup(|name| std::env::var(name).ok());
    /// ```
    #[must_use]
    pub fn from_lookup(lookup: impl Fn(&str) -> Option<String>) -> Self {
        let mut settings = Self::new();
        environment::read(&mut settings, lookup);
        settings
    }

    /// Names the workspace by its resource id.
    #[must_use]
    pub fn with_resource_id(mut self, id: &ResourceId) -> Self {
        let arguments = self.arguments();
        arguments.given.retain(|given| given.source != Source::ResourceId);
        arguments.give(&Source::ResourceId, Value::of_resource_id(id));
        self
    }

    /// Names workspace, endpoint and sign-in by a connection string.
    #[must_use]
    pub fn with_connection_string(mut self, string: &ConnectionString) -> Self {
        let arguments = self.arguments();
        arguments.given.retain(|given| given.source != Source::ConnectionString);
        arguments.give(&Source::ConnectionString, Value::of_connection_string(string));
        self
    }

    /// Sets the subscription.
    #[must_use]
    pub fn with_subscription_id(self, id: SubscriptionId) -> Self {
        self.with(Value::SubscriptionId(id))
    }

    /// Sets the resource group.
    #[must_use]
    pub fn with_resource_group(self, group: ResourceGroup) -> Self {
        self.with(Value::ResourceGroup(group))
    }

    /// Sets the workspace name. Alone it is enough where the name is found only once among the workspaces that the user can see.
    #[must_use]
    pub fn with_workspace_name(self, name: WorkspaceName) -> Self {
        self.with(Value::WorkspaceName(name))
    }

    /// Sets the location. It narrows a search by name, and stands in for the endpoint where Resource Manager cannot be asked.
    #[must_use]
    pub fn with_location(self, location: Location) -> Self {
        self.with(Value::Location(location))
    }

    /// Sets the endpoint, so that Resource Manager need not be asked for it.
    #[must_use]
    pub fn with_endpoint(self, endpoint: Endpoint) -> Self {
        self.with(Value::Endpoint(endpoint))
    }

    /// Sets the tenant to sign in to.
    #[must_use]
    pub fn with_tenant_id(self, tenant: TenantId) -> Self {
        self.with(Value::TenantId(tenant))
    }

    /// Sets the application or managed identity to sign in as.
    ///
    /// # Errors
    /// Empty, longer than 255, or with other than visible ASCII characters.
    pub fn with_client_id(self, id: &str) -> Result<Self, ParseError> {
        Ok(self.with(Value::ClientId(plain::token(Part::ClientId, id)?)))
    }

    /// Sets what the program calls itself in the user agent.
    ///
    /// # Errors
    /// Empty, longer than 255, or with other than printable ASCII characters.
    pub fn with_app_id(self, id: &str) -> Result<Self, ParseError> {
        Ok(self.with(Value::AppId(plain::line(Part::AppId, id)?)))
    }

    /// Sets what in a cloud differs from the public one.
    #[must_use]
    pub fn with_cloud(mut self, cloud: &Cloud) -> Self {
        for value in cloud.values() {
            self = self.with(value);
        }
        self
    }

    /// Asks for a profile by name, in place of `QWS_PROFILE` and of the file's default.
    #[must_use]
    pub fn with_profile(mut self, name: &str) -> Self {
        self.profile = Some((name.into(), Source::Argument));
        self
    }

    /// Adds the profiles of a profile file.
    #[cfg(feature = "files")]
    #[must_use]
    pub fn with_profiles(mut self, profiles: crate::profile::Profiles) -> Self {
        self.profiles = Some(Ok(profiles));
        self
    }

    /// Adds what the Azure CLI was told.
    #[cfg(feature = "files")]
    #[must_use]
    pub fn with_azure_cli(mut self, cli: &crate::azure_cli::AzureCli) -> Self {
        self.layers.retain(|layer| layer.rank != Rank::AzureCli);
        self.layers.push(cli.layer());
        self
    }

    /// Reads the profile file and the Azure CLI's files.
    ///
    /// A profile file that cannot be read is an error only if it turns out to be needed; a file of the Azure CLI never is, but
    /// [`explain`](Self::explain) tells of it.
    #[cfg(feature = "files")]
    #[must_use]
    pub fn with_files(mut self, files: &crate::files::Files) -> Self {
        self.profiles = files.read_profiles().transpose();
        match files.read_azure_cli() {
            Ok(Some(cli)) => self = self.with_azure_cli(&cli),
            Ok(None) => {}
            Err(error) => self.notes.push(Ignored { source: Source::AzureCli, reason: error.to_string() }),
        }
        self
    }

    fn arguments(&mut self) -> &mut Layer {
        let at = self.layers.iter().position(|layer| layer.rank == Rank::Argument).unwrap_or_else(|| {
            self.layers.push(Layer::new(Rank::Argument));
            self.layers.len() - 1
        });
        &mut self.layers[at]
    }

    /// Gives a value as an argument, in place of an earlier one.
    fn with(mut self, value: Value) -> Self {
        let arguments = self.arguments();
        let replaced = |given: &Given| given.source == Source::Argument && given.value.part() == value.part();
        arguments.given.retain(|given| !replaced(given));
        arguments.give(&Source::Argument, [value]);
        self
    }

    /// Every layer with something in it, highest rank first.
    fn ranked(&self) -> Result<Vec<Layer>, SettingsError> {
        let mut layers = self.layers.clone();
        if let Some(profile) = self.profile_layer() {
            // What the program itself asks for must not be left out, needed or not.
            if let (Some((_, Source::Argument)), Some(broken)) = (&self.profile, profile.broken.first()) {
                return Err(broken.error.clone());
            }
            layers.push(profile);
        }
        layers.retain(|layer| !layer.given.is_empty() || !layer.broken.is_empty());
        layers.sort_by_key(|layer| layer.rank);
        Ok(layers)
    }

    /// What the profile asked for, or the default one, gives.
    fn profile_layer(&self) -> Option<Layer> {
        #[cfg(feature = "files")]
        match (&self.profiles, &self.profile) {
            (Some(Ok(profiles)), Some((name, _))) => return Some(profiles.layer(name, Rank::NamedProfile)),
            (Some(Ok(profiles)), None) => {
                return Some(profiles.layer(profiles.default_name()?, Rank::DefaultProfile));
            }
            (Some(Err(error)), asked) => {
                let rank = if asked.is_some() { Rank::NamedProfile } else { Rank::DefaultProfile };
                return Some(Layer::broken(rank, Source::ConfigFile, SettingsError::Profile(error.clone())));
            }
            (None, _) => {}
        }
        let (name, from) = self.profile.clone()?;
        Some(Layer::broken(Rank::NamedProfile, from.clone(), SettingsError::NoProfiles { name, from }))
    }
}
