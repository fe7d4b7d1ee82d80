use std::{path::PathBuf, sync::Arc};

use azure_core::time::OffsetDateTime;
use qws_config::{Secret, TenantId};
use serde_json::{Value, json};
use zeroize::Zeroizing;

use crate::{
    AuthError, Host,
    access_token::{AccessToken, Fields},
};

#[cfg_attr(not(unix), path = "token_cache/nowhere.rs")]
mod folder;

use folder::Folder;

/// Tokens kept in a file, so that a command that a person runs does not ask for a sign-in each time.
///
/// Used by [`crate::DeviceCode`], [`crate::InteractiveBrowser`] and [`crate::ServicePrincipal`], and only where it is
/// given to their [`Host`]:
///
/// ```no_run
/// use qws_auth::{DeviceCode, Host, TokenCache};
///
/// let cache = TokenCache::in_folder("/home/ada/.cache/my-program")?;
/// let host = Host::from_process().with_token_cache(cache);
/// let credential = DeviceCode::new(|prompt| eprintln!("{prompt}")).with_host(host);
/// # Ok::<(), qws_auth::AuthError>(())
/// ```
///
/// The tokens are not encrypted: whoever can read the file can be who signed in, for as long as the sign-in lasts. It
/// is one file, `tokens.json`, which only its owner may read, in a folder that only its owner may enter; it is replaced as a
/// whole, and no link is followed. Deleting it signs out. Unix only; elsewhere [`TokenCache::in_folder`] is an error.
///
/// A cache that cannot be read or written is a warning in the log, and tokens are asked for as if there were none.
#[derive(Debug, Clone)]
pub struct TokenCache {
    folder: Arc<Folder>,
}

/// What a stored token is for. A person and an application never share one, even if they use the same client id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Key {
    pub(crate) who: Who,
    pub(crate) authority: String,
    pub(crate) tenant: String,
    pub(crate) client_id: String,
    pub(crate) scope: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Who {
    Person,
    Application,
}

/// A token as it is stored; without times it is a refresh token.
pub(crate) struct Stored {
    pub(crate) secret: Secret,
    times: Option<(i64, i64)>,
}

impl TokenCache {
    /// Keeps tokens in this folder, which is made if it is not there.
    ///
    /// # Errors
    /// [`crate::AuthErrorKind::InvalidInput`] if it cannot be made, is a link, or others may enter it;
    /// [`crate::AuthErrorKind::Unsupported`] on systems other than Unix.
    pub fn in_folder(folder: impl Into<PathBuf>) -> Result<Self, AuthError> {
        Ok(Self { folder: Arc::new(Folder::make(folder.into())?) })
    }

    pub(crate) async fn get(&self, key: &Key) -> Option<Stored> {
        let key = key.clone();
        let found = self.with_folder(move |folder| {
            let bytes = folder.locked()?.read()?;
            Ok(entries(&bytes).into_iter().find(|entry| key.is_of(entry)))
        });
        Stored::read(found.await.flatten()?)
    }

    /// Stores a token, or forgets the one that is stored.
    pub(crate) async fn put(&self, key: &Key, stored: Option<Stored>, now: OffsetDateTime) {
        let key = key.clone();
        let done = self.with_folder(move |folder| {
            let locked = folder.locked()?;
            let mut entries = entries(&locked.read()?);
            let alive =
                |entry: &Fields| entry.seconds("good_until").is_none_or(|until| until > now.unix_timestamp());
            entries.retain(|entry| !key.is_of(entry) && alive(entry));
            let mut values: Vec<Value> = entries.into_iter().map(Fields::into_value).collect();
            values.extend(stored.map(|stored| stored.write(&key)));
            let text = Zeroizing::new(json!({ "version": 1, "tokens": values }).to_string());
            locked.replace(text.as_bytes())
        });
        done.await;
    }

    async fn with_folder<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Folder) -> std::io::Result<T> + Send + 'static,
    ) -> Option<T> {
        let folder = self.folder.clone();
        let outcome = tokio::task::spawn_blocking(move || work(&folder)).await;
        match outcome.unwrap_or_else(|error| Err(std::io::Error::other(error))) {
            Ok(value) => Some(value),
            Err(error) => {
                tracing::warn!(folder = ?self.folder, %error, "the token cache is not used");
                None
            }
        }
    }
}

/// The tokens of a file; what is no such file counts as empty and will be replaced.
fn entries(bytes: &[u8]) -> Vec<Fields> {
    let file = Fields::parse(bytes).filter(|file| file.seconds("version") == Some(1));
    file.and_then(|mut file| file.take_objects("tokens")).unwrap_or_default()
}

impl Key {
    pub(crate) fn new(
        host: &Host,
        who: Who,
        tenant: &TenantId,
        client_id: &str,
        scope: &str,
    ) -> Result<Self, AuthError> {
        Ok(Self {
            who,
            authority: host.authority()?.as_str().to_owned(),
            tenant: tenant.as_str().to_owned(),
            client_id: client_id.to_owned(),
            scope: scope.to_owned(),
        })
    }

    fn parts(&self) -> [(&'static str, &str); 5] {
        let who = match self.who {
            Who::Person => "person",
            Who::Application => "application",
        };
        [
            ("who", who),
            ("authority", &self.authority),
            ("tenant", &self.tenant),
            ("client_id", &self.client_id),
            ("scope", &self.scope),
        ]
    }

    fn is_of(&self, entry: &Fields) -> bool {
        self.parts().iter().all(|(name, value)| entry.text(name) == Some(value))
    }
}

impl Stored {
    pub(crate) fn refresh_token(secret: Secret) -> Self {
        Self { secret, times: None }
    }

    pub(crate) fn access_token(token: &AccessToken) -> Self {
        let at = |later: std::time::Duration| (token.asked + later).unix_timestamp();
        Self { secret: token.secret.clone(), times: Some((at(token.life), at(token.refresh_in))) }
    }

    /// The token as if it had been asked for now.
    pub(crate) fn into_access_token(self, now: OffsetDateTime) -> Option<AccessToken> {
        let (good_until, renew_from) = self.times?;
        let until = OffsetDateTime::from_unix_timestamp(good_until).ok()?;
        let mut token = AccessToken::until(self.secret, now, until);
        let left = u64::try_from(renew_from - now.unix_timestamp()).unwrap_or(0);
        token.refresh_in = std::time::Duration::from_secs(left).min(token.life);
        Some(token)
    }

    fn read(mut entry: Fields) -> Option<Self> {
        let secret = entry.take_secret("secret")?;
        let times = entry.seconds("good_until").zip(entry.seconds("renew_from"));
        Some(Self { secret, times })
    }

    fn write(&self, key: &Key) -> Value {
        let mut entry: serde_json::Map<String, Value> =
            key.parts().into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
        entry.insert("secret".into(), self.secret.expose().into());
        if let Some((good_until, renew_from)) = self.times {
            entry.insert("good_until".into(), good_until.into());
            entry.insert("renew_from".into(), renew_from.into());
        }
        entry.into()
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests;
