//! A certificate authority for one run, and the certificate that it signs.

use std::io;
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose,
};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

use crate::state::Addresses;

pub(crate) struct Tls {
    pub(crate) acceptor: TlsAcceptor,
    pub(crate) ca_pem: String,
}

/// What the certificate is good for, besides the addresses of this run.
const NAMES: [&str; 7] = [
    "localhost",
    "127.0.0.1",
    "management.azure.com",
    "login.microsoftonline.com",
    "*.quantum.azure.com",
    "*.quantum-test.azure.com",
    "*.blob.core.windows.net",
];

impl Tls {
    /// Makes a new authority and a certificate for [`NAMES`] and the hosts of the addresses.
    pub(crate) fn generate(addresses: &Addresses) -> Result<Self, io::Error> {
        let hosts = [&addresses.service, &addresses.storage].map(|address| {
            let url = url::Url::parse(address).ok();
            url.and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default()
        });
        let mut names: Vec<String> = NAMES.iter().map(|name| (*name).to_owned()).collect();
        names.extend(hosts.into_iter().filter(|host| !host.is_empty() && !NAMES.contains(&host.as_str())));
        let certified = certify(names).map_err(io::Error::other)?;
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .and_then(|builder| {
                builder
                    .with_no_client_auth()
                    .with_single_cert(vec![certified.leaf, certified.ca], certified.key)
            })
            .map_err(io::Error::other)?;
        Ok(Self { acceptor: TlsAcceptor::from(Arc::new(config)), ca_pem: certified.ca_pem })
    }
}

struct Certified {
    leaf: tokio_rustls::rustls::pki_types::CertificateDer<'static>,
    ca: tokio_rustls::rustls::pki_types::CertificateDer<'static>,
    key: PrivateKeyDer<'static>,
    ca_pem: String,
}

fn certify(names: Vec<String>) -> Result<Certified, rcgen::Error> {
    let mut ca = CertificateParams::default();
    ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    ca.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    ca.distinguished_name.push(DnType::CommonName, "qws-emulator, made for one run");
    let ca = CertifiedIssuer::self_signed(ca, KeyPair::generate()?)?;
    let mut leaf = CertificateParams::new(names)?;
    leaf.distinguished_name.push(DnType::CommonName, "qws-emulator");
    leaf.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    // OpenSSL checks it strictly since Python 3.13.
    leaf.use_authority_key_identifier_extension = true;
    let key = KeyPair::generate()?;
    let leaf = leaf.signed_by(&key, &ca)?;
    Ok(Certified {
        leaf: leaf.der().clone(),
        ca: ca.der().clone(),
        key: PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der())),
        ca_pem: ca.pem(),
    })
}
