//! From method, path and query to an operation: pure functions, one table.

use std::fmt;

use http::Method;
use serde::{Deserialize, Serialize};
use url::form_urlencoded;

/// What a request asks the service or its storage for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Operation {
    /// `PUT {W}/jobs/{jobId}`
    JobsCreate,
    /// `GET {W}/jobs/{jobId}`
    JobsGet,
    /// `PATCH {W}/jobs/{jobId}`
    JobsUpdate,
    /// `DELETE {W}/jobs/{jobId}`
    JobsDelete,
    /// `POST {W}/jobs/{jobId}:cancel`
    JobsCancel,
    /// `GET {W}/jobs`
    JobsList,
    /// `PUT {W}/sessions/{sessionId}`
    SessionsOpen,
    /// `GET {W}/sessions/{sessionId}`
    SessionsGet,
    /// `POST {W}/sessions/{sessionId}:close`
    SessionsClose,
    /// `GET {W}/sessions`
    SessionsList,
    /// `GET {W}/sessions/{sessionId}/jobs`
    SessionJobsList,
    /// `GET {W}/topLevelItems`
    TopLevelItems,
    /// `GET {W}/providerStatus`
    ProviderStatus,
    /// `GET {W}/quotas`
    Quotas,
    /// `GET {W}/quotaUsages`
    QuotaUsages,
    /// `POST {W}/storage/sasUri`
    SasUri,
    /// `GET /subscriptions/{s}/providers/Microsoft.Quantum/suiteOffers/{providerId}/quotaUsages`
    SuiteOfferQuotaUsages,
    /// `GET /subscriptions/{s}/providers/Microsoft.Quantum/suiteOffers/{providerId}/providerStatus`
    SuiteOfferProviderStatus,
    /// `GET {W}`, answered by Azure Resource Manager
    WorkspaceGet,
    /// `PUT` or `PATCH {W}`: access keys on or off, tags
    WorkspaceUpdate,
    /// `GET` of all workspaces of a subscription or resource group
    WorkspacesList,
    /// `POST {W}/listKeys`
    KeysList,
    /// `POST {W}/regenerateKey`
    KeysRegenerate,
    /// `POST /providers/Microsoft.ResourceGraph/resources`
    ResourceGraph,
    /// `PUT /{container}/{blob}`
    BlobPut,
    /// `GET /{container}/{blob}`
    BlobGet,
    /// `HEAD /{container}/{blob}`
    BlobHead,
    /// `DELETE /{container}/{blob}`
    BlobDelete,
    /// `PUT /{container}/{blob}?comp=block`
    BlockPut,
    /// `PUT /{container}/{blob}?comp=blocklist`
    BlockListPut,
    /// `GET /{container}/{blob}?comp=blocklist`
    BlockListGet,
    /// `PUT /{container}/{blob}?comp=metadata`
    BlobMetadataPut,
    /// `PUT /{container}/{blob}?comp=properties`
    BlobPropertiesPut,
    /// `PUT /{container}?restype=container`
    ContainerCreate,
    /// `GET` or `HEAD` of `/{container}?restype=container`
    ContainerGet,
    /// `DELETE /{container}?restype=container`
    ContainerDelete,
    /// `GET /?comp=list`
    ContainersList,
    /// `GET` or `HEAD` of `/?restype=account&comp=properties`
    AccountGet,
    /// `GET /{container}?restype=container&comp=list`
    BlobsList,
    /// `POST /{tenant}/oauth2/v2.0/token`, answered by Entra ID
    EntraToken,
    /// `GET /{tenant}/v2.0/.well-known/openid-configuration`
    OpenIdConfiguration,
    /// `GET /common/discovery/instance`
    InstanceDiscovery,
    /// `GET /metadata/identity/oauth2/token`, on a virtual machine
    Imds,
    /// `GET` of the token endpoint of an app in App Service, Functions or Container Apps
    AppService,
}

impl Operation {
    /// Whether Azure Resource Manager or Resource Graph answers, not the workspace's data plane.
    pub(crate) fn is_management(self) -> bool {
        matches!(
            self,
            Self::WorkspaceGet
                | Self::WorkspaceUpdate
                | Self::WorkspacesList
                | Self::KeysList
                | Self::KeysRegenerate
                | Self::ResourceGraph
        )
    }

