//! What Entra ID says when it says no.
//!
//! Numbers: <https://learn.microsoft.com/entra/identity-platform/reference-error-codes>

use http::StatusCode;
use serde_json::json;
use time::OffsetDateTime;

use crate::answer::Answer;
use crate::clock;
use crate::incoming::Incoming;
use crate::state::Shared;

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    status: StatusCode,
    error: &'static str,
    number: u32,
    text: String,
}

impl Refusal {
    fn new(status: StatusCode, error: &'static str, number: u32, text: impl Into<String>) -> Self {
        Self { status, error, number, text: text.into() }
    }

    /// Something about the request itself.
    pub(super) fn request(error: &'static str, number: u32, text: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, error, number, text)
    }

    /// The application could not prove that it is itself.
    pub(super) fn client(number: u32, text: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "invalid_client", number, text)
    }

    pub(super) fn missing(parameter: &str) -> Self {
        let text = format!("The request body must contain the following parameter: '{parameter}'.");
        Self::request("invalid_request", 900_144, text)
    }

    pub(super) fn unknown_tenant(tenant: &str) -> Self {
        let text = format!(
            "Tenant '{tenant}' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud. Check with your subscription administrator, this may happen if there are no active subscriptions for the tenant."
        );
        Self::request("invalid_request", 90_002, text)
    }

    pub(super) fn unknown_application(client_id: &str, tenant: &str) -> Self {
        let text = format!(
            "Application with identifier '{client_id}' was not found in the directory '{tenant}'. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. You may have sent your authentication request to the wrong tenant."
        );
        Self::request("unauthorized_client", 700_016, text)
    }

    pub(super) fn unknown_resource(resource: &str, tenant: &str) -> Self {
        let text = format!(
            "The resource principal named {resource} was not found in the tenant named {tenant}. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. You might have sent your authentication request to the wrong tenant."
        );
        Self::request("invalid_resource", 500_011, text)
    }

    /// The answer, whose description goes over several lines.
    pub(super) fn answer(self, shared: &Shared, request: &Incoming) -> Answer {
        let trace = shared.request_id();
        let correlation =
            request.header("client-request-id").map_or_else(|| shared.request_id(), str::to_owned);
        let at = timestamp(shared.clock.now());
        let description = format!(
            "AADSTS{}: {}\r\nTrace ID: {trace}\r\nCorrelation ID: {correlation}\r\nTimestamp: {at}",
            self.number, self.text
        );
        let body = json!({
            "error": self.error,
            "error_description": description,
            "error_codes": [self.number],
            "timestamp": at,
            "trace_id": trace,
            "correlation_id": correlation,
            "error_uri": format!("https://login.microsoftonline.com/error?code={}", self.number),
        });
        Answer::json(self.status, &body).with("cache-control", "no-store").with("pragma", "no-cache")
    }
}

/// `2026-02-03 04:05:06Z`
pub(super) fn timestamp(at: OffsetDateTime) -> String {
    clock::sas(at).replacen('T', " ", 1)
}
