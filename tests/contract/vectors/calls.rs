//! The calls that vectors name, by operation.

use std::time::Duration;

use qws::{Error, Workspace};
use qws_contract::Vector;
use serde_json::{Value, json};

use super::{submit, tell};

pub(super) async fn call(workspace: &Workspace, vector: &Vector) -> Result<Value, Error> {
    let text = |name: &str| vector.call.get(name).and_then(Value::as_str).unwrap_or_default();
    let client = workspace.client();
    match text("operation") {
        "providers.list" => {
            let targets = workspace.targets().await?;
            Ok(json!({"targets": targets.iter().map(tell::target).collect::<Vec<_>>()}))
        }
        "address" => Ok(tell::address(workspace)),
        "target" => Ok(tell::target(&workspace.target(text("target")).await?)),
        "jobs.create" => {
            let job = submit::new_job(&vector.call["job"]);
            Ok(tell::job(&client.jobs().create(&text("id").parse()?, &job).await?))
        }
        "job.update" => {
            let mut job = workspace.job(&text("id").parse()?).await?;
            job.update(&update(vector)).await?;
            Ok(tell::job(job.details()))
        }
        "job.cancel" => {
            let mut job = workspace.job(&text("id").parse()?).await?;
            job.cancel().await?;
            Ok(tell::job(job.details()))
        }
        "wait" => {
            let mut job = workspace.job(&text("id").parse()?).await?;
            let deadline = vector.call.get("deadlineSeconds").and_then(Value::as_f64);
            job.wait().deadline(deadline.map(Duration::from_secs_f64)).await?;
            Ok(tell::job(job.details()))
        }
        "attachments.list" | "attachments.upload" | "attachments.download" => {
            attachments(workspace, vector).await
        }
        "session" => submit::session(workspace, vector).await,
        "jobs.get" => Ok(tell::job(&client.jobs().get(&text("id").parse()?).await?)),
        "storage.sas_uri" => {
            let blob = vector.call.get("blob").and_then(Value::as_str);
            let uri = client.storage().sas_uri(text("container"), blob).await?;
            Ok(json!({"sasUri": uri.expose()}))
        }
        "submit" => Ok(tell::job(submit::job(workspace, vector).await?.details())),
        "results" | "failed_output" => read_results(workspace, vector).await,
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
                priority: vector.call.get("priority").and_then(Value::as_str).map(Into::into),
                tags: vector.call.get("tags").map(|tags| serde_json::from_value(tags.clone()).unwrap()),
            };
            Ok(tell::session(&client.sessions().open(text("id"), &session).await?))
        }
        "sessions.get" => Ok(tell::session(&client.sessions().get(text("id")).await?)),
        "sessions.close" => Ok(tell::session(&client.sessions().close(text("id")).await?)),
        "raw" => {
            let answer =
                client.raw(text("method").parse().unwrap(), text("path"), vector.call.get("body")).await?;
            Ok(json!({"status": answer.status().as_u16(), "body": String::from_utf8_lossy(answer.body())}))
        }
        _ => list(workspace, vector).await,
    }
}

async fn list(workspace: &Workspace, vector: &Vector) -> Result<Value, Error> {
    let text = |name: &str| vector.call.get(name).and_then(Value::as_str).unwrap_or_default();
    let client = workspace.client();
    match text("operation") {
        "jobs.list" => {
            let jobs = listed(client.jobs().list(), vector).collect().await?;
            Ok(json!({"jobs": jobs.iter().map(tell::job).collect::<Vec<_>>()}))
        }
        "sessions.list" => {
            let sessions = listed(client.sessions().list(), vector).collect().await?;
            Ok(json!({"sessions": sessions.iter().map(tell::session).collect::<Vec<_>>()}))
        }
        "sessions.jobs" => {
            let jobs = listed(client.sessions().jobs(text("id")), vector).collect().await?;
            Ok(json!({"jobs": jobs.iter().map(tell::job).collect::<Vec<_>>()}))
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
            Ok(json!({"usages": usages.iter().map(tell::usage).collect::<Vec<_>>()}))
        }
        "suite_offers.quota_usages" => {
            let usages = client.suite_offers().quota_usages(text("provider")).collect().await?;
            Ok(json!({"usages": usages.iter().map(tell::usage).collect::<Vec<_>>()}))
        }
        "suite_offers.provider_status" => {
            let status = client.suite_offers().provider_status(text("provider")).await?;
            Ok(
                json!({"id": status.id, "targets": status.targets.iter().map(|t| t.id.clone()).collect::<Vec<_>>()}),
            )
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
    match (text("ascending"), text("descending")) {
        (Some(property), _) => list.order_by(qws::Order::ascending(self::property(property))),
        (_, Some(property)) => list.order_by(qws::Order::descending(self::property(property))),
        (None, None) => list,
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

fn property(name: &str) -> qws::Property {
    use qws::Property::{CreationTime, ItemType, JobType, Name, ProviderId, State, Target};
    let all = [Name, ItemType, JobType, ProviderId, Target, State, CreationTime];
    all.into_iter()
        .find(|property| format!("{property:?}") == name)
        .unwrap_or_else(|| panic!("no property `{name}`"))
}

async fn attachments(workspace: &Workspace, vector: &Vector) -> Result<Value, Error> {
    let text = |name: &str| vector.call.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let job = workspace.job(&text("id").parse()?).await?;
    let files = job.attachments();
    match text("operation").as_str() {
        "attachments.list" => {
            let told = files.list().await?.into_iter();
            Ok(json!({"files": told.map(|file| json!([file.name, file.bytes])).collect::<Vec<_>>()}))
        }
        "attachments.upload" => {
            let overwrite = vector.call.contains_key("overwrite");
            files.upload(&text("name"), text("content"), &text("contentType"), overwrite).await?;
            Ok(json!("done"))
        }
        _ => Ok(json!({"content": String::from_utf8_lossy(&files.download(&text("name")).await?)})),
    }
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
    tell::results(&job.results().await?, text("read"))
}
