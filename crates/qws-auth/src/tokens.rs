//! The one token cache: every credential of ours that gets tokens keeps them here.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use azure_core::time::OffsetDateTime;
use futures::{
    FutureExt,
    future::{BoxFuture, Shared, WeakShared},
};
use qws_config::TenantId;
use qws_http::Clock;

use crate::{
    Audience, AuthError, AuthRequest, Authorization, Challenge, TokenCache,
    access_token::{AccessToken, tenant_of},
    token_cache::{Key, Stored},
};

/// The least time between two attempts to renew a token that is still good, and between two refused tokens that are
/// thrown away: a service that refuses everything must not turn each call into a token request.
const BETWEEN_ATTEMPTS: Duration = Duration::from_secs(30);

/// A token is not handed out for the last part of its life, since a request takes time to arrive.
const LAST_MOMENTS: Duration = Duration::from_secs(30);

/// Where tokens come from. An implementation asks each time and remembers nothing.
#[async_trait]
pub(crate) trait TokenSource: fmt::Debug + Send + Sync + 'static {
    /// What it is, for people.
    fn describe(&self) -> String;

    /// What tells the time.
    fn clock(&self) -> Arc<dyn Clock>;

    /// Gets a token, within a bounded time.
    async fn token(&self, request: &AuthRequest) -> Result<AccessToken, AuthError>;

    /// Gets a token in the background, while the old one is good and nobody waits: not the time to ask a person.
    async fn renew(&self, request: &AuthRequest) -> Result<AccessToken, AuthError> {
        self.token(request).await
    }

    /// Where tokens of this kind are kept on disk, if they are.
    fn stored(&self, request: &AuthRequest) -> Option<(TokenCache, Key)> {
        let _ = request;
        None
    }
}

/// The tokens of one source, one for each tenant and audience.
///
/// - A token that is good is handed out at once; from `refresh_in` or half its life on, one request for the next one
///   runs in the background. If that fails, the old one stays.
/// - All who need a token that is not there wait for one request. It ends when the last of them gives up.
/// - The lock is never held while waiting.
pub(crate) struct Tokens<S> {
    shared: Arc<Inner<S>>,
}

struct Inner<S> {
    source: S,
    clock: Arc<dyn Clock>,
    slots: Mutex<Vec<Slot>>,
}

/// What is known for one tenant and audience. There are few of them, so a list is searched.
struct Slot {
    tenant: Option<TenantId>,
    audience: Audience,
    held: Option<Held>,
    requests: Vec<Pending>,
    last_attempt: Option<Duration>,
    last_refusal: Option<Duration>,
    /// What is on disk was refused, and must not come back from there.
    stored_was_refused: bool,
}

/// A token request under way; gone once nobody waits for it.
struct Pending {
    claims: Option<String>,
    flight: WeakShared<Flight>,
}

struct Held {
    authorization: Authorization,
    claims: Option<String>,
    good_until: OffsetDateTime,
    renew_from: OffsetDateTime,
}

type Flight = BoxFuture<'static, Result<Authorization, AuthError>>;

impl<S: TokenSource> Tokens<S> {
    pub(crate) fn new(source: S) -> Self {
        let clock = source.clock();
        Self { shared: Arc::new(Inner { source, clock, slots: Mutex::default() }) }
    }

    pub(crate) fn source(&self) -> &S {
        &self.shared.source
    }

    /// The same credential with other settings, and no tokens yet.
    pub(crate) fn reconfigured(&self, change: impl FnOnce(&mut S)) -> Self
    where
        S: Clone,
    {
        let mut source = self.shared.source.clone();
        change(&mut source);
        Self::new(source)
    }

    pub(crate) async fn authorize(&self, request: &AuthRequest) -> Result<Authorization, AuthError> {
        let flight = match self.plan(request) {
            Plan::Use(authorization) => return Ok(authorization),
            Plan::UseAndRenew(authorization, renewal) => {
                // Without a runtime there is nobody to do it; the token is then renewed when it has ended.
                if let Ok(runtime) = tokio::runtime::Handle::try_current() {
                    drop(runtime.spawn(renewal));
                }
                return Ok(authorization);
            }
            Plan::Wait(flight) => flight,
        };
        flight.await
    }

