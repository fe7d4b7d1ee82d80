//! Faults on request: what goes wrong, where, and how often.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::watch;

use crate::route::Operation;

/// Which requests a fault meets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Route {
    /// Every request, also one with an unknown route.
    Any,
    /// Requests for one operation.
    Operation(Operation),
}

impl From<Operation> for Route {
    fn from(operation: Operation) -> Self {
        Self::Operation(operation)
    }
}

impl Route {
    fn covers(self, operation: Option<Operation>) -> bool {
        match self {
            Self::Any => true,
            Self::Operation(wanted) => operation == Some(wanted),
        }
    }
}

/// What goes wrong. Delays and drips run on real time, whatever the emulator's clock does.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Action {
    /// The request is handled this much later.
    Delay(Duration),
    /// The request is handled once the gate opens.
    Hold(Gate),
    /// This answer, and the request is not handled.
    Status {
        /// The status code.
        status: u16,
        /// Headers, for example `Retry-After`.
        headers: Vec<(String, String)>,
        /// The body; with no `Content-Type` header given, `application/json` is sent beside a body.
        body: Bytes,
    },
    /// The connection is reset and the request is not handled.
    ResetBefore,
    /// The request is handled and its effects stay; then the connection is reset without an answer.
    ResetAfter,
    /// Handled; the answer announces its whole length, but only this many body bytes come before the connection closes.
    Truncate(usize),
    /// Handled; the answer's body is broken JSON with the answer's own status.
    Malformed,
    /// Handled; every value of the answer's JSON object has another type than it should have.
    WrongType,
    /// Handled; the answer's body comes in pieces of `chunk` bytes with a `pause` before each.
    Drip {
        /// Bytes in a piece.
        chunk: usize,
        /// How long before each piece.
        pause: Duration,
    },
    /// Handled; the body is this many bytes of white space in chunked encoding, made on the way.
    HugeBody(u64),
}

impl Action {
    /// A refusal in the service's own envelope.
    #[must_use]
    pub fn service_error(status: u16, code: &str, message: &str) -> Self {
        let body = serde_json::json!({ "error": { "code": code, "message": message } }).to_string();
        let headers = vec![("x-ms-error-code".to_owned(), code.to_owned())];
        Self::Status { status, headers, body: body.into() }
    }

    /// A bare status without headers or body.
    #[must_use]
    pub fn status(status: u16) -> Self {
        Self::Status { status, headers: Vec::new(), body: Bytes::new() }
    }

    /// 429 that asks the client to come back after so many seconds.
    #[must_use]
    pub fn throttle(retry_after_seconds: u32) -> Self {
        let headers = vec![("retry-after".to_owned(), retry_after_seconds.to_string())];
        Self::Status { status: 429, headers, body: Bytes::new() }
    }
}

/// Holds requests back until it is opened; clones are the same gate.
#[derive(Clone, Debug)]
pub struct Gate(Arc<watch::Sender<bool>>);

impl Default for Gate {
    fn default() -> Self {
        Self::new()
    }
}

impl Gate {
    /// A closed gate.
    #[must_use]
    pub fn new() -> Self {
        Self(Arc::new(watch::Sender::new(false)))
    }

    /// Lets everything through, now and from now on.
    pub fn release(&self) {
        self.0.send_replace(true);
    }

    pub(crate) async fn passed(&self) {
        // The sender is in `self`, so waiting cannot end any other way.
        let _ = self.0.subscribe().wait_for(|open| *open).await;
    }
}

/// One thing that goes wrong: once unless [`times`](Fault::times) or [`always`](Fault::always) says otherwise.
///
/// ```
/// use qws_emulator::{Action, Fault, Operation};
/// let two_throttled = Fault::new(Operation::JobsGet, Action::throttle(1)).after(1).times(2);
/// # let _ = two_throttled;
/// ```
#[derive(Clone, Debug)]
pub struct Fault {
    route: Route,
    action: Action,
    skip: usize,
    left: usize,
}

impl Fault {
    /// Lets `action` happen to the next request that `route` covers.
    #[must_use]
    pub fn new(route: impl Into<Route>, action: Action) -> Self {
        Self { route: route.into(), action, skip: 0, left: 1 }
    }

    /// Happens to this many requests.
    #[must_use]
    pub fn times(self, n: usize) -> Self {
        Self { left: n, ..self }
    }

    /// Happens until the faults are cleared.
    #[must_use]
    pub fn always(self) -> Self {
        self.times(usize::MAX)
    }

    /// Lets this many requests through first.
    #[must_use]
    pub fn after(self, n: usize) -> Self {
        Self { skip: n, ..self }
    }
}

/// The faults still to come, oldest first.
#[derive(Debug, Default)]
pub(crate) struct FaultBook(Mutex<Vec<Fault>>);

impl FaultBook {
    pub(crate) fn inject(&self, fault: Fault) {
        self.lock().push(fault);
    }

    pub(crate) fn clear(&self) {
        self.lock().clear();
    }

    /// What happens to this request: the oldest fault that covers it and is due.
    pub(crate) fn take(&self, operation: Option<Operation>) -> Option<Action> {
        let mut faults = self.lock();
        let mut taken = None;
        for fault in faults.iter_mut().filter(|fault| fault.route.covers(operation)) {
            if fault.skip > 0 {
                fault.skip -= 1;
            } else if fault.left > 0 {
                if fault.left != usize::MAX {
                    fault.left -= 1;
                }
                taken = Some(fault.action.clone());
                break;
            }
        }
        faults.retain(|fault| fault.left > 0);
        taken
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Fault>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(action: Option<&Action>) -> Option<u16> {
        match action {
            Some(Action::Status { status, .. }) => Some(*status),
            _ => None,
        }
    }

    #[test]
    fn faults_meet_their_route_only_in_order_and_as_often_as_asked() {
        let book = FaultBook::default();
        book.inject(Fault::new(Operation::JobsGet, Action::status(500)).times(2));
        book.inject(Fault::new(Operation::JobsGet, Action::status(429)));
        book.inject(Fault::new(Route::Any, Action::status(404)).after(1));
        let take = |operation| status(book.take(Some(operation)).as_ref());
        assert_eq!(take(Operation::JobsGet), Some(500));
        assert_eq!(take(Operation::SasUri), None, "the first request of the last fault passes");
        assert_eq!(take(Operation::JobsGet), Some(500));
        assert_eq!(take(Operation::JobsGet), Some(429));
        assert_eq!(take(Operation::JobsGet), Some(404));
        assert_eq!(take(Operation::JobsGet), None);
    }

    #[tokio::test]
    async fn a_gate_stays_open() {
        let gate = Gate::new();
        gate.clone().release();
        gate.passed().await;
        gate.passed().await;
    }
}
