//! Certificates of every form, and Entra ID checking what they sign. The files were made by OpenSSL 3 for these tests
//! and are trusted by nobody; their password is `hunter2`.

use azure_core::time::OffsetDateTime;
use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use qws_auth::{AuthErrorKind, ClientCertificate, Credential, EnvironmentCredential, ServicePrincipal};
use qws_config::Secret;
use ring::signature::{RSA_PSS_2048_8192_SHA256, UnparsedPublicKey};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::{
    entra::{CLIENT_ID, TENANT},
    header, host,
    server::{Reply, Seen, Server, json},
};

macro_rules! file {
    ($name:literal) => {
        include_bytes!(concat!("certificates/", $name)).as_slice()
    };
}

pub(crate) fn certificate() -> ClientCertificate {
    ClientCertificate::read(file!("plain.pem"), None).unwrap()
}

fn password() -> Secret {
    Secret::new("hunter2")
}

/// The certificate in the plain file.
fn der() -> Vec<u8> {
    let text = std::str::from_utf8(file!("plain.pem")).unwrap();
    let (_, rest) = text.split_once("-----BEGIN CERTIFICATE-----").unwrap();
    let body: String = rest.split_once("-----END").unwrap().0.split_whitespace().collect();
    STANDARD.decode(body).unwrap()
}

/// Checks the assertion as Entra ID does; how many certificates came along.
fn check(seen: &Seen, origin: &str) -> usize {
    assert_eq!(seen.form["grant_type"], "client_credentials");
    assert_eq!(seen.form["client_assertion_type"], "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
    let assertion = &seen.form["client_assertion"];
    let (signed, signature) = assertion.rsplit_once('.').unwrap();
    let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).unwrap();
    let key = UnparsedPublicKey::new(&RSA_PSS_2048_8192_SHA256, file!("public.der"));
    key.verify(signed.as_bytes(), &decode(signature)).unwrap();

    let (head, payload) = signed.split_once('.').unwrap();
    let head: Value = serde_json::from_slice(&decode(head)).unwrap();
    assert_eq!((&head["alg"], &head["typ"]), (&"PS256".into(), &"JWT".into()));
    assert_eq!(head["x5t#S256"], URL_SAFE_NO_PAD.encode(Sha256::digest(der())));
    let payload: Value = serde_json::from_slice(&decode(payload)).unwrap();
    assert_eq!(payload["aud"], format!("{origin}/{TENANT}/oauth2/v2.0/token"));
    assert_eq!((&payload["iss"], &payload["sub"]), (&CLIENT_ID.into(), &CLIENT_ID.into()));
    assert_eq!(payload["jti"].as_str().unwrap().len(), 36);
    let now = OffsetDateTime::from_unix_timestamp(1_800_000_000).unwrap().unix_timestamp();
    assert_eq!((payload["nbf"].as_i64(), payload["iat"].as_i64()), (Some(now), Some(now)));
    assert_eq!(payload["exp"].as_i64(), Some(now + 600));
    match &head["x5c"] {
        Value::Array(chain) => {
            assert_eq!(chain[0].as_str().unwrap(), STANDARD.encode(der()));
            chain.len()
        }
        _ => 0,
    }
}

