//! A text that must not be shown.

use std::fmt;
use std::hint::black_box;
use zeroize::Zeroizing;

/// A secret text, such as an API key: overwritten when dropped, masked in `Debug`, without `Display` or `Serialize`.
///
/// Comparing two secrets takes the same time wherever they differ; only their length can be told from it.
///
/// ```
/// use qws_config::Secret;
///
/// let key = Secret::new("s3cret");
/// assert_eq!(format!("{key:?}"), "Secret(***)");
/// assert_eq!(key.expose(), "s3cret");
/// ```
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes over a text. A `String` is taken as it is, so no copy of it stays behind; of a `&str` the caller keeps one.
    pub fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    /// The text itself, for the one place that must send it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        let (ours, theirs) = (self.0.as_bytes(), other.0.as_bytes());
        // Every byte is looked at: stopping at the first difference would tell how far a guess is right.
        let difference = ours.iter().zip(theirs).fold(0, |sum, (a, b)| black_box(sum | (a ^ b)));
        ours.len() == theirs.len() && difference == 0
    }
}

impl Eq for Secret {}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(***)")
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self::new(text)
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

#[cfg(feature = "serde")]
impl<'de> serde::Deserialize<'de> for Secret {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_neither_text_nor_length() {
        assert_eq!(format!("{:?} {:#?}", Secret::new("hunter2"), Secret::new("")), "Secret(***) Secret(***)");
    }

    #[test]
    fn equal_means_same_bytes() {
        assert_eq!(Secret::new("k1"), Secret::new(String::from("k1")));
        for other in ["k2", "k", "k11", ""] {
            assert_ne!(Secret::new("k1"), Secret::new(other));
        }
    }
}
