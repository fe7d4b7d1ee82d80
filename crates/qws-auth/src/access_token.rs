use std::time::Duration;

use azure_core::time::{OffsetDateTime, parse_rfc3339};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use qws_config::Secret;
use serde_json::{Map, Value};

/// The longest answer of an identity service that is read.
pub(crate) const ANSWER_LIMIT_BYTES: usize = 1 << 20;

/// No token is kept for longer, whatever its sender says.
const LONGEST_LIFE: Duration = Duration::from_secs(7 * 24 * 3600);

/// A token with its life, counted from when it was asked for.
#[derive(Debug)]
pub(crate) struct AccessToken {
    pub(crate) secret: Secret,
    pub(crate) asked: OffsetDateTime,
    pub(crate) life: Duration,
    pub(crate) refresh_in: Duration,
}

impl AccessToken {
    /// A token that was asked for at `asked` and ends at `expires_on`. Absurd lives are cut to 0 and 7 days.
    pub(crate) fn until(secret: Secret, asked: OffsetDateTime, expires_on: OffsetDateTime) -> Self {
        Self::new(secret, asked, (expires_on - asked).whole_seconds(), None)
    }

    /// A token that lives `seconds` from `asked`; without `refresh_in` it is renewed from half its life.
    fn new(secret: Secret, asked: OffsetDateTime, seconds: i64, refresh_in: Option<i64>) -> Self {
        let positive = |seconds: i64| Duration::from_secs(u64::try_from(seconds).unwrap_or(0));
        let life = positive(seconds).min(LONGEST_LIFE);
        let refresh_in = refresh_in.map_or(life / 2, positive).min(life);
        Self { secret, asked, life, refresh_in }
    }
}

/// The fields of a JSON object that an identity service or a tool sent. Numbers may come as text.
pub(crate) struct Fields(Map<String, Value>);

impl Fields {
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        match serde_json::from_slice(bytes) {
            Ok(Value::Object(map)) => Some(Self(map)),
            _ => None,
        }
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// A copy of an object within.
    pub(crate) fn object(&self, name: &str) -> Option<Self> {
        self.0.get(name)?.as_object().cloned().map(Self)
    }

    /// Takes the objects of a list out.
    pub(crate) fn take_objects(&mut self, name: &str) -> Option<Vec<Self>> {
        let Value::Array(list) = self.0.remove(name)? else { return None };
        let objects = list.into_iter().filter_map(|value| match value {
            Value::Object(map) => Some(Self(map)),
            _ => None,
        });
        Some(objects.collect())
    }

    pub(crate) fn into_value(self) -> Value {
        self.0.into()
    }

    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.as_str().filter(|text| !text.is_empty())
    }

    /// Whole seconds, from a number or its text.
    pub(crate) fn seconds(&self, name: &str) -> Option<i64> {
        match self.0.get(name)? {
            Value::String(text) => text.trim().parse().ok(),
            #[allow(clippy::cast_possible_truncation, reason = "a float saturates, and lives are cut anyway")]
            Value::Number(number) => number.as_i64().or_else(|| number.as_f64().map(|float| float as i64)),
            _ => None,
        }
    }

    /// A moment, in seconds of the epoch: a number or its text, or a date as older identity endpoints write it.
    fn epoch(&self, name: &str) -> Option<i64> {
        self.seconds(name).or_else(|| american_date(self.text(name)?))
    }

    /// Takes a text out without copying it.
    pub(crate) fn take_secret(&mut self, name: &str) -> Option<Secret> {
        match self.0.remove(name)? {
            Value::String(text) if !text.is_empty() => Some(Secret::new(text)),
            _ => None,
        }
    }

    /// The token of an answer of Entra ID or of a managed identity endpoint; else what is missing in it.
    ///
    /// The relative `expires_in` comes first, since this machine's clock may be wrong.
    pub(crate) fn into_token(mut self, asked: OffsetDateTime) -> Result<AccessToken, &'static str> {
        let secret = self.take_secret("access_token").ok_or("access_token")?;
        let absolute = || self.epoch("expires_on").map(|epoch| epoch.saturating_sub(asked.unix_timestamp()));
        let seconds = self.seconds("expires_in").or_else(absolute).ok_or("expires_in")?;
        Ok(AccessToken::new(secret, asked, seconds, self.seconds("refresh_in")))
    }
}

