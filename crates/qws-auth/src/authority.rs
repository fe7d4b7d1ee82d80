use std::net::IpAddr;

use qws_config::TenantId;
use url::{Host, Url};

use crate::AuthError;

/// Microsoft's own: public cloud, US Government, China.
const KNOWN_HOSTS: &[&str] =
    &["login.microsoftonline.com", "login.microsoftonline.us", "login.chinacloudapi.cn"];

/// The server that signs in.
#[derive(Debug, Clone)]
pub(crate) struct Authority {
    base: Url,
}

impl Authority {
    pub(crate) fn public() -> Self {
        Self::from_code(KNOWN_HOSTS[0]).unwrap_or_else(|_| unreachable!("the constant is a host name"))
    }

    /// Named in the program.
    pub(crate) fn from_code(text: &str) -> Result<Self, AuthError> {
        Self::parse(text).map_err(|why| AuthError::invalid(format!("the authority host {why}")))
    }

    /// Named by the environment, which must not lead secrets elsewhere unnoticed: an unknown host is logged.
    pub(crate) fn from_environment(text: &str) -> Result<Self, AuthError> {
        let authority =
            Self::parse(text).map_err(|why| AuthError::invalid(format!("AZURE_AUTHORITY_HOST {why}")))?;
        if !KNOWN_HOSTS.contains(&authority.host()) {
            tracing::warn!(
                host = authority.host(),
                "AZURE_AUTHORITY_HOST leads sign-in to a host that is not Microsoft's"
            );
        }
        Ok(authority)
    }

    /// http is taken for this machine only, where an emulator may have no certificate.
    fn parse(text: &str) -> Result<Self, &'static str> {
        let text = text.trim().trim_end_matches('/');
        let with_scheme = if text.contains("://") { text.to_owned() } else { format!("https://{text}") };
        let base = Url::parse(&with_scheme).map_err(|_| "is neither a host name nor a URL")?;
        let local = match base.host() {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(ip)) => IpAddr::from(ip).is_loopback(),
            Some(Host::Ipv6(ip)) => IpAddr::from(ip).is_loopback(),
            None => return Err("has no host"),
        };
        match base.scheme() {
            "https" => {}
            "http" if local => {}
            _ => return Err("must be an https URL, or http on this machine"),
        }
        if !base.username().is_empty() || base.password().is_some() {
            return Err("must not hold a user name or password");
        }
        if base.query().is_some() || base.fragment().is_some() {
            return Err("must not have a query or fragment");
        }
        Ok(Self { base })
    }

    pub(crate) fn host(&self) -> &str {
        self.base.host_str().unwrap_or_default()
    }

    /// What identifies it: scheme, host, port and path.
    pub(crate) fn as_str(&self) -> &str {
        self.base.as_str().trim_end_matches('/')
    }

    /// Where `what` is done for this tenant: `token`, for example. A path of the authority itself is kept.
    pub(crate) fn endpoint(&self, tenant: &TenantId, what: &str) -> String {
        // A tenant consists of letters, digits, inner hyphens and dots, and cannot be `..`: nothing to encode.
        format!("{}/{tenant}/oauth2/v2.0/{what}", self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn host_names_and_urls_are_taken_and_their_path_is_kept() {
        let tenant = "contoso.com".parse().unwrap();
        let endpoint = |text| Authority::from_code(text).unwrap().endpoint(&tenant, "token");
        assert_eq!(
            endpoint(" login.microsoftonline.us/ "),
            "https://login.microsoftonline.us/contoso.com/oauth2/v2.0/token"
        );
        assert_eq!(
            endpoint("https://proxy.example/aad/"),
            "https://proxy.example/aad/contoso.com/oauth2/v2.0/token"
        );
        assert_eq!(endpoint("http://127.0.0.1:8080"), "http://127.0.0.1:8080/contoso.com/oauth2/v2.0/token");
    }

    #[test]
    fn unsafe_ones_are_refused_without_showing_them() {
        for text in
            ["http://login.microsoftonline.com", "ftp://x", "https://u:hunter2@x", "https://x?hunter2", ""]
        {
            let error = Authority::from_code(text).unwrap_err();
            assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
        }
        let error = Authority::from_environment("http://10.0.0.1:1").unwrap_err();
        assert_eq!(error.to_string(), "AZURE_AUTHORITY_HOST must be an https URL, or http on this machine");
        assert!(Authority::from_environment("http://127.0.0.1:1").is_ok());
    }
}
