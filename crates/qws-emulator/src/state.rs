//! Everything the emulator knows, shared by all connections.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use time::OffsetDateTime;
use tokio::sync::OnceCell;

use crate::answer::ServiceError;
use crate::blob::sas::SasKeys;
use crate::blob::store::BlobStore;
use crate::clock::Clock;
use crate::fault::FaultBook;
use crate::formats::{GateCounts, JobError};
use crate::identity::Directory;
use crate::links::Links;
use crate::log::RequestLog;
use crate::place::Place;
use crate::route::Params;
use crate::service::quotas::{self, Bill, Quota};
use crate::token::Tokens;

/// The name of the storage account, part of every SAS signature.
pub(crate) const ACCOUNT: &str = "stqwsemulator";

#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) waiting: Duration,
    pub(crate) executing: Duration,
    pub(crate) sas_lifetime: Duration,
    pub(crate) qubit_limit: usize,
    pub(crate) seed: u64,
    /// Whether jobs may have their data on other machines.
    pub(crate) remote_storage: bool,
    /// Bytes of blobs.
    pub(crate) blob_limit: usize,
    /// Jobs and sessions in a workspace.
    pub(crate) job_limit: usize,
    pub(crate) workspace: WorkspaceSpec,
}

/// The two kinds of workspace, which count their quotas differently and name some states differently.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum WorkspaceKind {
    /// Quotas by provider; jobs are `Waiting` and `Succeeded`.
    #[default]
    V1,
    /// Minutes by target; jobs are `Queued` and `Completed`.
    V2,
}

/// A workspace to be emulated; begin with [`WorkspaceSpec::default`] and change what matters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct WorkspaceSpec {
    /// A GUID.
    pub subscription_id: String,
    /// The resource group.
    pub resource_group: String,
    /// The name of the workspace.
    pub name: String,
    /// The region, as `eastus`.
    pub location: String,
    /// V1 or V2.
    pub kind: WorkspaceKind,
}

impl Default for WorkspaceSpec {
    fn default() -> Self {
        Self {
            subscription_id: "11111111-2222-3333-4444-555555555555".to_owned(),
            resource_group: "emulator-rg".to_owned(),
            name: "emulator-ws".to_owned(),
            location: "eastus".to_owned(),
            kind: WorkspaceKind::default(),
        }
    }
}

/// 32 random bytes in base64, the form of Azure's keys.
pub(crate) fn random_key(random: &mut fastrand::Rng) -> String {
    STANDARD.encode(std::array::from_fn::<u8, 32, _>(|_| random.u8(..)))
}

/// Where everything is: scheme, host and port, without a slash at the end.
#[derive(Clone, Debug)]
pub(crate) struct Addresses {
    pub(crate) service: String,
    pub(crate) storage: String,
    /// The port of the storage account, whatever name `storage` has.
    pub(crate) storage_port: u16,
    /// Entra ID, on the service's port.
    pub(crate) authority: String,
    /// The identity endpoints of the machine itself.
    pub(crate) metadata: String,
}

#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) settings: Settings,
    pub(crate) addresses: Addresses,
    pub(crate) clock: Clock,
    pub(crate) faults: FaultBook,
    pub(crate) log: RequestLog,
    pub(crate) tokens: Tokens,
    pub(crate) sas: SasKeys,
    pub(crate) blobs: BlobStore,
    pub(crate) links: Links,
    directory: Mutex<Directory>,
    state: Mutex<State>,
}