/// `6/20/2019 2:57:58 AM +00:00` or `06/20/2019 02:57:58 +00:00`, in seconds of the epoch.
fn american_date(text: &str) -> Option<i64> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let (date, time, half, offset) = match words[..] {
        [date, time, offset] => (date, time, None, offset),
        [date, time, half, offset] => (date, time, Some(half), offset),
        _ => return None,
    };
    let numbers = |text: &str, mark| -> Option<[u32; 3]> {
        let parts: Option<Vec<u32>> = text.split(mark).map(|part| part.parse().ok()).collect();
        parts?.try_into().ok()
    };
    let ([month, day, year], [hour, minute, second]) = (numbers(date, '/')?, numbers(time, ':')?);
    let hour = match half {
        None => hour,
        Some("AM") => hour % 12,
        Some("PM") => hour % 12 + 12,
        Some(_) => return None,
    };
    let written = format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{offset}");
    Some(parse_rfc3339(&written).ok()?.unix_timestamp())
}

/// What a token says of itself, unverified: good for telling people and for noticing a mix-up, never for letting
/// anyone in. `None` for a token that is no JWT.
pub(crate) fn payload(token: &str) -> Option<Fields> {
    let payload = token.split('.').nth(1)?;
    Fields::parse(&URL_SAFE_NO_PAD.decode(payload).ok()?)
}

/// The tenant that a token says it is of.
pub(crate) fn tenant_of(token: &str) -> Option<String> {
    payload(token)?.text("tid").map(str::to_ascii_lowercase)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(json: &str) -> Result<AccessToken, &'static str> {
        let asked = OffsetDateTime::from_unix_timestamp(1_000).unwrap();
        Fields::parse(json.as_bytes()).unwrap().into_token(asked)
    }

    #[test]
    fn numbers_come_as_text_or_number_and_relative_times_first() {
        let seconds = |json| token(json).unwrap().life.as_secs();
        assert_eq!(seconds(r#"{"access_token":"t","expires_in":3600}"#), 3600);
        assert_eq!(seconds(r#"{"access_token":"t","expires_in":"3600"}"#), 3600);
        assert_eq!(seconds(r#"{"access_token":"t","expires_in":3600.9}"#), 3600);
        assert_eq!(seconds(r#"{"access_token":"t","expires_on":"1500"}"#), 500);
        assert_eq!(seconds(r#"{"access_token":"t","expires_on":1500,"expires_in":"60"}"#), 60);
    }

    #[test]
    fn dates_of_older_endpoints_are_read() {
        for (text, epoch) in [
            ("06/20/2019 02:57:58 +00:00", 1_560_999_478),
            ("1/16/2020 5:24:12 AM +00:00", 1_579_152_252),
            ("1/16/2020 12:24:12 PM +00:00", 1_579_177_452),
            ("1/16/2020 12:24:12 AM +00:00", 1_579_134_252),
            ("1/16/2020 5:24:12 PM -01:00", 1_579_199_052),
        ] {
            assert_eq!(american_date(text), Some(epoch), "{text}");
        }
        for text in ["", "soon", "1/16/2020", "1/16/2020 5:24:12 XM +00:00", "13/16/2020 5:24:12 +00:00"] {
            assert_eq!(american_date(text), None, "{text}");
        }
    }

    #[test]
    fn what_is_missing_is_named() {
        assert_eq!(token("{}").unwrap_err(), "access_token");
        assert_eq!(token(r#"{"access_token":""}"#).unwrap_err(), "access_token");
        assert_eq!(token(r#"{"access_token":"t","expires_in":"soon"}"#).unwrap_err(), "expires_in");
    }

    #[test]
    fn absurd_lives_are_cut() {
        assert_eq!(token(r#"{"access_token":"t","expires_in":-5}"#).unwrap().life, Duration::ZERO);
        assert_eq!(token(r#"{"access_token":"t","expires_in":1e300}"#).unwrap().life, LONGEST_LIFE);
        assert_eq!(
            token(r#"{"access_token":"t","expires_on":-9223372036854775808}"#).unwrap().life,
            Duration::ZERO
        );
    }

    #[test]
    fn renewal_begins_at_refresh_in_or_half_life() {
        let refresh = |json| token(json).unwrap().refresh_in.as_secs();
        assert_eq!(refresh(r#"{"access_token":"t","expires_in":3600}"#), 1800);
        assert_eq!(refresh(r#"{"access_token":"t","expires_in":3600,"refresh_in":"900"}"#), 900);
        assert_eq!(refresh(r#"{"access_token":"t","expires_in":60,"refresh_in":900}"#), 60);
    }

    #[test]
    fn the_tenant_is_read_from_the_token() {
        let payload = URL_SAFE_NO_PAD.encode(r#"{"tid":"ABC-1"}"#);
        assert_eq!(tenant_of(&format!("e30.{payload}.sig")).as_deref(), Some("abc-1"));
        assert_eq!(tenant_of("opaque"), None);
    }
}
