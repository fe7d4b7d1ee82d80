//! Real sockets: our own accept loop, so that resets and cut answers are what they claim to be.

use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Limited};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::answer::{Answer, ServiceError};
use crate::body::AnswerBody;
use crate::fault::Action;
use crate::incoming::{Incoming, MAX_BODY};
use crate::log::RecordedRequest;
use crate::route;
use crate::state::Shared;
use crate::{blob, identity, service};

/// Which of the listeners a request came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Surface {
    Service,
    Storage,
    /// The identity endpoints of the machine itself, which are plain HTTP in Azure too.
    Metadata,
}

/// How a listener serves.
#[derive(Clone)]
pub(crate) struct Serving {
    pub(crate) surface: Surface,
    pub(crate) shared: Arc<Shared>,
    #[cfg(feature = "https")]
    pub(crate) tls: Option<tokio_rustls::TlsAcceptor>,
}

/// Accepts connections until `stop` changes or its sender is gone; then drops them all.
pub(crate) async fn serve(listener: TcpListener, serving: Serving, mut stop: watch::Receiver<()>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            _ = stop.changed() => break,
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => {
                    connections.spawn(connection(stream, peer, serving.clone()));
                }
                Err(error) => {
                    // Out of file descriptors, most likely: give others the time to close some.
                    tracing::warn!(%error, "could not accept a connection");
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
            },
        }
    }
    drop(listener);
    connections.shutdown().await;
}

async fn connection(stream: TcpStream, peer: SocketAddr, serving: Serving) {
    // Answers are small and written at once; waiting for more would only delay them.
    let _ = stream.set_nodelay(true);
    let reset = Arc::new(AtomicBool::new(false));
    let socket = Socket { stream, reset: Arc::clone(&reset) };
    #[cfg(feature = "https")]
    if let Some(acceptor) = &serving.tls {
        return match acceptor.accept(socket).await {
            Ok(stream) => converse(stream, peer, &serving, &reset).await,
            Err(error) => tracing::warn!(%peer, %error, "no TLS; does the client trust this emulator's CA?"),
        };
    }
    converse(socket, peer, &serving, &reset).await;
}

async fn converse<S>(stream: S, peer: SocketAddr, serving: &Serving, reset: &Arc<AtomicBool>)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let service = service_fn(move |request| {
        let (shared, surface, reset) = (Arc::clone(&serving.shared), serving.surface, Arc::clone(reset));
        async move {
            let answer = respond(&shared, surface, request, peer.ip()).await;
            if answer.is_err() {
                reset.store(true, Ordering::Relaxed);
            }
            answer
        }
    });
    if let Err(error) = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await {
        tracing::debug!(%peer, %error, "connection ended early");
    }
}

/// The connection is to be reset without an answer.
#[derive(Debug)]
struct Reset;

impl std::fmt::Display for Reset {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the connection is reset by a fault")
    }
}

impl std::error::Error for Reset {}

async fn respond(
    shared: &Shared,
    surface: Surface,
    request: Request<hyper::body::Incoming>,
    peer: IpAddr,
) -> Result<Response<AnswerBody>, Reset> {
    let (parts, body) = request.into_parts();
    let body = Limited::new(body, MAX_BODY).collect().await;
    let (path, query) = (parts.uri.path().to_owned(), parts.uri.query().unwrap_or_default().to_owned());
    let matched = match surface {
        Surface::Service => route::service(&parts.method, &path),
        Surface::Storage => route::storage(&parts.method, &path, &query),
        Surface::Metadata => route::metadata(&parts.method, &path),
    };
    let operation = matched.as_ref().ok().map(|matched| matched.operation);
    let (body, failed) = match body {
        Ok(body) => (compact(body.to_bytes()), None),
        Err(error) => (Bytes::new(), Some(error)),
    };
    let request = Incoming { method: parts.method, path, query, headers: parts.headers, body, matched, peer };
    // The control API is not part of what is emulated: it is neither recorded nor disturbed.
    if surface == Surface::Service && request.path.starts_with(service::CONTROL) {
        return Ok(outgoing(service::handle(shared, &request).await, None));
    }
    let number = shared.log.arrived(RecordedRequest {
        method: request.method.clone(),
        path: request.path.clone(),
        query: request.query.clone(),
        headers: compact_headers(&request.headers),
        body: request.body.clone(),
        operation,
        status: None,
    });
    let fault = shared.faults.take(operation);
    match &fault {
        Some(Action::Delay(time)) => tokio::time::sleep(*time).await,
        Some(Action::Hold(gate)) => gate.passed().await,
        Some(Action::ResetBefore) => return Err(Reset),
        _ => {}
    }
    let request_id = shared.request_id();
    let answer = if let Some(error) = failed {
        ServiceError::new(StatusCode::PAYLOAD_TOO_LARGE, "RequestBodyTooLarge", error.to_string()).into()
    } else if let Some(Action::Status { status, headers, body }) = &fault {
        scripted(*status, headers, body)
    } else {
        match surface {
            Surface::Service => service::handle(shared, &request).await,
            Surface::Storage => blob::handle(shared, &request, &request_id),
            Surface::Metadata => identity::machine(shared, &request),
        }
    };
    let answer = answer.with("x-ms-request-id", &request_id);
    tracing::info!(
        method = %request.method,
        path = request.path,
        operation = ?operation,
        status = answer.status.as_u16(),
        request_id,
        "answered"
    );
    if matches!(fault, Some(Action::ResetAfter)) {
        return Err(Reset);
    }
    shared.log.answered(number, answer.status.as_u16());
    Ok(outgoing(answer, fault.as_ref()))
}