impl Shared {
    pub(crate) fn new(settings: Settings, addresses: Addresses, clock: Clock) -> Self {
        let mut random = fastrand::Rng::with_seed(settings.seed);
        let token_key = std::array::from_fn(|_| random.u8(..));
        let sas_key = random_key(&mut random);
        let workspace = Workspace::new(settings.workspace.clone(), &mut random, clock.now());
        Self {
            blobs: BlobStore::new(settings.blob_limit),
            links: Links::new(settings.remote_storage),
            settings,
            addresses,
            clock,
            faults: FaultBook::default(),
            log: RequestLog::new(),
            tokens: Tokens::new(token_key),
            sas: SasKeys::new(ACCOUNT, sas_key),
            directory: Mutex::new(Directory::new(&mut random)),
            state: Mutex::new(State { workspaces: vec![workspace], random }),
        }
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn directory(&self) -> MutexGuard<'_, Directory> {
        self.directory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn storage_endpoint(&self) -> String {
        format!("{}/", self.addresses.storage)
    }

    pub(crate) fn request_id(&self) -> String {
        let bytes = self.state().random.u128(..).to_be_bytes();
        uuid::Builder::from_random_bytes(bytes).into_uuid().to_string()
    }
}

#[derive(Debug)]
pub(crate) struct State {
    pub(crate) workspaces: Vec<Workspace>,
    pub(crate) random: fastrand::Rng,
}

impl State {
    /// The index of the workspace that a path names; names compare without case, as everywhere in Azure.
    pub(crate) fn find(&self, params: &Params) -> Result<usize, ServiceError> {
        let found = self.workspaces.iter().position(|workspace| {
            workspace.subscription.eq_ignore_ascii_case(&params.subscription)
                && workspace.group.eq_ignore_ascii_case(&params.group)
                && workspace.name.eq_ignore_ascii_case(&params.workspace)
        });
        found.ok_or_else(|| {
            let message = format!(
                "The workspace '{}' in resource group '{}' was not found.",
                params.workspace, params.group
            );
            ServiceError::not_found("WorkspaceNotFound", message)
        })
    }

    pub(crate) fn workspace(&mut self, params: &Params) -> Result<&mut Workspace, ServiceError> {
        let index = self.find(params)?;
        Ok(&mut self.workspaces[index])
    }
}

pub(crate) struct Workspace {
    pub(crate) subscription: String,
    pub(crate) group: String,
    pub(crate) name: String,
    pub(crate) location: String,
    pub(crate) kind: WorkspaceKind,
    pub(crate) keys_enabled: bool,
    pub(crate) primary_key: String,
    pub(crate) secondary_key: String,
    pub(crate) created: OffsetDateTime,
    /// What was set in place of the catalogue's availability, by target.
    pub(crate) availability: HashMap<String, String>,
    pub(crate) jobs: HashMap<String, Job>,
    /// The jobs that have not ended, by the time at which they will.
    pub(crate) due: BTreeSet<(OffsetDateTime, String)>,
    /// Jobs by creation, oldest first.
    pub(crate) order: BTreeMap<u64, String>,
    pub(crate) sessions: HashMap<String, Session>,
    /// Sessions by creation, oldest first.
    pub(crate) session_order: BTreeMap<u64, String>,
    pub(crate) quotas: Vec<Quota>,
    numbers: u64,
}

impl Workspace {
    pub(crate) fn new(spec: WorkspaceSpec, random: &mut fastrand::Rng, created: OffsetDateTime) -> Self {
        Self {
            subscription: spec.subscription_id,
            group: spec.resource_group,
            name: spec.name,
            location: spec.location,
            kind: spec.kind,
            keys_enabled: true,
            primary_key: random_key(random),
            secondary_key: random_key(random),
            created,
            availability: HashMap::new(),
            jobs: HashMap::new(),
            due: BTreeSet::new(),
            order: BTreeMap::new(),
            sessions: HashMap::new(),
            session_order: BTreeMap::new(),
            quotas: quotas::granted(spec.kind),
            numbers: 0,
        }
    }

    /// Whether this key opens the workspace.
    pub(crate) fn accepts(&self, key: &str) -> bool {
        self.keys_enabled && (self.primary_key == key || self.secondary_key == key)
    }

    /// Whether one more job or session may be kept.
    pub(crate) fn check_room(&self, limit: usize) -> Result<(), ServiceError> {
        if self.jobs.len() + self.sessions.len() < limit {
            return Ok(());
        }
        let message = format!(
            "The emulator keeps at most {limit} jobs and sessions in a workspace; delete jobs, or start it with a higher --job-limit."
        );
        Err(ServiceError::new(StatusCode::FORBIDDEN, "InsufficientStorage", message))
    }

