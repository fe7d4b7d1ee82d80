use std::fmt;

use serde::{Deserialize, Serialize};

/// The URI of a blob or container, which may carry a SAS signature: whoever has the signature has the data.
///
/// `Debug` and `Display` leave the query out; [`BlobUri::expose`] gives the whole text.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct BlobUri(String);

impl BlobUri {
    /// Takes the text of a URI as it is.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The whole text, signature included.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The text without its query, and so without a signature.
    #[must_use]
    pub fn without_query(&self) -> &str {
        self.0.split(['?', '#']).next().unwrap_or_default()
    }
}

impl fmt::Display for BlobUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.without_query())
    }
}

impl fmt::Debug for BlobUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let signed = if self.0.contains('?') { "?***" } else { "" };
        write!(f, "BlobUri({}{signed})", self.without_query())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_are_not_shown() {
        let uri = BlobUri::new("https://store.example/job-1/outputData?se=2050-01-01&sig=hunter2");
        assert_eq!(uri.to_string(), "https://store.example/job-1/outputData");
        assert_eq!(format!("{uri:?}"), "BlobUri(https://store.example/job-1/outputData?***)");
        assert!(uri.expose().ends_with("sig=hunter2"));
    }
}
