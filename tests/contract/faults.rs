//! Runs the table `FAULTS.md`: what each fault comes to, and how many requests it costs.

use std::time::Duration;

use qws::{Error, ErrorKind, JobId, Program};
use qws_contract::{Local, new_job};
use qws_emulator::{Action, Fault, Gate, Operation as Route};

use crate::main_job::GHZ;

const DEADLINE: Duration = Duration::from_secs(30);

struct Row {
    script: String,
    call: String,
    outcome: String,
    requests: usize,
}

fn rows() -> Vec<Row> {
    let table = include_str!("../FAULTS.md").lines().filter(|line| line.starts_with("| ")).skip(2);
    let cells =
        |line: &str| line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect::<Vec<_>>();
    let row = |line: &str| match <[String; 4]>::try_from(cells(line)) {
        Ok([script, call, outcome, requests]) => {
            Row { script, call, outcome, requests: requests.parse().unwrap() }
        }
        Err(cells) => panic!("a row has four cells: {cells:?}"),
    };
    table.map(row).collect()
}

#[tokio::test]
async fn every_fault_comes_to_what_the_table_says() {
    let rows = rows();
    assert!(rows.len() >= 30, "only {} rows", rows.len());
    let mut faults = Vec::new();
    for row in &rows {
        let (outcome, requests) = run(row).await;
        if (outcome.as_str(), requests) != (row.outcome.as_str(), row.requests) {
            let Row { script, call, outcome: wanted, requests: count } = row;
            faults.push(format!(
                "{script}, {call}: {outcome} after {requests} requests, not {wanted} after {count}"
            ));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// Plays one row on an emulator of its own: the outcome, and how many requests of the call's kind were seen.
async fn run(row: &Row) -> (String, usize) {
    let local = Local::start().await;
    let workspace = local.workspace();
    let target = workspace.target("ionq.simulator").await.unwrap();
    let job = target.submit(Program::ionq_json(GHZ).unwrap()).send().await.unwrap();
    let fresh = JobId::random();
    let container = workspace.client().storage().sas_uri(&format!("job-{}", job.id()), None).await.unwrap();
    let new_job = new_job(&container);
    let (route, seen) = match row.call.as_str() {
        "get" => (Route::JobsGet, vec![Route::JobsGet]),
        "put" => (Route::JobsCreate, vec![Route::JobsCreate]),
        "list" => (Route::JobsList, vec![Route::JobsList]),
        "upload" => (Route::BlobPut, vec![Route::BlobPut, Route::BlobGet]),
        "targets" => (Route::ProviderStatus, vec![Route::ProviderStatus]),
        other => panic!("no test for the call `{other}`"),
    };
    local.emulator.clear_requests();
    let gate = inject(&local, route, &row.script);
    let client = workspace.client().clone().with_deadline(DEADLINE);
    let call = async {
        let made: Result<(), Error> = match row.call.as_str() {
            "get" => client.jobs().get(job.id()).await.map(drop),
            "put" => client.jobs().create(&fresh, &new_job).await.map(drop),
            "list" => client.jobs().list().collect().await.map(drop),
            "upload" => target.submit(Program::ionq_json(GHZ).unwrap()).send().await.map(drop),
            _ => client.providers().list().collect().await.map(drop),
        };
        made
    };
    let made = match gate {
        None => call.await,
        // The request is held until the deadline has passed on the client's clock.
        Some(gate) => {
            let pass = async {
                local.emulator.wait_for_requests(|requests| !requests.is_empty()).await;
                local.clock.advance(DEADLINE);
            };
            let (made, ()) = tokio::join!(call, pass);
            gate.release();
            made
        }
    };
    let outcome = made.map_or_else(|error| format!("{:?}", error.kind()), |()| "ok".to_owned());
    let requests = local.emulator.requests();
    (
        outcome,
        requests.iter().filter(|request| request.operation.is_some_and(|op| seen.contains(&op))).count(),
    )
}

fn inject(local: &Local, route: Route, script: &str) -> Option<Gate> {
    let status = |status, name: &str, value: &str| Action::Status {
        status,
        headers: vec![(name.to_owned(), value.to_owned())],
        body: bytes::Bytes::new(),
    };
    let once = |action| Fault::new(route, action);
    let always = |action| Fault::new(route, action).always();
    let fault = match script {
        "delay past the deadline" => {
            let gate = Gate::new();
            local.emulator.inject(always(Action::Hold(gate.clone())));
            return Some(gate);
        }
        "503 with an absurd retry-after" => {
            // Even cut to a minute, the wait is longer than the call may take: the answer is told at once.
            local.emulator.inject(always(status(503, "retry-after", "31536000")));
            return None;
        }
        "reset before, once" => once(Action::ResetBefore),
        "reset before, always" => always(Action::ResetBefore),
        "reset after it was stored, once" | "answer to the blob lost" => once(Action::ResetAfter),
        "reset after it was stored, always" => always(Action::ResetAfter),
        "truncated, once" => once(Action::Truncate(20)),
        "truncated, always" => always(Action::Truncate(20)),
        "malformed" => always(Action::Malformed),
        "wrong type" => always(Action::WrongType),
        "slow drip" => always(Action::Drip { chunk: 64, pause: Duration::from_millis(1) }),
        "huge body" => always(Action::HugeBody(65 << 20)),
        "408 once" => once(Action::status(408)),
        "429 with retry-after" => once(status(429, "retry-after", "3")),
        "429 with retry-after-ms" => once(status(429, "retry-after-ms", "3000")),
        "429 with x-ms-retry-after-ms" => once(status(429, "x-ms-retry-after-ms", "3000")),
        "429 always" => always(Action::status(429)),
        "503 always" => always(Action::status(503)),
        "501" => always(Action::status(501)),
        "401 once" => once(Action::status(401)),
        "302" => always(status(302, "location", "https://elsewhere.example/")),
        "a loop of pages" => {
            let id = local.emulator.resource_id().replace("/Workspaces/", "/workspaces/");
            let link = format!("{}{}/jobs?x=1", local.emulator.endpoint().trim_end_matches('/'), id);
            let page = serde_json::json!({"value": [], "nextLink": link}).to_string();
            let action = Action::Status {
                status: 200,
                headers: vec![("content-type".into(), "application/json".into())],
                body: page.into(),
            };
            always(action)
        }
        other => panic!("no test for the script `{other}`"),
    };
    local.emulator.inject(fault);
    None
}

#[tokio::test]
async fn the_kinds_in_the_table_are_those_of_the_client() {
    let known = [
        ErrorKind::Deadline,
        ErrorKind::Network,
        ErrorKind::MalformedAnswer,
        ErrorKind::Throttled,
        ErrorKind::ServiceFault,
        ErrorKind::Unauthenticated,
        ErrorKind::Redirect,
    ];
    let named: Vec<String> = known.iter().map(|kind| format!("{kind:?}")).collect();
    for row in rows() {
        assert!(row.outcome == "ok" || named.contains(&row.outcome), "{}", row.outcome);
    }
}
