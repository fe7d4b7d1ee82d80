#![doc = include_str!("../README.md")]

mod answer;
mod blob;
mod body;
mod circuit;
mod clock;
mod emulator;
mod fault;
mod filter;
mod formats;
mod identity;
mod incoming;
mod links;
mod log;
mod place;
mod route;
mod seed;
mod server;
mod service;
mod simulator;
mod state;
#[cfg(feature = "https")]
mod tls;
mod token;
mod wire;

pub use clock::Clock;
pub use emulator::{Emulator, EmulatorBuilder};
pub use fault::{Action, Fault, Gate, Route};
pub use identity::{Application, AssignedIdentity, FederatedCredential, Identity, Role};
#[cfg(feature = "assertions")]
pub use identity::{Assertion, KeyError};
pub use log::RecordedRequest;
pub use route::Operation;
pub use seed::SeedError;
pub use state::{WorkspaceKind, WorkspaceSpec};

/// The guide's code, compiled.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/emulator.md")]
struct Guide;
