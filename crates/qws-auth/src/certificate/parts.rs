//! What is in a file with a certificate: its private key, and certificates.

use base64::{Engine, engine::general_purpose::STANDARD};
use p12_keystore::{Pkcs12Archive, error::Error as Pkcs12Error};
use pkcs8::EncryptedPrivateKeyInfoRef;
use qws_config::Secret;
use ring::signature::RsaKeyPair;
use zeroize::Zeroizing;

use crate::AuthError;

/// A private key in DER.
pub(super) enum Key {
    /// PKCS#8: any kind of key.
    Any(Zeroizing<Vec<u8>>),
    /// PKCS#1: an RSA key.
    Rsa(Zeroizing<Vec<u8>>),
}

pub(super) struct Parts {
    pub(super) key: Key,
    pub(super) certificates: Vec<Vec<u8>>,
}

impl Key {
    pub(super) fn into_rsa(self) -> Result<RsaKeyPair, AuthError> {
        let read = match &self {
            Self::Any(der) => RsaKeyPair::from_pkcs8(der),
            Self::Rsa(der) => RsaKeyPair::from_der(der),
        };
        read.map_err(|why| {
            AuthError::invalid(format!("the private key is no RSA key of 2048 to 4096 bits ({why})"))
                .with_hint(
                    "make a certificate with an RSA key of 2048 bits or more; Entra ID takes no other kind",
                )
        })
    }
}

impl Parts {
    pub(super) fn read(bytes: &[u8], password: Option<&Secret>) -> Result<Self, AuthError> {
        match std::str::from_utf8(bytes) {
            Ok(text) if text.contains("-----BEGIN ") => Self::of_pem(text, password),
            _ => Self::of_pkcs12(bytes, password),
        }
    }

    fn of_pkcs12(bytes: &[u8], password: Option<&Secret>) -> Result<Self, AuthError> {
        let archive = Pkcs12Archive::from_pkcs12(bytes, password.map_or("", Secret::expose));
        let archive = archive.map_err(|error| match error {
            Pkcs12Error::MacError(_) => wrong_password(password, "PKCS#12 file"),
            other => AuthError::invalid("this is neither a PEM text nor a PKCS#12 file that can be read")
                .with_source(other.to_string()),
        })?;
        let key = archive.keys.first().ok_or_else(no_key)?.key.as_der().to_vec();
        let certificates = archive.certs.iter().map(|bag| bag.cert.as_der().to_vec()).collect();
        Ok(Self { key: Key::Any(Zeroizing::new(key)), certificates })
    }

    fn of_pem(text: &str, password: Option<&Secret>) -> Result<Self, AuthError> {
        let (mut key, mut certificates) = (None, Vec::new());
        for block in blocks(text) {
            let (label, body) = block?;
            match label {
                "CERTIFICATE" => certificates.push(decode(label, body)?.to_vec()),
                "PRIVATE KEY" => key = Some(Key::Any(decode(label, body)?)),
                "RSA PRIVATE KEY" if body.contains("ENCRYPTED") => {
                    return Err(AuthError::invalid("the private key is encrypted in OpenSSL's old way")
                        .with_hint("convert it: `openssl pkcs8 -topk8 -in OLD.pem -out NEW.pem`"));
                }
                "RSA PRIVATE KEY" => key = Some(Key::Rsa(decode(label, body)?)),
                "ENCRYPTED PRIVATE KEY" => key = Some(Key::Any(decrypt(&decode(label, body)?, password)?)),
                // Parameters and the like.
                _ => {}
            }
        }
        Ok(Self { key: key.ok_or_else(no_key)?, certificates })
    }
}

/// The blocks of a PEM text ([RFC 7468]) with their labels; what stands between them is passed over.
///
/// [RFC 7468]: https://www.rfc-editor.org/rfc/rfc7468
fn blocks(text: &str) -> impl Iterator<Item = Result<(&str, &str), AuthError>> {
    text.split("-----BEGIN ").skip(1).map(|rest| {
        let (label, rest) = rest.split_once("-----").ok_or_else(|| broken("a block"))?;
        let (body, _) = rest.split_once(&format!("-----END {label}-----")).ok_or_else(|| broken(label))?;
        Ok((label, body))
    })
}

fn decode(label: &str, body: &str) -> Result<Zeroizing<Vec<u8>>, AuthError> {
    let joined: Zeroizing<String> = Zeroizing::new(body.split_whitespace().collect());
    STANDARD.decode(&*joined).map(Zeroizing::new).map_err(|_| broken(label))
}

fn decrypt(der: &[u8], password: Option<&Secret>) -> Result<Zeroizing<Vec<u8>>, AuthError> {
    let password = password.ok_or_else(|| wrong_password(None, "private key"))?;
    let encrypted = EncryptedPrivateKeyInfoRef::try_from(der).map_err(|_| broken("ENCRYPTED PRIVATE KEY"))?;
    let key = encrypted
        .decrypt(password.expose())
        .map_err(|error| wrong_password(Some(password), "private key").with_source(error.to_string()))?;
    Ok(Zeroizing::new(key.as_bytes().to_vec()))
}

fn broken(label: &str) -> AuthError {
    AuthError::invalid(format!("the PEM text is broken in its {}", crate::text::shown(label, &[])))
}

fn no_key() -> AuthError {
    AuthError::invalid("there is no private key in it").with_hint("put key and certificate into one file")
}

fn wrong_password(password: Option<&Secret>, what: &str) -> AuthError {
    match password {
        Some(_) => AuthError::invalid(format!("the {what} cannot be opened with this password")),
        None => AuthError::invalid(format!("the {what} is encrypted, and no password is given")),
    }
}
