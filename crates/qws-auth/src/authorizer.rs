use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use http::HeaderMap;
use qws_http::{Authorize, BoxError};

use crate::{AuthRequest, Authorization, Challenge, Credential};

/// A credential bound to one call: asks it for headers before each attempt, and tells it of a 401.
#[derive(Debug)]
pub struct Authorizer<'a> {
    credential: &'a dyn Credential,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    request: AuthRequest,
    sent: Option<Authorization>,
}

impl<'a> Authorizer<'a> {
    /// Binds a credential to what this call needs.
    #[must_use]
    pub fn new(credential: &'a dyn Credential, request: AuthRequest) -> Self {
        Self { credential, state: Mutex::new(State { request, sent: None }) }
    }

    /// Whether the last attempt carried an API key: what to do about a refusal depends on it.
    #[must_use]
    pub fn sent_api_key(&self) -> bool {
        self.state().sent.as_ref().is_some_and(Authorization::is_api_key)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Authorize for Authorizer<'_> {
    async fn authorize(&self, headers: &mut HeaderMap) -> Result<(), BoxError> {
        let request = self.state().request.clone();
        let authorization = self.credential.authorize(&request).await?;
        authorization.apply(headers);
        self.state().sent = Some(authorization);
        Ok(())
    }

    async fn refused(&self, answer: &HeaderMap) -> Result<bool, BoxError> {
        let challenge = Challenge::from_headers(answer);
        let (request, sent) = {
            let state = self.state();
            (state.request.clone(), state.sent.clone())
        };
        let Some(sent) = sent else { return Ok(false) };
        let Some(next) = self.credential.refused(&request, &sent, &challenge).await? else {
            return Ok(false);
        };
        self.state().request = next;
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Audience, MockCredential};

    #[tokio::test]
    async fn what_the_credential_asks_for_after_a_401_is_asked_for_next() {
        let mut credential = MockCredential::new();
        credential
            .expect_refused()
            .times(1)
            .returning(|request, _, challenge| Ok(Some(request.clone().with_claims(challenge.claims()))));
        credential
            .expect_authorize()
            .times(2)
            .returning(|request| Authorization::bearer(request.claims().unwrap_or("no claims")));
        let authorizer = Authorizer::new(&credential, AuthRequest::new(Audience::QUANTUM));
        let mut answer = HeaderMap::new();
        let value = r#"Bearer error="insufficient_claims", claims="eyJhIjoxfQ""#;
        answer.insert("www-authenticate", value.parse().unwrap());
        let mut headers = HeaderMap::new();
        authorizer.authorize(&mut headers).await.unwrap();
        assert!(authorizer.refused(&answer).await.unwrap());
        authorizer.authorize(&mut headers).await.unwrap();
        assert_eq!(headers["authorization"], r#"Bearer {"a":1}"#);
    }
}
