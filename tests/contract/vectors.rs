//! Plays every vector: the requests that a call sends, byte for byte where it matters, and what it makes of answers.

use std::{path::Path, sync::Arc};

use qws::{
    ClientOptions, Error, Histogram, Job, JobDetails, JobId, Program, Target, Workspace, http::ManualClock,
};
use qws_contract::{Replay, Vector, load};
use serde_json::{Value, json};

/// The workspace of all vectors. Its key is part of them, and opens nothing.
const CONNECTION_STRING: &str = "SubscriptionId=11111111-2222-3333-4444-555555555555;ResourceGroupName=contoso-rg;\
                                 WorkspaceName=contoso-ws;ApiKey=fake-api-key;\
                                 QuantumEndpoint=https://eastus.quantum.azure.com/;";

#[tokio::test]
async fn every_vector_holds() {
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors")];
    #[allow(clippy::disallowed_methods, reason = "further vectors can be dropped in without code")]
    folders.extend(std::env::var_os("QWS_VECTORS").map(std::path::PathBuf::from));
    let vectors: Vec<Vector> = folders.iter().flat_map(|folder| load(folder)).collect();
    assert!(vectors.len() >= 20, "only {} vectors found", vectors.len());
    let mut faults = Vec::new();
    for vector in &vectors {
        for fault in play(vector).await {
            faults.push(format!("{}: {fault}\n    ({})", vector.name, vector.about));
        }
    }
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}

async fn play(vector: &Vector) -> Vec<String> {
    let replay = Arc::new(Replay::new(vector.exchanges.clone()));
    let start = azure_core::time::parse_rfc3339("2026-02-03T04:05:06Z").unwrap();
    let options =
        ClientOptions::default().transport(replay.clone()).clock(Arc::new(ManualClock::skipping(start)));
    let workspace =
        Workspace::builder().connection_string(CONNECTION_STRING).unwrap().options(options).build().unwrap();
    let outcome = match call(&workspace, vector).await {
        Ok(outcome) => outcome,
        Err(error) => tell_error(&error),
    };
    let mut faults = replay.faults();
    if let Some(difference) = difference(&vector.outcome, &outcome, "outcome") {
        faults.push(difference);
    }
    faults
}

