//! Jobs whose data is not in the emulator's own storage: here a second emulator's storage stands for any other.

use std::time::Duration;

use http::Method;
use qws_emulator::{Action, Emulator, Fault, Operation};
use serde_json::{Value, json};

use super::client::{Answer, blob, call, container, get, put_blob, send};
use super::{GHZ, ID, still};

async fn create(service: &Emulator, container: &str, input: &str) -> Answer {
    let body = json!({
        "name": "elsewhere", "itemType": "Job", "providerId": "ionq", "target": "ionq.simulator",
        "containerUri": container, "inputDataUri": input,
        "inputDataFormat": "ionq.circuit.v1", "outputDataFormat": "ionq.quantum-results.v1",
    });
    call(service, Method::PUT, &format!("jobs/{ID}"), &body.to_string()).await.unwrap()
}

async fn ended(service: &Emulator) -> Value {
    service.clock().advance(Duration::from_mins(3));
    get(service, &format!("jobs/{ID}")).await.json()
}

#[tokio::test]
async fn input_and_output_go_by_the_links() {
    let (service, storage) = (still().start().await.unwrap(), still().start().await.unwrap());
    let links = container(&storage, "theirs").await;
    assert_eq!(put_blob(&blob(&links, "in"), GHZ).await.status, 201);
    // As clients write it: the container with its signature, the input without.
    let input = blob(&links, "in").split('?').next().unwrap().to_owned();
    let created = create(&service, &links, &input).await;
    assert_eq!(created.status, 201, "{}", created.text());
    assert!(!created.text().contains("sig="), "{}", created.text());
    let job = ended(&service).await;
    assert_eq!(job["status"], "Succeeded", "{job}");
    assert_eq!(job["containerUri"], links.as_str(), "the client's own link");
    assert_eq!(job["outputDataUri"], blob(&links, "rawOutputData").as_str());
    let output = send(Method::GET, job["outputDataUri"].as_str().unwrap(), &[], "").await.unwrap();
    assert_eq!(output.json(), json!({ "histogram": { "0": 0.5, "7": 0.5 } }));
    assert!(storage.requests().iter().any(|request| request.operation == Some(Operation::BlobPut)));
    // What was exported can be loaded elsewhere and still leads there.
    let state = service.export();
    let copy = still().start().await.unwrap();
    copy.load(&state).unwrap();
    assert_eq!(copy.export()["workspaces"][0]["jobs"], state["workspaces"][0]["jobs"]);
    assert_eq!(state["workspaces"][0]["jobs"][0]["container"], links.as_str());
}

#[tokio::test]
async fn a_link_that_cannot_be_read_fails_the_job() {
    let (service, storage) = (still().start().await.unwrap(), still().start().await.unwrap());
    let links = container(&storage, "theirs").await;
    let missing = blob(&links, "nothing");
    create(&service, &links, &missing).await;
    let job = ended(&service).await;
    assert_eq!(
        (job["status"].as_str(), job["errorData"]["code"].as_str()),
        (Some("Failed"), Some("InputDataNotFound"))
    );
    let shown = missing.split('?').next().unwrap();
    let message = format!("The input data could not be read: GET {shown}: 404 BlobNotFound.");
    assert_eq!(job["errorData"]["message"], message.as_str());
}

#[tokio::test]
async fn a_link_whose_time_is_over_or_whose_server_is_gone_is_said() {
    let (service, storage) = (still().start().await.unwrap(), still().start().await.unwrap());
    let links = container(&storage, "theirs").await;
    put_blob(&blob(&links, "in"), GHZ).await;
    storage.expire_sas();
    create(&service, &links, &blob(&links, "in")).await;
    let message = ended(&service).await["errorData"]["message"].as_str().unwrap().to_owned();
    assert!(
        message.ends_with("/theirs/in: 403 AuthenticationFailed.") && !message.contains("sig="),
        "{message}"
    );
    let gone = still().start().await.unwrap();
    storage.stop().await;
    create(&gone, &links, &blob(&links, "in")).await;
    let job = ended(&gone).await;
    assert_eq!(job["errorData"]["code"], "InputDataNotFound");
    assert!(
        job["errorData"]["message"].as_str().unwrap().contains("/theirs/in: client error (Connect)"),
        "{job}"
    );
}

#[tokio::test]
async fn an_output_that_cannot_be_written_fails_the_job() {
    let (service, storage) = (still().start().await.unwrap(), still().start().await.unwrap());
    let links = container(&storage, "theirs").await;
    put_blob(&blob(&links, "in"), GHZ).await;
    storage.inject(Fault::new(Operation::BlobPut, Action::status(507)));
    create(&service, &links, &blob(&links, "in")).await;
    let job = ended(&service).await;
    assert_eq!(job["status"], "Failed");
    let message = job["errorData"]["message"].as_str().unwrap();
    assert!(
        message.starts_with("The output could not be written: PUT ") && message.ends_with(": 507."),
        "{message}"
    );
}

#[tokio::test]
async fn other_machines_are_not_asked_unless_allowed() {
    let theirs = "http://storage.invalid/container?sig=secret";
    let service = still().start().await.unwrap();
    create(&service, theirs, "http://storage.invalid/container/in").await;
    let message = ended(&service).await["errorData"]["message"].as_str().unwrap().to_owned();
    let expected = "The input data could not be read: GET http://storage.invalid/container/in: the host is not this machine; `--allow-remote-storage` lets the emulator go there.";
    assert_eq!(message, expected);
    // Allowed, it asks for the name, which by RFC 2606 nobody has.
    let service = still().allow_remote_storage().start().await.unwrap();
    create(&service, theirs, "http://storage.invalid/container/in").await;
    let message = ended(&service).await["errorData"]["message"].as_str().unwrap().to_owned();
    assert!(message.contains("client error (Connect)") && !message.contains("secret"), "{message}");
}

#[tokio::test]
async fn what_is_no_link_is_refused_at_once() {
    let service = still().start().await.unwrap();
    let container = container(&service, "ours").await;
    for (container, input, field) in
        [("c", "", "ContainerUri"), ("ftp://h/c", "", "ContainerUri"), (&container, "in", "InputDataUri")]
    {
        let answer = create(&service, container, input).await;
        assert_eq!(answer.status, 400, "{}", answer.text());
        let message = answer.json()["error"]["message"].as_str().unwrap().to_owned();
        assert!(message.starts_with(&format!("The {field} field is not the URI of a ")), "{message}");
    }
}

#[tokio::test]
async fn a_packed_input_is_unpacked() {
    use std::io::Write as _;
    let service = still().start().await.unwrap();
    let links = container(&service, "packed").await;
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(GHZ.as_bytes()).unwrap();
    let headers = [("x-ms-blob-type", "BlockBlob"), ("x-ms-blob-content-encoding", "gzip")];
    let put = send(Method::PUT, &blob(&links, "in"), &headers, packed.finish().unwrap()).await.unwrap();
    assert_eq!(put.status, 201);
    create(&service, &links, &blob(&links, "in")).await;
    assert_eq!(ended(&service).await["status"], "Succeeded");
}
