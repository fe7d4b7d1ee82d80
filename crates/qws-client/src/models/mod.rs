//! What the service sends and takes, as types.
//!
//! Facts are those of the data plane's REST API, version 2026-01-15-preview. Sets of values are open, unknown fields
//! are ignored, and every field may be missing or null unless the service always sends it.

mod blob_uri;
mod error;
mod job;
pub(crate) mod open_enum;
mod provider;
mod quota;
mod session;
pub(crate) mod time;
mod update;

pub use blob_uri::BlobUri;
pub use error::ServiceError;
pub(crate) use error::one_line;
pub use job::{
    CostEstimate, CreatedByType, ItemType, JobDetails, JobId, JobStatus, JobType, NewJob, Priority,
    QuantumComputingData, UsageEvent,
};
pub use provider::{ProviderAvailability, ProviderStatus, TargetAvailability, TargetStatus};
pub use quota::{DimensionScope, MeterPeriod, Quota, QuotaUsage, SuiteOfferScope};
pub use session::{Item, NewSession, SessionDetails, SessionJobFailurePolicy, SessionStatus};
pub use update::{JobUpdate, JobUpdateResponse};

use std::{fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{
        MapAccess, SeqAccess, Visitor,
        value::{MapAccessDeserializer, SeqAccessDeserializer},
    },
};

/// One page of a list. A missing or null `value` is an empty page, and an empty page does not end the list. Suite offers
/// may answer with a bare array, which is the only page then.
#[derive(Debug, Clone)]
pub(crate) struct Page<T> {
    pub(crate) value: Vec<T>,
    pub(crate) next_link: Option<String>,
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Page<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct PageOrList<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for PageOrList<T> {
            type Value = Page<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a page of a list")
            }

            fn visit_map<A: MapAccess<'de>>(self, fields: A) -> Result<Page<T>, A::Error> {
                #[derive(Deserialize)]
                #[serde(rename_all = "camelCase", bound = "T: Deserialize<'de>")]
                struct Object<T> {
                    #[serde(default, deserialize_with = "null_as_default")]
                    value: Vec<T>,
                    next_link: Option<String>,
                }
                let Object { value, next_link } = Object::deserialize(MapAccessDeserializer::new(fields))?;
                Ok(Page { value, next_link })
            }

            fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<Page<T>, A::Error> {
                let value = Vec::deserialize(SeqAccessDeserializer::new(items))?;
                Ok(Page { value, next_link: None })
            }
        }
        deserializer.deserialize_any(PageOrList(PhantomData))
    }
}

/// Reads `null` as the type's default, as the service sends nulls nearly everywhere.
pub(crate) fn null_as_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}
