//! Identity: Entra ID, and the endpoints that machines and apps in Azure have for their own identities.
//!
//! Tokens given out here open the data plane and the Resource Manager of the same emulator, as far as the role of their
//! holder goes. Texts and shapes follow what the real services answer; where several wordings are in use, one is taken.

mod app_service;
#[cfg(feature = "assertions")]
mod assertion;
mod control;
mod directory;
mod entra;
mod handle;
mod imds;
mod refusal;

use std::collections::BTreeMap;

use url::form_urlencoded;

pub(crate) use self::control::{PREFIX as CONTROL, handle as control};
pub(crate) use self::directory::Directory;
pub use self::directory::{Application, AssignedIdentity, FederatedCredential, Role};
pub use self::handle::Identity;
#[cfg(feature = "assertions")]
pub use self::{assertion::Assertion, assertion::KeyError};
use crate::answer::{Answer, ServiceError};
use crate::incoming::Incoming;
use crate::route::{Matched, Operation};
use crate::state::Shared;

/// Answers as Entra ID.
pub(crate) fn authority(shared: &Shared, request: &Incoming, matched: &Matched) -> Answer {
    let (tenant, fields) = (&matched.params.id, Fields::parse(&request.body));
    let answer = match matched.operation {
        Operation::EntraToken => entra::token(shared, tenant, &fields),
        Operation::InstanceDiscovery => entra::instances(shared, &Fields::parse(request.query.as_bytes())),
        _ => entra::configuration(shared, tenant),
    };
    answer.unwrap_or_else(|refused| refused.answer(shared, request))
}

/// Answers as the machine or the app that the client runs on.
pub(crate) fn machine(shared: &Shared, request: &Incoming) -> Answer {
    let fields = Fields::parse(request.query.as_bytes());
    match request.matched.as_ref().map(|matched| matched.operation) {
        Ok(Operation::Imds) => imds::token(shared, request, &fields),
        Ok(_) => app_service::token(shared, request, &fields),
        Err(unknown) => ServiceError::not_found("NotFound", format!("Nothing is here; {unknown}.")).into(),
    }
}

/// The fields of a form or a query. An empty field counts as absent; of a repeated one the last counts.
#[derive(Debug)]
struct Fields(BTreeMap<String, String>);

impl Fields {
    fn parse(form: &[u8]) -> Self {
        Self(form_urlencoded::parse(form).into_owned().filter(|(_, value)| !value.is_empty()).collect())
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }
}
