//! Many clients at once: nothing lost, nothing doubled, nothing left behind.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::SendRequest;
use hyper_util::rt::TokioIo;
use qws_emulator::Emulator;
use serde_json::{Value, json};
use tokio::net::TcpStream;

use super::client::{get, id, send, url};
use super::still;

const CLIENTS: usize = 64;
const JOBS: usize = 5000;
/// What a job may cost in storage beyond its input and output: a container and two blobs.
const ALLOWANCE: usize = 3 * 600;

/// A connection that is kept, as real clients keep theirs.
struct Connection(SendRequest<Full<Bytes>>);

impl Connection {
    async fn open(port: u16) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        let (sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        Self(sender)
    }

    async fn send(
        &mut self,
        method: Method,
        url: &str,
        headers: &[(&str, &str)],
        body: String,
    ) -> (u16, Bytes) {
        let uri: http::Uri = url.parse().unwrap();
        let mut request = Request::builder().method(method).uri(uri.path_and_query().unwrap().as_str());
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.header("host", uri.authority().unwrap().as_str()).body(Full::new(body.into()));
        self.0.ready().await.unwrap();
        let answer = self.0.send_request(request.unwrap()).await.unwrap();
        let status = answer.status().as_u16();
        (status, answer.into_body().collect().await.unwrap().to_bytes())
    }
}

/// Neighbours have different outcomes, so that one cannot be taken for the other.
const OUTCOMES: usize = 64;

fn program(number: usize) -> String {
    let up = (0..OUTCOMES.ilog2()).filter(|bit| number >> bit & 1 == 1);
    let gates: Vec<Value> = up.map(|qubit| json!({ "gate": "x", "target": qubit })).collect();
    json!({ "qubits": OUTCOMES.ilog2(), "circuit": gates }).to_string()
}

async fn submit(emulator: &Emulator, service: &mut Connection, storage: &mut Connection, number: usize) {
    let (key, id) = (emulator.api_key(), id(number));
    let headers = [("x-ms-quantum-api-key", key.as_str()), ("content-type", "application/json")];
    let container = json!({ "containerName": format!("job-{id}") }).to_string();
    let (status, body) =
        service.send(Method::POST, &url(emulator, "storage/sasUri"), &headers, container).await;
    assert_eq!(status, 200);
    let links: Value = serde_json::from_slice(&body).unwrap();
    let container = links["sasUri"].as_str().unwrap();
    let input = super::client::blob(container, "inputData");
    let (status, _) =
        storage.send(Method::PUT, &input, &[("x-ms-blob-type", "BlockBlob")], program(number)).await;
    assert_eq!(status, 201);
    let job = json!({
        "name": format!("job {number}"), "providerId": "ionq", "target": "ionq.simulator",
        "containerUri": container, "inputDataFormat": "ionq.circuit.v1",
        "outputDataFormat": "ionq.quantum-results.v1",
    });
    let path = url(emulator, &format!("jobs/{id}"));
    let (status, _) = service.send(Method::PUT, &path, &headers, job.to_string()).await;
    assert_eq!(status, 201);
    if number.is_multiple_of(3) {
        // As after a lost answer.
        let (status, _) = service.send(Method::PUT, &path, &headers, job.to_string()).await;
        assert_eq!(status, 200);
    }
}

/// Looks at the job's result, then deletes it.
async fn finish(emulator: &Emulator, service: &mut Connection, storage: &mut Connection, number: usize) {
    let (key, path) = (emulator.api_key(), url(emulator, &format!("jobs/{}", id(number))));
    let headers = [("x-ms-quantum-api-key", key.as_str())];
    let (_, body) = service.send(Method::GET, &path, &headers, String::new()).await;
    let job: Value = serde_json::from_slice(&body).unwrap();
    let output = job["outputDataUri"].as_str().unwrap();
    let (_, body) = storage.send(Method::GET, output, &[], String::new()).await;
    let result: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(result, json!({ "histogram": { (number % OUTCOMES).to_string(): 1.0 } }));
    let (status, _) = service.send(Method::DELETE, &path, &headers, String::new()).await;
    assert_eq!(status, 204);
}

#[derive(Clone, Copy)]
enum Work {
    Submit,
    Finish,
}

/// Lets 64 clients share the jobs among them.
async fn share(emulator: &Arc<Emulator>, work: Work) {
    let mut clients = tokio::task::JoinSet::new();
    for client in 0..CLIENTS {
        let emulator = Arc::clone(emulator);
        clients.spawn(async move {
            let mut service = Connection::open(emulator.port()).await;
            let mut storage = Connection::open(emulator.storage_port()).await;
            for number in (client..JOBS).step_by(CLIENTS) {
                match work {
                    Work::Submit => submit(&emulator, &mut service, &mut storage, number).await,
                    Work::Finish => finish(&emulator, &mut service, &mut storage, number).await,
                }
            }
        });
    }
    while let Some(client) = clients.join_next().await {
        client.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sixty_four_clients_submit_five_thousand_jobs() {
    let emulator = Arc::new(still().start().await.unwrap());
    share(&emulator, Work::Submit).await;
    let inputs: usize = (0..JOBS).map(|number| program(number).len()).sum();
    assert!(
        (inputs..inputs + JOBS * ALLOWANCE).contains(&emulator.stored_bytes()),
        "{}",
        emulator.stored_bytes()
    );

    emulator.clock().advance(Duration::from_mins(3));
    let mut seen: HashMap<String, String> = HashMap::new();
    let mut page = get(&emulator, "jobs").await.json();
    loop {
        for job in page["value"].as_array().unwrap() {
            let text = |field: &str| job[field].as_str().unwrap().to_owned();
            assert_eq!(text("status"), "Succeeded", "{job}");
            assert_eq!(seen.insert(text("id"), text("name")), None, "listed twice: {job}");
        }
        let Some(next) = page["nextLink"].as_str().map(str::to_owned) else { break };
        let key = emulator.api_key();
        page = send(Method::GET, &next, &[("x-ms-quantum-api-key", &key)], "").await.unwrap().json();
    }
    let submitted: HashMap<String, String> =
        (0..JOBS).map(|number| (id(number), format!("job {number}"))).collect();
    assert_eq!(seen, submitted);
    let outputs = JOBS * r#"{"histogram":{"63":1.0}}"#.len();
    let bound = inputs + outputs + JOBS * ALLOWANCE;
    assert!(emulator.stored_bytes() < bound, "{} of {bound}", emulator.stored_bytes());

    share(&emulator, Work::Finish).await;
    assert_eq!(emulator.stored_bytes(), 0, "deleted jobs leave nothing");
    assert_eq!(get(&emulator, "jobs").await.json()["value"], json!([]));
}
