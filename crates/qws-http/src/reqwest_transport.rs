use std::{
    fmt,
    net::IpAddr,
    sync::{Arc, OnceLock},
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use futures::StreamExt;
use http::Uri;
use http_body_util::BodyDataStream;
use reqwest::{Client, redirect};
use rustls::pki_types::CertificateDer;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::{BoxError, ResponseBody, Transport, TransportError, TransportErrorKind, tls};

/// The real transport: HTTP/1.1 over rustls, on reqwest.
///
/// - No redirects, no decompression, no cookies.
/// - https everywhere; plain http to this machine only (`localhost`, `127.0.0.0/8`, `::1`).
/// - Proxies of the environment (`HTTPS_PROXY`, `NO_PROXY`) are honoured, but never for this machine.
/// - Waits: 10 s to connect, 60 s without a byte. A whole call is bounded by [`crate::Call::deadline`].
/// - At most 64 connections in use at once; further requests wait their turn. A connection counts as used until
///   its answer's body is read to the end or dropped.
/// - Trusts the platform's root certificates and those given to the builder. They are loaded at the first https
///   request, and only then is it an error if there are none.
///
/// Cloning is cheap and shares the connections.
#[derive(Clone)]
pub struct ReqwestTransport {
    inner: Arc<Inner>,
}

struct Inner {
    plain: Client,
    local_tls: OnceLock<Result<Client, Arc<str>>>,
    remote_tls: OnceLock<Result<Client, Arc<str>>>,
    turns: Arc<Semaphore>,
    settings: ReqwestTransportBuilder,
}

/// Settings of a [`ReqwestTransport`].
#[derive(Debug, Clone)]
#[must_use]
pub struct ReqwestTransportBuilder {
    connect_timeout: Duration,
    idle_timeout: Duration,
    max_connections: usize,
    roots: Vec<CertificateDer<'static>>,
    identity_endpoints: bool,
}

impl Default for ReqwestTransportBuilder {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(60),
            max_connections: 64,
            roots: Vec::new(),
            identity_endpoints: false,
        }
    }
}

impl ReqwestTransportBuilder {
    /// How long making a connection may take. Default 10 s.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// How long the other side may send nothing. Default 60 s.
    pub fn idle_timeout(mut self, timeout: Duration) -> Self {
        self.idle_timeout = timeout;
        self
    }

    /// How many connections may be in use at once; at least 1. Default 64.
    pub fn max_connections(mut self, connections: usize) -> Self {
        self.max_connections = connections.clamp(1, Semaphore::MAX_PERMITS);
        self
    }

    /// For the managed identity endpoints of this machine, which speak plain http: takes it also to literal link-local
    /// and private addresses, waits 2 s to connect, and never uses a proxy, whatever the environment says. A proxy would see the
    /// tokens, and could make them up.
    pub fn for_identity_endpoints(mut self) -> Self {
        self.identity_endpoints = true;
        self.connect_timeout = Duration::from_secs(2);
        self
    }

    /// Trusts the certificates of a PEM text besides the platform's roots.
    ///
    /// # Errors
    /// When the text holds no readable certificate.
    pub fn add_root_pem(mut self, pem: &[u8]) -> Result<Self, BoxError> {
        self.roots.extend(tls::read_pem(pem)?);
        Ok(self)
    }

    /// The transport. Opens no connection and reads no file.
    ///
    /// # Errors
    /// When no TLS provider is compiled in.
    pub fn build(self) -> Result<ReqwestTransport, BoxError> {
        let plain = self.client(tls::empty_config()?, true)?;
        let inner = Inner {
            plain,
            local_tls: OnceLock::new(),
            remote_tls: OnceLock::new(),
            turns: Arc::new(Semaphore::new(self.max_connections)),
            settings: self,
        };
        Ok(ReqwestTransport { inner: Arc::new(inner) })
    }

    fn client(&self, tls: rustls::ClientConfig, direct: bool) -> Result<Client, BoxError> {
        let builder = Client::builder()
            .tls_backend_preconfigured(tls)
            .redirect(redirect::Policy::none())
            .retry(reqwest::retry::never())
            .connect_timeout(self.connect_timeout)
            .read_timeout(self.idle_timeout)
            .pool_max_idle_per_host(self.max_connections);
        let builder = if direct { builder.no_proxy() } else { builder };
        Ok(builder.build()?)
    }
}

impl ReqwestTransport {
    /// A transport with the default settings.
    ///
    /// # Errors
    /// When no TLS provider is compiled in.
    pub fn new() -> Result<Self, BoxError> {
        Self::builder().build()
    }

    /// Settings to change.
    pub fn builder() -> ReqwestTransportBuilder {
        ReqwestTransportBuilder::default()
    }

