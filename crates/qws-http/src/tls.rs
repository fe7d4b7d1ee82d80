//! TLS settings, made by us and handed to the client ready: no process-wide default is ever installed.

use std::sync::Arc;

use rustls::{
    ClientConfig, RootCertStore,
    crypto::CryptoProvider,
    pki_types::{CertificateDer, pem::PemObject},
};
use rustls_platform_verifier::Verifier;

use crate::BoxError;

/// The TLS provider that was compiled in (features `ring`, `aws-lc-rs`); ring where both are. For a configuration of one's own
/// that goes to [`crate::HyperTransportBuilder::tls`].
///
/// # Errors
/// When none is compiled in.
pub fn tls_provider() -> Result<Arc<CryptoProvider>, BoxError> {
    #[cfg(feature = "ring")]
    let found = Some(rustls::crypto::ring::default_provider());
    #[cfg(all(feature = "aws-lc-rs", not(feature = "ring")))]
    let found = Some(rustls::crypto::aws_lc_rs::default_provider());
    #[cfg(not(any(feature = "ring", feature = "aws-lc-rs")))]
    let found: Option<CryptoProvider> = None;
    let missing = "no TLS provider is compiled in: switch on feature `ring` or `aws-lc-rs` of qws-http";
    found.map(Arc::new).ok_or_else(|| missing.into())
}

/// Trusts what this machine trusts, and the given roots besides.
pub(crate) fn platform_config(extra: &[CertificateDer<'static>]) -> Result<ClientConfig, BoxError> {
    let provider = tls_provider()?;
    let verifier = Verifier::new_with_extra_roots(extra.iter().cloned(), provider.clone())?;
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    Ok(config.dangerous().with_custom_certificate_verifier(Arc::new(verifier)).with_no_client_auth())
}

/// Trusts nobody: for clients that speak plain http only.
pub(crate) fn empty_config() -> Result<ClientConfig, BoxError> {
    let config =
        ClientConfig::builder_with_provider(tls_provider()?).with_safe_default_protocol_versions()?;
    Ok(config.with_root_certificates(RootCertStore::empty()).with_no_client_auth())
}

/// All certificates of a PEM text.
pub(crate) fn read_pem(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, BoxError> {
    let certificates = CertificateDer::pem_slice_iter(pem).collect::<Result<Vec<_>, _>>()?;
    if certificates.is_empty() {
        return Err("no `BEGIN CERTIFICATE` block in it".into());
    }
    Ok(certificates)
}
