//! The contract suite, one binary: what goes over the wire, what comes of each answer, and what must never happen.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails, and says where")]

mod canary;
mod causes;
mod connection;
mod credentials;
mod failures;
mod faults;
mod https;
mod jobs;
mod log;
mod main_job;
mod management;
mod recordings;
mod repeats;
mod vectors;
