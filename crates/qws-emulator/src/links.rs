//! Reading inputs and writing outputs by the links of clients, for jobs whose storage is not the emulator's own.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use http::uri::Scheme;
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::{Connect, HttpConnector};
use hyper_util::rt::TokioExecutor;

use crate::incoming::MAX_BODY;
use crate::place::Link;

/// How long one transfer may take. Storage that answers at all answers sooner.
const PATIENCE: Duration = Duration::from_secs(30);

/// Old enough for every Azurite, new enough for every SAS.
const VERSION: &str = "2021-12-02";

/// The emulator as a client of other storage.
pub(crate) struct Links {
    /// Whether hosts other than this machine may be asked.
    anywhere: bool,
    plain: Client<HttpConnector, Full<Bytes>>,
    #[cfg(feature = "https")]
    tls: std::sync::OnceLock<Client<tls::Connector, Full<Bytes>>>,
}

/// What is behind a link, and how it is packed.
pub(crate) struct Content {
    pub(crate) body: Bytes,
    pub(crate) encoding: Option<String>,
}

/// Why a link cannot be used; says which, without its signature.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct LinkError(String);

impl fmt::Display for LinkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Links {
    pub(crate) fn new(anywhere: bool) -> Self {
        Self {
            anywhere,
            plain: client(HttpConnector::new()),
            #[cfg(feature = "https")]
            tls: std::sync::OnceLock::new(),
        }
    }

    pub(crate) async fn read(&self, link: &Link) -> Result<Content, LinkError> {
        self.send(Method::GET, link, Bytes::new(), StatusCode::OK).await
    }

    /// Writes a block blob, over what is there.
    pub(crate) async fn write(&self, link: &Link, body: Bytes) -> Result<(), LinkError> {
        self.send(Method::PUT, link, body, StatusCode::CREATED).await.map(drop)
    }

    async fn send(
        &self,
        method: Method,
        link: &Link,
        body: Bytes,
        wanted: StatusCode,
    ) -> Result<Content, LinkError> {
        let failed = |reason: &dyn fmt::Display| LinkError(format!("{method} {link}: {reason}"));
        if !self.anywhere && !link.is_loopback() {
            return Err(failed(
                &"the host is not this machine; `--allow-remote-storage` lets the emulator go there",
            ));
        }
        let mut request = Request::builder()
            .method(method.clone())
            .uri(link.url().as_str())
            .header("x-ms-version", VERSION);
        if method == Method::PUT {
            request =
                request.header("x-ms-blob-type", "BlockBlob").header("content-type", "application/json");
        }
        let request = request.body(Full::new(body)).map_err(|error| failed(&error))?;
        let transfer = async {
            let answer = self.exchange(request).await.map_err(|reason| failed(&reason))?;
            let (parts, body) = answer.into_parts();
            let header = |name| Some(parts.headers.get(name)?.to_str().ok()?.to_owned());
            if parts.status != wanted {
                let code = header("x-ms-error-code").unwrap_or_default();
                return Err(failed(&format!("{} {code}", parts.status.as_u16()).trim_end()));
            }
            let body = Limited::new(body, MAX_BODY).collect().await.map_err(|error| failed(&error))?;
            Ok(Content { body: body.to_bytes(), encoding: header("content-encoding") })
        };
        let late = |_| Err(failed(&format!("no answer within {} seconds", PATIENCE.as_secs())));
        tokio::time::timeout(PATIENCE, transfer).await.unwrap_or_else(late)
    }

    async fn exchange(&self, request: Request<Full<Bytes>>) -> Result<Response<Incoming>, String> {
        if request.uri().scheme() != Some(&Scheme::HTTPS) {
            return self.plain.request(request).await.map_err(|error| chain(&error));
        }
        #[cfg(feature = "https")]
        {
            // The machine's roots are looked up for the first such link only.
            if self.tls.get().is_none() {
                let _ = self.tls.set(client(tls::connector().map_err(|error| chain(&error))?));
            }
            let Some(client) = self.tls.get() else { return Err("no TLS".to_owned()) };
            client.request(request).await.map_err(|error| chain(&error))
        }
        #[cfg(not(feature = "https"))]
        Err("this emulator was built without its feature `https`".to_owned())
    }
}

/// Nothing is left open behind a transfer, so that stopping leaves nothing behind.
fn client<C: Connect + Clone>(connector: C) -> Client<C, Full<Bytes>> {
    Client::builder(TokioExecutor::new()).pool_max_idle_per_host(0).build(connector)
}

#[cfg(feature = "https")]
mod tls {
    use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
    use hyper_util::client::legacy::connect::HttpConnector;
    use tokio_rustls::rustls::crypto::ring::default_provider;

    pub(super) type Connector = HttpsConnector<HttpConnector>;

    /// Trusts what this machine trusts; on Linux `SSL_CERT_FILE` may name more.
    pub(super) fn connector() -> std::io::Result<Connector> {
        let builder = HttpsConnectorBuilder::new().with_provider_and_platform_verifier(default_provider())?;
        Ok(builder.https_only().enable_http1().build())
    }
}

/// The error with its causes: the outermost one says only that connecting failed.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

impl fmt::Debug for Links {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Links").field("anywhere", &self.anywhere).finish_non_exhaustive()
    }
}
