//! Requests as pure values: built without a socket, tested without one.

use std::{borrow::Cow, fmt};

use bytes::Bytes;
use http::{HeaderValue, Method, Uri, header};
use percent_encoding::{AsciiSet, CONTROLS, NON_ALPHANUMERIC, utf8_percent_encode};
use qws_config::WorkspaceAddress;
use url::Url;

use crate::{Error, ErrorKind};

/// What stays as it is in a path segment or query value: letters, digits and `_ . - ~`.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'_').remove(b'.').remove(b'-').remove(b'~');

/// A call of the service, or a step of ours that can fail by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Operation {
    /// Finding and connecting to the workspace.
    Connect,
    /// REST: jobs, create.
    JobsCreate,
    /// REST: jobs, get.
    JobsGet,
    /// REST: jobs, list.
    JobsList,
    /// REST: jobs, update.
    JobsUpdate,
    /// REST: jobs, cancel.
    JobsCancel,
    /// REST: jobs, delete.
    JobsDelete,
    /// REST: sessions, open.
    SessionsOpen,
    /// REST: sessions, get.
    SessionsGet,
    /// REST: sessions, close.
    SessionsClose,
    /// REST: sessions, list.
    SessionsList,
    /// REST: sessions, jobs list.
    SessionsJobs,
    /// REST: top-level items, list.
    ItemsList,
    /// REST: quotas, list.
    QuotasList,
    /// REST: quota usages, list.
    QuotaUsagesList,
    /// REST: suite offers, quota usages.
    SuiteOfferQuotaUsages,
    /// REST: suite offers, provider status.
    SuiteOfferProviderStatus,
    /// A request of the caller's own making.
    Raw,
    /// REST (Resource Manager): workspaces, get.
    WorkspacesGet,
    /// REST (Resource Manager): workspaces, list.
    WorkspacesList,
    /// REST (Resource Manager): workspaces, create or update.
    WorkspacesUpdate,
    /// REST (Resource Graph): resources.
    WorkspacesFind,
    /// REST (Resource Manager): workspaces, list keys.
    KeysList,
    /// REST (Resource Manager): workspaces, regenerate keys.
    KeysRegenerate,
    /// REST: provider status, list.
    ProvidersList,
    /// REST: storage, SAS URI.
    StorageSasUri,
    /// Making a container in the caller's own storage account.
    ContainerCreate,
    /// Writing a blob.
    BlobUpload,
    /// Reading a blob.
    BlobDownload,
    /// Listing a container.
    BlobList,
    /// Making a submission ready.
    Submit,
    /// Waiting for a job.
    Wait,
    /// Reading the results of a job.
    Results,
}

impl Operation {
    /// The name, as it begins an error's text: `jobs.get`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::JobsCreate => "jobs.create",
            Self::JobsGet => "jobs.get",
            Self::JobsList => "jobs.list",
            Self::JobsUpdate => "jobs.update",
            Self::JobsCancel => "jobs.cancel",
            Self::JobsDelete => "jobs.delete",
            Self::SessionsOpen => "sessions.open",
            Self::SessionsGet => "sessions.get",
            Self::SessionsClose => "sessions.close",
            Self::SessionsList => "sessions.list",
            Self::SessionsJobs => "sessions.jobs",
            Self::ItemsList => "items.list",
            Self::QuotasList => "quotas.list",
            Self::QuotaUsagesList => "quotas.usages",
            Self::SuiteOfferQuotaUsages => "suite_offers.quota_usages",
            Self::SuiteOfferProviderStatus => "suite_offers.provider_status",
            Self::Raw => "raw",
            Self::WorkspacesGet => "workspaces.get",
            Self::WorkspacesList => "workspaces.list",
            Self::WorkspacesUpdate => "workspaces.update",
            Self::WorkspacesFind => "workspaces.find",
            Self::KeysList => "keys.list",
            Self::KeysRegenerate => "keys.regenerate",
            Self::ProvidersList => "providers.list",
            Self::StorageSasUri => "storage.sas_uri",
            Self::ContainerCreate => "container.create",
            Self::BlobUpload => "blob.upload",
            Self::BlobDownload => "blob.download",
            Self::BlobList => "blob.list",
            Self::Submit => "submit",
            Self::Wait => "wait",
            Self::Results => "results",
        }
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One request of the data plane.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) operation: Operation,
    /// Which statuses are a success.
    pub(crate) ok: &'static [u16],
    /// Whether sending it twice does what sending it once does.
    pub(crate) repeatable: bool,
    method: Method,
    place: Place,
    query: Vec<(&'static str, String)>,
    api_version: Option<&'static str>,
    body: Option<(Bytes, &'static str)>,
}

#[derive(Debug, Clone)]
enum Place {
    /// An encoded path under the workspace.
    Workspace(String),
    /// An encoded path under the provider in the workspace's subscription.
    Subscription(String),
    /// An encoded path from the root.
    Root(String),
    /// A link that the service gave; checked against the endpoint's origin before it is used.
    Link(Url),
}

/// A text as one path segment or query value. Most are what they are already, and are not copied.
pub(crate) fn encode(text: &str) -> Cow<'_, str> {
    utf8_percent_encode(text, ENCODED).into()
}