    fn client_for(&self, uri: &Uri) -> Result<&Client, TransportError> {
        let local = is_loopback(uri);
        let inner = &*self.inner;
        let near = local || inner.settings.identity_endpoints && is_nearby(uri);
        let direct = local || inner.settings.identity_endpoints;
        let cell = match (uri.scheme_str(), local) {
            (Some("http"), _) if near => return Ok(&inner.plain),
            (Some("https"), true) => &inner.local_tls,
            (Some("https"), false) => &inner.remote_tls,
            _ => return Err(TransportError::new(TransportErrorKind::Refused, uri)),
        };
        let made = cell.get_or_init(|| {
            let config = tls::platform_config(&inner.settings.roots);
            config
                .and_then(|config| inner.settings.client(config, direct))
                .map_err(|error| error.to_string().into())
        });
        made.as_ref().map_err(|reason| {
            TransportError::new(TransportErrorKind::TlsSetup, uri).with_source(reason.to_string())
        })
    }
}

/// Whether the host is this machine, going by its name or literal address alone.
fn is_loopback(uri: &Uri) -> bool {
    uri.host().is_some_and(|host| host.eq_ignore_ascii_case("localhost"))
        || literal_address(uri).is_some_and(|ip| ip.is_loopback())
}

/// Whether the host is a literal address that no router passes on to the internet.
fn is_nearby(uri: &Uri) -> bool {
    literal_address(uri).is_some_and(|ip| match ip {
        IpAddr::V4(ip) => ip.is_link_local() || ip.is_private(),
        IpAddr::V6(ip) => ip.is_unicast_link_local() || ip.is_unique_local(),
    })
}

fn literal_address(uri: &Uri) -> Option<IpAddr> {
    uri.host()?.trim_start_matches('[').trim_end_matches(']').parse().ok()
}

#[async_trait]
impl Transport for ReqwestTransport {
    async fn send(
        &self,
        request: http::Request<Bytes>,
    ) -> Result<http::Response<ResponseBody>, TransportError> {
        let uri = request.uri().clone();
        let client = self.client_for(&uri)?;
        let turn = self.inner.turns.clone().acquire_owned().await;
        // The semaphore is never closed, so a missing turn cannot happen; without one we would merely not be counted.
        let turn = turn.ok();
        let request = to_reqwest(request)?;
        let response = client.execute(request).await.map_err(|error| to_error(&uri, error))?;
        let (head, body) = http::Response::<reqwest::Body>::from(response).into_parts();
        Ok(http::Response::from_parts(head, stream(body, uri, turn)))
    }
}

/// As reqwest's own conversion, without writing the URI through its `Display` on the way.
fn to_reqwest(request: http::Request<Bytes>) -> Result<reqwest::Request, TransportError> {
    let (head, body) = request.into_parts();
    let uri = &head.uri;
    let refused = || TransportError::new(TransportErrorKind::Refused, uri);
    let (scheme, authority) = (uri.scheme_str().ok_or_else(refused)?, uri.authority().ok_or_else(refused)?);
    let path = uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
    let url = [scheme, "://", authority.as_str(), path].concat();
    let url = url::Url::parse(&url).map_err(|error| refused().with_source(error))?;
    let mut request = reqwest::Request::new(head.method, url);
    *request.headers_mut() = head.headers;
    *request.body_mut() = Some(body.into());
    Ok(request)
}

/// The body as a stream that holds the connection's turn until it is dropped.
fn stream(body: reqwest::Body, uri: Uri, turn: Option<OwnedSemaphorePermit>) -> ResponseBody {
    ResponseBody::from_stream(BodyDataStream::new(body).map(move |chunk| {
        let _held = &turn;
        chunk.map_err(|error| {
            let kind =
                if error.is_timeout() { TransportErrorKind::Timeout } else { TransportErrorKind::Body };
            TransportError::new(kind, &uri).with_source(error.without_url())
        })
    }))
}

fn to_error(uri: &Uri, error: reqwest::Error) -> TransportError {
    let kind = if error.is_connect() {
        TransportErrorKind::Connect
    } else if error.is_timeout() {
        TransportErrorKind::Timeout
    } else if error.is_builder() {
        TransportErrorKind::Refused
    } else {
        TransportErrorKind::Lost
    };
    TransportError::new(kind, uri).with_source(error.without_url())
}

impl fmt::Debug for ReqwestTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let settings = &self.inner.settings;
        f.debug_struct("ReqwestTransport")
            .field("connect_timeout", &settings.connect_timeout)
            .field("idle_timeout", &settings.idle_timeout)
            .field("max_connections", &settings.max_connections)
            .field("extra_roots", &settings.roots.len())
            .finish()
    }
}

#[cfg(test)]
mod tests;
