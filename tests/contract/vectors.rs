//! Plays every vector: the requests that a call sends, byte for byte where it matters, and what it makes of answers.

mod calls;
mod submit;
mod tell;

use std::{path::Path, sync::Arc};

use qws::{
    ClientOptions, Error, Workspace,
    auth::{Credential, Host, ServicePrincipal},
    config::{Cloud, Settings},
    http::ManualClock,
};
use qws_contract::{Replay, Vector, load};
use serde_json::{Value, json};

/// The identity of vectors with `"credential": "service principal"`.
const TENANT: &str = "99999999-0000-4000-8000-000000000001";

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
    let clock = Arc::new(ManualClock::skipping(start));
    let outcome = outcome(vector, &replay, &clock).await;
    let mut faults = replay.faults();
    if let Some(difference) = difference(&vector.outcome, &outcome, "outcome") {
        faults.push(difference);
    }
    let waits: Vec<f64> = clock.sleeps().iter().map(std::time::Duration::as_secs_f64).collect();
    if vector.waits.as_ref().is_some_and(|wanted| *wanted != waits) {
        faults.push(format!("it waited {waits:?} s"));
    }
    faults
}

/// What comes of the call, or of each of several that are the same.
async fn outcome(vector: &Vector, replay: &Arc<Replay>, clock: &Arc<ManualClock>) -> Value {
    let told = |outcome: Result<Value, Error>| outcome.unwrap_or_else(|error| tell::error(&error));
    let workspace = match workspace(vector, replay, clock).await {
        Ok(workspace) => workspace,
        Err(error) => return tell::error(&error),
    };
    let Some(times) = vector.call.get("times").and_then(Value::as_u64) else {
        return told(calls::call(&workspace, vector).await);
    };
    let mut each = Vec::new();
    for _ in 0..times {
        each.push(told(calls::call(&workspace, vector).await));
    }
    json!({ "each": each })
}

/// The workspace of the vector: by connection string, by ids with an identity, or found through the Resource Manager. The
/// key and the secret are part of the vectors, and open nothing.
async fn workspace(
    vector: &Vector,
    replay: &Arc<Replay>,
    clock: &Arc<ManualClock>,
) -> Result<Workspace, Error> {
    let given = |name: &str| vector.workspace.get(name).and_then(Value::as_str);
    let mut options = ClientOptions::default().transport(replay.clone()).clock(clock.clone());
    if let Some(version) = given("apiVersion") {
        options = options.api_version(version);
    }
    if let Some(id) = given("applicationId") {
        options = options.application_id(id);
    }
    let endpoint = given("endpoint").unwrap_or("https://eastus.quantum.azure.com/");
    let group = given("group").unwrap_or("contoso-rg");
    let subscription = "11111111-2222-3333-4444-555555555555";
    let Some(parts) = vector.workspace.get("connect").and_then(Value::as_object) else {
        if given("credential").is_none() {
            let text = format!(
                "SubscriptionId={subscription};ResourceGroupName={group};WorkspaceName=contoso-ws;\
                 ApiKey=fake-api-key;QuantumEndpoint={endpoint};"
            );
            return Workspace::builder().connection_string(&text)?.options(options).build();
        }
        let id = format!(
            "/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.Quantum/Workspaces/contoso-ws"
        );
        let builder = Workspace::builder().resource_id(&id)?.endpoint(endpoint)?;
        return builder.credential(principal(replay, clock)).options(options).build();
    };
    let mut settings = Settings::new();
    if let Some(url) = given("resourceManager") {
        settings = settings.with_cloud(&Cloud::public().with_resource_manager(url).unwrap());
    }
    let mut builder = Workspace::builder().settings(settings).options(options);
    for (part, text) in parts {
        let text = text.as_str().unwrap_or_default();
        builder = match part.as_str() {
            "subscription" => builder.subscription_id(text)?,
            "group" => builder.resource_group(text)?,
            "name" => builder.workspace_name(text)?,
            "location" => builder.location(text)?,
            other => panic!("{}: unknown part `{other}`", vector.name),
        };
    }
    builder = match given("credential") {
        Some("key") => builder.credential(Arc::new(qws::auth::ApiKey::new("fake-api-key").unwrap())),
        _ => builder.credential(principal(replay, clock)),
    };
    builder.connect().await
}

/// Signs in through the same transport as everything else, so that its requests stand in the vector too.
fn principal(replay: &Arc<Replay>, clock: &Arc<ManualClock>) -> Arc<dyn Credential> {
    let host = Host::new(|_| None).with_transport(replay.clone()).with_clock(clock.clone());
    let credential = ServicePrincipal::with_secret(
        TENANT.parse().unwrap(),
        "99999999-0000-4000-8000-000000000002",
        "fake-secret",
    );
    Arc::new(credential.unwrap().with_host(host))
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
