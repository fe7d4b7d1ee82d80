//! What the Azure CLI was told, read from its own files and never written.

use crate::endpoint::Endpoint;
use crate::error::ParseError;
use crate::names::{ResourceGroup, SubscriptionId, TenantId, WorkspaceName};
use crate::resource_id::ResourceId;
use crate::settings::Source;
use crate::settings::value::{Layer, Rank, Value};
use serde_json::Value as Json;
use std::fmt;

/// The defaults of the Azure CLI: the subscription of `az login` and `az account set`, and the workspace of `az quantum workspace set`.
///
/// The endpoint is taken only from where newer versions of the `quantum` extension keep it together with the workspace it belongs to;
/// older ones leave it in `[defaults]` beside names that other commands change.
///
/// ```
/// use qws_config::AzureCli;
///
/// let profile = r#"{"subscriptions": [{"id": "11111111-2222-3333-4444-555555555555", "isDefault": true}]}"#;
/// let config = "[defaults]\ngroup = contoso-rg\nworkspace = contoso-ws\n";
/// let cli = AzureCli::parse(Some(profile), Some(config))?;
/// assert_eq!(cli.workspace_name().map(|name| name.as_str()), Some("contoso-ws"));
/// # Ok::<(), qws_config::AzureCliError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AzureCli {
    subscription_id: Option<SubscriptionId>,
    tenant_id: Option<TenantId>,
    resource_group: Option<ResourceGroup>,
    workspace_name: Option<WorkspaceName>,
    endpoint: Option<Endpoint>,
}

/// Why a file of the Azure CLI cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AzureCliError {
    file: &'static str,
    message: String,
}

impl AzureCliError {
    pub(crate) fn new(file: &'static str, message: &impl ToString) -> Self {
        Self { file, message: message.to_string() }
    }
}

impl fmt::Display for AzureCliError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.file, self.message)
    }
}

impl std::error::Error for AzureCliError {}

/// The file of `az login` and `az account set`.
pub(crate) const PROFILE: &str = "azureProfile.json";
/// The file of `az config set` and `az quantum workspace set`.
pub(crate) const CONFIG: &str = "config";

impl AzureCli {
    /// Reads the texts of `azureProfile.json` and `config`, as far as there are any.
    ///
    /// # Errors
    /// A text is not JSON, or a value in it is not what it should be.
    pub fn parse(profile: Option<&str>, config: Option<&str>) -> Result<Self, AzureCliError> {
        let mut cli = Self::default();
        if let Some(text) = profile {
            cli.read_profile(text)?;
        }
        if let Some(text) = config {
            cli.read_config(text)?;
        }
        Ok(cli)
    }

    fn read_profile(&mut self, text: &str) -> Result<(), AzureCliError> {
        // The Azure CLI writes the file with a byte order mark.
        let text = text.trim_start_matches('\u{feff}');
        let profile: Json =
            serde_json::from_str(text).map_err(|error| AzureCliError::new(PROFILE, &error))?;
        let subscriptions = profile["subscriptions"].as_array().map_or(&[][..], Vec::as_slice);
        let Some(chosen) = subscriptions.iter().find(|one| one["isDefault"] == true) else { return Ok(()) };
        let text = |key: &str| chosen[key].as_str().unwrap_or_default();
        self.subscription_id = value(PROFILE, text("id"))?;
        self.tenant_id = value(PROFILE, text("tenantId"))?;
        Ok(())
    }

    fn read_config(&mut self, text: &str) -> Result<(), AzureCliError> {
        let of = |section, key| setting(text, section, key).unwrap_or_default();
        self.resource_group = value(CONFIG, of("defaults", "group"))?;
        self.workspace_name = value(CONFIG, of("defaults", "workspace"))?;
        let cache = of("quantum", "workspace_endpoint_cache");
        if let (Some(workspace), false) = (self.workspace(), cache.is_empty()) {
            let cache: Json =
                serde_json::from_str(cache).map_err(|error| AzureCliError::new(CONFIG, &error))?;
            let of: Option<ResourceId> = value(CONFIG, cache["resource_id"].as_str().unwrap_or_default())?;
            if of == Some(workspace) {
                self.endpoint = value(CONFIG, cache["endpoint"].as_str().unwrap_or_default())?;
            }
        }
        Ok(())
    }

