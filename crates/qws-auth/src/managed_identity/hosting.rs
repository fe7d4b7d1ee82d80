use qws_config::Secret;

use super::Identity;
use crate::{AuthError, Host};

/// What a cluster sets for its workloads.
const WORKLOAD: [&str; 3] = ["AZURE_AUTHORITY_HOST", "AZURE_TENANT_ID", "AZURE_FEDERATED_TOKEN_FILE"];

/// Where the agent of Azure Arc listens; its installation sets no variable for programs that run as a service.
const ARC_ENDPOINT: &str = "http://localhost:40342/metadata/identity/oauth2/token";

/// Who gives out the tokens here.
pub(super) enum Hosting {
    AppService { endpoint: String, header: Secret },
    ServiceFabric { endpoint: String, header: Secret, thumbprint: String },
    Arc { endpoint: String },
    MachineLearning { endpoint: String, secret: Secret },
    CloudShell { endpoint: String },
    Workload { client_id: Option<String> },
    Imds,
}

impl Hosting {
    /// The order is that of `azure-identity` for Python; an empty variable counts as not set.
    pub(super) fn detect(host: &Host, identity: &Identity, workloads: bool) -> Result<Self, AuthError> {
        let set = |name| host.variable(name);
        if let Some(endpoint) = set("IDENTITY_ENDPOINT") {
            return match (set("IDENTITY_HEADER"), set("IDENTITY_SERVER_THUMBPRINT"), set("IMDS_ENDPOINT")) {
                (Some(header), Some(thumbprint), _) => {
                    Ok(Self::ServiceFabric { endpoint, header: header.into(), thumbprint })
                }
                (Some(header), None, _) => Ok(Self::AppService { endpoint, header: header.into() }),
                (None, _, Some(_)) => Ok(Self::Arc { endpoint }),
                (None, _, None) => Err(AuthError::unavailable(
                    "IDENTITY_ENDPOINT is set, but IDENTITY_HEADER is not: this is no known host of managed identities",
                )),
            };
        }
        if let Some(endpoint) = set("MSI_ENDPOINT") {
            return Ok(match set("MSI_SECRET") {
                Some(secret) => Self::MachineLearning { endpoint, secret: secret.into() },
                None => Self::CloudShell { endpoint },
            });
        }
        if workloads && WORKLOAD.iter().all(|name| set(name).is_some()) {
            return match identity {
                Identity::System => Ok(Self::Workload { client_id: None }),
                Identity::Client(id) => Ok(Self::Workload { client_id: Some(id.clone()) }),
                Identity::Object(_) | Identity::Resource(_) => Err(AuthError::unsupported(
                    "a workload identity is named by its client id, not by object or resource id",
                )),
            };
        }
        if set("AZURE_POD_IDENTITY_AUTHORITY_HOST").is_none() && arc_agent_is_installed(host) {
            return Ok(Self::Arc { endpoint: ARC_ENDPOINT.into() });
        }
        Ok(Self::Imds)
    }
}

fn arc_agent_is_installed(host: &Host) -> bool {
    if cfg!(windows) {
        let folder = host.variable("ProgramFiles");
        let agent =
            |folder| std::path::Path::new(folder).join("AzureConnectedMachineAgent").join("himds.exe");
        return folder.as_deref().is_some_and(|folder| agent(folder).is_file());
    }
    cfg!(target_os = "linux") && host.system_path("/opt/azcmagent/bin/himds").is_file()
}
