//! Virtual machines: the instance metadata service, at a link-local address of every machine in Azure.
//!
//! Protocol: <https://learn.microsoft.com/entra/identity/managed-identities-azure-resources/how-to-use-vm-token>

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use bytes::Bytes;
use http::{Request, StatusCode};
use qws_http::{Answer, Call, Failure, FailureKind, Http, RetryPolicy, TransportErrorKind, retry_after};

use super::{
    Identity,
    answer::Expected,
    endpoint::{named, token_url},
};
use crate::{
    AuthError, Host,
    access_token::{ANSWER_LIMIT_BYTES, AccessToken},
};

const DEFAULT_ADDRESS: &str = "http://169.254.169.254";
const PATH: &str = "/metadata/identity/oauth2/token";
const VERSION: &str = "2018-02-01";

/// How long the probe may take: at a machine outside Azure nobody answers at all.
const PROBE_LIMIT: Duration = Duration::from_secs(1);

/// How long one attempt may take.
const ATTEMPT_LIMIT: Duration = Duration::from_secs(10);

/// The longest wait that the service may ask for.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// Waits before each repetition, in ms.
const WAITS_MS: [u64; 5] = [0, 1600, 3200, 6400, 12_800];

/// The same after 410: the service is being updated, which it says takes up to 70 s.
const UPDATE_WAITS_MS: [u64; 5] = [0, 5000, 10_000, 20_000, 40_000];

/// What is remembered of the service: once it has answered it is there for good.
#[derive(Debug, Default)]
pub(super) struct State {
    answered: AtomicBool,
}

pub(super) async fn token(
    host: &Host,
    state: &State,
    identity: &Identity,
    resource: &str,
    in_chain: bool,
) -> Result<AccessToken, AuthError> {
    let given = host.variable("AZURE_POD_IDENTITY_AUTHORITY_HOST");
    let address = given.as_deref().unwrap_or(DEFAULT_ADDRESS).trim_end_matches('/');
    let url = token_url(
        &format!("{address}{PATH}"),
        VERSION,
        resource,
        named(identity, "client_id", "msi_res_id"),
    )?;
    let http = host.nearby(RetryPolicy::none())?;
    if in_chain && given.is_none() && !state.answered.load(Ordering::Relaxed) {
        probe(&http, &url).await?;
        state.answered.store(true, Ordering::Relaxed);
    }

    let mut made = 0;
    loop {
        made += 1;
        let asked = host.clock().now();
        let request = Request::get(&url).header("Metadata", "true").body(Bytes::new());
        let call = Call::new(request.map_err(|_| bad_address())?)
            .deadline(Some(ATTEMPT_LIMIT))
            .body_limit_bytes(ANSWER_LIMIT_BYTES);
        let outcome = http.send(call).await;
        match next_wait(&outcome, made, host) {
            Some(wait) => host.clock().sleep(wait).await,
            None => return last(outcome, made, asked, identity),
        }
    }
}

/// Asks without the header that the service insists on: a real one answers 400, and its absence shows at once.
async fn probe(http: &Http, url: &str) -> Result<(), AuthError> {
    let request = Request::get(url).body(Bytes::new()).map_err(|_| bad_address())?;
    let answer = http.send(Call::new(request).deadline(Some(PROBE_LIMIT))).await;
    let answer =
        answer.map_err(|_| not_there("nothing answered at the metadata service's address within 1 s"))?;
    let body = String::from_utf8_lossy(answer.response.body());
    if answer.response.status() == StatusCode::FORBIDDEN && body.contains("unreachable") {
        return Err(not_there("the metadata service is out of reach"));
    }
    Ok(())
}

fn next_wait(outcome: &Result<Answer, Failure>, made: usize, host: &Host) -> Option<Duration> {
    let waits = match outcome {
        Ok(answer) => match answer.response.status().as_u16() {
            410 => UPDATE_WAITS_MS,
            404 | 429 | 500.. => WAITS_MS,
            _ => return None,
        },
        Err(failure) if nobody_there(failure) => return None,
        Err(_) => WAITS_MS,
    };
    let ours = Duration::from_millis(*waits.get(made - 1)?);
    let asked =
        outcome.as_ref().ok().and_then(|answer| retry_after(answer.response.headers(), host.clock().now()));
    Some(ours.max(asked.unwrap_or_default().min(LONGEST_WAIT)))
}

fn last(
    outcome: Result<Answer, Failure>,
    made: usize,
    asked: azure_core::time::OffsetDateTime,
    identity: &Identity,
) -> Result<AccessToken, AuthError> {
    let attempts = u32::try_from(made).unwrap_or(u32::MAX);
    match outcome {
        Ok(answer) => Expected { asked, identity, secrets: &[] }.read(&answer, attempts),
        Err(failure) => Err(match &failure.kind {
            FailureKind::Transport(error) if error.kind() == TransportErrorKind::Refused => bad_address(),
            _ if nobody_there(&failure) => {
                not_there("nothing answered at the metadata service's address").with_source(failure)
            }
            _ => {
                let text = format!("the metadata service gave no whole answer in {made} attempts");
                AuthError::refused(text).with_source(failure)
            }
        }),
    }
}

/// Whether no connection could be made at all, so that asking again is pointless.
fn nobody_there(failure: &Failure) -> bool {
    matches!(&failure.kind, FailureKind::Transport(error) if error.nothing_was_sent())
}

fn not_there(text: &str) -> AuthError {
    AuthError::unavailable(format!("no managed identity on this machine: {text}")).with_hint(
        "managed identities exist on Azure only; elsewhere sign in with `az login` or a service principal",
    )
}

fn bad_address() -> AuthError {
    AuthError::invalid("AZURE_POD_IDENTITY_AUTHORITY_HOST is not an address that may be asked for tokens")
        .with_hint("it must be https, or http to a loopback, link-local or private literal address")
}
