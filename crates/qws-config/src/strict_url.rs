//! URLs that a key or token will be sent to, read strictly.
//!
//! The reading itself is the `url` crate's, which the HTTP stack uses too: two parsers that disagree about where a host ends are a
//! hole. What that parser forgives (tabs, backslashes, user names, missing slashes, escaped hosts) is refused before it sees the text.

use crate::error::{ParseError, ParseErrorKind, Part};
use crate::text::{Text, all, find};
use url::{Host, Url};

pub(crate) struct StrictUrl {
    pub(crate) url: Url,
    /// Byte offset of the host in the caller's text.
    pub(crate) host_at: usize,
    /// Byte offset just past host and port.
    pub(crate) path_at: usize,
}

const EXPECTED: &str = "a URL such as `https://eastus.quantum.azure.com/`";

/// A domain name has at most 253 characters; a port follows. Longer ones only cost time.
const LONGEST_HOST: usize = 260;

impl StrictUrl {
    /// Reads an `https` URL (or `http` to this machine) without user name, query and fragment.
    pub(crate) fn read(part: Part, text: Text<'_>) -> Result<Self, ParseError> {
        let shape = |at, found: &'static str| {
            ParseError::new(part, ParseErrorKind::Shape, text.at + at, found, EXPECTED)
        };
        if text.str.is_empty() {
            return Err(ParseError::empty(part, text.at, EXPECTED));
        }
        // Nearly all URLs are only scheme, host and slashes. Then nothing below can be wrong but their order.
        let plain = all(text.str.as_bytes(), |byte| {
            byte.is_ascii_graphic() && !matches!(byte, b'\\' | b'@' | b'%' | b'?' | b'#')
        });
        let fine = |byte: u8| byte.is_ascii_graphic() && byte != b'\\';
        if !plain && let Some(at) = text.str.bytes().position(|byte| !fine(byte)) {
            let found = text.str[at..].chars().next().unwrap_or(char::REPLACEMENT_CHARACTER);
            return Err(ParseError::character(part, text.at + at, found, "visible ASCII without '\\'"));
        }
        let colon = find(text.str, b':');
        let Some(scheme) = colon.filter(|&at| text.str[at..].starts_with("://")) else {
            return Err(shape(0, "has no scheme").with_hint("begin it with `https://`"));
        };
        let host_at = scheme + 3;
        let from_host = &text.str[host_at..];
        let host_end =
            if plain { find(from_host, b'/') } else { from_host.bytes().position(|b| b"/?#".contains(&b)) };
        let path_at = host_end.map_or(text.str.len(), |end| host_at + end);
        if path_at == host_at {
            // The URL parser would skip any number of slashes to find one.
            return Err(shape(host_at, "has no host"));
        }
        if path_at - host_at > LONGEST_HOST {
            let found = format!("has a host of {} bytes", path_at - host_at);
            return Err(ParseError::new(
                part,
                ParseErrorKind::Length,
                text.at + host_at,
                found,
                "at most 260 with the port",
            ));
        }
        if !plain {
            refuse_odd(part, text, host_at, path_at)?;
        }
        let url = Url::parse(text.str).map_err(|error| {
            ParseError::new(
                part,
                ParseErrorKind::Shape,
                text.at + host_at,
                format!("is no URL ({error})"),
                EXPECTED,
            )
        })?;
        let secure = match url.scheme() {
            "https" => true,
            "http" => is_loopback(&url),
            _ => false,
        };
        if !secure {
            let error = ParseError::new(
                part,
                ParseErrorKind::Scheme,
                text.at,
                "does not use https",
                "`https://`; `http://` only to this machine (`127.0.0.1`, `[::1]`, `localhost`)",
            );
            return Err(error);
        }
        Ok(Self { url, host_at: text.at + host_at, path_at: text.at + path_at })
    }

    /// The host for an error message, unless it looks like more than a host name: text that ran together could hold a key.
    pub(crate) fn host_for_message(&self) -> String {
        match self.url.host_str() {
            Some(host)
                if host.len() <= 100
                    && host.bytes().all(|b| b.is_ascii_alphanumeric() || b".-:[]".contains(&b)) =>
            {
                format!("`{host}`")
            }
            _ => "that is not shown".to_owned(),
        }
    }
}

/// What the URL parser would forgive in a host, or leave out of it.
#[cold]
fn refuse_odd(part: Part, text: Text<'_>, host_at: usize, path_at: usize) -> Result<(), ParseError> {
    let shape =
        |at, found: &'static str| ParseError::new(part, ParseErrorKind::Shape, text.at + at, found, EXPECTED);
    let (host, rest) = text.str[host_at..].split_at(path_at - host_at);
    if host.contains('@') {
        return Err(
            shape(host_at, "has a user name or password").with_hint("leave out everything before the `@`")
        );
    }
    if let Some(at) = host.find('%') {
        // No host needs it, and what it decodes to may be longer than what was measured.
        return Err(ParseError::character(part, text.at + host_at + at, '%', "a host without escapes"));
    }
    match rest.find(['?', '#']) {
        Some(at) => Err(shape(path_at + at, "has a query or fragment")),
        None => Ok(()),
    }
}

/// Whether requests to the URL stay on this machine. Of names only `localhost` counts: others depend on a resolver.
pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}
