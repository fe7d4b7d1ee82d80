use std::{fmt, sync::Arc, time::Duration};

use qws_config::Secret;

use crate::{
    AuthError, AuthRequest,
    access_token::Fields,
    entra::{self, Application, Endpoint, Grant},
    person::{Person, person_settings, person_source, scope},
    text::shown,
    tokens::{Tokens, token_credential},
};

/// How often to ask whether the person is done, where the service does not say ([RFC 8628, section 3.2]).
///
/// [RFC 8628, section 3.2]: https://www.rfc-editor.org/rfc/rfc8628#section-3.2
const DEFAULT_INTERVAL: Duration = Duration::from_secs(5);

/// What is added to the interval each time the service asks for it (RFC 8628, section 3.5).
const SLOWER_BY: Duration = Duration::from_secs(5);

/// A person who signs in on any device with a browser, by a short code that this program shows.
///
/// For programs on machines without a browser: over ssh, in containers. The sign-in lasts: further tokens, also for
/// other services, come without asking, until the tenant's policy ends it. Only one sign-in is under way at a time.
///
/// ```
/// use qws_auth::DeviceCode;
///
/// let credential = DeviceCode::new(|prompt| println!("{prompt}"));
/// ```
///
/// Inside a [`crate::Chain`] raise the chain's deadline: a person needs more time than 100 s.
#[derive(Debug, Clone)]
pub struct DeviceCode {
    tokens: Tokens<Source>,
}

/// What a person must be shown to sign in. `Display` gives the service's own sentence, or one of ours.
#[derive(Clone)]
pub struct DeviceCodePrompt {
    verification_uri: String,
    user_code: String,
    message: String,
    expires_in: Duration,
}

type Show = dyn Fn(&DeviceCodePrompt) + Send + Sync;

#[derive(Clone)]
struct Source {
    person: Person,
    show: Arc<Show>,
    limit: Option<Duration>,
}

impl DeviceCode {
    /// Shows people their code by this function, which should not block.
    #[must_use]
    pub fn new(show: impl Fn(&DeviceCodePrompt) + Send + Sync + 'static) -> Self {
        Self { tokens: Tokens::new(Source { person: Person::new(), show: Arc::new(show), limit: None }) }
    }

    /// How long a person may take. Default and upper limit: as long as the service takes the code, about 15 min.
    #[must_use]
    pub fn with_time_limit(self, limit: Duration) -> Self {
        Self { tokens: self.tokens.reconfigured(|source| source.limit = Some(limit)) }
    }
}

person_settings!(DeviceCode);
token_credential!(DeviceCode);
person_source!("device code");

impl DeviceCodePrompt {
    /// The page to open, on any device.
    #[must_use]
    pub fn verification_uri(&self) -> &str {
        &self.verification_uri
    }

    /// The code to enter there. Whoever enters it gives this program their identity, so show it to one person only.
    #[must_use]
    pub fn user_code(&self) -> &str {
        &self.user_code
    }

    /// How long the code can be entered.
    #[must_use]
    pub fn expires_in(&self) -> Duration {
        self.expires_in
    }
}

impl fmt::Display for DeviceCodePrompt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl fmt::Debug for DeviceCodePrompt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeviceCodePrompt")
            .field("verification_uri", &self.verification_uri)
            .field("expires_in", &self.expires_in)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeviceCode").field("person", &self.person).finish_non_exhaustive()
    }
}

/// A code that the service has given out.
struct Issued {
    device_code: Secret,
    prompt: DeviceCodePrompt,
    interval: Duration,
}

impl Source {
    async fn sign_in(&self, application: Application, request: &AuthRequest) -> Result<Grant, AuthError> {
        let host = &self.person.host;
        let fields = [("client_id", &*application.client_id), ("scope", &scope(request))];
        let said = entra::post(host, &application, Endpoint::DeviceCode, &fields, &[]).await?;
        let mut issued = read(said.fields).map_err(|missing| {
            AuthError::refused(format!("{} answered without a usable `{missing}`", said.by))
        })?;
        let limit = self.limit.unwrap_or(Duration::MAX).min(issued.prompt.expires_in);
        let started = host.clock().monotonic();
        (self.show)(&issued.prompt);

        let mut fields = vec![
            ("client_id", application.client_id.as_str()),
            ("grant_type", "urn:ietf:params:oauth:grant-type:device_code"),
            ("device_code", issued.device_code.expose()),
        ];
        fields.extend(request.claims().map(|claims| ("claims", claims)));
        loop {
            let passed = host.clock().monotonic().saturating_sub(started);
            if passed + issued.interval > limit {
                return Err(nobody_came(limit));
            }
            host.clock().sleep(issued.interval).await;
            let asked =
                entra::post(host, &application, Endpoint::Token, &fields, &[&issued.device_code]).await;
            let refusal = match asked {
                Ok(said) => return said.grant(),
                Err(refusal) => refusal,
            };
            match refusal.word.as_deref() {
                Some("authorization_pending") => {}
                Some("slow_down") => issued.interval += SLOWER_BY,
                Some("expired_token" | "code_expired") => return Err(nobody_came(limit)),
                Some("authorization_declined" | "access_denied") => {
                    return Err(AuthError::refused("the person declined the sign-in")
                        .with_code(refusal.error.code().unwrap_or("authorization_declined")));
                }
                _ => return Err(refusal.error),
            }
        }
    }
}

/// What the service gave out; else what is missing.
fn read(mut fields: Fields) -> Result<Issued, &'static str> {
    let device_code = fields.take_secret("device_code").ok_or("device_code")?;
    let user_code = shown(fields.text("user_code").ok_or("user_code")?, &[&device_code]);
    let page = ["verification_uri", "verification_url"].iter().find_map(|name| fields.text(name));
    // It is opened by a person in good faith.
    let page = page.filter(|page| page.starts_with("https://") && !page.contains(char::is_whitespace));
    let verification_uri = shown(page.ok_or("verification_uri")?, &[&device_code]);
    let seconds = |name| fields.seconds(name).and_then(|seconds| u64::try_from(seconds).ok());
    let expires_in = Duration::from_secs(seconds("expires_in").ok_or("expires_in")?);
    let interval = seconds("interval").map_or(DEFAULT_INTERVAL, |s| Duration::from_secs(s.clamp(1, 60)));
    let message = match fields.text("message") {
        Some(message) => shown(message, &[&device_code]),
        None => format!("To sign in, open {verification_uri} and enter the code {user_code}."),
    };
    let prompt = DeviceCodePrompt { verification_uri, user_code, message, expires_in };
    Ok(Issued { device_code, prompt, interval })
}

fn nobody_came(limit: Duration) -> AuthError {
    AuthError::refused(format!("nobody signed in with the code within {} s", limit.as_secs()))
        .with_code("expired_token")
        .with_hint("try again, and enter the code while it is valid")
}
