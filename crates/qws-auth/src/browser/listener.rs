//! Waits on a port of this machine for the one answer of the identity service.

use std::{io, net::Ipv4Addr};

use bytes::BytesMut;
use futures::{
    StreamExt,
    future::{Either, select},
    stream::FuturesUnordered,
};
use qws_config::Secret;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use url::form_urlencoded;

use crate::{AuthError, text::shown};

/// The longest head of a request that is read.
const HEAD_LIMIT_BYTES: usize = 16 * 1024;

/// The longest form that is read.
const FORM_LIMIT_BYTES: usize = 64 * 1024;

/// How many connections are listened to at once: browsers open some in advance and leave them idle.
const MOST_CONNECTIONS: usize = 32;

pub(super) struct Listener {
    socket: TcpListener,
    port: u16,
}

/// What the identity service had the browser send.
pub(super) struct Answer {
    code: Option<Secret>,
    error: Option<String>,
    description: Option<String>,
}

impl Listener {
    /// At this port, or any free one for 0, and reachable from this machine only.
    pub(super) async fn bind(port: u16) -> Result<Self, AuthError> {
        let cannot = |error: io::Error| {
            AuthError::unavailable("no port of this machine is free for the browser's answer")
                .with_source(error)
        };
        let socket = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.map_err(cannot)?;
        let port = socket.local_addr().map_err(cannot)?.port();
        Ok(Self { socket, port })
    }

    pub(super) fn redirect_uri(&self) -> String {
        format!("http://localhost:{}", self.port)
    }

    /// Waits for one answer and then listens no more. What is no answer, such as a request for an icon, is turned
    /// away; an answer to another sign-in ends this one.
    pub(super) async fn answer(self, state: &Secret) -> Result<Answer, AuthError> {
        let mut connections = FuturesUnordered::new();
        loop {
            let heard = async {
                match connections.next().await {
                    Some(answer) => answer,
                    None => std::future::pending().await,
                }
            };
            let (socket, _) = match select(std::pin::pin!(self.socket.accept()), std::pin::pin!(heard)).await
            {
                Either::Left((accepted, _)) => accepted.map_err(|error| {
                    AuthError::refused("cannot listen for the browser's answer").with_source(error)
                })?,
                Either::Right((Some(answer), _)) => return answer,
                Either::Right((None, _)) => continue,
            };
            if connections.len() < MOST_CONNECTIONS {
                connections.push(hear(socket, state));
            }
        }
    }
}

/// Reads one request and answers it with a fixed page; `None` if it was no answer of the identity service.
async fn hear(mut socket: TcpStream, state: &Secret) -> Option<Result<Answer, AuthError>> {
    let form = read_form(&mut socket).await;
    let answer = form.as_deref().and_then(|form| parse(form, state));
    let page = match &answer {
        Some(Ok(answer)) if answer.code.is_some() => SIGNED_IN,
        Some(_) => NOT_SIGNED_IN,
        None => NOT_FOUND,
    };
    // Whether the browser takes the page makes no difference to the sign-in.
    let _ = socket.write_all(page.as_bytes()).await;
    let _ = socket.shutdown().await;
    answer
}

macro_rules! page {
    ($status:literal, $text:literal) => {
        concat!(
            "HTTP/1.1 ",
            $status,
            "\r\nContent-Type: text/html; charset=utf-8\r\nContent-Security-Policy: default-src 'none'\r\n",
            "Cache-Control: no-store\r\nReferrer-Policy: no-referrer\r\nConnection: close\r\n\r\n",
            "<!doctype html><meta charset=utf-8><title>Sign-in</title><p>",
            $text,
            "</p>"
        )
    };
}

const SIGNED_IN: &str = page!("200 OK", "The program has the answer. You can close this page.");
const NOT_SIGNED_IN: &str = page!("400 Bad Request", "The sign-in failed; the program says why.");
const NOT_FOUND: &str = page!("404 Not Found", "There is nothing here.");

/// The form that was posted to the root; `None` for any other request.
async fn read_form(socket: &mut TcpStream) -> Option<zeroize::Zeroizing<Vec<u8>>> {
    let mut bytes = BytesMut::with_capacity(HEAD_LIMIT_BYTES);
    loop {
        let mut headers = [httparse::EMPTY_HEADER; 64];
        let mut request = httparse::Request::new(&mut headers);
        if let httparse::Status::Complete(head) = request.parse(&bytes).ok()? {
            let length = length_of_form(&request)?;
            let mut form = zeroize::Zeroizing::new(Vec::with_capacity(length));
            form.extend_from_slice(bytes.get(head..bytes.len().min(head + length))?);
            let missing = u64::try_from(length - form.len()).ok()?;
            socket.take(missing).read_to_end(&mut form).await.ok()?;
            return (form.len() == length).then_some(form);
        }
        if bytes.len() >= HEAD_LIMIT_BYTES || socket.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
}

fn length_of_form(request: &httparse::Request<'_, '_>) -> Option<usize> {
    let header = |name: &str| {
        let found = request.headers.iter().find(|header| header.name.eq_ignore_ascii_case(name))?;
        std::str::from_utf8(found.value).ok()
    };
    let kind = header("content-type")?.to_ascii_lowercase();
    let is_form = kind.starts_with("application/x-www-form-urlencoded");
    if request.method != Some("POST") || request.path != Some("/") || !is_form {
        return None;
    }
    header("content-length")?.trim().parse().ok().filter(|length| *length <= FORM_LIMIT_BYTES)
}

/// The answer in a form; `None` if it has no `state`.
fn parse(form: &[u8], state: &Secret) -> Option<Result<Answer, AuthError>> {
    let field = |wanted: &str| {
        let mut found = form_urlencoded::parse(form).filter(|(name, _)| name == wanted);
        found.next().map(|(_, value)| value.into_owned())
    };
    if Secret::new(field("state")?) != *state {
        let error = AuthError::refused("an answer to another sign-in came, so this one was given up");
        return Some(Err(error.with_hint("try again; another page or program may have interfered")));
    }
    let code = field("code").filter(|code| !code.is_empty()).map(Secret::new);
    Some(Ok(Answer { code, error: field("error"), description: field("error_description") }))
}

impl Answer {
    /// The code that stands for the sign-in, or why there is none.
    pub(super) fn code(self) -> Result<Secret, AuthError> {
        match (self.code, self.error) {
            (Some(code), None) => Ok(code),
            (_, Some(error)) if error == "access_denied" => {
                Err(AuthError::refused("the person declined the sign-in").with_code(error))
            }
            (_, error) => {
                let error = shown(error.as_deref().unwrap_or("no code came back"), &[]);
                let description = self.description.unwrap_or_default();
                let said = if description.is_empty() { error } else { shown(&description, &[]) };
                Err(crate::entra::passed_on("the sign-in with the browser failed", &said))
            }
        }
    }
}
