use std::sync::Arc;

use async_trait::async_trait;
use azure_core::credentials::TokenCredential;

use crate::{AuthError, AuthErrorKind, AuthRequest, Authorization, Challenge, Credential};

/// Any credential of the official Azure crates, taken as one of ours.
///
/// What that trait cannot carry is an error that says so, rather than silently left out: a tenant for one request, and
/// the claims that a service may ask for. The official credential keeps its own token cache, which we cannot reach: a
/// token that a service refused cannot be dropped from it, so a 401 is final.
#[derive(Debug, Clone)]
pub struct TokenCredentialAdapter {
    credential: Arc<dyn TokenCredential>,
}

impl TokenCredentialAdapter {
    /// Wraps an official credential.
    #[must_use]
    pub fn new(credential: Arc<dyn TokenCredential>) -> Self {
        Self { credential }
    }
}

#[async_trait]
impl Credential for TokenCredentialAdapter {
    fn describe(&self) -> String {
        "token of an azure_core credential".into()
    }

    async fn authorize(&self, request: &AuthRequest) -> Result<Authorization, AuthError> {
        let cannot = |what| {
            AuthError::new(AuthErrorKind::Unsupported, format!("an azure_core credential cannot {what}"))
        };
        if request.tenant().is_some() {
            return Err(cannot("be asked for a token of another tenant").with_hint(
                "configure the tenant on the credential itself, or use one of qws-auth's credentials",
            ));
        }
        if request.claims().is_some() {
            return Err(cannot("be asked for a token with claims"));
        }
        let token =
            self.credential.get_token(&[request.audience().scope()], None).await.map_err(|error| {
                // Only the message: the cause's own text may quote a whole answer of the identity service.
                AuthError::new(AuthErrorKind::Refused, "the azure_core credential gave no token")
                    .with_source(crate::text::shown(&error.to_string(), &[]))
            })?;
        Ok(Authorization::bearer(token.token.secret())?.with_expiry(token.expires_on))
    }

    async fn refused(
        &self,
        _: &AuthRequest,
        _: &Authorization,
        challenge: &Challenge,
    ) -> Result<Option<AuthRequest>, AuthError> {
        if challenge.claims().is_none() {
            return Ok(None);
        }
        let text = "the service asks for a token with further claims, which an azure_core credential cannot be asked for";
        Err(AuthError::new(AuthErrorKind::Unsupported, text)
            .with_hint("use one of qws-auth's own credentials"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Audience;
    use azure_core::{
        credentials::{AccessToken, TokenRequestOptions},
        error::ErrorKind,
    };

    #[derive(Debug)]
    struct Official(Result<&'static str, &'static str>);

    #[async_trait]
    impl TokenCredential for Official {
        async fn get_token(
            &self,
            scopes: &[&str],
            _: Option<TokenRequestOptions<'_>>,
        ) -> azure_core::Result<AccessToken> {
            assert_eq!(scopes, ["https://quantum.microsoft.com/.default"]);
            match self.0 {
                Ok(token) => Ok(AccessToken::new(token, azure_core::time::OffsetDateTime::now_utc())),
                Err(text) => Err(azure_core::Error::with_message(ErrorKind::Credential, text)),
            }
        }
    }

    fn adapter(result: Result<&'static str, &'static str>) -> TokenCredentialAdapter {
        TokenCredentialAdapter::new(Arc::new(Official(result)))
    }

    #[tokio::test]
    async fn its_token_becomes_a_bearer_header() {
        let mut headers = http::HeaderMap::new();
        let request = AuthRequest::new(Audience::QUANTUM);
        adapter(Ok("hunter2")).authorize(&request).await.unwrap().apply(&mut headers);
        assert_eq!(headers["authorization"], "Bearer hunter2");
        assert!(headers["authorization"].is_sensitive());
    }

    #[tokio::test]
    async fn its_error_is_the_cause_of_ours() {
        let error =
            adapter(Err("no luck")).authorize(&AuthRequest::new(Audience::QUANTUM)).await.unwrap_err();
        assert_eq!(error.to_string(), "the azure_core credential gave no token");
        assert_eq!(std::error::Error::source(&error).unwrap().to_string(), "no luck");
    }

    #[tokio::test]
    async fn what_it_cannot_carry_is_an_error() {
        let asked = AuthRequest::new(Audience::QUANTUM);
        let with_claims = asked.clone().with_claims(Some("{}".into()));
        assert_eq!(
            adapter(Ok("t")).authorize(&with_claims).await.unwrap_err().kind(),
            AuthErrorKind::Unsupported
        );
        let mut headers = http::HeaderMap::new();
        let value = r#"Bearer error="insufficient_claims", claims="e30""#;
        headers.insert("www-authenticate", value.parse().unwrap());
        let sent = Authorization::bearer("t").unwrap();
        let error =
            adapter(Ok("t")).refused(&asked, &sent, &Challenge::from_headers(&headers)).await.unwrap_err();
        assert!(error.to_string().contains("further claims"));
        assert!(adapter(Ok("t")).refused(&asked, &sent, &Challenge::default()).await.unwrap().is_none());
    }
}