    /// Whether tokens are given out here, so that none can be asked for.
    pub(crate) fn is_identity(self) -> bool {
        matches!(
            self,
            Self::EntraToken
                | Self::OpenIdConfiguration
                | Self::InstanceDiscovery
                | Self::Imds
                | Self::AppService
        )
    }
}

/// Where the parts of a matched path go; percent-decoded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Params {
    pub(crate) subscription: String,
    pub(crate) group: String,
    pub(crate) workspace: String,
    /// The job, session, provider or tenant that the path names.
    pub(crate) id: String,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Matched {
    pub(crate) operation: Operation,
    pub(crate) params: Params,
}

/// No operation has this method and path.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Unknown {
    /// The known operation that looks most like it.
    pub(crate) nearest: String,
}

impl fmt::Display for Unknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "nearest known operation: {}", self.nearest)
    }
}

const WORKSPACE: &str = "/subscriptions/{s}/resourceGroups/{g}/providers/Microsoft.Quantum/workspaces/{w}";
const SUITE_OFFER: &str = "/subscriptions/{s}/providers/Microsoft.Quantum/suiteOffers/{i}";

/// Method, prefix, rest of the path. `{i}` is the id; a suffix behind it (`:cancel`) belongs to the verb.
#[rustfmt::skip]
const ROUTES: &[(Method, &str, &str, Operation)] = &[
    (Method::PUT,    WORKSPACE, "/jobs/{i}",           Operation::JobsCreate),
    (Method::GET,    WORKSPACE, "/jobs/{i}",           Operation::JobsGet),
    (Method::PATCH,  WORKSPACE, "/jobs/{i}",           Operation::JobsUpdate),
    (Method::DELETE, WORKSPACE, "/jobs/{i}",           Operation::JobsDelete),
    (Method::POST,   WORKSPACE, "/jobs/{i}:cancel",    Operation::JobsCancel),
    (Method::GET,    WORKSPACE, "/jobs",               Operation::JobsList),
    (Method::PUT,    WORKSPACE, "/sessions/{i}",       Operation::SessionsOpen),
    (Method::GET,    WORKSPACE, "/sessions/{i}",       Operation::SessionsGet),
    (Method::POST,   WORKSPACE, "/sessions/{i}:close", Operation::SessionsClose),
    (Method::GET,    WORKSPACE, "/sessions",           Operation::SessionsList),
    (Method::GET,    WORKSPACE, "/sessions/{i}/jobs",  Operation::SessionJobsList),
    (Method::GET,    WORKSPACE, "/topLevelItems",      Operation::TopLevelItems),
    (Method::GET,    WORKSPACE, "/providerStatus",     Operation::ProviderStatus),
    (Method::GET,    WORKSPACE, "/quotas",             Operation::Quotas),
    (Method::GET,    WORKSPACE, "/quotaUsages",        Operation::QuotaUsages),
    (Method::POST,   WORKSPACE, "/storage/sasUri",     Operation::SasUri),
    (Method::GET,    SUITE_OFFER, "/quotaUsages",      Operation::SuiteOfferQuotaUsages),
    (Method::GET,    SUITE_OFFER, "/providerStatus",   Operation::SuiteOfferProviderStatus),
    (Method::GET,    WORKSPACE, "",                    Operation::WorkspaceGet),
    (Method::PUT,    WORKSPACE, "",                    Operation::WorkspaceUpdate),
    (Method::PATCH,  WORKSPACE, "",                    Operation::WorkspaceUpdate),
    (Method::POST,   WORKSPACE, "/listKeys",           Operation::KeysList),
    (Method::POST,   WORKSPACE, "/regenerateKey",      Operation::KeysRegenerate),
    (Method::GET,    "/subscriptions/{s}/providers/Microsoft.Quantum/workspaces", "", Operation::WorkspacesList),
    (Method::GET,    "/subscriptions/{s}/resourceGroups/{g}/providers/Microsoft.Quantum/workspaces", "",
        Operation::WorkspacesList),
    (Method::POST,   "/providers/Microsoft.ResourceGraph/resources", "", Operation::ResourceGraph),
    (Method::GET,    "/common/discovery/instance", "", Operation::InstanceDiscovery),
    (Method::POST,   "/{i}/oauth2/v2.0/token", "", Operation::EntraToken),
    (Method::GET,    "/{i}/v2.0/.well-known/openid-configuration", "", Operation::OpenIdConfiguration),
];