async fn signed_in(certificate: ClientCertificate) -> usize {
    let server = Server::start(|_| json(200, r#"{"access_token":"tok","expires_in":3600}"#)).await;
    let tenant = TENANT.parse().unwrap();
    let credential = ServicePrincipal::with_certificate(tenant, CLIENT_ID, certificate).unwrap();
    let credential = credential.with_host(host(&[]).with_authority_host(&server.url()).unwrap());
    assert_eq!(header(&credential).await.unwrap(), "Bearer tok");
    assert!(credential.describe().starts_with("service principal by certificate"));
    check(&server.seen()[0], &server.url())
}

#[tokio::test]
async fn every_form_of_file_signs_in() {
    let files = [
        ("plain", file!("plain.pem"), None, 1),
        ("PKCS#1", file!("pkcs1.pem"), None, 1),
        ("encrypted", file!("encrypted.pem"), Some(password()), 1),
        ("encrypted in an older way", file!("encrypted-old.pem"), Some(password()), 1),
        ("PKCS#12", file!("new.p12"), Some(password()), 2),
        ("older PKCS#12", file!("old.p12"), Some(password()), 2),
        ("PKCS#12 without password", file!("unprotected.p12"), None, 1),
    ];
    for (name, bytes, password, certificates) in files {
        let certificate = ClientCertificate::read(bytes, password.as_ref());
        let certificate = certificate.unwrap_or_else(|error| panic!("{name}: {error:?}"));
        assert_eq!(signed_in(certificate.clone()).await, 0, "{name}");
        assert_eq!(signed_in(certificate.send_chain()).await, certificates, "{name}");
    }
}

#[test]
fn what_cannot_be_used_is_told_without_showing_it() {
    let cut = &file!("plain.pem")[..500];
    let plain = std::str::from_utf8(file!("plain.pem")).unwrap();
    let (key, certificate) = plain.split_once("-----BEGIN CERTIFICATE-----").unwrap();
    let certificate = format!("-----BEGIN CERTIFICATE-----{certificate}");
    let cases: [(&[u8], Option<&str>, &str); 13] = [
        (b"", None, "neither a PEM text nor a PKCS#12 file"),
        (b"\x30\x82 no such thing", None, "neither a PEM text nor a PKCS#12 file"),
        (cut, None, "the PEM text is broken in its PRIVATE KEY"),
        (b"-----BEGIN PRIVATE KEY-----\n!!!\n-----END PRIVATE KEY-----", None, "broken in its PRIVATE KEY"),
        (key.as_bytes(), None, "no certificate with it"),
        (certificate.as_bytes(), None, "there is no private key in it"),
        (file!("mismatch.pem"), None, "none of the certificates belongs to the private key"),
        (file!("ec.pem"), None, "no RSA key of 2048 to 4096 bits"),
        (file!("traditional.pem"), Some("hunter2"), "encrypted in OpenSSL's old way"),
        (file!("encrypted.pem"), None, "is encrypted, and no password is given"),
        (file!("encrypted.pem"), Some("canary"), "the private key cannot be opened with this password"),
        (file!("new.p12"), Some("canary"), "the PKCS#12 file cannot be opened with this password"),
        (file!("old.p12"), None, "the PKCS#12 file is encrypted, and no password is given"),
    ];
    for (bytes, password, said) in cases {
        let password = password.map(Secret::new);
        let error = ClientCertificate::read(bytes, password.as_ref()).unwrap_err();
        assert_eq!(error.kind(), AuthErrorKind::InvalidInput);
        assert!(error.to_string().contains(said), "{said}: {error}");
        assert!(!format!("{error:?}").contains("canary"), "{error:?}");
    }
    let shown = format!("{:?}", ClientCertificate::read(file!("plain.pem"), None).unwrap());
    assert!(shown.starts_with("ClientCertificate { thumbprint: ") && shown.len() < 120, "{shown}");
}

#[tokio::test]
async fn the_environment_names_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    std::fs::write(path("app.pfx"), file!("new.p12")).unwrap();
    std::fs::write(path("long"), vec![0; (1 << 20) + 1]).unwrap();
    let server = Server::start(|_| json(200, r#"{"access_token":"tok","expires_in":3600}"#)).await;
    let with = |file: &str, password: &str, chain: &str| {
        let variables = [
            ("AZURE_TENANT_ID", TENANT),
            ("AZURE_CLIENT_ID", CLIENT_ID),
            ("AZURE_CLIENT_CERTIFICATE_PATH", file),
            ("AZURE_CLIENT_CERTIFICATE_PASSWORD", password),
            ("AZURE_CLIENT_SEND_CERTIFICATE_CHAIN", chain),
        ];
        let host = host(&variables).with_authority_host(&server.url()).unwrap();
        EnvironmentCredential::new().with_host(host)
    };
    for (chain, expected) in [("", 0), ("false", 0), ("1", 2), ("TRUE", 2)] {
        assert_eq!(header(&with(&path("app.pfx"), "hunter2", chain)).await.unwrap(), "Bearer tok");
        assert_eq!(check(server.seen().last().unwrap(), &server.url()), expected, "{chain}");
    }
    let asked = server.seen().len();
    for (file, password, said) in [
        ("app.pfx", "canary", "cannot be opened with this password"),
        ("app.pfx", "", "no password is given"),
        ("none", "", "cannot be read"),
        ("", "", "is not a file"),
        ("long", "", "is longer than 1 MiB"),
    ] {
        let error = header(&with(&path(file), password, "")).await.unwrap_err();
        assert!(!error.is_unavailable() && error.to_string().contains(said), "{said}: {error}");
        assert!(!format!("{error:?}").contains("canary"));
    }
    assert_eq!(server.seen().len(), asked);
}

#[tokio::test]
async fn a_certificate_that_the_application_does_not_have_is_refused_with_advice() {
    let server = Server::start(|_| {
        let text = "AADSTS700027: The certificate with identifier used to sign the client assertion is not registered on application.";
        let body = serde_json::json!({"error":"invalid_client","error_codes":[700_027],"error_description":text});
        Reply::Json(401, body.to_string())
    })
    .await;
    let credential =
        ServicePrincipal::with_certificate(TENANT.parse().unwrap(), CLIENT_ID, certificate()).unwrap();
    let error = header(&credential.with_host(host(&[]).with_authority_host(&server.url()).unwrap()))
        .await
        .unwrap_err();
    assert_eq!((error.kind(), error.code()), (AuthErrorKind::Refused, Some("AADSTS700027")));
    assert!(error.hint().unwrap().contains("certificate"));
    let assertion = &server.seen()[0].form["client_assertion"];
    assert!(!format!("{error:?}").contains(assertion.as_str()));
}
