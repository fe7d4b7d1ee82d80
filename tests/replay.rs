use std::{
    collections::VecDeque,
    io::Read,
    sync::{Mutex, PoisonError},
};

use async_trait::async_trait;
use bytes::Bytes;
use qws::http::{ResponseBody, Transport, TransportError, TransportErrorKind};
use serde_json::Value;

use crate::{Exchange, Request, Response};

/// A transport that expects the requests of a vector in order and gives its answers.
#[derive(Debug)]
pub struct Replay {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    left: VecDeque<Exchange>,
    faults: Vec<String>,
}

impl Replay {
    /// Expects these exchanges.
    #[must_use]
    pub fn new(exchanges: Vec<Exchange>) -> Self {
        Self { state: Mutex::new(State { left: exchanges.into(), faults: Vec::new() }) }
    }

    /// Everything that was not as expected, the requests never sent included.
    #[must_use]
    pub fn faults(&self) -> Vec<String> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let missing = state
            .left
            .iter()
            .map(|left| format!("never sent: {} {}", left.request.method, left.request.path));
        state.faults.iter().cloned().chain(missing).collect()
    }
}

#[async_trait]
impl Transport for Replay {
    async fn send(
        &self,
        request: http::Request<Bytes>,
    ) -> Result<http::Response<ResponseBody>, TransportError> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let lost = || TransportError::new(TransportErrorKind::Lost, request.uri());
        let Some(exchange) = state.left.pop_front() else {
            state.faults.push(format!("one too many: {} {}", request.method(), request.uri().path()));
            return Err(lost());
        };
        state.faults.extend(differences(&exchange.request, &request));
        exchange.response.as_ref().map(answer).ok_or_else(lost)
    }
}

fn answer(response: &Response) -> http::Response<ResponseBody> {
    let body = match &response.body {
        Value::Null => Vec::new(),
        Value::String(text) => text.clone().into_bytes(),
        json => hex(json).unwrap_or_else(|| json.to_string().into_bytes()),
    };
    let mut builder = http::Response::builder().status(response.status);
    if response.body.is_object() && !response.headers.contains_key("content-type") {
        builder = builder.header("content-type", "application/json; charset=utf-8");
    }
    for (name, value) in &response.headers {
        builder = builder.header(name, value.as_str().unwrap_or_default());
    }
    builder
        .header("content-length", body.len())
        .body(ResponseBody::from_bytes(body))
        .expect("the vector's answer is HTTP")
}

/// The bytes of `{"$hex": "fffe"}`.
fn hex(json: &Value) -> Option<Vec<u8>> {
    let digits = json.get("$hex")?.as_str()?;
    let pairs = digits.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).unwrap_or_default());
    let bytes: Result<_, _> = pairs.map(|pair| u8::from_str_radix(pair, 16)).collect();
    Some(bytes.expect("`$hex` holds pairs of hexadecimal digits"))
}

/// Whether the bytes are what `{"$gzip": "text"}` stands for.
fn unzips_to(sent: &[u8], text: &str) -> bool {
    let mut plain = Vec::new();
    flate2::read::GzDecoder::new(sent).read_to_end(&mut plain).is_ok() && plain == text.as_bytes()
}

/// Headers that no request has, whatever its vector says.
const NEVER: [&str; 5] =
    ["x-ms-return-client-request-id", "traceparent", "repeatability-request-id", "if-match", "cookie"];

/// How a request differs from what it must be.
fn differences(wanted: &Request, sent: &http::Request<Bytes>) -> Vec<String> {
    let mut found = Vec::new();
    let has = |name: &str| sent.headers().contains_key(name);
    found.extend(NEVER.iter().filter(|name| has(name)).map(|name| format!("header {name} is never sent")));
    if has("authorization") && has("x-ms-quantum-api-key") {
        found.push("a token and a key are never sent together".to_owned());
    }
    let mut compare = |what: &str, wanted: &str, sent: &str| {
        if wanted != sent {
            found.push(format!("{what} is `{sent}`, and must be `{wanted}`"));
        }
    };
    let uri = sent.uri();
    let origin =
        format!("{}://{}", uri.scheme_str().unwrap_or("-"), uri.authority().map_or("-", |a| a.as_str()));
    compare("the method", &wanted.method, sent.method().as_str());
    compare("the origin", &wanted.origin, &origin);
    compare("the path", &wanted.path, uri.path());
    compare("the query", &wanted.query, uri.query().unwrap_or_default());
    for (name, value) in &wanted.headers {
        let sent = sent.headers().get(name).map_or("(none)", |value| value.to_str().unwrap_or("(not text)"));
        match value.as_str().unwrap_or_default() {
            "*" if sent != "(none)" => {}
            start if start.strip_suffix('…').is_some_and(|start| sent.starts_with(start)) => {}
            wanted => compare(&format!("header {name}"), wanted, sent),
        }
    }
    for name in &wanted.absent {
        if sent.headers().contains_key(name) {
            found.push(format!("header {name} must not be sent"));
        }
    }
    let body = match &wanted.body {
        Value::Null => sent.body().is_empty(),
        Value::String(text) => sent.body() == text.as_bytes(),
        json => match (hex(json), json.get("$gzip").and_then(Value::as_str)) {
            (Some(bytes), _) => sent.body() == bytes.as_slice(),
            (_, Some(text)) => unzips_to(sent.body(), text),
            _ => serde_json::from_slice::<Value>(sent.body()).is_ok_and(|sent| sent == *json),
        },
    };
    if !body {
        let text = String::from_utf8_lossy(sent.body());
        found.push(format!("the body is `{text}`, and must be `{}`", wanted.body));
    }
    found
}
