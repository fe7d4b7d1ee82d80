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

/// The audience that tokens for a resource get; `None` if no service here takes such tokens.
///
/// The Resource Manager has an older name, which some clients still ask for.
pub(crate) fn audience(resource: &str) -> Option<&'static str> {
    match resource.trim_end_matches('/') {
        DATA_PLANE => Some(DATA_PLANE),
        MANAGEMENT | "https://management.core.windows.net" => Some(MANAGEMENT),
        _ => None,
    }
}

/// The tenant that the emulated subscription belongs to.
pub(crate) const TENANT: &str = "99999999-8888-7777-6666-555555555555";

/// As long as Entra's default access tokens live at least.
pub(crate) const LIFETIME: Duration = Duration::from_hours(1);

const HEADER: &str = r#"{"typ":"JWT","alg":"HS256"}"#;

pub(crate) struct Tokens {
    key: [u8; 32],
    generation: AtomicU64,
}

/// Whom a token is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Holder {
    pub(crate) tenant: String,
    pub(crate) client_id: String,
    pub(crate) object_id: String,
}

/// What a token says. Without `oid` it comes from the emulator's own handle and may do everything.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Claims {
    aud: String,
    iss: String,
    iat: i64,
    nbf: i64,
    exp: i64,
    pub(crate) tid: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) appid: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) oid: Option<String>,
    /// Tokens of an older generation are revoked.
    generation: u64,
}

impl Claims {
    pub(crate) fn is_for(&self, audience: &str) -> bool {
        self.aud.trim_end_matches('/') == audience
    }
}

impl Tokens {
    pub(crate) fn new(key: [u8; 32]) -> Self {
        Self { key, generation: AtomicU64::new(0) }
    }

    /// A token for an audience, of this holder or of nobody in particular.
    pub(crate) fn issue(
        &self,
        audience: &str,
        holder: Option<Holder>,
        now: OffsetDateTime,
        lifetime: Duration,
    ) -> String {
        let iat = now.unix_timestamp();
        let tid = holder.as_ref().map_or(TENANT, |holder| &holder.tenant).to_owned();
        let (appid, oid) = holder.map(|holder| (holder.client_id, holder.object_id)).unzip();
        let claims = Claims {
            aud: audience.to_owned(),
            iss: format!("https://sts.windows.net/{tid}/"),
            iat,
            nbf: iat,
            exp: (now + lifetime).unix_timestamp(),
            tid,
            appid,
            oid,
            generation: self.generation.load(Ordering::Relaxed),
        };
        let claims = serde_json::to_vec(&claims).unwrap_or_default();
        let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(HEADER), URL_SAFE_NO_PAD.encode(claims));
        let signature = URL_SAFE_NO_PAD.encode(self.mac(&signed).finalize().into_bytes());
        format!("{signed}.{signature}")
    }

    /// What a token says, if it is ours, not expired and not revoked.
    pub(crate) fn read(&self, token: &str, now: OffsetDateTime) -> Option<Claims> {
        let (signed, signature) = token.rsplit_once('.')?;
        let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
        self.mac(signed).verify_slice(&signature).ok()?;
        let claims = URL_SAFE_NO_PAD.decode(signed.split_once('.')?.1).ok()?;
        let claims: Claims = serde_json::from_slice(&claims).ok()?;
        let alive =
            claims.exp > now.unix_timestamp() && claims.generation == self.generation.load(Ordering::Relaxed);
        alive.then_some(claims)
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
        let holder = Holder { tenant: "t".to_owned(), client_id: "c".to_owned(), object_id: "o".to_owned() };
        let token = tokens.issue(DATA_PLANE, Some(holder), now, LIFETIME);
        let claims = tokens.read(&token, now).unwrap();
        assert!(claims.is_for(DATA_PLANE) && !claims.is_for(MANAGEMENT));
        assert_eq!((claims.tid.as_str(), claims.oid.as_deref()), ("t", Some("o")));
        assert_eq!(tokens.read(&token, now + LIFETIME), None);
        assert_eq!(Tokens::new([8; 32]).read(&token, now), None);
        assert_eq!(tokens.read("not.a.token", now), None);
        tokens.revoke();
        assert_eq!(tokens.read(&token, now), None);
    }
}
