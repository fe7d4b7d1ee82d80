use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use qws_emulator::{Application, Assertion, Emulator, FederatedCredential};
use serde_json::{Value, json};

use super::entra::{data_plane, post};
use super::still;

const ISSUER: &str = "https://cluster.example/oidc/";
const SUBJECT: &str = "system:serviceaccount:default:quantum";

async fn trusting() -> Emulator {
    let emulator = still().start().await.unwrap();
    emulator.identity().register(Application {
        federated_credentials: vec![FederatedCredential {
            issuer: ISSUER.to_owned(),
            subject: SUBJECT.to_owned(),
            audience: "api://AzureADTokenExchange".to_owned(),
        }],
        ..Application::default()
    });
    emulator
}

async fn exchange(emulator: &Emulator, assertion: &str) -> Value {
    let client_id = Application::default().client_id;
    let fields = [
        ("client_id", client_id.as_str()),
        ("grant_type", "client_credentials"),
        ("scope", "https://quantum.microsoft.com/.default"),
        ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
        ("client_assertion", assertion),
    ];
    post(emulator, emulator.identity().tenant_id(), &fields).await.json()
}

#[tokio::test]
async fn an_assertion_is_exchanged_while_it_is_good() {
    let emulator = trusting().await;
    let assertion = emulator.identity().assertion(&Assertion::new(ISSUER, SUBJECT));
    let token = exchange(&emulator, &assertion).await;
    assert_eq!(data_plane(&emulator, &token).await.status, 200);
    emulator.clock().advance(Duration::from_hours(1));
    let expired = exchange(&emulator, &assertion).await;
    assert_eq!(expired["error_codes"], json!([700_024]));
    assert!(expired["error_description"].as_str().unwrap().contains("expiry time of assertion 20"));
}

#[tokio::test]
async fn issuer_subject_and_audience_are_compared() {
    let emulator = trusting().await;
    let good = Assertion::new(ISSUER, SUBJECT);
    for (assertion, number, named) in [
        (Assertion { issuer: "https://other.example/".to_owned(), ..good.clone() }, 700_211, "other.example"),
        (
            Assertion { subject: "system:serviceaccount:default:else".to_owned(), ..good.clone() },
            700_213,
            "else",
        ),
        (Assertion { audience: "sts.amazonaws.com".to_owned(), ..good.clone() }, 700_212, "amazonaws"),
    ] {
        let refused = exchange(&emulator, &emulator.identity().assertion(&assertion)).await;
        assert_eq!(
            (&refused["error"], &refused["error_codes"]),
            (&json!("invalid_client"), &json!([number]))
        );
        assert!(refused["error_description"].as_str().unwrap().contains(named));
    }
}

#[tokio::test]
async fn a_changed_assertion_is_refused() {
    let emulator = trusting().await;
    let assertion = emulator.identity().assertion(&Assertion::new(ISSUER, SUBJECT));
    let parts: Vec<&str> = assertion.split('.').collect();
    let mut claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(parts[1]).unwrap()).unwrap();
    claims["exp"] = json!(claims["exp"].as_i64().unwrap() + 1);
    let longer = format!("{}.{}.{}", parts[0], URL_SAFE_NO_PAD.encode(claims.to_string()), parts[2]);
    assert_eq!(exchange(&emulator, &longer).await["error_codes"], json!([700_027]));
    let unsigned = URL_SAFE_NO_PAD.encode(r#"{"alg":"none"}"#);
    let unsigned = format!("{unsigned}.{}.{}", parts[1], parts[2]);
    assert_eq!(exchange(&emulator, &unsigned).await["error_codes"], json!([700_027]));
    assert_eq!(exchange(&emulator, "not.an.assertion").await["error_codes"], json!([50_027]));
}

#[tokio::test]
async fn an_issuer_with_keys_of_its_own_signs_for_itself() {
    let emulator = trusting().await;
    let identity = emulator.identity();
    let assertion = identity.assertion(&Assertion::new(ISSUER, SUBJECT));
    // 2048 bits of another key: nothing verifies with it.
    let other = json!({ "keys": [{ "kty": "RSA", "kid": "k", "e": "AQAB", "n": URL_SAFE_NO_PAD.encode([0xAB; 256]) }] });
    identity.publish_keys(ISSUER, &other).unwrap();
    assert_eq!(exchange(&emulator, &assertion).await["error_codes"], json!([700_027]));
    let own: Value = serde_json::from_str(include_str!("../issuer-key.json")).unwrap();
    identity.publish_keys(ISSUER, &own).unwrap();
    let token = exchange(&emulator, &assertion).await;
    assert_eq!(data_plane(&emulator, &token).await.status, 200);

    let refused = identity.publish_keys(ISSUER, &json!({ "keys": [{ "kty": "EC" }] })).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "the issuer's keys cannot be taken: `kty` is `EC`, but only `RSA` is supported"
    );
}
