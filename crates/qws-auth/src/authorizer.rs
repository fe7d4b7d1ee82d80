use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use async_trait::async_trait;
use http::HeaderMap;
use qws_http::{Authorize, BoxError};

use crate::{AuthRequest, Challenge, Credential};

/// A credential bound to one call: asks it for headers before each attempt, and tells it of a 401.
#[derive(Debug)]
pub struct Authorizer<'a> {
    credential: &'a dyn Credential,
    request: Mutex<AuthRequest>,
    sent_api_key: AtomicBool,
}

impl<'a> Authorizer<'a> {
    /// Binds a credential to what this call needs.
    #[must_use]
    pub fn new(credential: &'a dyn Credential, request: AuthRequest) -> Self {
        Self { credential, request: Mutex::new(request), sent_api_key: AtomicBool::new(false) }
    }

    /// Whether the last attempt carried an API key: what to do about a refusal depends on it.
    #[must_use]
    pub fn sent_api_key(&self) -> bool {
        self.sent_api_key.load(Ordering::Relaxed)
    }

    fn request(&self) -> AuthRequest {
        self.request.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[async_trait]
impl Authorize for Authorizer<'_> {
    async fn authorize(&self, headers: &mut HeaderMap) -> Result<(), BoxError> {
        let request = self.request();
        let authorization = self.credential.authorize(&request).await?;
        self.sent_api_key.store(authorization.is_api_key(), Ordering::Relaxed);
        authorization.apply(headers);
        Ok(())
    }

    async fn refused(&self, answer: &HeaderMap) -> Result<bool, BoxError> {
        let challenge = Challenge::from_headers(answer);
        let Some(next) = self.credential.refused(&self.request(), &challenge).await? else {
            return Ok(false);
        };
        *self.request.lock().unwrap_or_else(PoisonError::into_inner) = next;
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Audience, Authorization, MockCredential};

    #[tokio::test]
    async fn what_the_credential_asks_for_after_a_401_is_asked_for_next() {
        let mut credential = MockCredential::new();
        credential
            .expect_refused()
            .times(1)
            .returning(|request, challenge| Ok(Some(request.clone().with_claims(challenge.claims()))));
        credential
            .expect_authorize()
            .times(1)
            .returning(|request| Authorization::bearer(request.claims().unwrap_or("no claims")));
        let authorizer = Authorizer::new(&credential, AuthRequest::new(Audience::QUANTUM));
        let mut answer = HeaderMap::new();
        let value = r#"Bearer error="insufficient_claims", claims="eyJhIjoxfQ""#;
        answer.insert("www-authenticate", value.parse().unwrap());
        assert!(authorizer.refused(&answer).await.unwrap());
        let mut headers = HeaderMap::new();
        authorizer.authorize(&mut headers).await.unwrap();
        assert_eq!(headers["authorization"], r#"Bearer {"a":1}"#);
    }
}
