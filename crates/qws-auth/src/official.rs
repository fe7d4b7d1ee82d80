//! The way out to the official crates: a credential of ours as an `azure_core` `TokenCredential`.

use azure_core::{credentials::AccessToken, error::ErrorKind, time::OffsetDateTime};

use crate::{Audience, AuthError, AuthRequest, Credential};

/// The token of `credential` for the one scope asked for.
pub(crate) async fn token(credential: &dyn Credential, scopes: &[&str]) -> azure_core::Result<AccessToken> {
    let failed = |error: AuthError| azure_core::Error::new(ErrorKind::Credential, error);
    let [scope] = scopes else {
        let text = format!("exactly one scope is needed, {} were given", scopes.len());
        return Err(failed(AuthError::invalid(text)));
    };
    let request = AuthRequest::new(Audience::from_scope(*scope));
    let authorization = credential.authorize(&request).await.map_err(failed)?;
    let Some(token) = authorization.bearer_token() else {
        let text = format!("{} yields no token", credential.describe());
        return Err(failed(AuthError::unsupported(text)));
    };
    // A token of unknown life counts as ended, so that official clients ask again each time.
    let expires_on = authorization.expires_on().unwrap_or_else(OffsetDateTime::now_utc);
    Ok(AccessToken::new(token.to_owned(), expires_on))
}

macro_rules! official_credential {
    ($name:ty) => {
        /// For the official Azure crates. Exactly one scope is taken.
        #[async_trait::async_trait]
        impl azure_core::credentials::TokenCredential for $name {
            async fn get_token(
                &self,
                scopes: &[&str],
                _: Option<azure_core::credentials::TokenRequestOptions<'_>>,
            ) -> azure_core::Result<azure_core::credentials::AccessToken> {
                $crate::official::token(self, scopes).await
            }
        }
    };
}
pub(crate) use official_credential;
