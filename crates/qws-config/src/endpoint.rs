//! Where the data plane of a workspace is.

use crate::error::{ParseError, ParseErrorKind, Part};
use crate::kind::WorkspaceKind;
use crate::location::Location;
use crate::strict_url::{StrictUrl, is_loopback};
use crate::text::Text;
use std::fmt;
use std::str::FromStr;
use url::Url;

/// The base URL of a workspace's data plane: the one origin that its key or token is sent to.
///
/// Parsing takes the hosts of the service, over https, and this machine (for the emulator), over http or https:
///
/// | URL | location | kind |
/// | --- | --- | --- |
/// | `https://{region}.quantum.azure.com/` | region | V1 |
/// | `https://{region}-v2.quantum.azure.com/` | region | V2 |
/// | `https://{workspace}.{region}.quantum.azure.com/` (or `{region}-v2`) | region | unknown (or V2) |
/// | the same with `quantum-test.azure.com` | region | as above |
/// | `http://127.0.0.1:8080/`, `https://localhost/`, `http://[::1]:8080/` | unknown | unknown |
///
/// Any other host must be named in code with [`Endpoint::custom`] or in a profile.
///
/// ```
/// use qws_config::{Endpoint, ParseErrorKind};
///
/// let endpoint: Endpoint = "https://EastUS.quantum.azure.com".parse()?;
/// assert_eq!(endpoint.to_string(), "https://eastus.quantum.azure.com/");
/// assert_eq!(endpoint.location().map(|l| l.as_str()), Some("eastus"));
///
/// let other = "https://eastus.quantum.azure.com.contoso.example/".parse::<Endpoint>().unwrap_err();
/// assert_eq!(other.kind(), ParseErrorKind::Host);
/// # Ok::<(), qws_config::ParseError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Endpoint {
    url: Url,
    location: Option<Location>,
    kind: Option<WorkspaceKind>,
}

const HOSTS: &str = "`{region}.quantum.azure.com`, `{region}-v2.quantum.azure.com`, `{workspace}.{region}.quantum.azure.com`, \
                     or this machine";

impl Endpoint {
    /// Reads a URL; of hosts that are not the service's nor this machine, `allowed` is the only one taken.
    pub(crate) fn read(text: Text<'_>, allowed: Option<&str>) -> Result<Self, ParseError> {
        let strict = StrictUrl::read(Part::Endpoint, text)?;
        let part = Part::Endpoint;
        let service = strict.url.domain().and_then(service_host);
        let is_allowed = || {
            allowed
                .is_some_and(|name| strict.url.host_str().is_some_and(|host| host.eq_ignore_ascii_case(name)))
        };
        if service.is_none() && !is_loopback(&strict.url) && !is_allowed() {
            let found = format!("has the unknown host {}", strict.host_for_message());
            let error = ParseError::new(part, ParseErrorKind::Host, strict.host_at, found, HOSTS);
            return Err(error.with_hint("a sovereign or private host must be allowed by name: `Endpoint::custom` in code, `custom_endpoint` in a profile"));
        }
        if service.is_some() && strict.url.port().is_some() {
            return Err(ParseError::new(
                part,
                ParseErrorKind::Host,
                strict.host_at,
                "names a port",
                "the service's host without a port",
            ));
        }
        if strict.url.path() != "/" {
            return Err(ParseError::new(
                part,
                ParseErrorKind::Shape,
                strict.path_at,
                "has a path",
                "nothing after the host",
            ));
        }
        let (location, kind) =
            service.map_or((None, None), |(region, kind)| (Some(Location::canonical(region)), kind));
        Ok(Self { location, kind, url: strict.url })
    }