async fn call(workspace: &Workspace, vector: &Vector) -> Result<Value, Error> {
    let text = |name: &str| vector.call.get(name).and_then(Value::as_str).unwrap_or_default();
    let client = workspace.client();
    match text("operation") {
        "providers.list" => {
            let targets = workspace.targets().await?;
            Ok(json!({"targets": targets.iter().map(tell_target).collect::<Vec<_>>()}))
        }
        "jobs.get" => Ok(tell_job(&client.jobs().get(&text("id").parse()?).await?)),
        "storage.sas_uri" => {
            let blob = vector.call.get("blob").and_then(Value::as_str);
            let uri = client.storage().sas_uri(text("container"), blob).await?;
            Ok(json!({"sasUri": uri.expose()}))
        }
        "submit" => Ok(tell_job(submit(workspace, vector).await?.details())),
        "results" | "failed_output" => read_results(workspace, vector).await,
        "jobs.list" => {
            let jobs = listed(client.jobs().list(), vector).collect().await?;
            Ok(json!({"jobs": jobs.iter().map(tell_job).collect::<Vec<_>>()}))
        }
        "jobs.cancel" => client.jobs().cancel(&text("id").parse()?).await.map(|()| json!("done")),
        "jobs.delete" => client.jobs().delete(&text("id").parse()?).await.map(|()| json!("done")),
        "jobs.update" => {
            let answer = client.jobs().update(&text("id").parse()?, &update(vector)).await?;
            let priority = answer.priority.as_ref().map(qws::Priority::as_str);
            Ok(json!({"name": answer.name, "priority": priority, "tags": answer.tags}))
        }
        "sessions.open" => {
            let policy = vector.call.get("policy").and_then(Value::as_str).map(Into::into);
            let session = qws::NewSession {
                name: text("name").into(),
                target: text("target").into(),
                item_type: qws::ItemType::Session,
                provider_id: vector.call.get("provider").and_then(Value::as_str).map(Into::into),
                job_failure_policy: policy,
                priority: None,
                tags: None,
            };
            Ok(tell_session(&client.sessions().open(text("id"), &session).await?))
        }
        "sessions.get" => Ok(tell_session(&client.sessions().get(text("id")).await?)),
        "sessions.close" => Ok(tell_session(&client.sessions().close(text("id")).await?)),
        "sessions.list" => {
            let sessions = listed(client.sessions().list(), vector).collect().await?;
            Ok(json!({"sessions": sessions.iter().map(tell_session).collect::<Vec<_>>()}))
        }
        "sessions.jobs" => {
            let jobs = listed(client.sessions().jobs(text("id")), vector).collect().await?;
            Ok(json!({"jobs": jobs.iter().map(tell_job).collect::<Vec<_>>()}))
        }
        "items.list" => {
            let tell = |item: &qws::Item| match item {
                qws::Item::Job(job) => json!({"job": job.id.as_str()}),
                qws::Item::Session(session) => json!({"session": session.id}),
                qws::Item::Other(other) => json!({"other": other}),
                other => panic!("{other:?}"),
            };
            let items = listed(client.items().list(), vector).collect().await?;
            Ok(json!({"items": items.iter().map(tell).collect::<Vec<_>>()}))
        }
        "quotas.list" => {
            let tell = |quota: &qws::Quota| {
                json!({"dimension": quota.dimension, "provider": quota.provider_id, "utilization": quota.utilization,
                       "holds": quota.holds, "limit": quota.limit,
                       "scope": quota.scope.as_ref().map(qws::DimensionScope::as_str),
                       "period": quota.period.as_ref().map(qws::MeterPeriod::as_str)})
            };
            Ok(
                json!({"quotas": client.quotas().list().collect().await?.iter().map(tell).collect::<Vec<_>>()}),
            )
        }
        "quotas.usages" => {
            let usages = client.quotas().usages(text("provider")).collect().await?;
            Ok(json!({"usages": usages.iter().map(tell_usage).collect::<Vec<_>>()}))
        }
        "suite_offers.quota_usages" => {
            let usages = client.suite_offers().quota_usages(text("provider")).collect().await?;
            Ok(json!({"usages": usages.iter().map(tell_usage).collect::<Vec<_>>()}))
        }
        "suite_offers.provider_status" => {
            let status = client.suite_offers().provider_status(text("provider")).await?;
            Ok(
                json!({"id": status.id, "targets": status.targets.iter().map(|t| t.id.clone()).collect::<Vec<_>>()}),
            )
        }
        "raw" => {
            let answer =
                client.raw(text("method").parse().unwrap(), text("path"), vector.call.get("body")).await?;
            Ok(json!({"status": answer.status().as_u16(), "body": String::from_utf8_lossy(answer.body())}))
        }
        other => panic!("{}: unknown operation `{other}`", vector.name),
    }
}