/// Segments as a path, each percent-encoded on its own.
fn path<const N: usize>(segments: [&str; N]) -> String {
    segments.map(encode).join("/")
}

/// Where requests go: a service's address, and the paths that requests are made under.
#[derive(Debug)]
pub(crate) struct Base {
    url: Url,
    workspace: String,
    subscription: String,
    api_version: String,
}

impl Base {
    /// A workspace's data plane.
    pub(crate) fn of_workspace(address: &WorkspaceAddress, api_version: &str) -> Self {
        let id = address.resource_id();
        Self {
            url: address.endpoint().as_url().clone(),
            workspace: id.workspace_path(),
            subscription: format!("/subscriptions/{}/providers/Microsoft.Quantum", id.subscription_id()),
            api_version: encode(api_version).into_owned(),
        }
    }

    /// A service whose requests name their whole path.
    pub(crate) fn of_service(url: Url, api_version: &str) -> Self {
        Self {
            url,
            workspace: String::new(),
            subscription: String::new(),
            api_version: encode(api_version).into_owned(),
        }
    }

    pub(crate) fn url(&self) -> &Url {
        &self.url
    }
}

impl Request {
    /// A GET under the workspace.
    pub(crate) fn get<const N: usize>(operation: Operation, segments: [&str; N]) -> Self {
        Self::new(operation, Method::GET, segments)
    }

    /// A request under the workspace. Repeatable: GET, PUT and DELETE are, a merge patch is, and the POSTs of this API
    /// that we send are by their meaning.
    pub(crate) fn new<const N: usize>(operation: Operation, method: Method, segments: [&str; N]) -> Self {
        Self::at(operation, method, Place::Workspace(path(segments)))
    }

    /// A POST to a verb of a resource: `jobs/ID:cancel`. The colon before the verb is not encoded.
    pub(crate) fn verb<const N: usize>(operation: Operation, area: [&str; N], id_and_verb: &str) -> Self {
        let (id, verb) = id_and_verb.rsplit_once(':').unwrap_or((id_and_verb, ""));
        let place = format!("{}/{}:{verb}", path(area), utf8_percent_encode(id, ENCODED));
        Self::at(operation, Method::POST, Place::Workspace(place))
    }

    /// A GET under the subscription's provider.
    pub(crate) fn of_subscription<const N: usize>(operation: Operation, segments: [&str; N]) -> Self {
        Self::at(operation, Method::GET, Place::Subscription(path(segments)))
    }

    /// A request of the caller's own making under the workspace. Its path is not encoded again, except for letters that
    /// cannot be in a URL as they are.
    pub(crate) fn raw(method: Method, path_and_query: &str) -> Self {
        let repeatable = method.is_idempotent();
        let place = Place::Workspace(utf8_percent_encode(path_and_query, CONTROLS).to_string());
        Self { repeatable, ..Self::at(Operation::Raw, method, place) }
    }

