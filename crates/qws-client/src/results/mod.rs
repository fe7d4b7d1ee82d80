//! What comes back: the service's exact data, never sampled anew.

mod formats;
mod histogram;

use std::fmt;

use bytes::Bytes;

use crate::{Error, ErrorKind, JobDetails, JobId, Operation};

pub use histogram::{Histogram, Measure, Outcome};

/// The output of a job, read on request.
#[derive(Clone)]
pub struct Results {
    job: JobId,
    format: String,
    bytes: Bytes,
    context: Context,
}

/// What the job, besides its output, tells of the results.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Context {
    /// Shots asked for.
    pub(crate) shots: Option<u64>,
    /// Width of the program.
    pub(crate) num_qubits: Option<usize>,
}

impl Results {
    pub(crate) fn new(job: &JobDetails, bytes: Bytes) -> Self {
        Self {
            job: job.id.clone(),
            format: job.output_data_format.clone().unwrap_or_default(),
            bytes,
            context: Context { shots: job.shots(), num_qubits: job.num_qubits() },
        }
    }

    /// The format, as the job names it, for example `microsoft.quantum-results.v2`.
    #[must_use]
    pub fn format(&self) -> &str {
        &self.format
    }

    /// The bytes as they are in storage, whatever the format.
    #[must_use]
    pub fn raw(&self) -> &Bytes {
        &self.bytes
    }

    /// The histogram of a job with one result.
    ///
    /// # Errors
    /// [`ErrorKind::Results`] if the output is not what its format promises (the text names the field and the place),
    /// the format is not known ([`Results::raw`] still has the data), or there is more than one result.
    pub fn histogram(&self) -> Result<Histogram, Error> {
        let mut all = self.histograms()?;
        if all.len() > 1 {
            let text = format!("the job has {} results: `histograms()` gives them all", all.len());
            return Err(self.error(text));
        }
        all.pop().ok_or_else(|| self.error("the output holds no result"))
    }

    /// The histogram of each result; batches have several, in the order of their items.
    ///
    /// Read are `ionq.quantum-results.v1`, `microsoft.quantum-results.v1` and `microsoft.quantum-results.v2`.
    ///
    /// # Errors
    /// As [`Results::histogram`].
    pub fn histograms(&self) -> Result<Vec<Histogram>, Error> {
        let read = match self.format.as_str() {
            "ionq.quantum-results.v1" => formats::ionq_v1(&self.bytes, self.context),
            "microsoft.quantum-results.v1" => formats::microsoft_v1(&self.bytes, self.context),
            "microsoft.quantum-results.v2" => formats::microsoft_v2(&self.bytes),
            other => Err(format!("no histogram can be read from the format `{other}`; `raw()` has the data")),
        };
        read.map_err(|text| self.error(text))
    }

    fn error(&self, text: impl Into<String>) -> Error {
        Error::new(ErrorKind::Results, text).with_operation(Operation::Results).with_job(&self.job)
    }
}

impl fmt::Debug for Results {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Results")
            .field("job", &self.job)
            .field("format", &self.format)
            .field("bytes", &self.bytes.len())
            .finish_non_exhaustive()
    }
}
