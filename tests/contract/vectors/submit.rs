//! Submissions and sessions that vectors describe.

use qws::{
    Argument, ArgumentType, BatchItem, Error, Job, JobId, NewJob, Pauli, Program, Submission, Target,
    Workspace,
};
use qws_contract::Vector;
use serde_json::{Map, Value, json};

use super::tell;

pub(super) async fn job(workspace: &Workspace, vector: &Vector) -> Result<Job, Error> {
    let text = |name: &str| vector.call.get(name).and_then(Value::as_str).unwrap_or_default();
    let target: Target = workspace.target(text("target")).await?;
    let submission = described(target.submit(program(&vector.call)?), &vector.call)?;
    match vector.call.get("from").and_then(Value::as_str) {
        Some(uri) => submission.send_from_uri(&qws::BlobUri::new(uri)).await,
        None => submission.send().await,
    }
}

fn described(mut submission: Submission, call: &Map<String, Value>) -> Result<Submission, Error> {
    for (field, value) in call {
        let text = || value.as_str().unwrap_or_default();
        submission = match field.as_str() {
            "id" => submission.with_id(text().parse::<JobId>()?),
            "name" => submission.name(text()),
            "shots" => submission.shots(value.as_u64().unwrap()),
            "priority" => submission.priority(text().into()),
            "tags" => submission.tags(texts(value)),
            _ => submission,
        };
    }
    Ok(submission)
}

fn texts(value: &Value) -> Vec<String> {
    serde_json::from_value(value.clone()).unwrap()
}

fn program(call: &Map<String, Value>) -> Result<Program, Error> {
    let text = |name: &str| call.get(name).and_then(Value::as_str).unwrap_or_default();
    let source = text("program");
    let mut program = match text("format") {
        "ionq" => Program::ionq_json(source)?,
        "qir" => Program::qir_text(source)?,
        // `BC C0 DE` is no text: the program names what comes after it.
        "bitcode" => Program::qir_bitcode([b"BC\xC0\xDE", source.as_bytes()].concat(), text("entryPoint"))?,
        "qasm" => Program::openqasm(source)?,
        "quil" => Program::quil(source)?,
        "pulser" => Program::pulser_json(source)?,
        "raw" => {
            Program::raw(source.to_owned(), text("contentType"), text("inputFormat"), text("outputFormat"))
        }
        other => panic!("unknown format `{other}`"),
    };
    let fields = |name: &str| call.get(name).and_then(Value::as_object).into_iter().flatten();
    for (name, value) in fields("parameters") {
        program = program.with_parameter(name, value.clone());
    }
    for (name, value) in fields("metadata") {
        program = program.with_metadata(name, value.clone());
    }
    for given in call.get("arguments").and_then(Value::as_array).into_iter().flatten() {
        let (name, argument) = argument(given);
        program = program.with_argument(&name, &argument);
    }
    for given in call.get("items").and_then(Value::as_array).into_iter().flatten() {
        let mut item = BatchItem::new();
        if let Some(name) = given["entryPoint"].as_str() {
            item = item.entry_point(name);
        }
        for given in given["arguments"].as_array().into_iter().flatten() {
            let (name, argument) = argument(given);
            item = item.argument(name, argument);
        }
        program = program.with_item(&item);
    }
    Ok(if call.contains_key("gzip") { program.gzipped() } else { program })
}

/// An argument as `[name, type, value]`; the value of an array is `[element type, values]`.
fn argument(given: &Value) -> (String, Argument) {
    let (name, kind) = (given[0].as_str().unwrap(), given[1].as_str().unwrap());
    (name.to_owned(), value(kind, &given[2]))
}

fn value(kind: &str, given: &Value) -> Argument {
    match kind {
        "Int" => Argument::Int(given.as_i64().unwrap()),
        "Double" => Argument::Double(given.as_f64().unwrap()),
        "Boolean" => Argument::Boolean(given.as_bool().unwrap()),
        "String" => Argument::String(given.as_str().unwrap().to_owned()),
        "Result" => Argument::Result(given.as_bool().unwrap()),
        "Pauli" => Argument::Pauli(match given.as_str().unwrap() {
            "X" => Pauli::X,
            "Y" => Pauli::Y,
            "Z" => Pauli::Z,
            _ => Pauli::I,
        }),
        "Range" => Argument::Range {
            start: given[0].as_i64().unwrap(),
            end: given[1].as_i64().unwrap(),
            step: given[2].as_i64(),
        },
        "Array" => {
            let element = given[0].as_str().unwrap();
            let values = given[1].as_array().unwrap().iter().map(|one| value(element, one)).collect();
            let element = match element {
                "Int" => ArgumentType::Int,
                "Double" => ArgumentType::Double,
                other => panic!("no array of {other} in any vector"),
            };
            Argument::Array { element, values }
        }
        other => panic!("no argument is a {other}"),
    }
}

/// A job as it is created, from its fields.
pub(super) fn new_job(given: &Value) -> NewJob {
    let text = |name: &str| given[name].as_str().map(str::to_owned);
    let map = |name: &str| given[name].as_object().cloned();
    let required = |name: &str| text(name).unwrap_or_default();
    NewJob {
        name: required("name"),
        container_uri: qws::BlobUri::new(required("containerUri")),
        input_data_uri: qws::BlobUri::new(required("inputDataUri")),
        input_data_format: required("inputDataFormat"),
        output_data_format: required("outputDataFormat"),
        provider_id: required("providerId"),
        target: required("target"),
        input_params: map("inputParams").unwrap_or_default(),
        item_type: qws::ItemType::Job,
        session_id: text("sessionId"),
        priority: text("priority").map(|text| text.as_str().into()),
        tags: given.get("tags").map(texts),
        metadata: map("metadata"),
        job_type: text("jobType").map(|text| text.as_str().into()),
        output_data_uri: text("outputDataUri").map(qws::BlobUri::new),
    }
}

/// Opens a session on a target and goes through steps: `submit`, `refresh`, `close`.
pub(super) async fn session(workspace: &Workspace, vector: &Vector) -> Result<Value, Error> {
    let call = &vector.call;
    let text = |name: &str| call.get(name).and_then(Value::as_str).unwrap_or_default();
    let mut builder = workspace.target(text("target")).await?.session().with_id(text("id"));
    for (field, value) in call {
        let text = value.as_str().unwrap_or_default();
        builder = match field.as_str() {
            "name" => builder.name(text),
            "policy" => builder.on_failure(text.into()),
            "priority" => builder.priority(text.into()),
            "tags" => builder.tags(texts(value)),
            _ => builder,
        };
    }
    let mut session = builder.open().await?;
    let mut told = vec![tell::session(session.details())];
    for step in call.get("steps").and_then(Value::as_array).into_iter().flatten() {
        let done = match step.as_str().unwrap() {
            "close" => session.close().await,
            "refresh" => session.refresh().await,
            "submit" => {
                let program = Program::raw("x", "text/plain", "acme.in", "acme.out");
                let submission = session.submit(program).with_id(text("job").parse()?).name("in a session");
                submission.send().await.map(drop)
            }
            other => panic!("no step is called `{other}`"),
        };
        told.push(match done {
            Ok(()) => tell::session(session.details()),
            Err(error) => tell::error(&error),
        });
    }
    Ok(json!({ "steps": told }))
}
