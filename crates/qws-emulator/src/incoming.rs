//! Requests as they arrive.

use std::net::IpAddr;

use bytes::Bytes;
use http::{HeaderMap, Method};

use crate::route::{Matched, Unknown};

/// The largest request body: a put of the largest single block that clients send, with room.
pub(crate) const MAX_BODY: usize = 300 * 1024 * 1024;

/// A request that has arrived whole.
#[derive(Debug)]
pub(crate) struct Incoming {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) matched: Result<Matched, Unknown>,
    /// Who asks.
    pub(crate) peer: IpAddr,
}

impl Incoming {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}
