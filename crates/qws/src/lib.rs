#![doc = include_str!("../README.md")]

pub use qws_auth as auth;
pub use qws_client::*;
pub use qws_config as config;
pub use qws_http as http;

/// The repository's README, so that its example is compiled.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;

/// The guide to jobs, so that its examples are compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/jobs.md")]
struct JobsGuide;
