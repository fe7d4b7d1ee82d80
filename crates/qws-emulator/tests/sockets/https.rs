use std::sync::Arc;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use qws_emulator::{Action, Emulator, Fault, Route};

use super::still;

/// Asks for the health of an emulator under a name, trusting only its own authority.
async fn ask(emulator: &Emulator, name: &'static str, path: &str) -> std::io::Result<String> {
    let mut roots = RootCertStore::empty();
    let pem = emulator.ca_pem().unwrap();
    roots.add(CertificateDer::from_pem_slice(pem.as_bytes()).unwrap()).unwrap();
    let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let stream = TcpStream::connect(("127.0.0.1", emulator.port())).await?;
    let name = ServerName::try_from(name).unwrap();
    let mut stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await?;
    let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer)
}

#[tokio::test]
async fn https_serves_the_real_names_and_no_others() {
    let emulator = still().https().public_names().start().await.unwrap();
    assert_eq!(emulator.endpoint(), "https://eastus.quantum.azure.com/");
    assert_eq!(emulator.storage_endpoint(), "https://stqwsemulator.blob.core.windows.net/");
    for name in [
        "eastus.quantum.azure.com",
        "management.azure.com",
        "login.microsoftonline.com",
        "localhost",
        "x.blob.core.windows.net",
    ] {
        let answer = ask(&emulator, name, "/_emulator/health").await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{name}: {answer}");
    }
    let refused = ask(&emulator, "example.com", "/_emulator/health").await.unwrap_err();
    assert!(refused.to_string().contains("not valid for name"), "{refused}");
}

#[tokio::test]
async fn faults_reach_through_tls() {
    let emulator = still().https().start().await.unwrap();
    assert!(emulator.endpoint().starts_with("https://127.0.0.1:"));
    emulator.inject(Fault::new(Route::Any, Action::ResetBefore));
    let reset = ask(&emulator, "localhost", "/x").await.unwrap_err();
    assert_eq!(reset.kind(), std::io::ErrorKind::ConnectionReset);
}
