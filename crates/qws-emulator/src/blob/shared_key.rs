//! Requests signed with the account's key, as Azure Storage defines it
//! (Microsoft Learn, "Authorize with Shared Key", for versions 2015-02-21 and later).

use std::collections::BTreeMap;

use time::{Duration, OffsetDateTime};
use url::form_urlencoded;

use super::sas::SasKeys;
use super::{Permit, StorageError};
use crate::clock;
use crate::incoming::Incoming;

/// How old or how far ahead a request may be dated.
const TOLERANCE: Duration = Duration::minutes(15);

/// The headers that are signed by value alone, in their order.
const SIGNED: [&str; 11] = [
    "content-encoding",
    "content-language",
    "content-length",
    "content-md5",
    "content-type",
    "date",
    "if-modified-since",
    "if-match",
    "if-none-match",
    "if-unmodified-since",
    "range",
];

/// Checks the signature in the header `Authorization`, which opens everything in the account.
pub(super) fn check(
    keys: &SasKeys,
    request: &Incoming,
    signed: &str,
    now: OffsetDateTime,
) -> Result<Permit, StorageError> {
    let refused = |detail: &str| Err(StorageError::authentication_failed(detail));
    let Some((account, signature)) = signed.split_once(':') else {
        return refused("The header Authorization must read 'SharedKey ACCOUNT:SIGNATURE'.");
    };
    let date = request.header("x-ms-date").or_else(|| request.header("date")).unwrap_or_default();
    if clock::parse_http_date(date).is_none_or(|date| (now - date).abs() > TOLERANCE) {
        return refused("Request date header too old, or it is missing.");
    }
    if account != keys.account() || keys.signature(&string_to_sign(account, request)) != signature {
        return refused(
            "The MAC signature found in the HTTP request is not the same as any computed signature.",
        );
    }
    Ok(Permit::default())
}

fn string_to_sign(account: &str, request: &Incoming) -> String {
    let mut text = request.method.to_string();
    for name in SIGNED {
        let value = request.header(name).unwrap_or_default();
        // `x-ms-date` stands in for the date, and no content for a length of zero.
        let left_out = (name == "content-length" && value == "0")
            || (name == "date" && request.header("x-ms-date").is_some());
        text.push('\n');
        text.push_str(if left_out { "" } else { value });
    }
    text.push('\n');
    let own: BTreeMap<&str, &str> = request
        .headers
        .iter()
        .filter(|(name, _)| name.as_str().starts_with("x-ms-"))
        .filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)))
        .collect();
    for (name, value) in own {
        for part in [name, ":", value.trim(), "\n"] {
            text.push_str(part);
        }
    }
    for part in ["/", account, &request.path] {
        text.push_str(part);
    }
    let mut query: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (name, value) in form_urlencoded::parse(request.query.as_bytes()) {
        query.entry(name.to_ascii_lowercase()).or_default().push(value.into_owned());
    }
    for (name, mut values) in query {
        values.sort();
        for part in ["\n", &name, ":", &values.join(",")] {
            text.push_str(part);
        }
    }
    text
}
