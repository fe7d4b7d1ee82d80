use std::{fmt, path::Path, sync::Arc, time::Duration};

use azure_core::{Uuid, time::OffsetDateTime};
use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use qws_config::Secret;
use ring::{
    rand::SystemRandom,
    signature::{KeyPair, RSA_PSS_SHA256, RsaKeyPair},
};
use serde_json::json;

use crate::{
    AuthError, AuthRequest, Host,
    access_token::AccessToken,
    entra::{Application, Proof, client_credentials},
    files::{self, FileError, Links},
};

mod parts;

/// The longest file that is taken for a certificate.
const FILE_LIMIT_BYTES: u64 = 1 << 20;

/// How long an assertion is good: enough for the repetitions of one token request.
const LIFE: Duration = Duration::from_secs(600);

/// The certificate of an application, with its private key.
///
/// Only feature `certificate` has it. RSA keys of 2048 to 4096 bits, since Entra ID takes no others.
#[derive(Clone)]
pub struct ClientCertificate {
    key: Arc<RsaKeyPair>,
    /// The application's own first, then those that lead to its root.
    certificates: Vec<Vec<u8>>,
    send_chain: bool,
}

impl ClientCertificate {
    /// Reads a certificate and its key from a PEM text (both in one, the key encrypted or not) or from PKCS#12
    /// (`.pfx`, `.p12`), in its present form and in that of older tools.
    ///
    /// ```no_run
    /// use qws_auth::{ClientCertificate, ServicePrincipal};
    ///
    /// let bytes = std::fs::read("app.pfx")?;
    /// let certificate = ClientCertificate::read(&bytes, Some(&"the file's password".into()))?;
    /// let tenant = "contoso.onmicrosoft.com".parse()?;
    /// let app = "11111111-2222-3333-4444-555555555555";
    /// let credential = ServicePrincipal::with_certificate(tenant, app, certificate)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`crate::AuthErrorKind::InvalidInput`] if a part is missing, broken or of another kind, if the password is wrong,
    /// or if no certificate belongs to the key; the text says which.
    pub fn read(bytes: &[u8], password: Option<&Secret>) -> Result<Self, AuthError> {
        let parts = parts::Parts::read(bytes, password)?;
        let key = parts.key.into_rsa()?;
        // A certificate holds its public key as it is, so no parser of certificates is needed to find it.
        let public = key.public_key().as_ref();
        let holds_key = |der: &Vec<u8>| der.windows(public.len()).any(|window| window == public);
        let mut certificates = parts.certificates;
        if certificates.is_empty() {
            return Err(AuthError::invalid("there is a private key, but no certificate with it"));
        }
        let own = certificates
            .iter()
            .position(holds_key)
            .ok_or_else(|| AuthError::invalid("none of the certificates belongs to the private key"))?;
        let own = certificates.remove(own);
        certificates.insert(0, own);
        Ok(Self { key: Arc::new(key), certificates, send_chain: false })
    }

    /// Reads a file; one that others may read is taken too, with a warning in the log.
    pub(crate) async fn read_file(path: &str, password: Option<&Secret>) -> Result<Self, AuthError> {
        let failed = |what: &str| {
            AuthError::refused(format!("the certificate file {path} {what}"))
                .with_hint("look at AZURE_CLIENT_CERTIFICATE_PATH")
        };
        let bytes = files::read(Path::new(path), FILE_LIMIT_BYTES, Links::Follow).await;
        let bytes = bytes.map_err(|error| match error {
            FileError::Unreadable(cause) => failed("cannot be read").with_source(cause),
            FileError::NotAFile => failed("is not a file"),
            FileError::TooLong => failed("is longer than 1 MiB"),
        })?;
        if files::others_may_read(Path::new(path)).await {
            tracing::warn!(path, "others on this machine may read the private key of this certificate");
        }
        Self::read(&bytes, password)
    }

    /// Sends the certificate and its issuers with each request, for applications that trust by subject name and
    /// issuer instead of by thumbprint.
    #[must_use]
    pub fn send_chain(mut self) -> Self {
        self.send_chain = true;
        self
    }

    /// The SHA-256 of the certificate, by which Entra ID finds it.
    fn thumbprint(&self) -> String {
        URL_SAFE_NO_PAD.encode(hmac_sha256::Hash::hash(&self.certificates[0]))
    }

    /// A signed statement that we are this application, for this token endpoint.
    ///
    /// Format: <https://learn.microsoft.com/entra/identity-platform/certificate-credentials>
    fn assertion(&self, client_id: &str, endpoint: &str, now: OffsetDateTime) -> Result<Secret, AuthError> {
        let mut header = json!({ "alg": "PS256", "typ": "JWT", "x5t#S256": self.thumbprint() });
        if self.send_chain {
            header["x5c"] = self.certificates.iter().map(|der| STANDARD.encode(der)).collect();
        }
        let issued = now.unix_timestamp();
        let payload = json!({
            "aud": endpoint,
            "iss": client_id,
            "sub": client_id,
            "jti": Uuid::new_v4().to_string(),
            "nbf": issued,
            "iat": issued,
            "exp": (now + LIFE).unix_timestamp(),
        });
        let part = |value: serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(header), part(payload));
        let mut signature = vec![0; self.key.public().modulus_len()];
        self.key
            .sign(&RSA_PSS_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature)
            .map_err(|_| AuthError::refused("the private key of the certificate could not sign"))?;
        Ok(Secret::new(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))))
    }
}

impl fmt::Debug for ClientCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientCertificate")
            .field("thumbprint", &self.thumbprint())
            .field("send_chain", &self.send_chain)
            .finish_non_exhaustive()
    }
}

/// A token for an application that signs in with its certificate.
pub(crate) async fn token(
    host: &Host,
    application: &Application,
    request: &AuthRequest,
    certificate: &ClientCertificate,
) -> Result<AccessToken, AuthError> {
    let endpoint = host.authority()?.endpoint(&application.tenant, "token");
    let assertion = certificate.assertion(&application.client_id, &endpoint, host.clock().now())?;
    client_credentials(host, application, request, Proof::Assertion(&assertion)).await
}
