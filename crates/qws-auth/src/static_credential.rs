use async_trait::async_trait;
use azure_core::time::OffsetDateTime;
use qws_config::Secret;

use crate::{AuthError, AuthRequest, Authorization, Credential, official::official_credential};

/// A token that somebody else got, given out for every audience as it is. Meant for tests.
///
/// ```
/// let credential = qws_auth::StaticCredential::new("a token for tests")?;
/// # Ok::<(), qws_auth::AuthError>(())
/// ```
#[derive(Debug, Clone)]
pub struct StaticCredential {
    authorization: Authorization,
}

impl StaticCredential {
    /// Takes the token.
    ///
    /// # Errors
    /// [`crate::AuthErrorKind::InvalidInput`] if it is empty or cannot stand in a header.
    pub fn new(token: impl Into<Secret>) -> Result<Self, AuthError> {
        let token: Secret = token.into();
        if token.expose().is_empty() {
            return Err(AuthError::invalid("the token is empty"));
        }
        Ok(Self { authorization: Authorization::bearer(token.expose())? })
    }

    /// Says when the token ends, which official clients want to know.
    #[must_use]
    pub fn with_expiry(self, expires_on: OffsetDateTime) -> Self {
        Self { authorization: self.authorization.with_expiry(expires_on) }
    }
}

#[async_trait]
impl Credential for StaticCredential {
    fn describe(&self) -> String {
        "a token given as it is".into()
    }

    async fn authorize(&self, _: &AuthRequest) -> Result<Authorization, AuthError> {
        Ok(self.authorization.clone())
    }
}

official_credential!(StaticCredential);

#[cfg(test)]
mod tests {
    use super::*;
    use azure_core::credentials::TokenCredential;

    #[tokio::test]
    async fn it_serves_our_clients_and_official_ones() {
        let end = OffsetDateTime::from_unix_timestamp(2_000_000_000).unwrap();
        let credential = StaticCredential::new("hunter2").unwrap().with_expiry(end);
        let token = credential.get_token(&["https://quantum.microsoft.com/.default"], None).await.unwrap();
        assert_eq!((token.token.secret(), token.expires_on), ("hunter2", end));
        assert!(credential.get_token(&["a", "b"], None).await.unwrap_err().to_string().contains("one scope"));
        assert!(!format!("{credential:?}").contains("hunter2"));
    }

    #[test]
    fn an_empty_token_is_refused() {
        assert_eq!(StaticCredential::new("").unwrap_err().to_string(), "the token is empty");
    }
}
