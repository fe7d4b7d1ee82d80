//! The control API under `/_emulator/`: what the Rust handle can do, for clients in other languages.
//!
//! It asks for no credential, which is why the emulator listens on loopback unless told otherwise. Requests that change something must
//! be JSON, so that a page in a browser cannot send them without asking first.

use std::collections::BTreeMap;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{quotas, read_body};
use crate::answer::{Answer, ServiceError};
use crate::clock;
use crate::fault::{Action, Fault, Route};
use crate::identity;
use crate::incoming::Incoming;
use crate::log::RecordedRequest;
use crate::route::Operation;
use crate::seed;
use crate::state::{Shared, random_key};
use crate::token;

pub(crate) const PREFIX: &str = "/_emulator/";

const INVALID: &str = "InvalidControlRequest";

pub(crate) fn handle(shared: &Shared, request: &Incoming) -> Result<Answer, ServiceError> {
    let changes = request.method != http::Method::GET && request.method != http::Method::DELETE;
    let json = request.header("content-type").is_some_and(|value| value.starts_with("application/json"));
    if changes && !json {
        let message = "Control requests with a body are application/json.";
        return Err(ServiceError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "UnsupportedMediaType", message));
    }
    let body = &request.body;
    let what = request.path.strip_prefix(PREFIX).unwrap_or_default();
    let answer = match (request.method.as_str(), what) {
        ("GET", "health") => json!({ "ready": true, "storedBytes": shared.blobs.bytes() }),
        ("GET", "clock") => now(shared),
        ("POST", "clock") => {
            let given: Advance = read_body(body, INVALID)?;
            let by = Duration::try_from_secs_f64(given.advance_seconds)
                .map_err(|error| ServiceError::bad_request(INVALID, format!("advanceSeconds: {error}.")))?;
            shared.clock.advance(by);
            now(shared)
        }
        ("POST", "faults") => {
            let given: FaultRequest = read_body(body, INVALID)?;
            shared.faults.inject(given.fault()?);
            json!({})
        }
        ("DELETE", "faults") => {
            shared.faults.clear();
            json!({})
        }
        ("GET", "requests") => shared.log.requests().iter().map(recorded).collect(),
        ("DELETE", "requests") => {
            shared.log.clear();
            json!({})
        }
        ("POST", "keys") => {
            let given: Keys = read_body(body, INVALID)?;
            shared.state().workspaces.iter_mut().for_each(|workspace| workspace.keys_enabled = given.enabled);
            json!({})
        }
        ("POST", "targets") => {
            let given: Availability = read_body(body, INVALID)?;
            for workspace in &mut shared.state().workspaces {
                workspace.availability.insert(given.target.clone(), given.availability.clone());
            }
            json!({})
        }
        ("POST", "quotas") => {
            let given: Limit = read_body(body, INVALID)?;
            for workspace in &mut shared.state().workspaces {
                quotas::set_limit(workspace, &given.dimension, given.limit);
            }
            json!({})
        }
        ("POST", "expire") => {
            let given: Expire = read_body(body, INVALID)?;
            if given.sas {
                let key = random_key(&mut shared.state().random);
                shared.sas.expire_all(key);
            }
            if given.tokens {
                shared.tokens.revoke();
            }
            json!({})
        }
        ("POST", "token") => {
            let given: TokenRequest = read_body(body, INVALID)?;
            let audience = given.audience.trim_end_matches("/.default").trim_end_matches('/');
            let token = shared.tokens.issue(audience, None, shared.clock.now(), token::LIFETIME);
            json!({ "token": token, "expiresInSeconds": token::LIFETIME.as_secs() })
        }
        ("POST", what) if what.starts_with(identity::CONTROL) => identity::control(shared, what, body)?,
        ("GET", "state") => seed::export(shared),
        ("POST", "state") => {
            let description: Value = read_body(body, INVALID)?;
            seed::load(shared, &description)
                .map_err(|error| ServiceError::bad_request(INVALID, format!("{error}.")))?;
            json!({})
        }
        (method, other) => {
            let message = format!(
                "There is no control {method} {other}; there are health, clock, faults, requests, keys, targets, quotas, expire, token, identity and state."
            );
            return Err(ServiceError::not_found("NotFound", message));
        }
    };
    Ok(Answer::json(StatusCode::OK, &answer))
}

fn now(shared: &Shared) -> Value {
    json!({ "now": clock::precise_z(shared.clock.now()) })
}

/// As it arrived, secrets included: tests compare them.
fn recorded(request: &RecordedRequest) -> Value {
    let headers: BTreeMap<&str, String> = request
        .headers
        .iter()
        .map(|(name, value)| (name.as_str(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
        .collect();
    let text = std::str::from_utf8(&request.body).ok();
    json!({
        "method": request.method.as_str(),
        "path": request.path,
        "query": request.query,
        "headers": headers,
        "body": text,
        "bodyBase64": if text.is_none() { Some(STANDARD.encode(&request.body)) } else { None },
        "operation": request.operation,
        "status": request.status,
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Advance {
    advance_seconds: f64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Keys {
    enabled: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Availability {
    target: String,
    availability: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Limit {
    dimension: String,
    limit: f64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expire {
    #[serde(default)]
    sas: bool,
    #[serde(default)]
    tokens: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TokenRequest {
    audience: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FaultRequest {
    /// The name of an operation, or `Any`, which it is unless given.
    route: Option<String>,
    /// 0 for always.
    #[serde(default = "once")]
    times: usize,
    #[serde(default)]
    after: usize,
    action: ActionRequest,
}

fn once() -> usize {
    1
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", deny_unknown_fields)]
enum ActionRequest {
    Delay {
        milliseconds: u64,
    },
    Status {
        status: u16,
        #[serde(default)]
        headers: BTreeMap<String, String>,
        #[serde(default)]
        body: Value,
    },
    ResetBefore,
    ResetAfter,
    Truncate {
        bytes: usize,
    },
    Malformed,
    WrongType,
    Drip {
        chunk: usize,
        pause_milliseconds: u64,
    },
    HugeBody {
        bytes: u64,
    },
}

impl FaultRequest {
    fn fault(self) -> Result<Fault, ServiceError> {
        let route = match self.route.as_deref() {
            None | Some("Any") => Route::Any,
            Some(name) => Route::Operation(
                Operation::deserialize(Value::from(name))
                    .map_err(|error| ServiceError::bad_request(INVALID, format!("route: {error}.")))?,
            ),
        };
        let action = match self.action {
            ActionRequest::Delay { milliseconds } => Action::Delay(Duration::from_millis(milliseconds)),
            ActionRequest::Status { status, headers, body } => Action::Status {
                status,
                headers: headers.into_iter().collect(),
                body: match body {
                    Value::Null => bytes::Bytes::new(),
                    Value::String(text) => text.into(),
                    json => json.to_string().into(),
                },
            },
            ActionRequest::ResetBefore => Action::ResetBefore,
            ActionRequest::ResetAfter => Action::ResetAfter,
            ActionRequest::Truncate { bytes } => Action::Truncate(bytes),
            ActionRequest::Malformed => Action::Malformed,
            ActionRequest::WrongType => Action::WrongType,
            ActionRequest::Drip { chunk, pause_milliseconds } => {
                Action::Drip { chunk, pause: Duration::from_millis(pause_milliseconds) }
            }
            ActionRequest::HugeBody { bytes } => Action::HugeBody(bytes),
        };
        let fault = Fault::new(route, action).after(self.after);
        Ok(if self.times == 0 { fault.always() } else { fault.times(self.times) })
    }
}
