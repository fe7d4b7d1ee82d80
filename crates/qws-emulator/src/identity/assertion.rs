//! Federated assertions: JSON Web Tokens of another identity provider, signed with RS256.
//!
//! Rules: <https://learn.microsoft.com/entra/workload-id/workload-identity-federation>

use std::collections::HashMap;
use std::fmt;
use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::rsa::PublicKeyComponents;
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RsaKeyPair};
use serde::{Deserialize, Serialize};
use serde_json::json;
use time::OffsetDateTime;

use super::directory::{Application, token_exchange};
use super::refusal::{Refusal, timestamp};

/// The key of the issuers that the emulator plays. Everybody has it, so nothing but an emulator may trust it.
static KEY: LazyLock<RsaKeyPair> = LazyLock::new(|| {
    #[expect(
        clippy::expect_used,
        reason = "the file is part of this crate and read in every test of assertions"
    )]
    RsaKeyPair::from_pkcs8(include_bytes!("issuer-key.der")).expect("the file holds an RSA key")
});

const KEY_ID: &str = "qws-emulator";

/// Clocks may differ by this much before an assertion counts as not yet valid.
const TOLERANCE_SECONDS: i64 = 300;

/// What an assertion of an issuer that the emulator plays is to say.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Assertion {
    /// `iss`: who vouches, for a cluster the URL of its issuer.
    pub issuer: String,
    /// `sub`: for whom, as `system:serviceaccount:NAMESPACE:NAME`.
    pub subject: String,
    /// `aud`: to whom.
    #[serde(default = "token_exchange")]
    pub audience: String,
    /// How long it is good, from now on the emulator's clock.
    #[serde(default = "an_hour")]
    pub lifetime_seconds: u32,
}

fn an_hour() -> u32 {
    3600
}

impl Assertion {
    /// An assertion for Entra ID that is good for an hour.
    #[must_use]
    pub fn new(issuer: &str, subject: &str) -> Self {
        Self {
            issuer: issuer.to_owned(),
            subject: subject.to_owned(),
            audience: token_exchange(),
            lifetime_seconds: an_hour(),
        }
    }

    pub(crate) fn sign(&self, now: OffsetDateTime) -> String {
        let now = now.unix_timestamp();
        let header = json!({ "alg": "RS256", "typ": "JWT", "kid": KEY_ID });
        let claims = json!({
            "iss": self.issuer,
            "sub": self.subject,
            "aud": [self.audience],
            "iat": now,
            "nbf": now,
            "exp": now + i64::from(self.lifetime_seconds),
        });
        let encode = |value: serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", encode(header), encode(claims));
        let mut signature = vec![0; KEY.public().modulus_len()];
        #[expect(
            clippy::expect_used,
            reason = "it fails only if the buffer has another length than the key"
        )]
        KEY.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature)
            .expect("the buffer is as long as the key");
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

/// Why keys cannot be taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyError(String);

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the issuer's keys cannot be taken: {}", self.0)
    }
}

impl std::error::Error for KeyError {}

#[derive(Clone, Debug)]
struct Key {
    id: Option<String>,
    public: PublicKeyComponents<Vec<u8>>,
}

/// The keys of issuers; one without any is played by the emulator.
#[derive(Debug, Default)]
pub(crate) struct Issuers(HashMap<String, Vec<Key>>);

#[derive(Deserialize)]
struct KeySet {
    keys: Vec<PublishedKey>,
}

#[derive(Deserialize)]
struct PublishedKey {
    kty: String,
    kid: Option<String>,
    #[serde(default)]
    n: String,
    #[serde(default)]
    e: String,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
}

#[derive(Deserialize, Serialize)]
struct Claims {
    iss: String,
    sub: String,
    aud: Audiences,
    exp: i64,
    nbf: Option<i64>,
    iat: Option<i64>,
}

/// One or several, as RFC 7519 (section 4.1.3) has it.
#[derive(Deserialize, Serialize)]
#[serde(untagged)]
enum Audiences {
    One(String),
    Several(Vec<String>),
}

impl Audiences {
    fn shown(&self) -> String {
        match self {
            Self::One(audience) => audience.clone(),
            Self::Several(audiences) => audiences.join(", "),
        }
    }

    fn holds(&self, wanted: &str) -> bool {
        match self {
            Self::One(audience) => audience == wanted,
            Self::Several(audiences) => audiences.iter().any(|audience| audience == wanted),
        }
    }
}

