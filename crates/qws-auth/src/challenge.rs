use base64::{
    Engine,
    alphabet::URL_SAFE,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use http::{HeaderMap, header::WWW_AUTHENTICATE};

/// Claims come in base64url, with or without padding.
const BASE64URL: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// What a service said in the `WWW-Authenticate` headers of a 401 ([RFC 9110, section 11.6.1]).
///
/// [RFC 9110, section 11.6.1]: https://www.rfc-editor.org/rfc/rfc9110#section-11.6.1
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Challenge {
    parameters: Vec<(String, String)>,
}

impl Challenge {
    /// Reads the bearer challenge of an answer's headers; empty if there is none.
    ///
    /// ```
    /// let mut headers = http::HeaderMap::new();
    /// headers.insert("www-authenticate", r#"Bearer error="invalid_token""#.parse().unwrap());
    /// assert_eq!(qws_auth::Challenge::from_headers(&headers).error(), Some("invalid_token"));
    /// ```
    #[must_use]
    pub fn from_headers(headers: &HeaderMap) -> Self {
        let texts = headers.get_all(WWW_AUTHENTICATE).iter().filter_map(|value| value.to_str().ok());
        let parameters = texts.filter_map(bearer_part).flat_map(parameters).collect();
        Self { parameters }
    }

    /// The value of a parameter, whose name is compared without case.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<&str> {
        let found = self.parameters.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// The short code in `error=`, such as `invalid_token` or `insufficient_claims`.
    #[must_use]
    pub fn error(&self) -> Option<&str> {
        self.parameter("error")
    }

    /// The claims that a new token must satisfy, as JSON text, if the service asks for some.
    #[must_use]
    pub fn claims(&self) -> Option<String> {
        if self.error() != Some("insufficient_claims") {
            return None;
        }
        String::from_utf8(BASE64URL.decode(self.parameter("claims")?).ok()?).ok()
    }

    /// The tenant named by the last path segment of `authorization_uri` (or `authorization`), as the Resource Manager
    /// sends it for a subscription.
    #[must_use]
    pub fn tenant(&self) -> Option<&str> {
        let uri = self.parameter("authorization_uri").or_else(|| self.parameter("authorization"))?;
        uri.trim_end_matches('/')
            .rsplit_once('/')
            .map(|(_, tenant)| tenant)
            .filter(|tenant| !tenant.contains('.'))
    }
}

/// What follows `Bearer` in a header value.
fn bearer_part(value: &str) -> Option<&str> {
    let (scheme, rest) = value.trim().split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(rest)
}

/// `name="quoted text"` and `name=token`, separated by commas or spaces.
fn parameters(mut text: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    while let Some((name, rest)) = text.split_once('=') {
        let name = name.trim_matches([',', ' ', '\t']).to_owned();
        let (value, rest) = if let Some(quoted) = rest.trim_start().strip_prefix('"') {
            unquote(quoted)
        } else {
            let end = rest.find([',', ' ']).unwrap_or(rest.len());
            (rest[..end].to_owned(), &rest[end..])
        };
        found.push((name, value));
        text = rest;
    }
    found
}

/// The text up to the closing quote, with `\x` read as `x`, and what comes after it.
fn unquote(text: &str) -> (String, &str) {
    let mut value = String::new();
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return (value, &text[at + 1..]),
            '\\' => value.extend(characters.next().map(|(_, escaped)| escaped)),
            other => value.push(other),
        }
    }
    (value, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn challenge(text: &str) -> Challenge {
        let mut headers = HeaderMap::new();
        headers.insert(WWW_AUTHENTICATE, text.parse().unwrap());
        Challenge::from_headers(&headers)
    }

    #[test]
    fn claims_are_decoded_with_and_without_padding() {
        for text in ["eyJhIjoxfQ", "eyJhIjoxfQ=="] {
            let value = format!(r#"Bearer realm="", error="insufficient_claims", claims="{text}""#);
            assert_eq!(challenge(&value).claims().as_deref(), Some(r#"{"a":1}"#));
        }
        assert_eq!(challenge(r#"Bearer error="invalid_token", claims="eyJhIjoxfQ""#).claims(), None);
    }

    #[test]
    fn the_tenant_comes_from_the_resource_managers_challenge() {
        let value = r#"Bearer authorization_uri="https://login.microsoftonline.com/11111111-2222-3333-4444-555555555555", error="invalid_token", error_description="say \"please\", then wait""#;
        let challenge = challenge(value);
        assert_eq!(challenge.tenant(), Some("11111111-2222-3333-4444-555555555555"));
        assert_eq!(challenge.parameter("error_description"), Some(r#"say "please", then wait"#));
    }

    #[test]
    fn odd_headers_give_an_empty_challenge() {
        for text in ["Basic realm=x", "Bearer", "Bearer nothing here", "Bearer =", "Bearer a=\"open"] {
            assert_eq!(challenge(text).error(), None, "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_header_makes_it_panic(text in "Bearer [ -~]{0,80}") {
            let challenge = challenge(&text);
            let _ = (challenge.claims(), challenge.tenant(), challenge.error());
        }

        #[test]
        fn quoted_values_are_read_back(value in "[ -~]{0,40}") {
            let quoted = value.replace('\\', "\\\\").replace('"', "\\\"");
            let challenge = challenge(&format!(r#"Bearer error="x", odd="{quoted}", last=y"#));
            proptest::prop_assert_eq!(challenge.parameter("odd"), Some(value.as_str()));
            proptest::prop_assert_eq!(challenge.parameter("last"), Some("y"));
        }
    }
}
