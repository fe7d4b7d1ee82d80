use serde::Deserialize;

use super::null_as_default;

/// An error in the service's own words: of a request, or of a job that failed (`errorData`).
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ServiceError {
    /// Short code, for example `InvalidJobDefinition`.
    #[serde(default, deserialize_with = "null_as_default")]
    pub code: String,
    /// Text for people.
    #[serde(default, deserialize_with = "null_as_default")]
    pub message: String,
    /// The part of the request that the error is about.
    pub target: Option<String>,
    /// Errors that led to this one.
    #[serde(default, deserialize_with = "null_as_default")]
    pub details: Vec<ServiceError>,
    /// Whatever more specific codes the service nests, as they came.
    pub innererror: Option<serde_json::Value>,
}

impl ServiceError {
    /// Reads the body of an error answer, with or without the `error` envelope. `None` if it is no JSON of that shape,
    /// or has neither code nor message.
    pub(crate) fn from_body(body: &[u8]) -> Option<Self> {
        #[derive(Deserialize)]
        struct Envelope {
            error: ServiceError,
        }
        let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
        let enveloped = serde_json::from_slice::<Envelope>(body).map(|envelope| envelope.error);
        let found = enveloped.or_else(|_| serde_json::from_slice::<Self>(body)).ok()?;
        (!found.code.is_empty() || !found.message.is_empty()).then_some(found)
    }

    /// Code and message on one line, at most about 1 KiB of it. Where the outer error says nothing, the first inner
    /// one that does is taken: the service may put the code at more than one level.
    #[must_use]
    pub fn summary(&self) -> String {
        let speaking = self.first_speaking();
        let text = match (speaking.code.as_str(), speaking.message.as_str()) {
            ("", "") => "no code and no message were given".to_owned(),
            ("", message) => message.to_owned(),
            (code, "") => code.to_owned(),
            (code, message) => format!("{code}: {message}"),
        };
        one_line(&text)
    }

    fn first_speaking(&self) -> &Self {
        if !self.code.is_empty() || !self.message.is_empty() {
            return self;
        }
        let inner = self.details.iter().map(Self::first_speaking);
        inner.into_iter().find(|error| !error.code.is_empty() || !error.message.is_empty()).unwrap_or(self)
    }
}

/// The text without control characters, cut after 1,024 characters.
pub(crate) fn one_line(text: &str) -> String {
    let text = text.trim();
    let mut line: String = text.chars().take(1024).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if line.len() < text.len() && text.chars().nth(1024).is_some() {
        line.push('…');
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn envelope_bare_object_bom_and_escapes_are_read() {
        for body in [
            r#"{"error":{"code":"InvalidJob","message":"bad \"x\"\u0027s\nend"}}"#,
            r#"{"code":"InvalidJob","message":"bad \"x\"\u0027s\nend","details":null}"#,
            "\u{feff}{\"error\":{\"code\":\"InvalidJob\",\"message\":\"bad \\\"x\\\"'s\\nend\",\"innererror\":{}}}",
        ] {
            let error = ServiceError::from_body(body.as_bytes()).unwrap();
            assert_eq!(error.summary(), "InvalidJob: bad \"x\"'s end");
        }
    }

    #[test]
    fn bodies_that_say_nothing_are_no_service_error() {
        for body in
            ["", "null", "[]", r#"{"error":null}"#, r#"{"error":"text"}"#, "<html>", r#"{"error":{}}"#, "{"]
        {
            assert_eq!(ServiceError::from_body(body.as_bytes()), None, "{body}");
        }
    }

    #[test]
    fn the_first_level_that_speaks_is_told() {
        let body = r#"{"error":{"details":[{},{"details":[{"code":"Deep","message":"down"}]}],"message":"","code":""}}"#;
        let error: ServiceError = serde_json::from_str(&body[9..body.len() - 1]).unwrap();
        assert_eq!(error.summary(), "Deep: down");
    }

    #[test]
    fn long_texts_are_cut() {
        assert_eq!(one_line(&"é".repeat(2000)).chars().count(), 1025);
    }
}
