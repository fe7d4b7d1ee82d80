//! The cloud around a workspace: who gives tokens, who knows workspaces, whom to trust.

use crate::error::{ParseError, Part};
use crate::plain;
use crate::settings::{SettingsError, Source};
use crate::strict_url::{StrictUrl, is_loopback};
use crate::text::Text;
use std::path::{Path, PathBuf};
use url::Url;

/// Resource Manager, token authority, token scopes and an extra root certificate: the public cloud unless told otherwise.
///
/// Both URLs are https, or http to this machine.
///
/// ```
/// use qws_config::Cloud;
///
/// let cloud = Cloud::public();
/// assert_eq!(cloud.resource_manager().as_url().as_str(), "https://management.azure.com/");
/// assert_eq!(cloud.quantum_scope(), "https://quantum.microsoft.com/.default");
///
/// // A program pointed at an emulator as a whole:
/// let cloud = Cloud::public()
///     .with_resource_manager("http://127.0.0.1:7071/")?
///     .with_authority("https://localhost:7072/")?
///     .with_ca_file("emulator-ca.pem");
/// assert!(cloud.authority().for_secrets().is_ok());
/// # Ok::<(), qws_config::ParseError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cloud {
    pub(crate) resource_manager: CloudUrl,
    pub(crate) authority: CloudUrl,
    pub(crate) quantum_scope: Option<Box<str>>,
    pub(crate) management_scope: Option<Box<str>>,
    pub(crate) ca_file: Option<PathBuf>,
}

/// Resource Manager of each Azure cloud, and the scope of its tokens.
const RESOURCE_MANAGERS: [(&str, &str); 3] = [
    ("management.azure.com", "https://management.azure.com/.default"),
    ("management.usgovcloudapi.net", "https://management.usgovcloudapi.net/.default"),
    ("management.chinacloudapi.cn", "https://management.chinacloudapi.cn/.default"),
];
/// The authorities of the Azure clouds.
const AUTHORITIES: [&str; 4] = [
    "login.microsoftonline.com",
    "login.microsoftonline.us",
    "login.chinacloudapi.cn",
    "login.partner.microsoftonline.cn",
];
const QUANTUM_SCOPE: &str = "https://quantum.microsoft.com/.default";

impl Default for Cloud {
    fn default() -> Self {
        Self::public()
    }
}

impl Cloud {
    /// The public cloud.
    #[must_use]
    #[expect(clippy::missing_panics_doc, reason = "the two URLs are constants, and a doctest reads them")]
    pub fn public() -> Self {
        let known = |part, url: &str| CloudUrl {
            part,
            url: Url::parse(url).expect("a valid URL"),
            source: Source::Default,
        };
        Self {
            resource_manager: known(Part::ResourceManager, "https://management.azure.com/"),
            authority: known(Part::Authority, "https://login.microsoftonline.com/"),
            quantum_scope: None,
            management_scope: None,
            ca_file: None,
        }
    }

    /// Sets the endpoint of Azure Resource Manager. A path is kept.
    ///
    /// # Errors
    /// Not a URL, http to another machine, or with user name, query or fragment.
    pub fn with_resource_manager(mut self, url: &str) -> Result<Self, ParseError> {
        let url = resource_manager(url)?;
        self.resource_manager = CloudUrl { part: Part::ResourceManager, url, source: Source::Argument };
        Ok(self)
    }

    /// Sets the authority that gives tokens. Without a scheme it is https; a path is kept.
    ///
    /// # Errors
    /// As for [`with_resource_manager`](Self::with_resource_manager).
    pub fn with_authority(mut self, url: &str) -> Result<Self, ParseError> {
        let url = authority(url)?;
        self.authority = CloudUrl { part: Part::Authority, url, source: Source::Argument };
        Ok(self)
    }

    /// Sets the scope of tokens for the data plane.
    ///
    /// # Errors
    /// Empty, or with characters other than ASCII letters, digits and `_-.:/`.
    pub fn with_quantum_scope(mut self, scope: &str) -> Result<Self, ParseError> {
        self.quantum_scope = Some(plain::scope(Part::QuantumScope, scope)?);
        Ok(self)
    }