impl Issuers {
    /// Takes the keys that an issuer publishes (a JSON Web Key Set, RFC 7517), in place of those it had.
    pub(crate) fn publish(&mut self, issuer: &str, keys: &serde_json::Value) -> Result<(), KeyError> {
        let set = KeySet::deserialize(keys).map_err(|error| KeyError(error.to_string()))?;
        let mut taken = Vec::new();
        for key in set.keys {
            if key.kty != "RSA" {
                return Err(KeyError(format!("`kty` is `{}`, but only `RSA` is supported", key.kty)));
            }
            let part = |name: &str, text: &str| {
                let bytes = URL_SAFE_NO_PAD.decode(text).ok().filter(|bytes| !bytes.is_empty());
                bytes.ok_or_else(|| KeyError(format!("`{name}` is not base64url without padding")))
            };
            let public = PublicKeyComponents { n: part("n", &key.n)?, e: part("e", &key.e)? };
            taken.push(Key { id: key.kid, public });
        }
        self.0.insert(issuer.to_owned(), taken);
        Ok(())
    }

    /// Whether an assertion proves that whoever sends it is this application.
    pub(super) fn check(
        &self,
        assertion: &str,
        application: &Application,
        now: OffsetDateTime,
    ) -> Result<(), Refusal> {
        let malformed = || Refusal::request("invalid_request", 50_027, "JWT token is invalid or malformed.");
        let (signed, signature) = assertion.rsplit_once('.').ok_or_else(malformed)?;
        let (header, claims) = signed.split_once('.').ok_or_else(malformed)?;
        let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| malformed());
        let header: Header = serde_json::from_slice(&decode(header)?).map_err(|_| malformed())?;
        let claims: Claims = serde_json::from_slice(&decode(claims)?).map_err(|_| malformed())?;
        matches(&claims, application)?;
        let valid = header.alg == "RS256"
            && self.verifies(&claims.iss, header.kid.as_deref(), signed.as_bytes(), &decode(signature)?);
        if !valid {
            let text = "Client assertion contains an invalid signature. [Reason - The key was not found or did not sign this assertion.]";
            return Err(Refusal::client(700_027, text));
        }
        in_time(&claims, now)
    }

    fn verifies(&self, issuer: &str, key_id: Option<&str>, signed: &[u8], signature: &[u8]) -> bool {
        let verifies = |public: &PublicKeyComponents<Vec<u8>>| {
            public.verify(&RSA_PKCS1_2048_8192_SHA256, signed, signature).is_ok()
        };
        match self.0.get(issuer) {
            Some(keys) => keys
                .iter()
                .filter(|key| key_id.is_none() || key.id.is_none() || key.id.as_deref() == key_id)
                .any(|key| verifies(&key.public)),
            None => verifies(&PublicKeyComponents::from(KEY.public())),
        }
    }
}

/// Compares issuer, subject and audience, each with its own number.
fn matches(claims: &Claims, application: &Application) -> Result<(), Refusal> {
    let trusted = &application.federated_credentials;
    let record = |number, what: &str, value: &str| {
        let text = format!(
            "No matching federated identity record found for presented assertion {what} '{value}'. Check your federated identity credential Subject, Audience and Issuer against the presented assertion. https://learn.microsoft.com/entra/workload-id/workload-identity-federation"
        );
        Err(Refusal::client(number, text))
    };
    if !trusted.iter().any(|known| known.issuer == claims.iss) {
        return record(700_211, "issuer", &claims.iss);
    }
    let mut of_subject =
        trusted.iter().filter(|known| known.issuer == claims.iss && known.subject == claims.sub).peekable();
    if of_subject.peek().is_none() {
        return record(700_213, "subject", &claims.sub);
    }
    if !of_subject.any(|known| claims.aud.holds(&known.audience)) {
        return record(700_212, "audience", &claims.aud.shown());
    }
    Ok(())
}

fn in_time(claims: &Claims, now: OffsetDateTime) -> Result<(), Refusal> {
    let second = now.unix_timestamp();
    let begins = claims.nbf.or(claims.iat).unwrap_or(second);
    if claims.exp > second && begins <= second + TOLERANCE_SECONDS {
        return Ok(());
    }
    let shown = |at| OffsetDateTime::from_unix_timestamp(at).map_or_else(|_| at.to_string(), timestamp);
    let text = format!(
        "Client assertion is not within its valid time range. Current time: {}, assertion valid from {}, expiry time of assertion {}. Review the documentation at https://learn.microsoft.com/entra/identity-platform/certificate-credentials .",
        timestamp(now),
        shown(begins),
        shown(claims.exp)
    );
    Err(Refusal::client(700_024, text))
}
