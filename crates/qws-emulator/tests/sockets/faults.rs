use std::error::Error as _;
use std::time::{Duration, Instant};

use qws_emulator::{Action, Emulator, Fault, Gate, Operation, Route};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::client::{call, get, submit};
use super::{GHZ, ID, still};

fn io_kind(error: &hyper::Error) -> Option<std::io::ErrorKind> {
    error.source()?.downcast_ref::<std::io::Error>().map(std::io::Error::kind)
}

#[tokio::test]
async fn a_reset_before_does_nothing_and_a_reset_after_leaves_its_effect() {
    let emulator = still().start().await.unwrap();
    for (action, left) in [(Action::ResetBefore, 404), (Action::ResetAfter, 200)] {
        emulator.inject(Fault::new(Operation::JobsCreate, action));
        let body = json!({
            "name": "n", "providerId": "ionq", "target": "ionq.simulator", "outputDataFormat": "x",
            "containerUri": format!("{}job-1", emulator.storage_endpoint()),
        });
        let path = format!("jobs/{ID}");
        let reset = call(&emulator, http::Method::PUT, &path, &body.to_string()).await.err().unwrap();
        assert_eq!(io_kind(&reset), Some(std::io::ErrorKind::ConnectionReset), "{reset:?}");
        assert_eq!(get(&emulator, &path).await.status, left);
    }
    let create = |request: &&qws_emulator::RecordedRequest| request.operation == Some(Operation::JobsCreate);
    assert!(emulator.requests().iter().filter(create).all(|request| request.status.is_none()));
}

#[tokio::test]
async fn a_truncated_answer_announces_more_than_it_brings() {
    let emulator = still().start().await.unwrap();
    let whole = get(&emulator, "providerStatus").await;
    emulator.inject(Fault::new(Operation::ProviderStatus, Action::Truncate(10)));
    let address = emulator.endpoint().trim_start_matches("http://").trim_end_matches('/').to_owned();
    let mut stream = TcpStream::connect(address).await.unwrap();
    let path = super::client::url(&emulator, "providerStatus").replace(&emulator.endpoint(), "/");
    let request =
        format!("GET {path} HTTP/1.1\r\nhost: x\r\nx-ms-quantum-api-key: {}\r\n\r\n", emulator.api_key());
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    let answer = String::from_utf8(answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.contains(&format!("content-length: {}", whole.body.len())), "{head}");
    assert_eq!(body.as_bytes(), &whole.body[..10]);
    assert_eq!(get(&emulator, "providerStatus").await.status, 200);
}

#[tokio::test]
async fn scripted_statuses_come_with_their_headers() {
    let emulator = still().start().await.unwrap();
    emulator.inject(Fault::new(Operation::ProviderStatus, Action::throttle(3)));
    emulator.inject(Fault::new(Route::Any, Action::service_error(503, "ServiceBusy", "come back")));
    let throttled = get(&emulator, "providerStatus").await;
    assert_eq!((throttled.status, throttled.header("retry-after")), (429, "3"));
    let busy = get(&emulator, "providerStatus").await;
    assert_eq!((busy.status, busy.header("x-ms-error-code")), (503, "ServiceBusy"));
    assert_eq!(busy.json()["error"]["message"], "come back");
    assert_eq!(get(&emulator, "providerStatus").await.status, 200);
}

#[tokio::test]
async fn spoiled_bodies_arrive_whole() {
    let emulator = still().start().await.unwrap();
    for action in [
        Action::Malformed,
        Action::WrongType,
        Action::HugeBody(1_000_000),
        Action::Drip { chunk: 500, pause: Duration::from_millis(1) },
    ] {
        emulator.inject(Fault::new(Operation::ProviderStatus, action));
    }
    let malformed = get(&emulator, "providerStatus").await;
    assert!(serde_json::from_slice::<serde_json::Value>(&malformed.body).is_err());
    assert_eq!(get(&emulator, "providerStatus").await.json()["value"], "not what you expected");
    assert_eq!(get(&emulator, "providerStatus").await.body.len(), 1_000_000);
    assert!(get(&emulator, "providerStatus").await.json()["value"].is_array());
}

#[tokio::test]
async fn a_held_request_waits_for_its_gate_and_others_do_not() {
    let emulator = still().start().await.unwrap();
    let gate = Gate::new();
    emulator.inject(Fault::new(Operation::JobsGet, Action::Hold(gate.clone())));
    let held = call(&emulator, http::Method::GET, "jobs/x", "");
    let meanwhile = async {
        emulator.wait_for_requests(|requests| requests.len() == 1).await;
        assert_eq!(get(&emulator, "providerStatus").await.status, 200);
        assert_eq!(emulator.requests()[0].status, None);
        gate.release();
    };
    let (held, ()) = tokio::join!(held, meanwhile);
    assert_eq!(held.unwrap().status, 404);
}

#[tokio::test]
async fn a_delay_runs_on_real_time() {
    let emulator = still().start().await.unwrap();
    emulator.inject(Fault::new(Operation::JobsGet, Action::Delay(Duration::from_millis(30))));
    let started = Instant::now();
    get(&emulator, "jobs/x").await;
    assert!(started.elapsed() >= Duration::from_millis(30));
}

#[tokio::test]
async fn a_stopped_emulator_leaves_nothing_behind() {
    let emulator = Emulator::start().await.unwrap();
    let address = |endpoint: String| endpoint.trim_start_matches("http://").trim_end_matches('/').to_owned();
    let (service, storage) = (address(emulator.endpoint()), address(emulator.storage_endpoint()));
    let idle = TcpStream::connect(&service).await.unwrap();
    emulator.stop().await;
    assert!(TcpStream::connect(&service).await.is_err());
    assert!(TcpStream::connect(&storage).await.is_err());
    idle.readable().await.unwrap();
    // Reset instead of closed if it was not accepted yet.
    assert!(!matches!(idle.try_read(&mut [0; 8]), Ok(1..)), "the open connection is closed");
}

#[tokio::test]
async fn a_dropped_emulator_stops_serving_a_waiting_client() {
    let emulator = still().start().await.unwrap();
    submit(&emulator, ID, GHZ, &json!({})).await;
    emulator.inject(Fault::new(Operation::JobsGet, Action::Hold(Gate::new())));
    let url = super::client::url(&emulator, &format!("jobs/{ID}"));
    let waiting = tokio::spawn(async move { super::client::send(http::Method::GET, &url, &[], "").await });
    emulator.wait_for_requests(|requests| requests.len() == 4).await;
    drop(emulator);
    assert!(waiting.await.unwrap().is_err());
}
