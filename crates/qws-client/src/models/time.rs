//! Times on the wire: RFC 3339 text, up to nine fraction digits (the service sends seven), `Z` or an offset; some have
//! no zone and are UTC.

use azure_core::time::{OffsetDateTime, parse_rfc3339};
use serde::{Deserializer, de};
use std::fmt;
use time::{Date, PrimitiveDateTime, Time};

pub(crate) fn read(text: &str) -> Option<OffsetDateTime> {
    if let Some(time) = read_utc(text.as_bytes()) {
        return Some(time);
    }
    parse_rfc3339(text).or_else(|_| parse_rfc3339(&format!("{text}Z"))).ok()
}

/// Reads a time of UTC as the service writes nearly all of its times, `2026-02-03T04:05:06.1234567+00:00`; `None` is for
/// the general reader. A job has six times, and with that reader they are a tenth of the work of reading it.
fn read_utc(text: &[u8]) -> Option<OffsetDateTime> {
    let [y @ .., b'-', m1, m2, b'-', d1, d2, b'T', h1, h2, b':', n1, n2, b':', s1, s2] = text.get(..19)?
    else {
        return None;
    };
    let date = Date::from_calendar_date(
        number(y)?.try_into().ok()?,
        two([m1, m2])?.try_into().ok()?,
        two([d1, d2])?,
    );
    let (fraction, zone) = match &text[19..] {
        [b'.', rest @ ..] => match rest.iter().take_while(|b| b.is_ascii_digit()).count() {
            digits @ 1..=9 => rest.split_at(digits),
            _ => return None,
        },
        rest => (&[][..], rest),
    };
    let missing_digits = u32::try_from(9 - fraction.len()).ok()?;
    let nanosecond = number(fraction)? * 10_u32.pow(missing_digits);
    let time = Time::from_hms_nano(two([h1, h2])?, two([n1, n2])?, two([s1, s2])?, nanosecond);
    let utc = matches!(zone, b"" | b"Z" | b"+00:00");
    utc.then_some(PrimitiveDateTime::new(date.ok()?, time.ok()?).assume_utc())
}

fn two(digits: [&u8; 2]) -> Option<u8> {
    number(&digits.map(|digit| *digit)).and_then(|number| number.try_into().ok())
}

/// At most nine digits.
fn number(digits: &[u8]) -> Option<u32> {
    let add = |sum, b: &u8| b.is_ascii_digit().then(|| sum * 10 + u32::from(b - b'0'));
    digits.iter().try_fold(0, add)
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

    #[test]
    fn both_readers_agree() {
        for date in
            ["0000-01-01", "1900-02-29", "2000-02-29", "2026-02-29", "2024-12-31", "2026-13-01", "2026-04-31"]
        {
            for clock in ["00:00:00", "23:59:59", "23:59:60", "24:00:00", "12:60:00", "1a:00:00"] {
                for rest in [
                    "Z",
                    ".0Z",
                    ".000000001Z",
                    ".123456789+00:00",
                    ".Z",
                    ".1234567890Z",
                    "z",
                    "+00:01",
                    "-00:00",
                ] {
                    let text = format!("{date}T{clock}{rest}");
                    let (fast, slow) = (read_utc(text.as_bytes()), parse_rfc3339(&text).ok());
                    assert!(fast.is_none() || fast == slow, "{text}: {fast:?} and {slow:?}");
                    assert_eq!(read(&text), slow, "{text}");
                }
            }
        }
        assert!(read_utc(b"2026-02-03T04:05:06.1234567+00:00").is_some());
    }
}
