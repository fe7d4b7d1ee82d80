#![doc = include_str!("../README.md")]

mod attachments;
mod client;
mod error;
mod hint;
mod job;
mod job_set;
mod management;
mod models;
mod ops;
mod options;
mod pipeline;
mod preflight;
mod programs;
mod request;
mod results;
mod session;
mod storage;
mod submit;
mod target;
mod wait;
mod workspace;

pub use attachments::{Attachment, Attachments};
pub use client::Client;
pub use error::{Error, ErrorKind};
pub use job::Job;
pub use job_set::{JobSet, JobSetEvent};
pub use management::{
    AccessKey, AccessKeys, FoundWorkspace, KeyType, Management, WorkspaceProperties, WorkspaceQuery,
    WorkspaceResource,
};
pub use models::{
    BlobUri, CostEstimate, CreatedByType, DimensionScope, Item, ItemType, JobDetails, JobId, JobStatus,
    JobType, JobUpdate, JobUpdateResponse, MeterPeriod, NewJob, NewSession, Priority, ProviderAvailability,
    ProviderStatus, QuantumComputingData, Quota, QuotaUsage, ServiceError, SessionDetails,
    SessionJobFailurePolicy, SessionStatus, SuiteOfferScope, TargetAvailability, TargetStatus, UsageEvent,
};
pub use ops::{
    Continuation, Filter, Items, Jobs, List, Order, Page, Property, Providers, Quotas, Sessions, Storage,
    SuiteOffers,
};
pub use options::{API_VERSION, ClientOptions};
pub use preflight::{Check, Finding, Preflight, Severity};
pub use programs::{Argument, ArgumentType, BatchItem, Circuit, Pauli, Program};
pub use request::Operation;
pub use results::{
    Bars, Bit, BitString, Histogram, Measure, Outcome, Register, Results, Shot, ShotError, ShotValue, Shots,
};
pub use session::{SESSION_IDLE_MINUTES, Session, SessionBuilder};
pub use submit::Submission;
pub use target::Target;
pub use wait::{JobEvent, Wait};
pub use workspace::{Workspace, WorkspaceBuilder};
