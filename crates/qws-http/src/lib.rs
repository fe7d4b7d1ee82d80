//! One HTTP room for the Azure Quantum SDK: everything that leaves this machine leaves through here.
//!
//! - [`Transport`]: one request in, one answer out; [`HyperTransport`] is the real one, and tests bring their own.
//! - [`Http`]: the engine above it. One [`Call`] becomes one or more attempts under a [`RetryPolicy`], a deadline
//!   and a body limit, and ends as an [`Answer`] or a [`Failure`]. Both tell how often was tried and how long it took.
//! - [`Clock`]: every wait and every "now" of the SDK, so that tests never sleep.
//! - [`AzureHttpClient`]: lets the official `azure_*` crates send through the same engine.
//! - [`redact`]: what may be shown of URLs and headers.
//!
//! Redirects are never followed and automatic decompression does not exist here: a key or token goes to exactly
//! the origin it was given for, and byte ranges stay true.

mod azure;
mod body;
mod clock;
mod engine;
mod error;
mod hyper_transport;
#[cfg(any(test, feature = "mock"))]
mod mock;
pub mod redact;
mod retry;
mod tls;
mod transport;

pub use azure::{AzureHttpClient, TransferLog};
pub use body::ResponseBody;
pub use clock::{Clock, SystemClock};
pub use engine::{Answer, Authorize, BoxError, Call, Failure, FailureKind, Http};
pub use error::{TransportError, TransportErrorKind};
pub use hyper_transport::{HyperTransport, HyperTransportBuilder};
#[cfg(any(test, feature = "mock"))]
pub use mock::ManualClock;
pub use retry::{RetryPolicy, retry_after};
pub use tls::tls_provider;
#[cfg(any(test, feature = "mock"))]
pub use transport::MockTransport;
pub use transport::Transport;
