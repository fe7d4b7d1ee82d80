//! Connection strings that must be refused, with the part and its place, and never the key.

use qws::{ErrorKind, Workspace};

const KEY: &str = "c2VjcmV0LWNhbmFyeQ==";

fn refused(text: &str) -> qws::Error {
    let error = Workspace::from_connection_string(text).expect_err(text);
    assert_eq!(error.kind(), ErrorKind::InvalidInput, "{text}");
    let shown = qws_contract::everything(&error);
    assert!(!shown.contains(KEY) && !shown.contains("canary"), "{shown}");
    error
}

fn string(parts: &[&str]) -> String {
    parts.join(";") + ";"
}

const SUBSCRIPTION: &str = "SubscriptionId=11111111-2222-3333-4444-555555555555";
const GROUP: &str = "ResourceGroupName=contoso-rg";
const NAME: &str = "WorkspaceName=contoso-ws";
const ENDPOINT: &str = "QuantumEndpoint=https://eastus.quantum.azure.com/";

#[test]
fn a_good_one_is_taken_in_any_order_and_without_the_last_semicolon() {
    let key = format!("ApiKey={KEY}");
    let text = string(&[ENDPOINT, &key, NAME, GROUP, SUBSCRIPTION]);
    let workspace = Workspace::from_connection_string(text.trim_end_matches(';')).unwrap();
    assert_eq!(workspace.address().endpoint().to_string(), "https://eastus.quantum.azure.com/");
    assert_eq!(workspace.credential().describe(), "API key");
    assert!(!format!("{workspace:?}").contains(KEY));
}

#[test]
fn missing_doubled_and_unknown_parts_are_named_with_their_place() {
    let key = format!("ApiKey={KEY}");
    for (parts, named, place) in [
        (vec![SUBSCRIPTION, NAME, &key, ENDPOINT], "ResourceGroupName", None),
        (vec![SUBSCRIPTION, GROUP, NAME, &key], "QuantumEndpoint", None),
        (vec![&key, SUBSCRIPTION, &key, GROUP, NAME, ENDPOINT], "ApiKey", Some(80)),
        (vec![SUBSCRIPTION, "Colour=blue", GROUP, NAME, &key, ENDPOINT], "Colour", Some(52)),
    ] {
        let text = string(&parts);
        let error = refused(&text).to_string();
        let place = place.unwrap_or(text.len());
        assert!(error.contains(named) && error.contains(&format!("at byte {place}")), "{error}");
    }
}

#[test]
fn foreign_hosts_and_plain_http_to_another_machine_are_refused() {
    let key = format!("ApiKey={KEY}");
    for endpoint in [
        "https://eastus.quantum.azure.com.evil.example/",
        "https://quantumXazure.com/",
        "http://eastus.quantum.azure.com/",
        "http://10.0.0.1:8080/",
    ] {
        let part = format!("QuantumEndpoint={endpoint}");
        let error = refused(&string(&[SUBSCRIPTION, GROUP, NAME, &key, &part])).to_string();
        assert!(error.contains("endpoint") && error.contains("at byte "), "{error}");
    }
}