    /// A request by its whole path, encoded, from the service's root.
    pub(crate) fn at_path(operation: Operation, method: Method, path: &str) -> Self {
        Self::at(operation, method, Place::Root(path.to_owned()))
    }

    /// The next page of a list.
    pub(crate) fn link(operation: Operation, link: Url) -> Self {
        Self::at(operation, Method::GET, Place::Link(link))
    }

    fn at(operation: Operation, method: Method, place: Place) -> Self {
        Self {
            operation,
            ok: &[200],
            repeatable: true,
            method,
            place,
            query: Vec::new(),
            api_version: None,
            body: None,
        }
    }

    pub(crate) fn ok(mut self, statuses: &'static [u16]) -> Self {
        self.ok = statuses;
        self
    }

    /// Says that sending it twice would do more than sending it once.
    pub(crate) fn not_repeatable(mut self) -> Self {
        self.repeatable = false;
        self
    }

    /// Asks for another version than the rest of the service's requests.
    pub(crate) fn api_version(mut self, version: &'static str) -> Self {
        self.api_version = Some(version);
        self
    }

    /// Adds a parameter to the query; an empty value is left out.
    pub(crate) fn query(mut self, name: &'static str, value: String) -> Self {
        if !value.is_empty() {
            self.query.push((name, value));
        }
        self
    }

    pub(crate) fn json(self, body: &impl serde::Serialize) -> Result<Self, Error> {
        self.body(body, "application/json")
    }

    pub(crate) fn merge_patch(self, body: &impl serde::Serialize) -> Result<Self, Error> {
        self.body(body, "application/merge-patch+json")
    }

    fn body(mut self, body: &impl serde::Serialize, content_type: &'static str) -> Result<Self, Error> {
        let bytes = serde_json::to_vec(body).map_err(|error| {
            Error::new(ErrorKind::InvalidInput, "a value cannot be written as JSON").with_source(error)
        })?;
        self.body = Some((bytes.into(), content_type));
        Ok(self)
    }

    /// The HTTP request. It carries no credential yet.
    pub(crate) fn build(&self, base: &Base, user_agent: &HeaderValue) -> Result<http::Request<Bytes>, Error> {
        let version = self.api_version.unwrap_or(&base.api_version);
        let uri = match &self.place {
            Place::Link(link) => {
                if link.origin() != base.url.origin() {
                    let text = format!(
                        "the service gave a link to {}, and requests go to {} only",
                        link.origin().ascii_serialization(),
                        base.url.origin().ascii_serialization()
                    );
                    return Err(Error::new(ErrorKind::ForeignOrigin, text).with_operation(self.operation));
                }
                with_api_version(link, version)
            }
            Place::Workspace(path) => self.uri(base, [&base.workspace, "/", path], version),
            Place::Subscription(path) => self.uri(base, [&base.subscription, "/", path], version),
            Place::Root(path) => self.uri(base, ["", "", path], version),
        };
        let uri = Uri::from_maybe_shared(Bytes::from(uri)).map_err(|_| {
            Error::new(ErrorKind::InvalidInput, "the request cannot be expressed in HTTP")
                .with_operation(self.operation)
        })?;
        let body = self.body.as_ref().map(|(bytes, _)| bytes.clone()).unwrap_or_default();
        let mut request = http::Request::new(body);
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = uri;
        let headers = request.headers_mut();
        // These, the call's id and the credential; with more the map grows once.
        headers.reserve(6);
        headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
        headers.insert(header::USER_AGENT, user_agent.clone());
        match self.body {
            Some((_, content_type)) => {
                headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
            }
            // hyper says nothing of a body that is not there, and front ends may ask for its length (411).
            None if self.method == Method::POST => {
                headers.insert(header::CONTENT_LENGTH, HeaderValue::from_static("0"));
            }
            None => {}
        }
        Ok(request)
    }