    /// Counts what is created in the workspace, jobs and sessions alike.
    pub(crate) fn next_number(&mut self) -> u64 {
        self.numbers += 1;
        self.numbers
    }

    pub(crate) fn connection_string(&self, endpoint: &str, key: &str) -> String {
        format!(
            "SubscriptionId={};ResourceGroupName={};WorkspaceName={};ApiKey={key};QuantumEndpoint={endpoint};",
            self.subscription, self.group, self.name
        )
    }

    pub(crate) fn resource_id(&self) -> String {
        format!(
            "/subscriptions/{}/resourceGroups/{}/providers/Microsoft.Quantum/Workspaces/{}",
            self.subscription, self.group, self.name
        )
    }
}

impl std::fmt::Debug for Workspace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Workspace")
            .field("name", &self.name)
            .field("jobs", &self.jobs.len())
            .finish_non_exhaustive()
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Job {
    pub(crate) id: String,
    /// Counts what is created in a workspace; also what makes each job's samples its own.
    pub(crate) number: u64,
    pub(crate) name: String,
    pub(crate) provider_id: String,
    pub(crate) target: String,
    /// Where its output goes.
    pub(crate) container: Place,
    /// The blob to be run; as a rule in the same container.
    pub(crate) input: Place,
    pub(crate) output_blob: String,
    pub(crate) input_data_format: Option<String>,
    pub(crate) output_data_format: String,
    pub(crate) input_params: Value,
    pub(crate) metadata: Option<Map<String, Value>>,
    pub(crate) session_id: Option<String>,
    /// `jobType` on the wire.
    pub(crate) kind: String,
    pub(crate) priority: String,
    pub(crate) tags: Vec<String>,
    pub(crate) created: OffsetDateTime,
    pub(crate) modified: OffsetDateTime,
    pub(crate) begin: OffsetDateTime,
    pub(crate) end: OffsetDateTime,
    /// Filled by whoever first looks at the job after its end.
    pub(crate) run: Arc<OnceCell<Result<GateCounts, JobError>>>,
    /// What it costs, as far as that is known.
    pub(crate) bill: Option<Bill>,
    pub(crate) phase: Phase,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Phase {
    /// Waits until `begin`, then executes until `end`.
    Scheduled,
    /// Cancelled while executing; ends at `end`.
    Cancelling,
    Succeeded,
    Failed(JobError),
    Cancelled,
}

impl Phase {
    pub(crate) fn is_final(&self) -> bool {
        !matches!(self, Self::Scheduled | Self::Cancelling)
    }
}

impl Job {
    /// The status that the wire shows at this time.
    pub(crate) fn status(&self, kind: WorkspaceKind, now: OffsetDateTime) -> &'static str {
        match (&self.phase, kind) {
            (Phase::Scheduled, WorkspaceKind::V1) if now < self.begin => "Waiting",
            (Phase::Scheduled, WorkspaceKind::V2) if now < self.begin => "Queued",
            (Phase::Scheduled, _) => "Executing",
            (Phase::Cancelling, _) => "CancellationRequested",
            (Phase::Succeeded, WorkspaceKind::V1) => "Succeeded",
            (Phase::Succeeded, WorkspaceKind::V2) => "Completed",
            (Phase::Failed(_), _) => "Failed",
            (Phase::Cancelled, _) => "Cancelled",
        }
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Session {
    pub(crate) id: String,
    pub(crate) number: u64,
    pub(crate) name: String,
    pub(crate) provider_id: String,
    pub(crate) target: String,
    pub(crate) policy: FailurePolicy,
    pub(crate) priority: String,
    pub(crate) tags: Vec<String>,
    pub(crate) created: OffsetDateTime,
    pub(crate) end: Option<(SessionEnd, OffsetDateTime)>,
    /// The ids of its jobs, oldest first.
    pub(crate) jobs: Vec<String>,
}

/// What a failed job means for its session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FailurePolicy {
    Abort,
    Continue,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SessionEnd {
    Succeeded,
    Failed,
    TimedOut,
}