    fn plan(&self, request: &AuthRequest) -> Plan {
        let (now, moment) = (self.shared.clock.now(), self.shared.clock.monotonic());
        let mut slots = self.shared.lock();
        let slot = slot(&mut slots, request);
        if let Some(held) = &slot.held
            && held.satisfies(request)
            && now < held.good_until
        {
            let authorization = held.authorization.clone();
            let rested = slot.last_attempt.is_none_or(|last| moment >= last + BETWEEN_ATTEMPTS);
            if now < held.renew_from || !rested {
                return Plan::Use(authorization);
            }
            let request = request.clone().with_claims(held.claims.clone());
            return match slot.pending(request.claims()) {
                Some(_) => Plan::Use(authorization),
                None => Plan::UseAndRenew(authorization, self.start(slot, request, moment, true)),
            };
        }
        Plan::Wait(match slot.pending(request.claims()) {
            Some(flight) => flight,
            None => self.start(slot, request.clone(), moment, false),
        })
    }

    fn start(
        &self,
        slot: &mut Slot,
        request: AuthRequest,
        moment: Duration,
        in_background: bool,
    ) -> Shared<Flight> {
        let (claims, shared) = (request.claims().map(str::to_owned), self.shared.clone());
        let from_disk = !in_background && !slot.stored_was_refused;
        let flight: Flight = Box::pin(async move {
            let outcome = shared.token(&request, from_disk, in_background).await;
            shared.finish(&request, outcome)
        });
        let flight = flight.shared();
        slot.last_attempt = Some(moment);
        slot.requests.retain(|pending| pending.flight.upgrade().is_some());
        slot.requests.extend(flight.downgrade().map(|flight| Pending { claims, flight }));
        flight
    }

    /// Told of a 401: what to ask for next, if anything.
    pub(crate) fn refused(
        &self,
        request: &AuthRequest,
        refused: &Authorization,
        challenge: &Challenge,
    ) -> Result<Option<AuthRequest>, AuthError> {
        let ours = refused.bearer_token().and_then(tenant_of);
        if let (Some(ours), Some(wanted)) = (ours, challenge.tenant())
            && is_guid(wanted)
            && !ours.eq_ignore_ascii_case(wanted)
        {
            let text = format!(
                "the token is of tenant {ours}, but what was asked for belongs to tenant {wanted} ({})",
                self.source().describe()
            );
            return Err(AuthError::refused(text).with_hint(format!(
                "sign in to that tenant (`az login --tenant {wanted}`), or name it where the credential is made"
            )));
        }
        let asked = challenge.claims().filter(|claims| request.claims() != Some(claims));
        let moment = self.shared.clock.monotonic();
        let mut slots = self.shared.lock();
        let slot = slot(&mut slots, request);
        if slot.held.as_ref().is_some_and(|held| held.authorization == *refused) {
            let rested = slot.last_refusal.is_none_or(|last| moment >= last + BETWEEN_ATTEMPTS);
            if !rested && asked.is_none() {
                return Ok(None);
            }
            slot.held = None;
            slot.last_refusal = Some(moment);
            slot.stored_was_refused = true;
        }
        Ok(Some(match asked {
            Some(claims) => request.clone().with_claims(Some(claims)),
            None => request.clone(),
        }))
    }
}

enum Plan {
    Use(Authorization),
    UseAndRenew(Authorization, Shared<Flight>),
    Wait(Shared<Flight>),
}

impl<S: TokenSource> Inner<S> {
    fn lock(&self) -> MutexGuard<'_, Vec<Slot>> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A token from disk, if one is there that may be used, else a new one, which is kept there.
    async fn token(
        &self,
        request: &AuthRequest,
        from_disk: bool,
        in_background: bool,
    ) -> Result<AccessToken, AuthError> {
        let stored = self.source.stored(request).filter(|_| request.claims().is_none());
        if let Some((cache, key)) = stored.as_ref().filter(|_| from_disk)
            && let Some(found) = cache.get(key).await
            && let Some(token) = found.into_access_token(self.clock.now())
            && token.life > LAST_MOMENTS
        {
            return Ok(token);
        }
        let token = if in_background {
            self.source.renew(request).await?
        } else {
            self.source.token(request).await?
        };
        if let Some((cache, key)) = &stored {
            cache.put(key, Some(Stored::access_token(&token)), self.clock.now()).await;
        }
        Ok(token)
    }