/// The list with the call's filter and order.
fn listed<T: serde::de::DeserializeOwned + Send + 'static>(
    list: qws::List<T>,
    vector: &Vector,
) -> qws::List<T> {
    let texts = |name: &str| -> Vec<String> {
        let values = vector.call.get(name).and_then(Value::as_array).into_iter().flatten();
        values.filter_map(|value| Some(value.as_str()?.to_owned())).collect()
    };
    let text = |name: &str| vector.call.get(name).and_then(Value::as_str);
    let time = |name: &str| text(name).map(|time| azure_core::time::parse_rfc3339(time).unwrap());
    let mut filter = qws::Filter::new();
    if let Some(name) = text("name") {
        filter = filter.name_starts_with(name);
    }
    filter = texts("itemTypes").iter().fold(filter, |filter, kind| filter.item_type(&kind.as_str().into()));
    filter = texts("jobTypes").iter().fold(filter, |filter, kind| filter.job_type(&kind.as_str().into()));
    filter = texts("providers").into_iter().fold(filter, qws::Filter::provider);
    filter = texts("targets").into_iter().fold(filter, qws::Filter::target);
    filter = texts("states").into_iter().fold(filter, qws::Filter::status);
    filter = time("after").into_iter().fold(filter, qws::Filter::created_after);
    filter = time("before").into_iter().fold(filter, qws::Filter::created_before);
    let mut list = list.filter(&filter);
    for (name, number) in [("skip", 0), ("pageSize", 1)] {
        if let Some(items) = vector.call.get(name).and_then(Value::as_u64) {
            list = if number == 0 { list.skip(items) } else { list.page_size(items) };
        }
    }
    if let Some(from) = text("resume") {
        list = list.resume(qws::Continuation::new(from));
    }
    match text("descending") {
        Some("CreationTime") => list.order_by(qws::Order::descending(qws::Property::CreationTime)),
        Some(other) => panic!("{}: unknown order `{other}`", vector.name),
        None => list,
    }
}

fn update(vector: &Vector) -> qws::JobUpdate {
    let mut update = qws::JobUpdate::new();
    for (field, value) in vector.call.get("update").and_then(Value::as_object).into_iter().flatten() {
        let tags =
            || value.as_array().into_iter().flatten().filter_map(|tag| tag.as_str().map(str::to_owned));
        update = match (field.as_str(), value) {
            ("name", Value::String(name)) => update.name(name),
            ("priority", Value::String(priority)) => update.priority(priority.as_str().into()),
            ("priority", Value::Null) => update.clear_priority(),
            ("tags", Value::Null) => update.clear_tags(),
            ("tags", _) => update.tags(tags()),
            other => panic!("{}: unknown change {other:?}", vector.name),
        };
    }
    update
}

fn tell_session(session: &qws::SessionDetails) -> Value {
    json!({
        "id": session.id,
        "name": session.name,
        "status": session.status.as_ref().map(qws::SessionStatus::as_str),
        "isTerminal": session.status.as_ref().is_some_and(qws::SessionStatus::is_terminal),
        "policy": session.job_failure_policy.as_ref().map(qws::SessionJobFailurePolicy::as_str),
    })
}

fn tell_usage(usage: &qws::QuotaUsage) -> Value {
    json!({"provider": usage.provider_id, "target": usage.target_id, "usage": usage.usage,
           "scope": usage.scope.as_ref().map(qws::SuiteOfferScope::as_str)})
}

async fn submit(workspace: &Workspace, vector: &Vector) -> Result<Job, Error> {
    let text = |name: &str| vector.call.get(name).and_then(Value::as_str).unwrap_or_default();
    let program = match text("format") {
        "ionq" => Program::ionq_json(text("program"))?,
        "qir" => Program::qir_text(text("program"))?,
        "qasm" => Program::openqasm(text("program"))?,
        "quil" => Program::quil(text("program"))?,
        "pulser" => Program::pulser_json(text("program"))?,
        other => panic!("{}: unknown format `{other}`", vector.name),
    };
    let target: Target = workspace.target(text("target")).await?;
    let id: JobId = text("id").parse()?;
    let submission = target.submit(program).with_id(id).name(text("name"));
    match vector.call.get("shots").and_then(Value::as_u64) {
        Some(shots) => submission.shots(shots).send().await,
        None => submission.send().await,
    }
}

fn tell_target(target: &Target) -> Value {
    let status = target.status();
    json!({
        "provider": target.provider(),
        "id": target.id(),
        "availability": status.current_availability.as_ref().map(qws::TargetAvailability::as_str),
        "isAvailable": target.is_available(),
        "queueSeconds": status.average_queue_time,
        "qubits": status.num_qubits,
    })
}

