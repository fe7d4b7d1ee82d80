//! Times on the wire: RFC 3339 text, up to nine fraction digits (the service sends seven), `Z` or an offset; some have
//! no zone and are UTC.

use azure_core::time::{OffsetDateTime, parse_rfc3339};
use serde::{Deserializer, de};
use std::fmt;

pub(crate) fn read(text: &str) -> Option<OffsetDateTime> {
    parse_rfc3339(text).or_else(|_| parse_rfc3339(&format!("{text}Z"))).ok()
}

/// Reads an optional time; empty text counts as none.
pub(crate) fn optional<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<OffsetDateTime>, D::Error> {
    struct Time;
    impl<'de> de::Visitor<'de> for Time {
        type Value = Option<OffsetDateTime>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a time such as 2026-02-03T04:05:06Z")
        }

        fn visit_none<E: de::Error>(self) -> Result<Self::Value, E> {
            Ok(None)
        }

        fn visit_unit<E: de::Error>(self) -> Result<Self::Value, E> {
            Ok(None)
        }

        fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
            deserializer.deserialize_str(self)
        }

        fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
            if text.is_empty() {
                return Ok(None);
            }
            read(text).map(Some).ok_or_else(|| E::invalid_value(de::Unexpected::Str(text), &self))
        }
    }
    deserializer.deserialize_option(Time)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_services_spellings_are_read() {
        let expected = parse_rfc3339("2025-11-20T00:00:24.1200209Z").unwrap();
        for text in [
            "2025-11-20T00:00:24.1200209+00:00",
            "2025-11-20T00:00:24.1200209Z",
            "2025-11-20T00:00:24.1200209",
        ] {
            assert_eq!(read(text), Some(expected), "{text}");
        }
        assert_eq!(read("2025-11-20T01:00:24.1200209+01:00"), Some(expected));
        assert_eq!(read("yesterday"), None);
    }
}
