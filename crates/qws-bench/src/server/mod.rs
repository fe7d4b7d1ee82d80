//! The other side: canned answers over HTTPS on loopback, in a process of its own, so that its CPU time is not ours.

mod canned;

use crate::measure::{BLOB_BYTES, LISTED_JOBS, PAGE_JOBS, Setup, TICKS, WATCHED_JOBS, WITH_OUTPUT};
use anyhow::Result;
use bytes::Bytes;
use futures::stream;
use http_body_util::{BodyExt as _, Either, Full, StreamBody};
use hyper::body::{Body, Frame, Incoming};
use hyper::header::{CONTENT_LENGTH, CONTENT_TYPE};
use hyper::{Method, Request, Response, StatusCode, service::service_fn};
use hyper_util::rt::TokioIo;
use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

/// Serves until the standard input ends. The first line of standard output is the [`Setup`] for clients.
pub(crate) fn run() -> Result<()> {
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(["127.0.0.1".to_owned()])?;
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(signing_key.serialize_der()));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key)?;
    let acceptor = TlsAcceptor::from(Arc::new(config));
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let endpoint = format!("https://{}/", listener.local_addr()?);
        println!("{}", serde_json::to_string(&Setup { endpoint: endpoint.clone(), root_pem: cert.pem() })?);
        let site = Site { endpoint, watched: Watched::default() };
        tokio::spawn(accept(listener, acceptor, Arc::new(site)));
        let end = tokio::task::spawn_blocking(|| std::io::copy(&mut std::io::stdin(), &mut std::io::sink()));
        end.await??;
        Ok(())
    })
}

async fn accept(listener: TcpListener, acceptor: TlsAcceptor, site: Arc<Site>) {
    while let Ok((stream, _)) = listener.accept().await {
        tokio::spawn(serve(stream, acceptor.clone(), site.clone()));
    }
}

