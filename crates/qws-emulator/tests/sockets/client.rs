//! A client of a few lines: one connection a request, whole answers, real transport errors.

use bytes::Bytes;
use http::{HeaderMap, Method, Request};
use http_body_util::{BodyExt, Full};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;

use qws_emulator::Emulator;

pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("no JSON: {:?}", self.body))
    }

    pub fn text(&self) -> String {
        String::from_utf8(self.body.to_vec()).unwrap()
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

/// Sends one request to an absolute URL.
pub async fn send(
    method: Method,
    url: &str,
    headers: &[(&str, &str)],
    body: impl Into<Bytes>,
) -> Result<Answer, hyper::Error> {
    let uri: http::Uri = url.parse().unwrap();
    let authority = uri.authority().unwrap().clone();
    let stream = TcpStream::connect(authority.as_str()).await.unwrap();
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    let driver = tokio::spawn(connection);
    let mut request = Request::builder()
        .method(method)
        .uri(uri.path_and_query().unwrap().as_str())
        .header("host", authority.as_str());
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let answer = sender.send_request(request.body(Full::new(body.into())).unwrap()).await?;
    let (parts, body) = answer.into_parts();
    let body = body.collect().await?.to_bytes();
    driver.abort();
    Ok(Answer { status: parts.status.as_u16(), headers: parts.headers, body })
}

/// Calls an operation of the emulator's workspace with its key.
pub async fn call(
    emulator: &Emulator,
    method: Method,
    rest: &str,
    body: &str,
) -> Result<Answer, hyper::Error> {
    let key = emulator.api_key();
    let headers = [("x-ms-quantum-api-key", key.as_str()), ("content-type", "application/json")];
    send(method, &url(emulator, rest), &headers, body.to_owned()).await
}

/// The URL of an operation on the workspace; a query in `rest` follows the api-version.
pub fn url(emulator: &Emulator, rest: &str) -> String {
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    let query = if query.is_empty() { String::new() } else { format!("&{query}") };
    format!(
        "{}subscriptions/{}/resourceGroups/{}/providers/Microsoft.Quantum/workspaces/{}/{path}?api-version=2026-01-15-preview{query}",
        emulator.endpoint(),
        emulator.subscription_id(),
        emulator.resource_group(),
        emulator.workspace_name()
    )
}

pub async fn get(emulator: &Emulator, rest: &str) -> Answer {
    call(emulator, Method::GET, rest, "").await.unwrap()
}

/// The URI of a container with its SAS, from the service.
pub async fn container(emulator: &Emulator, name: &str) -> String {
    let body = format!(r#"{{"containerName":"{name}"}}"#);
    let answer = call(emulator, Method::POST, "storage/sasUri", &body).await.unwrap();
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()["sasUri"].as_str().unwrap().to_owned()
}

/// A blob's URI from its container's, SAS kept.
pub fn blob(container: &str, name: &str) -> String {
    let (path, query) = container.split_once('?').unwrap();
    format!("{path}/{name}?{query}")
}

pub async fn put_blob(uri: &str, content: &str) -> Answer {
    let headers = [("x-ms-blob-type", "BlockBlob"), ("if-none-match", "*"), ("x-ms-version", "2026-04-06")];
    send(Method::PUT, uri, &headers, content.to_owned()).await.unwrap()
}

/// Uploads a program and creates a job for it.
pub async fn submit(emulator: &Emulator, id: &str, input: &str, details: &Value) -> Answer {
    let container = container(emulator, &format!("job-{id}")).await;
    assert_eq!(put_blob(&blob(&container, "inputData"), input).await.status, 201);
    let mut body = serde_json::json!({
        "name": "a job",
        "itemType": "Job",
        "providerId": "ionq",
        "target": "ionq.simulator",
        "containerUri": container,
        "inputDataUri": blob(&container, "inputData").split('?').next(),
        "inputDataFormat": "ionq.circuit.v1",
        "outputDataFormat": "ionq.quantum-results.v1",
        "inputParams": { "shots": 500 },
    });
    for (key, value) in details.as_object().unwrap() {
        body[key] = value.clone();
    }
    call(emulator, Method::PUT, &format!("jobs/{id}"), &body.to_string()).await.unwrap()
}

pub fn id(number: usize) -> String {
    format!("aaaaaaaa-0000-4000-8000-{number:012}")
}

pub async fn patch(emulator: &Emulator, job: &str, body: &str) -> Answer {
    let key = emulator.api_key();
    let headers = [("x-ms-quantum-api-key", key.as_str()), ("content-type", "application/merge-patch+json")];
    send(Method::PATCH, &url(emulator, &format!("jobs/{job}")), &headers, body.to_owned()).await.unwrap()
}

pub async fn post(emulator: &Emulator, rest: &str) -> Answer {
    call(emulator, Method::POST, rest, "").await.unwrap()
}
