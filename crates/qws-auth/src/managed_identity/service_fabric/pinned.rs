//! A transport that talks to one server only, known by its certificate and by nothing else.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use qws_http::{BoxError, HyperTransport, ResponseBody, Transport, TransportError, tls_provider};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, ServerName, UnixTime},
};
use sha1_smol::Sha1;

/// https to the server that shows this certificate. During the handshake, before anything of a request leaves, every
/// other one is refused; whom the machine trusts otherwise, names and dates play no part. No proxy, no redirects.
#[derive(Debug)]
pub(super) struct Pinned {
    transport: HyperTransport,
    verifier: Arc<Verifier>,
}

impl Pinned {
    pub(super) fn new(sha1: [u8; 20]) -> Result<Self, BoxError> {
        let provider = tls_provider()?;
        let verifier = Arc::new(Verifier { sha1, provider, met_another: AtomicBool::new(false) });
        let config = ClientConfig::builder_with_provider(verifier.provider.clone())
            .with_safe_default_protocol_versions()?
            .dangerous()
            .with_custom_certificate_verifier(verifier.clone())
            .with_no_client_auth();
        let transport = HyperTransport::builder().for_identity_endpoints();
        let transport = transport.connect_timeout(Duration::from_secs(10)).tls(config).build()?;
        Ok(Self { transport, verifier })
    }

    /// Whether a server was refused for its certificate.
    pub(super) fn met_another_server(&self) -> bool {
        self.verifier.met_another.load(Ordering::Relaxed)
    }
}

#[async_trait]
impl Transport for Pinned {
    async fn send(
        &self,
        request: http::Request<Bytes>,
    ) -> Result<http::Response<ResponseBody>, TransportError> {
        self.transport.send(request).await
    }
}

/// Takes one certificate. That the server holds its key is checked as always, by the handshake's signature.
struct Verifier {
    sha1: [u8; 20],
    provider: Arc<CryptoProvider>,
    met_another: AtomicBool,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let shown = Sha1::from(certificate).digest().bytes();
        let difference = shown.iter().zip(self.sha1).fold(0, |sum, (a, b)| sum | (a ^ b));
        if difference == 0 {
            return Ok(ServerCertVerified::assertion());
        }
        self.met_another.store(true, Ordering::Relaxed);
        Err(Error::InvalidCertificate(CertificateError::ApplicationVerificationFailure))
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verifier").field("sha1", &self.sha1).finish_non_exhaustive()
    }
}