/// One connection. How it ends is the client's matter: a client that goes away just closes it.
async fn serve(stream: TcpStream, acceptor: TlsAcceptor, site: Arc<Site>) {
    // Without it small answers wait for the client's delayed acknowledgement.
    let _ = stream.set_nodelay(true);
    let Ok(stream) = acceptor.accept(stream).await else { return };
    let service = service_fn(|request| answer(request, site.clone()));
    let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

type Answer = Response<Either<Full<Bytes>, StreamOfZeros>>;
type StreamOfZeros =
    StreamBody<stream::Iter<Box<dyn Iterator<Item = Result<Frame<Bytes>, Infallible>> + Send>>>;

async fn answer(request: Request<Incoming>, site: Arc<Site>) -> Result<Answer, hyper::Error> {
    let path = request.uri().path().to_owned();
    let query = request.uri().query().unwrap_or_default().to_owned();
    let method = request.method().clone();
    let after_workspace = path.split_once("/workspaces/ws/").map_or("", |(_, after)| after);
    let parts = after_workspace.split_once('/').unwrap_or((after_workspace, ""));
    if parts.0 == "watch" {
        return Ok(if method == Method::POST { site.watched.reset() } else { site.watched.requests() });
    }
    site.watched.count();
    drain(request.into_body()).await?;
    Ok(match (&method, parts) {
        (&Method::GET, ("jobs", "")) if query.contains("filter=") => json(site.watched_page(&path, &query)),
        (&Method::GET, ("jobs", "")) => json(site.page(&path, &query)),
        (&Method::GET, ("jobs", id)) if id.starts_with(WATCHED) => json(site.watched.job(id)),
        (&Method::GET, ("jobs", WITH_OUTPUT)) => {
            json(canned::job_with_output(&format!("{}blob", site.endpoint)))
        }
        (&Method::GET, ("jobs", id)) => json(canned::job(canned::SUCCEEDED_KIND, id)),
        (&Method::PUT, ("jobs", id)) => json(canned::job(canned::WAITING_KIND, id)),
        (&Method::GET, ("providerStatus", "")) => json(canned::PROVIDERS.to_owned()),
        (&Method::POST, ("storage", "sasUri")) => json(format!(
            r#"{{"sasUri":"{}blob?sv=2025-05-05&sr=c&sp=rcw&sig=bm90IGEga2V5"}}"#,
            site.endpoint
        )),
        (&Method::PUT, _) if path.starts_with("/blob") => status(StatusCode::CREATED),
        (&Method::GET, _) if path.starts_with("/blob") => blob(),
        _ => status(StatusCode::NOT_FOUND),
    })
}

/// What the server knows.
struct Site {
    endpoint: String,
    watched: Watched,
}

impl Site {
    /// One page of the long list.
    fn page(&self, path: &str, query: &str) -> String {
        let (number, next) = self.place(path, query, LISTED_JOBS);
        canned::page(number * PAGE_JOBS..(number + 1) * PAGE_JOBS, |job| job, next.as_deref())
    }

    /// One page of the jobs that are watched, which are known by the list's filter.
    fn watched_page(&self, path: &str, query: &str) -> String {
        let (number, next) = self.place(path, query, WATCHED_JOBS);
        let kind = self.watched.kind(&number.to_string());
        canned::page(number * PAGE_JOBS..(number + 1) * PAGE_JOBS, |_| kind, next.as_deref())
    }

    /// The number of a page, which is in the link that led to it, and the link to the next one.
    fn place(&self, path: &str, query: &str, jobs: u32) -> (u32, Option<String>) {
        let page = |pair: &str| pair.strip_prefix("page=")?.parse().ok();
        let number = query.split('&').find_map(page).unwrap_or(0_u32);
        let endpoint = self.endpoint.trim_end_matches('/');
        let filter = if query.contains("filter=") { "&filter=x" } else { "" };
        let next = (number < jobs / PAGE_JOBS - 1)
            .then(|| format!("{endpoint}{path}?api-version=2026-01-15-preview{filter}&page={}", number + 1));
        (number, next)
    }
}

/// How the ids of listed jobs begin.
const WATCHED: &str = "00000000-0000-4000-";

/// Jobs that end when they have been asked for often enough, and a count of all requests. Each page counts for itself, so
/// that a list that is read page by page ticks as a whole.
#[derive(Default)]
struct Watched {
    requests: AtomicU32,
    asked: Mutex<HashMap<String, u32>>,
}

impl Watched {
    fn count(&self) {
        self.requests.fetch_add(1, Ordering::Relaxed);
    }

    fn asked(&self) -> MutexGuard<'_, HashMap<String, u32>> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn reset(&self) -> Answer {
        self.requests.store(0, Ordering::Relaxed);
        self.asked().clear();
        status(StatusCode::NO_CONTENT)
    }

    fn requests(&self) -> Answer {
        json(self.requests.load(Ordering::Relaxed).to_string())
    }

    /// The kind of what is asked for by this name, once more.
    fn kind(&self, name: &str) -> u32 {
        let mut asked = self.asked();
        let times = asked.entry(name.to_owned()).or_default();
        *times += 1;
        if *times < TICKS { canned::WAITING_KIND } else { canned::SUCCEEDED_KIND }
    }

    fn job(&self, id: &str) -> String {
        canned::job(self.kind(id), id)
    }
}

fn json(text: String) -> Answer {
    let mut answer = Response::new(Either::Left(Full::from(text)));
    answer.headers_mut().insert(CONTENT_TYPE, hyper::header::HeaderValue::from_static("application/json"));
    answer
}

fn status(status: StatusCode) -> Answer {
    let mut answer = Response::new(Either::Left(Full::default()));
    *answer.status_mut() = status;
    answer
}

/// The blob, in frames as large as a TLS record takes.
fn blob() -> Answer {
    const FRAME: u32 = 16 << 10;
    static ZEROS: [u8; FRAME as usize] = [0; FRAME as usize];
    let frames = (0..BLOB_BYTES / FRAME).map(|_| Ok(Frame::data(Bytes::from_static(&ZEROS))));
    let frames: Box<dyn Iterator<Item = _> + Send> = Box::new(frames);
    let mut answer = Response::new(Either::Right(StreamBody::new(stream::iter(frames))));
    answer.headers_mut().insert(CONTENT_LENGTH, BLOB_BYTES.into());
    answer
}

async fn drain<B: Body + Unpin>(mut body: B) -> Result<(), B::Error> {
    while let Some(frame) = body.frame().await {
        frame?;
    }
    Ok(())
}