    /// Sets the scope of tokens for Resource Manager and Resource Graph.
    ///
    /// # Errors
    /// As for [`with_quantum_scope`](Self::with_quantum_scope).
    pub fn with_management_scope(mut self, scope: &str) -> Result<Self, ParseError> {
        self.management_scope = Some(plain::scope(Part::ManagementScope, scope)?);
        Ok(self)
    }

    /// Sets a PEM file with root certificates to trust beside the platform's.
    #[must_use]
    pub fn with_ca_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.ca_file = Some(path.into());
        self
    }

    /// Azure Resource Manager, which knows workspaces and their endpoints.
    #[must_use]
    pub fn resource_manager(&self) -> &CloudUrl {
        &self.resource_manager
    }

    /// The authority that gives tokens.
    #[must_use]
    pub fn authority(&self) -> &CloudUrl {
        &self.authority
    }

    /// The URLs that are neither a known Azure cloud's nor on this machine. A program should tell its user of each.
    pub fn foreign(&self) -> impl Iterator<Item = &CloudUrl> {
        [&self.resource_manager, &self.authority].into_iter().filter(|url| url.is_foreign())
    }

    /// The scope of tokens for the data plane.
    #[must_use]
    pub fn quantum_scope(&self) -> &str {
        self.quantum_scope.as_deref().unwrap_or(QUANTUM_SCOPE)
    }

    /// The scope of tokens for Resource Manager and Resource Graph; of a known cloud its own, else that of the public cloud.
    #[must_use]
    pub fn management_scope(&self) -> &str {
        let host = self.resource_manager.url.host_str();
        let known =
            RESOURCE_MANAGERS.iter().find(|(known, _)| Some(*known) == host).unwrap_or(&RESOURCE_MANAGERS[0]);
        self.management_scope.as_deref().unwrap_or(known.1)
    }

    /// A PEM file with root certificates to trust beside the platform's.
    #[must_use]
    pub fn ca_file(&self) -> Option<&Path> {
        self.ca_file.as_deref()
    }
}

/// One URL of a [`Cloud`], and who named it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CloudUrl {
    pub(crate) part: Part,
    pub(crate) url: Url,
    pub(crate) source: Source,
}

impl CloudUrl {
    /// The URL; its path ends in `/`. To send a token or secret there, ask [`for_secrets`](Self::for_secrets).
    #[must_use]
    pub fn as_url(&self) -> &Url {
        &self.url
    }

    /// Who named it.
    #[must_use]
    pub fn source(&self) -> &Source {
        &self.source
    }

    /// What it is: [`Part::ResourceManager`] or [`Part::Authority`].
    #[must_use]
    pub fn part(&self) -> Part {
        self.part
    }

    /// Whether it is neither a host of a known Azure cloud nor this machine.
    #[must_use]
    pub fn is_foreign(&self) -> bool {
        let host = self.url.host_str().unwrap_or_default();
        let known = match self.part {
            Part::Authority => AUTHORITIES.contains(&host),
            _ => RESOURCE_MANAGERS.iter().any(|(known, _)| *known == host),
        };
        !known && !is_loopback(&self.url)
    }

    /// The URL, as a place for tokens and secrets.
    ///
    /// # Errors
    /// [`SettingsError::Foreign`] if the host is foreign and only the environment names it: a variable that was set for another program must not
    /// redirect secrets.
    pub fn for_secrets(&self) -> Result<&Url, SettingsError> {
        if self.is_foreign() && !self.source.is_deliberate() {
            let host = self.url.host_str().unwrap_or_default().into();
            return Err(SettingsError::Foreign { part: self.part, host, from: self.source.clone() });
        }
        Ok(&self.url)
    }
}

pub(crate) fn resource_manager(text: &str) -> Result<Url, ParseError> {
    base_url(Part::ResourceManager, Text::new(text, 0))
}

pub(crate) fn authority(text: &str) -> Result<Url, ParseError> {
    let text = Text::new(text, 0);
    if text.str.is_empty() || text.str.contains("://") {
        return base_url(Part::Authority, text);
    }
    // The libraries of Azure take a bare host name in `AZURE_AUTHORITY_HOST`; offsets stay those of what was typed.
    let full = format!("https://{}", text.str);
    base_url(Part::Authority, Text::new(&full, 0)).map_err(|error| error.moved(text.at, "https://".len()))
}

