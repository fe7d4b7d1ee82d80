use std::{fmt, sync::Arc, time::Duration};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use futures::future::{Either, select};
use qws_config::Secret;
use qws_http::BoxError;
use url::Url;

use crate::{
    AuthError, AuthRequest,
    access_token::payload,
    entra::{self, Application, Endpoint, Grant},
    person::{Person, person_settings, person_source, scope},
    tokens::{Tokens, token_credential},
};

mod listener;
mod open;

use listener::Listener;
use open::Opener;

/// A person who signs in with the browser of this machine.
///
/// It opens a page of the identity service, which sends its answer to a port of this machine that only this program
/// listens on; nothing else can use that answer ([RFC 8252], [RFC 7636]). The sign-in lasts: further tokens, also for
/// other services, come without asking, until the tenant's policy ends it. Only one sign-in is under way at a time.
///
/// It is used only where it is named, and is not available without a terminal, without a graphical session, or where
/// `AZURE_TOKEN_CREDENTIALS` is `prod`: a service must never hang on a page that nobody sees.
///
/// ```
/// let credential = qws_auth::InteractiveBrowser::new();
/// ```
///
/// Inside a [`crate::Chain`] raise the chain's deadline: a person needs more time than 100 s.
///
/// [RFC 8252]: https://www.rfc-editor.org/rfc/rfc8252#section-7.3
/// [RFC 7636]: https://www.rfc-editor.org/rfc/rfc7636
#[derive(Debug, Clone)]
pub struct InteractiveBrowser {
    tokens: Tokens<Source>,
}

#[derive(Clone)]
struct Source {
    person: Person,
    login_hint: Option<String>,
    port: u16,
    limit: Duration,
    opener: Opener,
}

impl InteractiveBrowser {
    /// Opens the person's own browser.
    #[must_use]
    pub fn new() -> Self {
        let source = Source {
            person: Person::new(),
            login_hint: None,
            port: 0,
            limit: Duration::from_secs(300),
            opener: Opener::System,
        };
        Self { tokens: Tokens::new(source) }
    }

    /// The account that the page proposes, such as `ada@contoso.com`.
    #[must_use]
    pub fn with_login_hint(self, account: impl Into<String>) -> Self {
        Self { tokens: self.tokens.reconfigured(|source| source.login_hint = Some(account.into())) }
    }

    /// Listens at this port, for an application that is registered for `http://localhost:PORT` only. Default: any free
    /// port, which `http://localhost` stands for.
    #[must_use]
    pub fn with_port(self, port: u16) -> Self {
        Self { tokens: self.tokens.reconfigured(|source| source.port = port) }
    }

    /// How long the person may take. Default 300 s.
    #[must_use]
    pub fn with_time_limit(self, limit: Duration) -> Self {
        Self { tokens: self.tokens.reconfigured(|source| source.limit = limit) }
    }

    /// Opens pages by this function, which should not block. It is given a URL that is good for one sign-in.
    #[must_use]
    pub fn with_opener(self, open: impl Fn(&str) -> Result<(), BoxError> + Send + Sync + 'static) -> Self {
        Self { tokens: self.tokens.reconfigured(|source| source.opener = Opener::Given(Arc::new(open))) }
    }
}

impl Default for InteractiveBrowser {
    fn default() -> Self {
        Self::new()
    }
}

person_settings!(InteractiveBrowser);
token_credential!(InteractiveBrowser);
person_source!("browser");

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InteractiveBrowser")
            .field("person", &self.person)
            .field("login_hint", &self.login_hint)
            .finish_non_exhaustive()
    }
}

/// What ties the page, the answer and the token together; each is good for one sign-in.
struct Ties {
    state: Secret,
    nonce: Secret,
    verifier: Secret,
}

impl Ties {
    fn new() -> Result<Self, AuthError> {
        Ok(Self { state: random()?, nonce: random()?, verifier: random()? })
    }

    fn challenge(&self) -> String {
        URL_SAFE_NO_PAD.encode(hmac_sha256::Hash::hash(self.verifier.expose().as_bytes()))
    }
}

/// 256 random bits as text.
fn random() -> Result<Secret, AuthError> {
    let mut bytes = zeroize::Zeroizing::new([0; 32]);
    getrandom::fill(&mut *bytes)
        .map_err(|error| AuthError::refused("the system gives no random numbers").with_source(error))?;
    Ok(Secret::new(URL_SAFE_NO_PAD.encode(*bytes)))
}

