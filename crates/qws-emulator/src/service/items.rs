//! Top-level items: sessions, and the jobs that belong to none.

use serde::Serialize;

use super::{jobs, listing, sessions};
use crate::answer::{Answer, ServiceError};
use crate::incoming::Incoming;
use crate::route::Params;
use crate::state::{Job, Session, Shared};
use crate::wire::{JobDetails, SessionDetails};

enum Item<'a> {
    Job(&'a Job),
    Session(&'a Session),
}

#[derive(Serialize)]
#[serde(untagged)]
enum ItemDetails {
    Job(Box<JobDetails>),
    Session(Box<SessionDetails>),
}

pub(crate) fn list(shared: &Shared, request: &Incoming, params: &Params) -> Result<Answer, ServiceError> {
    let now = shared.clock.now();
    let mut state = shared.state();
    let workspace = &*state.workspace(params)?;
    let jobs = jobs::all(workspace)
        .filter(|job| job.session_id.is_none())
        .map(|job| (job.number, jobs::row(workspace, job, now), Item::Job(job)));
    let sessions = sessions::all(workspace)
        .map(|session| (session.number, sessions::row(workspace, session), Item::Session(session)));
    let mut items: Vec<_> = jobs.chain(sessions).collect();
    items.sort_by_key(|(number, ..)| *number);
    let entries = items.into_iter().map(|(_, row, item)| (row, item)).collect();
    listing::page(shared, request, entries, |item| match item {
        Item::Job(job) => ItemDetails::Job(Box::new(jobs::linked(shared, workspace, job, now))),
        Item::Session(session) => ItemDetails::Session(Box::new(sessions::details(workspace, session))),
    })
}
