use async_trait::async_trait;
use qws_config::Secret;

use crate::{Audience, AuthError, AuthErrorKind, AuthRequest, Authorization, Credential};

/// An access key of a workspace.
///
/// It opens the data plane of that one workspace; the Resource Manager does not take it, so a workspace used with a
/// key must be named with its endpoint, as a connection string does. It is no `TokenCredential`: a key yields no token.
#[derive(Debug, Clone)]
pub struct ApiKey {
    key: Secret,
}

impl ApiKey {
    /// Takes the key as the portal or `az quantum workspace keys list` shows it. White space around it is cut.
    ///
    /// # Errors
    /// [`AuthErrorKind::InvalidInput`] for an empty key or one that cannot stand in a header.
    pub fn new(key: impl Into<Secret>) -> Result<Self, AuthError> {
        let given: Secret = key.into();
        let trimmed = given.expose().trim();
        if trimmed.is_empty() {
            return Err(AuthError::new(AuthErrorKind::InvalidInput, "the API key is empty")
                .with_hint("take the primary or secondary key from `az quantum workspace keys list`"));
        }
        let key = if trimmed.len() == given.expose().len() { given } else { Secret::new(trimmed) };
        Authorization::api_key(&key)?;
        Ok(Self { key })
    }
}

#[async_trait]
impl Credential for ApiKey {
    fn describe(&self) -> String {
        "API key".into()
    }

    async fn authorize(&self, request: &AuthRequest) -> Result<Authorization, AuthError> {
        if *request.audience() != Audience::QUANTUM {
            let text = "an API key opens a workspace's data plane only, not the Resource Manager";
            return Err(AuthError::new(AuthErrorKind::Unsupported, text).with_hint(
                "give the workspace's connection string, which names its endpoint, or sign in with Entra ID",
            ));
        }
        Authorization::api_key(&self.key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_key_goes_into_its_header_and_nowhere_else() {
        let key = ApiKey::new(" hunter2\n").unwrap();
        let authorization = key.authorize(&AuthRequest::new(Audience::QUANTUM)).await.unwrap();
        let mut headers = http::HeaderMap::new();
        authorization.apply(&mut headers);
        assert_eq!(headers["x-ms-quantum-api-key"], "hunter2");
        assert!(headers["x-ms-quantum-api-key"].is_sensitive());
        assert!(!headers.contains_key("authorization"));
        assert!(!format!("{key:?} {authorization:?} {headers:?}").contains("hunter2"));
    }

    #[tokio::test]
    async fn the_resource_manager_is_refused_with_advice() {
        let key = ApiKey::new("hunter2").unwrap();
        let error = key.authorize(&AuthRequest::new(Audience::RESOURCE_MANAGER)).await.unwrap_err();
        assert_eq!(error.kind(), AuthErrorKind::Unsupported);
        assert!(error.hint().unwrap().contains("connection string"));
    }

    #[test]
    fn keys_that_cannot_be_sent_are_refused_without_showing_them() {
        assert_eq!(ApiKey::new("  ").unwrap_err().to_string(), "the API key is empty");
        let error = ApiKey::new("hun\nter2").unwrap_err();
        assert!(!format!("{error} {error:?} {:?}", error.hint()).contains("ter2"));
    }
}