    fn finish(
        &self,
        request: &AuthRequest,
        outcome: Result<AccessToken, AuthError>,
    ) -> Result<Authorization, AuthError> {
        let made = outcome.and_then(|token| self.held(request, &token));
        let mut slots = self.lock();
        let slot = slot(&mut slots, request);
        match made {
            Ok(held) => {
                let authorization = held.authorization.clone();
                slot.held = Some(held);
                slot.stored_was_refused = false;
                Ok(authorization)
            }
            Err(error) => {
                tracing::debug!(credential = self.source.describe(), %error, "no token");
                Err(error)
            }
        }
    }

    fn held(&self, request: &AuthRequest, token: &AccessToken) -> Result<Held, AuthError> {
        let of = tenant_of(token.secret.expose());
        if let (Some(of), Some(wanted)) = (of, request.tenant())
            && is_guid(wanted.as_str())
            && of != wanted.as_str()
        {
            let text = format!(
                "{} gave a token of tenant {of}, but one of tenant {wanted} was asked for",
                self.source.describe()
            );
            return Err(AuthError::refused(text)
                .with_hint("sign in to that tenant, or use a credential that belongs to it"));
        }
        let last_moments = LAST_MOMENTS.min(token.life / 10);
        let authorization = Authorization::bearer(token.secret.expose())?;
        Ok(Held {
            authorization: authorization.with_expiry(token.asked + token.life),
            claims: request.claims().map(str::to_owned),
            good_until: token.asked + token.life.saturating_sub(last_moments),
            renew_from: token.asked + token.refresh_in,
        })
    }
}

impl Held {
    /// Whether the token has the claims asked for; one with claims serves those who ask for none.
    fn satisfies(&self, request: &AuthRequest) -> bool {
        request.claims().is_none() || request.claims() == self.claims.as_deref()
    }
}

impl Slot {
    fn pending(&self, claims: Option<&str>) -> Option<Shared<Flight>> {
        let found = self.requests.iter().filter(|pending| pending.claims.as_deref() == claims);
        found.filter_map(|pending| pending.flight.upgrade()).find(|flight| flight.peek().is_none())
    }
}

fn slot<'a>(slots: &'a mut Vec<Slot>, request: &AuthRequest) -> &'a mut Slot {
    let same = |slot: &Slot| slot.tenant.as_ref() == request.tenant() && slot.audience == *request.audience();
    let at = slots.iter().position(same).unwrap_or_else(|| {
        slots.push(Slot {
            tenant: request.tenant().cloned(),
            audience: request.audience().clone(),
            held: None,
            requests: Vec::new(),
            last_attempt: None,
            last_refusal: None,
            stored_was_refused: false,
        });
        slots.len() - 1
    });
    &mut slots[at]
}

fn is_guid(tenant: &str) -> bool {
    crate::text::guid("tenant", tenant).is_ok()
}

impl<S> Clone for Tokens<S> {
    fn clone(&self) -> Self {
        Self { shared: self.shared.clone() }
    }
}

impl<S: fmt::Debug> fmt::Debug for Tokens<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.shared.source.fmt(f)
    }
}

/// Makes a type with a field `tokens` a [`crate::Credential`] and an official `TokenCredential`.
macro_rules! token_credential {
    ($name:ty) => {
        #[async_trait::async_trait]
        impl $crate::Credential for $name {
            fn describe(&self) -> String {
                $crate::tokens::TokenSource::describe(self.tokens.source())
            }

            async fn authorize(
                &self,
                request: &$crate::AuthRequest,
            ) -> Result<$crate::Authorization, $crate::AuthError> {
                self.tokens.authorize(request).await
            }

            async fn refused(
                &self,
                request: &$crate::AuthRequest,
                refused: &$crate::Authorization,
                challenge: &$crate::Challenge,
            ) -> Result<Option<$crate::AuthRequest>, $crate::AuthError> {
                self.tokens.refused(request, refused, challenge)
            }
        }

        $crate::official::official_credential!($name);
    };
}
pub(crate) use token_credential;

#[cfg(test)]
mod tests;
