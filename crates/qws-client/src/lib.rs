#![doc = include_str!("../README.md")]

mod blob;
mod client;
mod error;
mod hint;
mod job;
mod management;
mod models;
mod ops;
mod options;
mod pipeline;
mod programs;
mod request;
mod results;
mod submit;
mod target;
mod wait;
mod workspace;

pub use client::Client;
pub use error::{Error, ErrorKind};
pub use job::Job;
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
pub use programs::Program;
pub use request::Operation;
pub use results::{Histogram, Measure, Outcome, Results};
pub use submit::Submission;
pub use target::Target;
pub use wait::{JobEvent, Wait};
pub use workspace::{Workspace, WorkspaceBuilder};