/// A small body is a slice of the connection's buffer, which it would keep alive for as long as it is kept.
fn compact(body: Bytes) -> Bytes {
    if body.len() <= 512 * 1024 { Bytes::copy_from_slice(&body) } else { body }
}

/// The same for header values.
fn compact_headers(headers: &HeaderMap) -> HeaderMap {
    let copy =
        |value: &HeaderValue| HeaderValue::from_bytes(value.as_bytes()).unwrap_or_else(|_| value.clone());
    headers.iter().map(|(name, value)| (name.clone(), copy(value))).collect()
}

fn scripted(status: u16, headers: &[(String, String)], body: &Bytes) -> Answer {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut answer = Answer { body: body.clone(), ..Answer::new(status) };
    if !body.is_empty() {
        answer = answer.with("content-type", "application/json");
    }
    for (name, value) in headers {
        if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), value.parse::<HeaderValue>()) {
            answer.headers.insert(name, value);
        }
    }
    answer
}

/// The answer as it goes out, spoiled as the fault asks.
fn outgoing(answer: Answer, fault: Option<&Action>) -> Response<AnswerBody> {
    let Answer { status, mut headers, body } = answer;
    let length = body.len();
    let body = match fault {
        Some(Action::Truncate(keep)) => {
            headers.insert(http::header::CONTENT_LENGTH, length.max(*keep + 1).into());
            AnswerBody::cut(&body, *keep)
        }
        Some(Action::Malformed) => {
            headers.remove(http::header::CONTENT_LENGTH);
            AnswerBody::whole(Bytes::from_static(b"{\"id\": \"cut in the mid"))
        }
        Some(Action::WrongType) => {
            headers.remove(http::header::CONTENT_LENGTH);
            AnswerBody::whole(wrong_types(&body))
        }
        Some(Action::Drip { chunk, pause }) => {
            headers.insert(http::header::CONTENT_LENGTH, length.into());
            AnswerBody::drip(body, *chunk, *pause)
        }
        Some(Action::HugeBody(left)) => {
            headers.remove(http::header::CONTENT_LENGTH);
            AnswerBody::Huge { left: *left }
        }
        _ => AnswerBody::whole(body),
    };
    let mut response = Response::new(body);
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    response
}

/// The same JSON object with every value of another type; other bodies become a bare number.
fn wrong_types(body: &[u8]) -> Bytes {
    let wrong = |value: &mut Value| {
        *value = match value {
            Value::String(_) | Value::Null => Value::from(17),
            Value::Array(_) | Value::Object(_) => Value::from("not what you expected"),
            Value::Number(_) | Value::Bool(_) => Value::Array(Vec::new()),
        };
    };
    let mut value = serde_json::from_slice(body).unwrap_or(Value::Null);
    match &mut value {
        Value::Object(fields) => fields.values_mut().for_each(wrong),
        other => *other = Value::from(17),
    }
    value.to_string().into()
}

/// A socket that can be told to reset instead of closing.
struct Socket {
    stream: TcpStream,
    reset: Arc<AtomicBool>,
}

impl Drop for Socket {
    fn drop(&mut self) {
        if self.reset.load(Ordering::Relaxed) {
            // Without lingering, closing throws away what is unsent and answers the peer with RST.
            let _ = self.stream.set_zero_linger();
        }
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Socket {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, buffer)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrong_types_are_wrong_everywhere() {
        let body = br#"{"id":"a","tags":[],"count":1,"flag":true,"none":null,"o":{}}"#;
        let value: Value = serde_json::from_slice(&wrong_types(body)).unwrap();
        let expected = serde_json::json!({
            "id": 17, "tags": "not what you expected", "count": [], "flag": [], "none": 17, "o": "not what you expected"
        });
        assert_eq!(value, expected);
        assert_eq!(wrong_types(b"<html>"), "17");
    }
}