    fn workspace(&self) -> Option<ResourceId> {
        let (subscription, group) = (self.subscription_id.clone()?, self.resource_group.clone()?);
        Some(ResourceId::new(subscription, group, self.workspace_name.clone()?))
    }

    /// The default subscription.
    #[must_use]
    pub fn subscription_id(&self) -> Option<&SubscriptionId> {
        self.subscription_id.as_ref()
    }

    /// The tenant of the default subscription.
    #[must_use]
    pub fn tenant_id(&self) -> Option<&TenantId> {
        self.tenant_id.as_ref()
    }

    /// The default resource group. All commands of the Azure CLI share it.
    #[must_use]
    pub fn resource_group(&self) -> Option<&ResourceGroup> {
        self.resource_group.as_ref()
    }

    /// The default workspace.
    #[must_use]
    pub fn workspace_name(&self) -> Option<&WorkspaceName> {
        self.workspace_name.as_ref()
    }

    /// The endpoint of exactly that workspace.
    #[must_use]
    pub fn endpoint(&self) -> Option<&Endpoint> {
        self.endpoint.as_ref()
    }

    pub(crate) fn layer(&self) -> Layer {
        let mut layer = Layer::new(Rank::AzureCli);
        let cli = self.clone();
        layer.give(&Source::AzureCli, cli.subscription_id.map(Value::SubscriptionId));
        layer.give(&Source::AzureCli, cli.resource_group.map(Value::ResourceGroup));
        layer.give(&Source::AzureCli, cli.workspace_name.map(Value::WorkspaceName));
        layer.give(&Source::AzureCli, cli.endpoint.map(Value::Endpoint));
        layer.give(&Source::AzureCli, cli.tenant_id.map(Value::TenantId));
        layer
    }
}

/// An empty text is no value.
fn value<T: std::str::FromStr<Err = ParseError>>(
    file: &'static str,
    text: &str,
) -> Result<Option<T>, AzureCliError> {
    if text.trim().is_empty() {
        return Ok(None);
    }
    text.parse().map(Some).map_err(|error| AzureCliError::new(file, &error))
}

/// The value of `key` in `[section]` of a file as Python's `configparser` writes it; the last one counts.
fn setting<'a>(text: &'a str, section: &str, key: &str) -> Option<&'a str> {
    let mut inside = false;
    let mut found = None;
    for line in text.lines().map(str::trim) {
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            inside = name == section;
        } else if inside && !line.starts_with(['#', ';']) {
            match line.split_once('=') {
                Some((name, value)) if name.trim().eq_ignore_ascii_case(key) => found = Some(value.trim()),
                _ => {}
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn config_files_are_read_as_python_writes_them() {
        let text = "[core]\ngroup = no\n\n[defaults]\n# group = no\n; group = no\nGROUP = first\n group=second \nempty =\n[quantum]\nx = a=b";
        assert_eq!(setting(text, "defaults", "group"), Some("second"));
        assert_eq!(setting(text, "defaults", "empty"), Some(""));
        assert_eq!(setting(text, "defaults", "workspace"), None);
        assert_eq!(setting(text, "quantum", "x"), Some("a=b"));
        assert_eq!(setting(text, "nowhere", "x"), None);
    }

    #[test]
    fn without_a_chosen_subscription_there_is_none() {
        for text in [
            "{}",
            r#"{"subscriptions": []}"#,
            r#"{"subscriptions": [{"id": "x", "isDefault": false}]}"#,
            "[]",
            "1",
        ] {
            assert_eq!(AzureCli::parse(Some(text), None), Ok(AzureCli::default()), "{text}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_told_with_its_file() {
        let error = |profile, config| AzureCli::parse(profile, config).unwrap_err().to_string();
        assert!(error(Some("{"), None).starts_with("azureProfile.json: "));
        let bad_id = r#"{"subscriptions": [{"id": "x", "isDefault": true}]}"#;
        assert!(
            error(Some(bad_id), None).starts_with("azureProfile.json: subscription id has 'x' at byte 0;")
        );
        assert!(
            error(None, Some("[defaults]\nworkspace = a b")).starts_with("config: workspace name has ' '")
        );
    }
}