    /// Takes any https host (http for this machine), because the caller names it on purpose: a sovereign cloud, a private link, a gateway.
    ///
    /// A path is kept and ends in `/`.
    ///
    /// ```
    /// # use qws_config::Endpoint;
    /// let endpoint = Endpoint::custom("https://quantum.contoso.example/gateway")?;
    /// assert_eq!(endpoint.to_string(), "https://quantum.contoso.example/gateway/");
    /// # Ok::<(), qws_config::ParseError>(())
    /// ```
    ///
    /// # Errors
    /// Not a URL, http to another machine, or with user name, query or fragment.
    pub fn custom(url: &str) -> Result<Self, ParseError> {
        let StrictUrl { mut url, .. } = StrictUrl::read(Part::Endpoint, Text::new(url, 0))?;
        if !url.path().ends_with('/') {
            let path = format!("{}/", url.path());
            url.set_path(&path);
        }
        let (location, kind) = match url.domain().and_then(service_host) {
            Some((region, kind)) => (Some(Location::canonical(region)), kind),
            None => (None, None),
        };
        Ok(Self { url, location, kind })
    }

    /// `https://{location}.quantum.azure.com/`: right for most V1 workspaces, wrong for V2 ones. Ask Resource Manager where possible.
    #[must_use]
    pub fn for_location(location: &Location) -> Option<Self> {
        format!("https://{location}.quantum.azure.com/").parse().ok()
    }

    /// The URL; its path ends in `/`, so relative references can be joined to it.
    #[must_use]
    pub fn as_url(&self) -> &Url {
        &self.url
    }

    /// Whether a URL has the scheme, host and port of this endpoint. A key or token goes nowhere else.
    #[must_use]
    pub fn same_origin(&self, url: &Url) -> bool {
        self.url.scheme() == url.scheme()
            && self.url.host() == url.host()
            && self.url.port_or_known_default() == url.port_or_known_default()
    }

    /// Whether it is on this machine: `127.0.0.0/8`, `::1` or `localhost`.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        is_loopback(&self.url)
    }

    /// The region in the host name of the service.
    #[must_use]
    pub fn location(&self) -> Option<&Location> {
        self.location.as_ref()
    }

    /// The kind of workspace that the host name tells.
    #[must_use]
    pub fn kind(&self) -> Option<WorkspaceKind> {
        self.kind.clone()
    }
}

/// Region and kind, if it is a host of the service.
#[inline]
fn service_host(host: &str) -> Option<(&str, Option<WorkspaceKind>)> {
    let labels =
        host.strip_suffix(".quantum.azure.com").or_else(|| host.strip_suffix(".quantum-test.azure.com"))?;
    let (workspace, region) = match labels.split_once('.') {
        Some((workspace, region)) => (Some(workspace), region),
        None => (None, labels),
    };
    let (region, kind) = match region.strip_suffix("-v2") {
        Some(region) => (region, Some(WorkspaceKind::V2)),
        None => (region, workspace.is_none().then_some(WorkspaceKind::V1)),
    };
    let region_ok = !region.is_empty() && region.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let workspace_ok = workspace.is_none_or(|name| {
        !name.is_empty()
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
    });
    (region_ok && workspace_ok).then_some((region, kind))
}

impl FromStr for Endpoint {
    type Err = ParseError;

    /// Reads the URL; white space around it is ignored, a missing `/` at the end is added.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::read(Text::new(text, 0), None)
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.url.as_str())
    }
}

