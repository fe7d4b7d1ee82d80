//! The contract suite, one binary: what goes over the wire, what comes of each answer, and what must never happen.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails, and says where")]

mod canary;
mod causes;
mod connection;
mod credentials;
mod economy;
mod failures;
mod faults;
mod https;
mod jobs;
mod killed;
mod log;
mod long_wait;
mod main_job;
mod management;
mod origins;
mod recordings;
mod repeats;
mod storage;
mod vectors;
