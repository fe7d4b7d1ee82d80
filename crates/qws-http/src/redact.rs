//! What may be shown of requests: origins and paths, never query values, user information or secret headers.

use std::fmt;

use http::{HeaderMap, Uri};
use url::Url;

/// Headers whose values are safe to show. Everything else is shown by name only.
const SHOWN_HEADERS: &[&str] = &[
    "accept",
    "content-length",
    "content-range",
    "content-type",
    "date",
    "etag",
    "if-match",
    "if-none-match",
    "last-modified",
    "retry-after",
    "retry-after-ms",
    "user-agent",
    "x-ms-blob-content-type",
    "x-ms-blob-type",
    "x-ms-client-request-id",
    "x-ms-error-code",
    "x-ms-request-id",
    "x-ms-retry-after-ms",
    "x-ms-version",
];

/// Query parameters whose values are safe to show.
const SHOWN_QUERY: &[&str] = &["api-version", "comp", "restype", "se", "sp", "sr", "sv"];

/// Scheme, host and port of a URI; user information, path and query are left out.
#[must_use]
pub fn origin(uri: &Uri) -> String {
    let scheme = uri.scheme_str().unwrap_or("http");
    let host = uri.host().unwrap_or("(no host)");
    match uri.port_u16() {
        Some(port) => format!("{scheme}://{host}:{port}"),
        None => format!("{scheme}://{host}"),
    }
}

/// A URL as it may be shown: no user information, and `***` for every query value that is not known to be harmless.
///
/// ```
/// let url = url::Url::parse("https://store.blob.core.windows.net/job-1/inputData?sp=r&sig=c2VjcmV0").unwrap();
/// assert_eq!(qws_http::redact::url(&url), "https://store.blob.core.windows.net/job-1/inputData?sp=r&sig=***");
/// ```
#[must_use]
pub fn url(url: &Url) -> String {
    let mut out = format!("{}://{}", url.scheme(), url.host_str().unwrap_or("(no host)"));
    if let Some(port) = url.port() {
        out.push(':');
        out.push_str(&port.to_string());
    }
    out.push_str(url.path());
    for (at, (key, value)) in url.query_pairs().enumerate() {
        out.push(if at == 0 { '?' } else { '&' });
        out.push_str(&key);
        out.push('=');
        out.push_str(if SHOWN_QUERY.contains(&key.as_ref()) { &value } else { "***" });
    }
    out
}

/// Headers as they may be shown: `***` for every value that is not known to be harmless.
#[derive(Clone, Copy)]
pub struct Headers<'a>(pub &'a HeaderMap);

impl fmt::Debug for Headers<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = self.0.iter().map(|(name, value)| {
            let harmless = SHOWN_HEADERS.contains(&name.as_str()) && !value.is_sensitive();
            (name.as_str(), if harmless { value.to_str().unwrap_or("(not text)") } else { "***" })
        });
        f.debug_map().entries(shown).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secret_headers_are_shown_by_name_only() {
        let mut headers = HeaderMap::new();
        headers.insert("x-ms-quantum-api-key", "hunter2".parse().unwrap());
        headers.insert("authorization", "Bearer hunter2".parse().unwrap());
        headers.insert("accept", "application/json".parse().unwrap());
        let shown = format!("{:?}", Headers(&headers));
        assert!(!shown.contains("hunter2"), "{shown}");
        assert!(shown.contains(r#""x-ms-quantum-api-key": "***""#), "{shown}");
        assert!(shown.contains(r#""accept": "application/json""#), "{shown}");
    }

    #[test]
    fn user_information_is_dropped() {
        let parsed = Url::parse("https://me:hunter2@example.org:8443/x?code=hunter2&comp=list").unwrap();
        assert_eq!(url(&parsed), "https://example.org:8443/x?code=***&comp=list");
    }
}
