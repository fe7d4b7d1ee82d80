//! Bearer tokens in the shape of Entra's: signed, with an audience and an expiry on the emulator's clock.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use time::OffsetDateTime;

/// The audience of the data plane; a token request names it as `https://quantum.microsoft.com/.default`.
pub(crate) const DATA_PLANE: &str = "https://quantum.microsoft.com";

/// The audience of Azure Resource Manager and Resource Graph.
pub(crate) const MANAGEMENT: &str = "https://management.azure.com";

/// The tenant that the emulated subscription belongs to.
pub(crate) const TENANT: &str = "99999999-8888-7777-6666-555555555555";

/// As long as Entra's default access tokens live at least.
pub(crate) const LIFETIME: Duration = Duration::from_hours(1);

const HEADER: &str = r#"{"typ":"JWT","alg":"HS256"}"#;

pub(crate) struct Tokens {
    key: [u8; 32],
    generation: AtomicU64,
}

#[derive(Serialize, Deserialize)]
struct Claims {
    aud: String,
    iss: String,
    iat: i64,
    exp: i64,
    /// Tokens of an older generation are revoked.
    generation: u64,
}

impl Tokens {
    pub(crate) fn new(key: [u8; 32]) -> Self {
        Self { key, generation: AtomicU64::new(0) }
    }

    pub(crate) fn issue(&self, audience: &str, now: OffsetDateTime, lifetime: Duration) -> String {
        let iat = now.unix_timestamp();
        let claims = Claims {
            aud: audience.to_owned(),
            iss: format!("https://sts.windows.net/{TENANT}/"),
            iat,
            exp: (now + lifetime).unix_timestamp(),
            generation: self.generation.load(Ordering::Relaxed),
        };
        let claims = serde_json::to_vec(&claims).unwrap_or_default();
        let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(HEADER), URL_SAFE_NO_PAD.encode(claims));
        let signature = URL_SAFE_NO_PAD.encode(self.mac(&signed).finalize().into_bytes());
        format!("{signed}.{signature}")
    }

    /// Whether the token is ours, for this audience, not expired and not revoked.
    pub(crate) fn accepts(&self, token: &str, audience: &str, now: OffsetDateTime) -> bool {
        let Some((signed, signature)) = token.rsplit_once('.') else { return false };
        let Ok(signature) = URL_SAFE_NO_PAD.decode(signature) else { return false };
        if self.mac(signed).verify_slice(&signature).is_err() {
            return false;
        }
        let claims = signed.split_once('.').and_then(|(_, claims)| URL_SAFE_NO_PAD.decode(claims).ok());
        let Some(claims) = claims.and_then(|json| serde_json::from_slice::<Claims>(&json).ok()) else {
            return false;
        };
        claims.aud.trim_end_matches('/') == audience
            && claims.exp > now.unix_timestamp()
            && claims.generation == self.generation.load(Ordering::Relaxed)
    }

    /// Makes every token issued so far worthless.
    pub(crate) fn revoke(&self) {
        self.generation.fetch_add(1, Ordering::Relaxed);
    }

    fn mac(&self, signed: &str) -> Hmac<Sha256> {
        #[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.key).expect("any key length fits HMAC");
        mac.update(signed.as_bytes());
        mac
    }
}

impl std::fmt::Debug for Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tokens").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_serves_its_audience_until_it_expires_or_is_revoked() {
        let tokens = Tokens::new([7; 32]);
        let now = OffsetDateTime::UNIX_EPOCH;
        let token = tokens.issue(DATA_PLANE, now, LIFETIME);
        assert!(tokens.accepts(&token, DATA_PLANE, now));
        assert!(!tokens.accepts(&token, "https://management.azure.com", now));
        assert!(!tokens.accepts(&token, DATA_PLANE, now + LIFETIME));
        assert!(!Tokens::new([8; 32]).accepts(&token, DATA_PLANE, now));
        assert!(!tokens.accepts("not.a.token", DATA_PLANE, now));
        tokens.revoke();
        assert!(!tokens.accepts(&token, DATA_PLANE, now));
    }
}
