//! The other side: canned answers over HTTPS on loopback, in a process of its own, so that its CPU time is not ours.

mod canned;

use crate::measure::{BLOB_BYTES, LISTED_JOBS, PAGE_JOBS, Setup};
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
use std::convert::Infallible;
use std::sync::Arc;
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
        tokio::spawn(accept(listener, acceptor, endpoint.into()));
        let end = tokio::task::spawn_blocking(|| std::io::copy(&mut std::io::stdin(), &mut std::io::sink()));
        end.await??;
        Ok(())
    })
}

async fn accept(listener: TcpListener, acceptor: TlsAcceptor, endpoint: Arc<str>) {
    while let Ok((stream, _)) = listener.accept().await {
        tokio::spawn(serve(stream, acceptor.clone(), endpoint.clone()));
    }
}

/// One connection. How it ends is the client's matter: a client that goes away just closes it.
async fn serve(stream: TcpStream, acceptor: TlsAcceptor, endpoint: Arc<str>) {
    // Without it small answers wait for the client's delayed acknowledgement.
    let _ = stream.set_nodelay(true);
    let Ok(stream) = acceptor.accept(stream).await else { return };
    let service = service_fn(|request| answer(request, endpoint.clone()));
    let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

type Answer = Response<Either<Full<Bytes>, StreamOfZeros>>;
type StreamOfZeros =
    StreamBody<stream::Iter<Box<dyn Iterator<Item = Result<Frame<Bytes>, Infallible>> + Send>>>;

async fn answer(request: Request<Incoming>, endpoint: Arc<str>) -> Result<Answer, hyper::Error> {
    let path = request.uri().path().to_owned();
    let query = request.uri().query().unwrap_or_default().to_owned();
    let after_workspace = path.split_once("/workspaces/ws/").map_or("", |(_, after)| after);
    Ok(match (request.method(), after_workspace.split_once('/')) {
        (&Method::GET, None) if after_workspace == "jobs" => json(page(&endpoint, &path, &query)),
        (&Method::GET, Some(("jobs", id))) => json(canned::job(id.parse().unwrap_or_default(), id)),
        (&Method::PUT, _) => {
            drain(request.into_body()).await?;
            status(StatusCode::CREATED)
        }
        (&Method::GET, _) if path.starts_with("/blob") => blob(),
        _ => status(StatusCode::NOT_FOUND),
    })
}

/// One page of the list. Its number is in the link that led to it.
fn page(endpoint: &str, path: &str, query: &str) -> String {
    let number = query.split('&').find_map(|pair| pair.strip_prefix("page=")?.parse().ok()).unwrap_or(0_u32);
    let last = LISTED_JOBS / PAGE_JOBS - 1;
    let next = (number < last).then(|| {
        format!("{}{path}?api-version=2026-01-15-preview&page={}", endpoint.trim_end_matches('/'), number + 1)
    });
    canned::page(number * PAGE_JOBS..(number + 1) * PAGE_JOBS, next.as_deref())
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