    fn uri(&self, base: &Base, path: [&str; 3], version: &str) -> String {
        let root = base.url.as_str().trim_end_matches('/');
        let [above, slash, path] = path;
        // A path of the caller's own may bring a query.
        let (path, given) = path.split_once('?').map_or((path, None), |(path, query)| (path, Some(query)));
        let parts = [root, above, slash, path, "?api-version=", version];
        let mut uri = String::with_capacity(parts.iter().map(|part| part.len()).sum::<usize>() + 64);
        uri.extend(parts);
        for (name, value) in &self.query {
            uri.extend(["&", name, "="]);
            uri.extend(utf8_percent_encode(value, ENCODED));
        }
        uri.extend(given.into_iter().flat_map(|query| ["&", query]));
        uri
    }
}

/// The link with our `api-version` in place of its own, the rest as it came.
fn with_api_version(link: &Url, api_version: &str) -> String {
    let mut out = link.clone();
    let others: Vec<&str> = link
        .query()
        .unwrap_or_default()
        .split('&')
        .filter(|pair| {
            let name = pair.split('=').next().unwrap_or_default();
            !name.is_empty() && !name.eq_ignore_ascii_case("api-version")
        })
        .collect();
    let version = format!("api-version={api_version}");
    let query = std::iter::once(version.as_str()).chain(others).collect::<Vec<_>>().join("&");
    out.set_query(Some(&query));
    out.set_fragment(None);
    out.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn build(request: &Request) -> Result<http::Request<Bytes>, Error> {
        let id = "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/rg(1)/providers/\
                  Microsoft.Quantum/Workspaces/ws";
        let endpoint = "https://eastus.quantum.azure.com".parse().unwrap();
        let address = WorkspaceAddress::new(id.parse().unwrap(), endpoint);
        request.build(&Base::of_workspace(&address, "2026-01-15-preview"), &HeaderValue::from_static("qws"))
    }

    #[test]
    fn segments_are_encoded_one_by_one() {
        let request = build(&Request::get(Operation::JobsGet, ["jobs", "a/b ü"])).unwrap();
        assert_eq!(
            request.uri().to_string(),
            "https://eastus.quantum.azure.com/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/\
             rg%281%29/providers/Microsoft.Quantum/workspaces/ws/jobs/a%2Fb%20%C3%BC?api-version=2026-01-15-preview"
        );
        assert!(!request.headers().contains_key("content-type"));
    }

    #[test]
    fn a_path_of_the_callers_own_is_encoded_only_where_it_must_be() {
        let request = build(&Request::raw(Method::GET, "jobs/a%2Fü?name=ä&top=1")).unwrap();
        let sent = request.uri().path_and_query().unwrap().as_str();
        assert!(
            sent.ends_with("/ws/jobs/a%2F%C3%BC?api-version=2026-01-15-preview&name=%C3%A4&top=1"),
            "{sent}"
        );
    }

    #[test]
    fn a_body_is_json_and_says_so() {
        let request = Request::new(Operation::StorageSasUri, Method::POST, ["storage", "sasUri"]);
        let request = build(&request.json(&serde_json::json!({"containerName": "job-1"})).unwrap()).unwrap();
        assert_eq!(request.headers()["content-type"], "application/json");
        assert_eq!(request.headers()["accept"], "application/json");
        assert_eq!(request.body(), r#"{"containerName":"job-1"}"#);
    }

    #[test]
    fn links_keep_their_query_and_get_our_version() {
        let link = "https://eastus.quantum.azure.com:443/next?API-Version=1999&%24skiptoken=a%2Bb#x"
            .parse()
            .unwrap();
        let request = build(&Request::link(Operation::ProvidersList, link)).unwrap();
        assert_eq!(
            request.uri().to_string(),
            "https://eastus.quantum.azure.com/next?api-version=2026-01-15-preview&%24skiptoken=a%2Bb"
        );
    }

    #[test]
    fn links_to_another_origin_are_refused_without_their_query() {
        for link in [
            "https://evil.example/?sig=hunter2",
            "http://eastus.quantum.azure.com/",
            "https://eastus.quantum.azure.com:8443/",
        ] {
            let error = build(&Request::link(Operation::ProvidersList, link.parse().unwrap())).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::ForeignOrigin, "{link}");
            assert!(!error.to_string().contains("hunter2"));
        }
    }
}