fn base_url(part: Part, text: Text<'_>) -> Result<Url, ParseError> {
    let mut url = StrictUrl::read(part, text)?.url;
    if !url.path().ends_with('/') {
        let path = format!("{}/", url.path());
        url.set_path(&path);
    }
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ParseErrorKind;
    use crate::settings::Settings;

    fn from_environment(variable: &'static str, value: &str) -> Cloud {
        let settings = Settings::from_lookup(|name| match name {
            "AZURE_QUANTUM_WORKSPACE_NAME" => Some("contoso-ws".to_owned()),
            _ => (name == variable).then(|| value.to_owned()),
        });
        settings.resolve().unwrap().cloud().clone()
    }

    #[test]
    fn secrets_go_to_foreign_hosts_only_if_those_were_named_on_purpose() {
        for (variable, value, foreign) in [
            ("AZURE_AUTHORITY_HOST", "login.microsoftonline.us", false),
            ("AZURE_AUTHORITY_HOST", "https://localhost:8443", false),
            ("AZURE_AUTHORITY_HOST", "https://login.contoso.example/adfs", true),
            ("AZURE_AUTHORITY_HOST", "https://management.azure.com", true),
            ("QWS_RESOURCE_MANAGER_ENDPOINT", "http://127.0.0.1:7071", false),
            ("QWS_RESOURCE_MANAGER_ENDPOINT", "https://management.azure.com.evil.example/", true),
        ] {
            let cloud = from_environment(variable, value);
            let url =
                if variable.starts_with("AZURE") { cloud.authority() } else { cloud.resource_manager() };
            assert_eq!(url.is_foreign(), foreign, "{value}");
            assert_eq!(url.for_secrets().is_err(), foreign, "{value}");
        }
        let named = Cloud::public().with_authority("https://login.contoso.example/adfs").unwrap();
        assert!(named.authority().is_foreign() && named.authority().for_secrets().is_ok());
        assert_eq!(named.foreign().map(CloudUrl::part).collect::<Vec<_>>(), [Part::Authority]);
        assert_eq!(Cloud::public().foreign().count(), 0);
        let through_settings =
            Settings::new().with_workspace_name("contoso-ws".parse().unwrap()).with_cloud(&named);
        assert_eq!(through_settings.resolve().unwrap().cloud(), &named);
    }

    #[test]
    fn the_error_about_a_foreign_host_names_host_and_source() {
        let cloud = from_environment("AZURE_AUTHORITY_HOST", "login.contoso.example");
        assert_eq!(
            cloud.authority().for_secrets().unwrap_err().to_string(),
            "authority `login.contoso.example` is not a host of a known Azure cloud, and only the variable \
             `AZURE_AUTHORITY_HOST` names it"
        );
    }

    #[test]
    fn a_bare_authority_is_https_and_errors_point_into_what_was_typed() {
        let cloud = Cloud::public().with_authority(" login.microsoftonline.us ").unwrap();
        assert_eq!(cloud.authority().as_url().as_str(), "https://login.microsoftonline.us/");
        for (text, at) in
            [("login.contoso.example?x", 21), (" me@login.contoso.example", 1), ("", 0), ("a b", 1)]
        {
            assert_eq!(Cloud::public().with_authority(text).unwrap_err().at(), Some(at), "{text}");
        }
        let error = Cloud::public().with_authority("http://login.contoso.example").unwrap_err();
        assert_eq!(error.kind(), ParseErrorKind::Scheme);
    }

    #[test]
    fn each_known_cloud_has_its_own_management_scope() {
        let scope =
            |url: &str| Cloud::public().with_resource_manager(url).unwrap().management_scope().to_owned();
        assert_eq!(
            scope("https://management.usgovcloudapi.net/x"),
            "https://management.usgovcloudapi.net/.default"
        );
        assert_eq!(scope("http://localhost:7071"), "https://management.azure.com/.default");
        let own = Cloud::public().with_management_scope("https://arm.contoso.example/.default").unwrap();
        assert_eq!(own.management_scope(), "https://arm.contoso.example/.default");
    }

    #[test]
    fn a_scope_cannot_pose_as_an_option_or_hold_a_space() {
        for scope in ["", "-x", "a b", "a;b", "ä"] {
            assert!(Cloud::public().with_quantum_scope(scope).is_err(), "{scope}");
        }
    }
}
