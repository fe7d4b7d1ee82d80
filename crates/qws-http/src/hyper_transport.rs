use std::{
    fmt,
    net::IpAddr,
    sync::{Arc, OnceLock},
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use http::Uri;
use http_body_util::Full;
use hyper_util::{
    client::{
        legacy::{Client, Error},
        proxy::matcher::Matcher,
    },
    rt::{TokioExecutor, TokioTimer},
};
use rustls::{ClientConfig, pki_types::CertificateDer};
use tokio::{sync::Semaphore, time::timeout};

use crate::{BoxError, ResponseBody, Transport, TransportError, TransportErrorKind, tls};

mod connector;
mod received;

use connector::Connector;
use received::Received;

type HyperClient = Client<Connector, Full<Bytes>>;

/// The real transport: HTTP/1.1 over rustls, on hyper's client.
///
/// - No redirects, no decompression, no cookies.
/// - https everywhere; plain http to this machine only (`localhost`, `127.0.0.0/8`, `::1`).
/// - Proxies of the environment (`HTTPS_PROXY`, `ALL_PROXY`, `NO_PROXY`; on Windows and macOS also the system's) are
///   honoured, but never for this machine. A proxy speaks http or https and may ask for a password
///   (`http://user:password@host:port`); SOCKS is not spoken.
/// - Waits: 10 s to connect, 60 s without a byte. A whole call is bounded by [`crate::Call::deadline`].
/// - At most 64 connections in use at once; further requests wait their turn. A connection counts as used until
///   its answer's body is read to the end or dropped.
/// - Trusts the platform's root certificates and those given to the builder. They are loaded at the first https
///   request, and only then is it an error if there are none.
///
/// Cloning is cheap and shares the connections.
#[derive(Clone)]
pub struct HyperTransport {
    inner: Arc<Inner>,
}

struct Inner {
    plain: HyperClient,
    local_tls: OnceLock<Result<HyperClient, Arc<str>>>,
    remote_tls: OnceLock<Result<HyperClient, Arc<str>>>,
    turns: Arc<Semaphore>,
    settings: HyperTransportBuilder,
}

/// Settings of a [`HyperTransport`].
#[derive(Debug, Clone)]
#[must_use]
pub struct HyperTransportBuilder {
    connect_timeout: Duration,
    idle_timeout: Duration,
    max_connections: usize,
    roots: Vec<CertificateDer<'static>>,
    tls: Option<ClientConfig>,
    identity_endpoints: bool,
}

impl Default for HyperTransportBuilder {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(60),
            max_connections: 64,
            roots: Vec::new(),
            tls: None,
            identity_endpoints: false,
        }
    }
}

impl HyperTransportBuilder {
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

    /// Makes https connections by this configuration, in place of one that trusts the platform's roots and those given
    /// here: for a server that is known by other means, or one that asks for a client's certificate.
    ///
    /// The type is rustls's (0.23) and changes with it. No ALPN is needed: HTTP/1.1 is all that is spoken.
    pub fn tls(mut self, config: ClientConfig) -> Self {
        self.tls = Some(config);
        self
    }

    /// The transport. Opens no connection and reads no file.
    ///
    /// # Errors
    /// When no TLS provider is compiled in.
    pub fn build(self) -> Result<HyperTransport, BoxError> {
        let plain = self.client(tls::empty_config()?, true);
        let inner = Inner {
            plain,
            local_tls: OnceLock::new(),
            remote_tls: OnceLock::new(),
            turns: Arc::new(Semaphore::new(self.max_connections)),
            settings: self,
        };
        Ok(HyperTransport { inner: Arc::new(inner) })
    }

    fn client(&self, tls: ClientConfig, direct: bool) -> HyperClient {
        let proxies = (!direct).then(Matcher::from_system);
        Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_max_idle_per_host(self.max_connections)
            .build(Connector::new(tls, proxies, self.connect_timeout))
    }
}

impl HyperTransport {
    /// A transport with the default settings.
    ///
    /// # Errors
    /// When no TLS provider is compiled in.
    pub fn new() -> Result<Self, BoxError> {
        Self::builder().build()
    }

    /// Settings to change.
    pub fn builder() -> HyperTransportBuilder {
        HyperTransportBuilder::default()
    }

    fn client_for(&self, uri: &Uri) -> Result<&HyperClient, TransportError> {
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
            let config = match &inner.settings.tls {
                Some(config) => Ok(config.clone()),
                None => tls::platform_config(&inner.settings.roots),
            };
            let config = config.map_err(|error| Arc::from(error.to_string()))?;
            Ok(inner.settings.client(config, direct))
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
impl Transport for HyperTransport {
    async fn send(
        &self,
        request: http::Request<Bytes>,
    ) -> Result<http::Response<ResponseBody>, TransportError> {
        let uri = request.uri().clone();
        let client = self.client_for(&uri)?;
        let turn = self.inner.turns.clone().acquire_owned().await;
        // The semaphore is never closed, so a missing turn cannot happen; without one we would merely not be counted.
        let turn = turn.ok();
        let idle = self.inner.settings.idle_timeout;
        let answer = timeout(idle, client.request(request.map(Full::new))).await;
        let answer = answer.map_err(|_| TransportError::new(TransportErrorKind::Timeout, &uri))?;
        let (head, body) = answer.map_err(|error| to_error(&uri, error))?.into_parts();
        let body = ResponseBody::from_stream(Received::new(body, uri, idle, turn));
        Ok(http::Response::from_parts(head, body))
    }
}

fn to_error(uri: &Uri, error: Error) -> TransportError {
    let kind = if error.is_connect() { TransportErrorKind::Connect } else { TransportErrorKind::Lost };
    TransportError::new(kind, uri).with_source(error)
}

impl fmt::Debug for HyperTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let settings = &self.inner.settings;
        f.debug_struct("HyperTransport")
            .field("connect_timeout", &settings.connect_timeout)
            .field("idle_timeout", &settings.idle_timeout)
            .field("max_connections", &settings.max_connections)
            .field("extra_roots", &settings.roots.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