/// Finds the operation of a request to the service.
pub(crate) fn service(method: &Method, path: &str) -> Result<Matched, Unknown> {
    for (known, prefix, rest, operation) in ROUTES {
        if known == method
            && let Some(params) = match_path(prefix, rest, path)
        {
            return Ok(Matched { operation: *operation, params });
        }
    }
    Err(Unknown { nearest: nearest(method, path) })
}

fn match_path(prefix: &str, rest: &str, path: &str) -> Option<Params> {
    let mut params = Params::default();
    let mut given = path.split('/');
    for expected in prefix.split('/').chain(rest.split('/').skip(1)) {
        let part = decode(given.next()?);
        let slot = match expected.get(..3) {
            Some("{s}") => &mut params.subscription,
            Some("{g}") => &mut params.group,
            Some("{w}") => &mut params.workspace,
            Some("{i}") => &mut params.id,
            // Azure compares the fixed parts of a path without case.
            _ if expected.eq_ignore_ascii_case(&part) => continue,
            _ => return None,
        };
        let value = part.strip_suffix(&expected[3..])?;
        // `{i}` alone must not swallow a verb: `jobs/x:cancel` is no job named `x:cancel`.
        if value.is_empty() || expected.len() == 3 && value.contains(':') {
            return None;
        }
        value.clone_into(slot);
    }
    given.next().is_none().then_some(params)
}

/// Finds the operation of a request to the storage account.
pub(crate) fn storage(method: &Method, path: &str, query: &str) -> Result<Matched, Unknown> {
    let unknown = || Unknown { nearest: "GET /{container}/{blob}".to_owned() };
    let (mut comp, mut kind) = (String::new(), String::new());
    for (key, value) in form_urlencoded::parse(query.as_bytes()) {
        match &*key {
            "comp" => comp = value.into_owned(),
            "restype" => kind = value.into_owned(),
            _ => {}
        }
    }
    let level = match BlobPath::parse(path) {
        None if path == "/" => "account",
        Some(path) if path.blob.is_empty() => "container",
        Some(_) => "blob",
        None => return Err(unknown()),
    };
    let operation = match (level, method.as_str(), kind.as_str(), comp.as_str()) {
        ("account", "GET", "", "list") => Operation::ContainersList,
        (_, "GET" | "HEAD", "account", "properties") => Operation::AccountGet,
        ("container", "PUT", "container", "") => Operation::ContainerCreate,
        ("container", "GET" | "HEAD", "container", "") => Operation::ContainerGet,
        ("container", "DELETE", "container", "") => Operation::ContainerDelete,
        ("container", "GET", "container", "list") => Operation::BlobsList,
        ("blob", "PUT", _, "") => Operation::BlobPut,
        ("blob", "PUT", _, "block") => Operation::BlockPut,
        ("blob", "PUT", _, "blocklist") => Operation::BlockListPut,
        ("blob", "PUT", _, "metadata") => Operation::BlobMetadataPut,
        ("blob", "PUT", _, "properties") => Operation::BlobPropertiesPut,
        ("blob", "GET", _, "") => Operation::BlobGet,
        ("blob", "GET", _, "blocklist") => Operation::BlockListGet,
        ("blob", "HEAD", _, "") => Operation::BlobHead,
        ("blob", "DELETE", _, "") => Operation::BlobDelete,
        _ => return Err(unknown()),
    };
    Ok(Matched { operation, params: Params::default() })
}

/// Where an app in App Service is told to ask for tokens.
pub(crate) const APP_SERVICE: &str = "/msi/token";

const IMDS: &str = "/metadata/identity/oauth2/token";

/// Finds the operation of a request to the machine's own identity endpoints.
pub(crate) fn metadata(method: &Method, path: &str) -> Result<Matched, Unknown> {
    let operation = match (method, path) {
        (&Method::GET, IMDS) => Operation::Imds,
        (&Method::GET, APP_SERVICE) => Operation::AppService,
        _ => return Err(Unknown { nearest: format!("GET {IMDS}") }),
    };
    Ok(Matched { operation, params: Params::default() })
}

/// `/{container}/{blob}`; the blob's name may hold slashes, and is empty for the container itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct BlobPath {
    pub(crate) container: String,
    pub(crate) blob: String,
}