fn tell_job(job: &JobDetails) -> Value {
    json!({
        "id": job.id.as_str(),
        "name": job.name,
        "status": job.status.as_ref().map(qws::JobStatus::as_str),
        "isTerminal": job.status.as_ref().is_some_and(qws::JobStatus::is_terminal),
        "provider": job.provider_id,
        "target": job.target,
        "jobType": job.job_type.as_ref().map(qws::JobType::as_str),
        "shots": job.shots(),
        "numQubits": job.num_qubits(),
        "creationNanosecond": job.creation_time.map(azure_core::time::OffsetDateTime::nanosecond),
        "outputDataUri": job.output_data_uri.as_ref().map(qws::BlobUri::expose),
        "error": job.error_data.as_ref().map(qws::ServiceError::summary),
    })
}

async fn read_results(workspace: &Workspace, vector: &Vector) -> Result<Value, Error> {
    let text = |name: &str| vector.call.get(name).and_then(Value::as_str).unwrap_or_default();
    let mut job = workspace.job(&text("id").parse()?).await?;
    if text("operation") == "failed_output" {
        let output = job.failed_output().await?;
        return Ok(
            json!({"output": output.map(|results| String::from_utf8_lossy(results.raw()).into_owned())}),
        );
    }
    if vector.call.contains_key("wait") {
        job.wait().await?;
    }
    if text("read") == "twice" {
        job.results().await?;
    }
    tell_results(&job.results().await?, text("read"))
}

fn tell_results(results: &qws::Results, read: &str) -> Result<Value, Error> {
    match read {
        "" | "twice" => {
            let all = results.histograms()?;
            Ok(
                json!({"format": results.format(), "histograms": all.iter().map(tell_histogram).collect::<Vec<_>>()}),
            )
        }
        "shots" => Ok(json!({"shots": results.all_shots()?.iter().map(tell_shots).collect::<Vec<_>>()})),
        "raw" => {
            let bytes = results.raw();
            Ok(json!({"bytes": bytes.to_vec(), "text": String::from_utf8_lossy(bytes)}))
        }
        other => panic!("results are not read as `{other}`"),
    }
}

fn tell_shots(shots: &qws::Shots) -> Value {
    json!({
        "width": shots.width(),
        "labels": shots.iter().map(|shot| shot.to_string()).collect::<Vec<_>>(),
        "errors": shots.errors().iter().map(|error| json!([error.shot, error.to_string()])).collect::<Vec<_>>(),
    })
}

fn tell_histogram(histogram: &Histogram) -> Value {
    let bars = histogram.outcomes().iter().map(|bar| json!([bar.label(), bar.probability(), bar.count()]));
    json!({"measure": format!("{:?}", histogram.measure()), "shots": histogram.shots(), "bars": bars.collect::<Vec<_>>()})
}

fn tell_error(error: &Error) -> Value {
    json!({
        "kind": format!("{:?}", error.kind()),
        "status": error.status().map(|status| status.as_u16()),
        "code": error.code(),
        "requestId": error.request_id(),
        "text": error.to_string(),
        "hint": error.hint(),
        "attempts": error.attempts(),
        "continuation": error.continuation().map(qws::Continuation::as_str),
    })
}

/// The first place where what came differs from what is wanted. Fields that are not wanted are not looked at; a wanted
/// text that ends in `…` is a beginning.
fn difference(wanted: &Value, got: &Value, at: &str) -> Option<String> {
    match (wanted, got) {
        (Value::Object(wanted), Value::Object(got)) => wanted.iter().find_map(|(name, wanted)| {
            difference(wanted, got.get(name).unwrap_or(&Value::Null), &format!("{at}.{name}"))
        }),
        (Value::Array(wanted), Value::Array(got)) if wanted.len() == got.len() => {
            let pairs = wanted.iter().zip(got).enumerate();
            pairs.into_iter().find_map(|(n, (wanted, got))| difference(wanted, got, &format!("{at}[{n}]")))
        }
        (Value::String(wanted), Value::String(got))
            if wanted.strip_suffix('…').is_some_and(|w| got.starts_with(w)) =>
        {
            None
        }
        _ if wanted == got => None,
        _ => Some(format!("{at} is {got}, and must be {wanted}")),
    }
}
