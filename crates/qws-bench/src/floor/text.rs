//! The two texts that name a workspace, read by hand and by regular expression. A wrong one is `None`, and nobody is
//! told why.

use anyhow::Result;
use regex::Regex;

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Connection {
    subscription: String,
    group: String,
    workspace: String,
    key: String,
    endpoint: String,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Workspace {
    subscription: String,
    group: String,
    name: String,
}

pub(super) fn connection_string(text: &str) -> Option<Connection> {
    let (mut subscription, mut group, mut workspace, mut key, mut endpoint) = (None, None, None, None, None);
    for part in text.split(';').filter(|part| !part.is_empty()) {
        let (name, value) = part.split_once('=')?;
        let place = match name {
            "SubscriptionId" => &mut subscription,
            "ResourceGroupName" => &mut group,
            "WorkspaceName" => &mut workspace,
            "ApiKey" => &mut key,
            "QuantumEndpoint" => &mut endpoint,
            _ => return None,
        };
        if value.is_empty() || place.replace(value).is_some() {
            return None;
        }
    }
    let endpoint = endpoint?;
    let host = endpoint.strip_prefix("https://")?.trim_end_matches('/');
    let fine = is_guid(subscription?)
        && is_group(group?)
        && is_name(workspace?)
        && key?.bytes().all(|b| b.is_ascii_graphic())
        && host.strip_suffix(".quantum.azure.com").is_some_and(is_name);
    fine.then_some(Connection {
        subscription: subscription?.to_owned(),
        group: group?.to_owned(),
        workspace: workspace?.to_owned(),
        key: key?.to_owned(),
        endpoint: endpoint.to_owned(),
    })
}

pub(super) fn resource_id(text: &str) -> Option<Workspace> {
    let (subscription, rest) = named(text, "/subscriptions/")?;
    let (group, rest) = named(rest, "/resourceGroups/")?;
    let (name, rest) = named(rest, "/providers/Microsoft.Quantum/Workspaces/")?;
    let fine = rest.is_empty() && is_guid(subscription) && is_group(group) && is_name(name);
    fine.then(|| Workspace {
        subscription: subscription.to_owned(),
        group: group.to_owned(),
        name: name.to_owned(),
    })
}

/// What stands between the literal, in any case, and the next slash; and the rest from that slash on.
fn named<'a>(text: &'a str, literal: &str) -> Option<(&'a str, &'a str)> {
    let (start, rest) = text.split_at_checked(literal.len())?;
    let end = rest.bytes().position(|b| b == b'/').unwrap_or(rest.len());
    start.eq_ignore_ascii_case(literal).then(|| rest.split_at(end))
}

pub(super) fn connection_string_pattern() -> Result<Regex> {
    let pattern = "^SubscriptionId=([0-9a-fA-F-]{36});ResourceGroupName=([^;]+);WorkspaceName=([^;]+);ApiKey=([^;]+);\
                   QuantumEndpoint=(https://[0-9A-Za-z-]+\\.quantum\\.azure\\.com/?);?$";
    Ok(Regex::new(pattern)?)
}

pub(super) fn connection_string_by_regex(pattern: &Regex, text: &str) -> Option<Connection> {
    let [subscription, group, workspace, key, endpoint] = pattern.captures(text)?.extract().1;
    Some(Connection {
        subscription: subscription.to_owned(),
        group: group.to_owned(),
        workspace: workspace.to_owned(),
        key: key.to_owned(),
        endpoint: endpoint.to_owned(),
    })
}

pub(super) fn resource_id_pattern() -> Result<Regex> {
    let pattern = "^/subscriptions/([0-9a-fA-F-]{36})/resourceGroups/([^/]+)/providers/Microsoft\\.Quantum/Workspaces/\
                   ([^/]+)$";
    Ok(Regex::new(pattern)?)
}

pub(super) fn resource_id_by_regex(pattern: &Regex, text: &str) -> Option<Workspace> {
    let [subscription, group, name] = pattern.captures(text)?.extract().1;
    Some(Workspace { subscription: subscription.to_owned(), group: group.to_owned(), name: name.to_owned() })
}

/// Letters and digits of any script, and `-_.()`.
fn is_group(text: &str) -> bool {
    let fine = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'(' | b')');
    text.bytes().all(fine) || text.chars().all(|c| c.is_alphanumeric() || u8::try_from(c).is_ok_and(fine))
}

fn is_guid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, b)| match at {
            8 | 13 | 18 | 23 => b == b'-',
            _ => b.is_ascii_hexdigit(),
        })
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::{CONNECTION_STRING, RESOURCE_ID};

    #[test]
    fn both_ways_read_the_same() {
        let pattern = connection_string_pattern().unwrap();
        let read = connection_string(CONNECTION_STRING).unwrap();
        assert_eq!(read.endpoint, "https://eastus.quantum.azure.com/");
        assert_eq!(connection_string_by_regex(&pattern, CONNECTION_STRING), Some(read));
        let pattern = resource_id_pattern().unwrap();
        let read = resource_id(RESOURCE_ID).unwrap();
        assert_eq!(read.name, "ws");
        assert_eq!(resource_id_by_regex(&pattern, RESOURCE_ID), Some(read));
    }

    #[test]
    fn a_wrong_text_is_refused() {
        for (right, wrong) in
            [("ApiKey", "Key"), ("1111-", "111-"), ("https", "http"), (".azure", ".example"), ("ws;", ";")]
        {
            assert_eq!(connection_string(&CONNECTION_STRING.replacen(right, wrong, 1)), None, "{wrong}");
        }
        for (right, wrong) in [("Quantum", "Storage"), ("1111-", "111-"), ("/ws", "/ws/x"), ("/ws", "")] {
            assert_eq!(resource_id(&RESOURCE_ID.replacen(right, wrong, 1)), None, "{wrong}");
        }
    }
}