crate::serde_text::serde_text!(Endpoint, serialize);

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(text: &str) -> Endpoint {
        text.parse().unwrap()
    }

    #[test]
    fn hosts_of_the_service_tell_region_and_kind() {
        for (host, region, kind) in [
            ("eastus.quantum.azure.com", "eastus", Some(WorkspaceKind::V1)),
            ("EastUS-V2.quantum.azure.com:443", "eastus", Some(WorkspaceKind::V2)),
            ("contoso-ws.westeurope.quantum.azure.com", "westeurope", None),
            ("contoso-ws.westus-v2.quantum-test.azure.com", "westus", Some(WorkspaceKind::V2)),
        ] {
            let endpoint = endpoint(&format!(" https://{host} "));
            assert_eq!((endpoint.location().unwrap().as_str(), endpoint.kind()), (region, kind), "{host}");
            assert!(endpoint.to_string().ends_with(".com/"));
        }
    }

    #[test]
    fn this_machine_may_be_reached_without_tls() {
        for text in [
            "http://127.0.0.1:7071/",
            "http://localhost",
            "http://[::1]:80/",
            "https://127.9.9.9/",
            "http://2130706433/",
        ] {
            assert!(endpoint(text).is_loopback(), "{text}");
        }
    }

    #[test]
    fn other_hosts_and_disguises_are_refused_where_they_stand() {
        use ParseErrorKind::{Character, Empty, Host, Scheme, Shape};
        for (text, kind, at) in [
            ("", Empty, 0),
            ("eastus.quantum.azure.com", Shape, 0),
            ("https:eastus.quantum.azure.com", Shape, 0),
            ("http://eastus.quantum.azure.com/", Scheme, 0),
            ("ftp://localhost/", Scheme, 0),
            ("https://eastusXquantumYazureZcom/", Host, 8),
            ("https://east-us.quantum.azure.com/", Host, 8),
            ("https://eastus-v3.quantum.azure.com/", Host, 8),
            ("https://a.b.eastus.quantum.azure.com/", Host, 8),
            ("https://.quantum.azure.com/", Host, 8),
            ("https://-v2.quantum.azure.com/", Host, 8),
            ("https://eastus.quantum.azure.com./", Host, 8),
            ("https://eastus.quantum.azure.com:8443/", Host, 8),
            ("http://localhost.contoso.example/", Scheme, 0),
            ("https://10.0.0.1/", Host, 8),
            ("https://eastus.quantum.azure.com@evil.example/", Shape, 8),
            ("https:////me@eastus.quantum.azure.com/", Shape, 8),
            ("https://", Shape, 8),
            ("https://?eastus.quantum.azure.com", Shape, 8),
            ("https://eastus.quantum.azure.com/jobs", Shape, 32),
            ("https://eastus.quantum.azure.com/?a=b", Shape, 33),
            ("https://eastus.quantum.azure.com#x", Shape, 32),
            ("https://east\tus.quantum.azure.com/", Character, 12),
            ("https:\\\\eastus.quantum.azure.com/", Character, 6),
            ("https://eastus\u{3002}quantum.azure.com/", Character, 14),
            ("https://east%75s.quantum.azure.com/", Character, 12),
        ] {
            let error = text.parse::<Endpoint>().unwrap_err();
            assert_eq!((error.kind(), error.at()), (kind, Some(at)), "{text}: {error}");
        }
    }

    #[test]
    fn a_host_that_ran_together_with_a_key_is_not_repeated() {
        let error = "https://eastus.quantum.azure.comApiKey=hunter2/".parse::<Endpoint>().unwrap_err();
        assert!(!format!("{error} {error:?}").contains("hunter2"), "{error}");
    }

    #[test]
    fn a_host_longer_than_any_name_is_refused_unread() {
        let error =
            format!("https://{}.quantum.azure.com/", "xn--".repeat(100)).parse::<Endpoint>().unwrap_err();
        assert_eq!((error.kind(), error.at()), (ParseErrorKind::Length, Some(8)));
    }

    #[test]
    fn an_origin_is_scheme_host_and_port() {
        let ours = endpoint("https://eastus.quantum.azure.com/");
        for (url, same) in [
            ("https://eastus.quantum.azure.com:443/x?y=z", true),
            ("https://EASTUS.quantum.azure.com", true),
            ("http://eastus.quantum.azure.com/", false),
            ("https://eastus.quantum.azure.com:444/", false),
            ("https://westus.quantum.azure.com/", false),
        ] {
            assert_eq!(ours.same_origin(&Url::parse(url).unwrap()), same, "{url}");
        }
    }

    #[test]
    fn a_custom_host_still_needs_https() {
        assert!(Endpoint::custom("https://quantum.contoso.example").is_ok());
        assert_eq!(
            Endpoint::custom("http://quantum.contoso.example").unwrap_err().kind(),
            ParseErrorKind::Scheme
        );
        assert_eq!(
            Endpoint::custom("https://u:p@contoso.example").unwrap_err().kind(),
            ParseErrorKind::Shape
        );
    }
}