impl BlobPath {
    pub(crate) fn parse(path: &str) -> Option<Self> {
        let rest = path.strip_prefix('/')?;
        let (container, blob) = rest.split_once('/').unwrap_or((rest, ""));
        (!container.is_empty()).then(|| Self { container: decode(container), blob: decode(blob) })
    }
}

fn decode(part: &str) -> String {
    // form_urlencoded would read `+`, `&` and `=` as in a query, which paths do not mean.
    let guarded = part.replace('+', "%2B").replace('&', "%26").replace('=', "%3D");
    form_urlencoded::parse(guarded.as_bytes()).map(|(key, _)| key.into_owned()).next().unwrap_or_default()
}

/// The known operation with the smallest edit distance, written as people know it.
fn nearest(method: &Method, path: &str) -> String {
    let tail = |path: &str| path.rsplit('/').take(2).collect::<Vec<_>>().join("/").to_ascii_lowercase();
    let given = tail(path);
    ROUTES
        .iter()
        .min_by_key(|(known, prefix, rest, _)| {
            let distance = edit_distance(&given, &tail(&format!("{prefix}{rest}")));
            // The right path with the wrong method is nearer than the wrong path.
            distance * 2 + usize::from(known != method)
        })
        .map(|(known, prefix, rest, _)| {
            let place = if *prefix == WORKSPACE { "{workspace}" } else { prefix };
            format!("{known} {place}{}", rest.replace("{i}", "{id}"))
        })
        .unwrap_or_default()
}

fn edit_distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (i, l) in left.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, r) in right.iter().enumerate() {
            let substituted = diagonal + usize::from(l != *r);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[right.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    const W: &str = "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/rg%281%29/providers/Microsoft.Quantum/workspaces/ws";

    #[test]
    fn a_path_is_taken_apart_and_decoded() {
        let matched = service(&Method::GET, &format!("{W}/jobs/a%2Fb%20c")).unwrap();
        assert_eq!(matched.operation, Operation::JobsGet);
        assert_eq!(
            (matched.params.group.as_str(), matched.params.workspace.as_str(), matched.params.id.as_str()),
            ("rg(1)", "ws", "a/b c")
        );
    }

    #[test]
    fn every_route_is_reached_by_its_own_path() {
        for (method, prefix, rest, operation) in ROUTES {
            let path = format!("{prefix}{rest}")
                .replace("{s}", "sub")
                .replace("{g}", "g")
                .replace("{w}", "w")
                .replace("{i}", "the-id");
            assert_eq!(service(method, &path).map(|matched| matched.operation), Ok(*operation), "{path}");
        }
    }

    #[test]
    fn verbs_are_not_ids() {
        let cancel = service(&Method::POST, &format!("{W}/jobs/j1:cancel")).unwrap();
        assert_eq!((cancel.operation, cancel.params.id.as_str()), (Operation::JobsCancel, "j1"));
        assert!(service(&Method::GET, &format!("{W}/jobs/j1:cancel")).is_err());
    }

    #[test]
    fn an_unknown_route_names_its_nearest_neighbour() {
        let near = |method, rest: &str| service(&method, &format!("{W}{rest}")).unwrap_err().nearest;
        assert_eq!(near(Method::GET, "/providerstatuses"), "GET {workspace}/providerStatus");
        assert_eq!(near(Method::POST, "/storage/sasuris"), "POST {workspace}/storage/sasUri");
        assert_eq!(near(Method::POST, "/jobs"), "GET {workspace}/jobs");
    }

    #[test]
    fn storage_requests_are_told_apart_by_their_query() {
        let operation = |method, path, query| storage(&method, path, query).map(|matched| matched.operation);
        assert_eq!(operation(Method::PUT, "/c/b", "sv=1&sig=x"), Ok(Operation::BlobPut));
        assert_eq!(operation(Method::PUT, "/c/b", "comp=block&blockid=AA"), Ok(Operation::BlockPut));
        assert_eq!(operation(Method::GET, "/c", "restype=container&comp=list"), Ok(Operation::BlobsList));
        assert!(operation(Method::GET, "/c", "").is_err());
        let path = BlobPath::parse("/c/a%2Fb/c+d&e=f").unwrap();
        assert_eq!((path.container.as_str(), path.blob.as_str()), ("c", "a/b/c+d&e=f"));
    }
}
