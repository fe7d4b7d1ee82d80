//! How connections are made: straight, or through a proxy; with TLS where the address says so.

use std::{
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use futures::future::BoxFuture;
use http::Uri;
use hyper_rustls::{HttpsConnector, MaybeHttpsStream};
use hyper_util::{
    client::{
        legacy::connect::{HttpConnector, proxy::Tunnel},
        proxy::matcher::Matcher,
    },
    rt::TokioIo,
};
use rustls::ClientConfig;
use tokio::net::TcpStream;
use tower_service::Service;

use crate::BoxError;

/// A lost connection is noticed without traffic: after this time the system asks the other side whether it is there.
const KEEPALIVE: Duration = Duration::from_secs(15);
/// How often it asks before it gives up.
const KEEPALIVE_PROBES: u32 = 3;
/// Bytes that nobody acknowledged for so long are a lost connection too.
#[cfg(target_os = "linux")]
const UNACKNOWLEDGED: Duration = Duration::from_secs(30);

/// Makes connections for the client, each within a limit that holds for name, proxy and handshakes together.
#[derive(Clone)]
pub(super) struct Connector {
    // Hyper's client clones its connector for every request, so it is one pointer.
    inner: Arc<Inner>,
}

struct Inner {
    tcp: HttpConnector,
    tls: Arc<ClientConfig>,
    proxies: Option<Matcher>,
    limit: Duration,
}

/// A connection without TLS; or the one to a proxy, which may have its own.
type Road = MaybeHttpsStream<TokioIo<TcpStream>>;

impl Connector {
    pub(super) fn new(tls: ClientConfig, proxies: Option<Matcher>, limit: Duration) -> Self {
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        // Each address of a name gets its share of the time.
        tcp.set_connect_timeout(Some(limit));
        tcp.set_keepalive(Some(KEEPALIVE));
        tcp.set_keepalive_interval(Some(KEEPALIVE));
        tcp.set_keepalive_retries(Some(KEEPALIVE_PROBES));
        #[cfg(target_os = "linux")]
        tcp.set_tcp_user_timeout(Some(UNACKNOWLEDGED));
        Self { inner: Arc::new(Inner { tcp, tls: Arc::new(tls), proxies, limit }) }
    }
}

impl Service<Uri> for Connector {
    type Response = MaybeHttpsStream<Road>;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<Self::Response, BoxError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, to: Uri) -> Self::Future {
        let (tls, limit) = (self.inner.tls.clone(), self.inner.limit);
        let mut https = HttpsConnector::from((ToRoad(self.inner.clone()), tls));
        Box::pin(async move {
            let late = |_| format!("no connection within {} s", limit.as_secs_f64());
            tokio::time::timeout(limit, https.call(to)).await.map_err(late)?
        })
    }
}

/// The step below the TLS of the request.
struct ToRoad(Arc<Inner>);

impl Service<Uri> for ToRoad {
    type Response = Road;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<Road, BoxError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, to: Uri) -> Self::Future {
        let inner = self.0.clone();
        Box::pin(async move {
            let mut tcp = inner.tcp.clone();
            let Some(proxy) = inner.proxies.as_ref().and_then(|proxies| proxies.intercept(&to)) else {
                return Ok(Road::Http(tcp.call(to).await?));
            };
            let scheme = proxy.uri().scheme_str().unwrap_or_default();
            if !matches!(scheme, "http" | "https") {
                let text = format!("the environment names a {scheme} proxy; use one of http or https");
                return Err(text.into());
            }
            let to_proxy = HttpsConnector::from((tcp, inner.tls.clone()));
            let mut tunnel = Tunnel::new(proxy.uri().clone(), to_proxy);
            if let Some(password) = proxy.basic_auth() {
                tunnel = tunnel.with_auth(password.clone());
            }
            Ok(tunnel.call(to).await?)
        })
    }
}
