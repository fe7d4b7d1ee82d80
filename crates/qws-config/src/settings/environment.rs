//! The environment variables that are read, and what they mean.

use super::source::Source;
use super::value::{Layer, Rank, Reader, read};
use super::{Ignored, Settings};

/// The names of the environment variables, in one place.
///
/// Empty values count as not set.
pub mod variables {
    /// A connection string.
    pub const CONNECTION_STRING: &str = "AZURE_QUANTUM_CONNECTION_STRING";
    /// A resource id.
    pub const RESOURCE_ID: &str = "AZURE_QUANTUM_RESOURCE_ID";
    /// The subscription id.
    pub const SUBSCRIPTION_ID: &str = "AZURE_QUANTUM_SUBSCRIPTION_ID";
    /// The resource group.
    pub const RESOURCE_GROUP: &str = "AZURE_QUANTUM_WORKSPACE_RG";
    /// The workspace name.
    pub const WORKSPACE_NAME: &str = "AZURE_QUANTUM_WORKSPACE_NAME";
    /// The location.
    pub const LOCATION: &str = "AZURE_QUANTUM_WORKSPACE_LOCATION";
    /// The endpoint of the data plane: a host of the service, or this machine.
    pub const ENDPOINT: &str = "AZURE_QUANTUM_ENDPOINT";
    /// The subscription id, if nothing else names it. Other programs use this name too.
    pub const SHARED_SUBSCRIPTION_ID: &str = "SUBSCRIPTION_ID";
    /// The resource group, if nothing else names it. Other programs use this name too.
    pub const SHARED_RESOURCE_GROUP: &str = "RESOURCE_GROUP";
    /// The location, if nothing else names it. Other programs use this name too.
    pub const SHARED_LOCATION: &str = "LOCATION";
    /// The tenant to sign in to.
    pub const TENANT_ID: &str = "AZURE_TENANT_ID";
    /// The application or managed identity to sign in as.
    pub const CLIENT_ID: &str = "AZURE_CLIENT_ID";
    /// What the program calls itself in the user agent. The name is that of the Python client, which reads it as well.
    pub const APP_ID: &str = "AZURE_QUANTUM_PYTHON_APPID";
    /// Read by the Python client without any effect, and so here.
    pub const ENVIRONMENT: &str = "AZURE_QUANTUM_ENV";
    /// The profile to use.
    pub const PROFILE: &str = "QWS_PROFILE";
    /// The path of the profile file.
    pub const CONFIG: &str = "QWS_CONFIG";
    /// The endpoint of Azure Resource Manager.
    pub const RESOURCE_MANAGER: &str = "QWS_RESOURCE_MANAGER_ENDPOINT";
    /// The authority that gives tokens.
    pub const AUTHORITY: &str = "AZURE_AUTHORITY_HOST";
    /// The path of a PEM file with root certificates to trust beside the platform's.
    pub const CA_FILE: &str = "QWS_CA_FILE";
    /// The folder of the Azure CLI's files.
    pub const AZURE_CLI_FOLDER: &str = "AZURE_CONFIG_DIR";
}

/// What names the workspace; all of it stands or falls together.
const WORKSPACE: [(&str, Reader); 6] = [
    (variables::RESOURCE_ID, read::resource_id),
    (variables::SUBSCRIPTION_ID, read::subscription_id),
    (variables::RESOURCE_GROUP, read::resource_group),
    (variables::WORKSPACE_NAME, read::workspace_name),
    (variables::LOCATION, read::location),
    (variables::ENDPOINT, read::endpoint),
];

/// Who signs in, and to which cloud. It is not part of a workspace, so it holds even if those above are ignored.
const SURROUNDINGS: [(&str, Reader); 6] = [
    (variables::TENANT_ID, read::tenant_id),
    (variables::CLIENT_ID, read::client_id),
    (variables::APP_ID, read::app_id),
    (variables::RESOURCE_MANAGER, read::resource_manager),
    (variables::AUTHORITY, read::authority),
    (variables::CA_FILE, read::ca_file),
];

/// Each of these stands alone: one that was set for another program must not take the others with it.
const SHARED: [(&str, Reader); 3] = [
    (variables::SHARED_SUBSCRIPTION_ID, read::subscription_id),
    (variables::SHARED_RESOURCE_GROUP, read::resource_group),
    (variables::SHARED_LOCATION, read::location),
];

const CONNECTION_STRING: [(&str, Reader); 1] = [(variables::CONNECTION_STRING, read::connection_string)];

pub(super) fn read(settings: &mut Settings, lookup: impl Fn(&str) -> Option<String>) {
    let mut layer = |rank, variables: &[(&'static str, Reader)]| {
        let mut layer = Layer::new(rank);
        for &(name, reader) in variables {
            layer.read(&Source::Variable(name), lookup(name), reader);
        }
        settings.layers.push(layer);
    };
    layer(Rank::Environment, &WORKSPACE);
    layer(Rank::Surroundings, &SURROUNDINGS);
    for variable in SHARED {
        layer(Rank::SharedVariable, &[variable]);
    }
    layer(Rank::EnvironmentConnectionString, &CONNECTION_STRING);

    let set = |name| lookup(name).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
    if let Some(name) = set(variables::PROFILE) {
        settings.profile = Some((name.into(), Source::Variable(variables::PROFILE)));
    }
    if set(variables::ENVIRONMENT).is_some() {
        let source = Source::Variable(variables::ENVIRONMENT);
        let reason =
            format!("has no effect; another Resource Manager is named by `{}`", variables::RESOURCE_MANAGER);
        settings.notes.push(Ignored { source, reason });
    }
}