impl Source {
    async fn sign_in(&self, application: Application, request: &AuthRequest) -> Result<Grant, AuthError> {
        self.may_open()?;
        let listener = Listener::bind(self.port).await?;
        let redirect_uri = listener.redirect_uri();
        let ties = Ties::new()?;
        let page = self.page(&application, request, &redirect_uri, &ties)?;
        let opened = self.opener.open(&self.person.host, &page)?;

        let work = async {
            match select(std::pin::pin!(listener.answer(&ties.state)), std::pin::pin!(opened.failure())).await
            {
                Either::Left((answer, _)) => answer,
                Either::Right((error, _)) => Err(error),
            }
        };
        let limit = self.person.host.clock().expire(self.limit);
        let answer = match select(std::pin::pin!(work), limit).await {
            Either::Left((answer, _)) => answer?,
            Either::Right(((), _)) => return Err(self.nobody_came(request)),
        };
        let code = answer.code()?;
        self.redeem(&application, request, &redirect_uri, &ties, &code).await
    }

    fn may_open(&self) -> Result<(), AuthError> {
        let chosen = self.person.host.variable("AZURE_TOKEN_CREDENTIALS").unwrap_or_default();
        let why = if chosen.trim().eq_ignore_ascii_case("prod") {
            "AZURE_TOKEN_CREDENTIALS is prod"
        } else if !self.person.host.has_terminal() {
            "there is no terminal, so nobody may be here to sign in"
        } else {
            return Ok(());
        };
        Err(AuthError::unavailable(format!("no browser is opened: {why}"))
            .with_hint("sign in with `DeviceCode`, or with `az login` beforehand"))
    }

    /// The address of the identity service's page.
    fn page(
        &self,
        application: &Application,
        request: &AuthRequest,
        redirect_uri: &str,
        ties: &Ties,
    ) -> Result<String, AuthError> {
        let authority = self.person.host.authority()?;
        let mut page = Url::parse(&authority.endpoint(&application.tenant, "authorize"))
            .map_err(|_| AuthError::invalid("the authority host does not make a URL that can be opened"))?;
        page.query_pairs_mut()
            .append_pair("client_id", &application.client_id)
            .append_pair("response_type", "code")
            .append_pair("response_mode", "form_post")
            .append_pair("redirect_uri", redirect_uri)
            .append_pair("scope", &scope(request))
            .append_pair("state", ties.state.expose())
            .append_pair("nonce", ties.nonce.expose())
            .append_pair("code_challenge", &ties.challenge())
            .append_pair("code_challenge_method", "S256")
            .append_pair("prompt", "select_account")
            .extend_pairs(self.login_hint.iter().map(|account| ("login_hint", account)))
            .extend_pairs(request.claims().map(|claims| ("claims", claims)));
        Ok(page.into())
    }

    async fn redeem(
        &self,
        application: &Application,
        request: &AuthRequest,
        redirect_uri: &str,
        ties: &Ties,
        code: &Secret,
    ) -> Result<Grant, AuthError> {
        let scope = scope(request);
        let mut fields = vec![
            ("client_id", application.client_id.as_str()),
            ("grant_type", "authorization_code"),
            ("code", code.expose()),
            ("redirect_uri", redirect_uri),
            ("code_verifier", ties.verifier.expose()),
            ("scope", scope.as_str()),
        ];
        fields.extend(request.claims().map(|claims| ("claims", claims)));
        let secrets = [code, &ties.verifier];
        let grant =
            entra::post(&self.person.host, application, Endpoint::Token, &fields, &secrets).await?.grant()?;
        // It comes straight from the identity service over TLS, so its signature would add nothing.
        let told = grant.id_token.as_ref().and_then(|token| payload(token.expose()));
        let nonce = told.as_ref().and_then(|told| told.text("nonce")).map(Secret::new);
        if nonce.as_ref() != Some(&ties.nonce) {
            return Err(AuthError::refused("the sign-in that came back is not the one that was begun")
                .with_hint("try again; somebody may have tried to sign you in as themselves"));
        }
        Ok(grant)
    }

    fn nobody_came(&self, request: &AuthRequest) -> AuthError {
        let text = format!("nobody signed in with the browser within {} s", self.limit.as_secs());
        let error =
            if request.is_in_chain() { AuthError::unavailable(text) } else { AuthError::refused(text) };
        error.with_hint("try again, or sign in with `DeviceCode`")
    }
}
