//! Service Fabric over real TLS: the server is known by its certificate, or nothing is sent.

use std::{fmt::Write, sync::Arc};

use qws_auth::{AuthErrorKind, Host, ManagedIdentity};
use sha1::{Digest, Sha1};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{ServerConfig, crypto::ring, pki_types::PrivateKeyDer, version},
};

use crate::{
    header, host,
    managed_identity::{CLIENT_ID, RESOURCE_ID},
    server::{Reply, Seen, Server, json},
};

/// Answers as the node's endpoint does.
pub(crate) fn node(seen: &Seen) -> Reply {
    assert_eq!((seen.method.as_str(), seen.path.as_str()), ("GET", "/metadata/identity/oauth2/token"));
    assert_eq!(seen.query["api-version"], "2019-07-01-preview");
    assert_eq!(seen.query["resource"], "https://quantum.microsoft.com");
    assert_eq!(seen.query.len(), 2);
    match seen.header("secret") {
        Some("fabric-secret") => json(
            200,
            r#"{"token_type":"Bearer","access_token":"fabric","expires_on":"1800003600","resource":"r"}"#,
        ),
        Some("nobody") => json(
            404,
            r#"{"error":{"correlationId":"c","code":"ManagedIdentityNotFound","message":"No identity."}}"#,
        ),
        _ => json(
            400,
            r#"{"error":{"correlationId":"c","code":"SecretHeaderNotFound","message":"Secret is not found in the request headers."}}"#,
        ),
    }
}

/// A server with a certificate that nobody has signed, and its thumbprint.
pub(crate) async fn start(answer: impl FnMut(&Seen) -> Reply + Send + 'static) -> (Server, String) {
    let made = rcgen::generate_simple_self_signed(vec!["node".into()]).unwrap();
    let certificate = made.cert.der().clone();
    let thumbprint = Sha1::digest(&certificate).iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02X}").unwrap();
        text
    });
    let key = PrivateKeyDer::Pkcs8(made.signing_key.serialize_der().into());
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(&[&version::TLS12, &version::TLS13])
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let secured = move |socket| {
        let acceptor = acceptor.clone();
        async move { acceptor.accept(socket).await.ok() }
    };
    (Server::start_on(answer, secured).await, thumbprint)
}

pub(crate) fn at(server: &Server, header: &str, thumbprint: &str) -> Host {
    let endpoint = format!("https://{}/metadata/identity/oauth2/token", server.address);
    let variables = [
        ("IDENTITY_ENDPOINT", &*endpoint),
        ("IDENTITY_HEADER", header),
        ("IDENTITY_SERVER_THUMBPRINT", thumbprint),
    ];
    host(&variables)
}

#[tokio::test]
async fn the_server_with_the_right_certificate_gives_a_token() {
    let (server, thumbprint) = start(node).await;
    let host = at(&server, "fabric-secret", &thumbprint);
    assert_eq!(header(&ManagedIdentity::system().with_host(host)).await.unwrap(), "Bearer fabric");
    // As people copy it.
    let spaced: String = thumbprint.to_lowercase().chars().flat_map(|digit| [digit, ' ']).collect();
    let host = at(&server, "fabric-secret", &spaced);
    assert_eq!(header(&ManagedIdentity::system().with_host(host)).await.unwrap(), "Bearer fabric");
}

#[tokio::test]
async fn a_server_with_another_certificate_never_sees_the_secret() {
    let (server, _) = start(node).await;
    let (_, of_another) = start(node).await;
    let host = at(&server, "fabric-secret", &of_another);
    let error = header(&ManagedIdentity::system().with_host(host)).await.unwrap_err();
    assert_eq!(error.kind(), AuthErrorKind::Refused);
    assert!(error.to_string().ends_with("the secret was not sent"), "{error}");
    assert_eq!(server.seen().len(), 0);
}

#[tokio::test]
async fn what_is_set_up_wrongly_is_told_and_nothing_is_sent() {
    let (server, thumbprint) = start(node).await;
    for (header_value, bad) in [("fabric-secret", "1234"), ("fabric\nsecret", &*thumbprint)] {
        let host = at(&server, header_value, bad);
        let error = header(&ManagedIdentity::system().with_host(host)).await.unwrap_err();
        assert_eq!(error.kind(), AuthErrorKind::InvalidInput, "{error}");
    }
    for identity in [
        ManagedIdentity::by_client_id(CLIENT_ID).unwrap(),
        ManagedIdentity::by_object_id(CLIENT_ID).unwrap(),
        ManagedIdentity::by_resource_id(RESOURCE_ID).unwrap(),
    ] {
        let host = at(&server, "fabric-secret", &thumbprint);
        let error = header(&identity.with_host(host)).await.unwrap_err();
        assert_eq!(error.kind(), AuthErrorKind::Unsupported);
        assert!(error.to_string().starts_with("Service Fabric gives tokens of one identity only"), "{error}");
    }
    assert_eq!(server.seen().len(), 0);
}

#[tokio::test]
async fn refusals_have_their_class_and_a_missing_identity_is_asked_for_once() {
    let (server, thumbprint) = start(node).await;
    let error =
        header(&ManagedIdentity::system().with_host(at(&server, "nobody", &thumbprint))).await.unwrap_err();
    assert!(error.is_unavailable(), "{error}");
    assert_eq!(error.code(), Some("ManagedIdentityNotFound"));
    assert_eq!(server.seen().len(), 1);
    let error =
        header(&ManagedIdentity::system().with_host(at(&server, "wrong", &thumbprint))).await.unwrap_err();
    assert_eq!((error.kind(), error.code()), (AuthErrorKind::Refused, Some("SecretHeaderNotFound")));

    let (down, thumbprint) = start(|_| Reply::Close).await;
    let error = header(&ManagedIdentity::system().with_host(at(&down, "s", &thumbprint))).await.unwrap_err();
    assert!(error.to_string().starts_with("no answer from the managed identity endpoint"), "{error}");
    let (elsewhere, thumbprint) =
        start(|_| Reply::Raw(307, "Location: https://elsewhere.example", String::new())).await;
    let error =
        header(&ManagedIdentity::system().with_host(at(&elsewhere, "s", &thumbprint))).await.unwrap_err();
    assert_eq!(error.hint(), Some("redirects are not followed with an identity"));
    let (endless, thumbprint) = start(|_| Reply::Raw(200, "X-A: b", "x".repeat(2 << 20))).await;
    let error =
        header(&ManagedIdentity::system().with_host(at(&endless, "s", &thumbprint))).await.unwrap_err();
    assert_eq!(error.kind(), AuthErrorKind::Refused);
}
