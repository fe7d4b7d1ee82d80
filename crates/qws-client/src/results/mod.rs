//! What comes back: the service's exact data, never sampled anew.

mod bars;
mod formats;
mod histogram;
mod packed;
#[cfg(test)]
mod properties;
mod rows;
mod scan;
mod shots;
#[cfg(feature = "svg")]
mod svg;
mod value;

use std::fmt;

use bytes::Bytes;

use crate::{Error, ErrorKind, JobDetails, JobId, Operation, models::one_line};

pub use bars::Bars;
pub use histogram::{Histogram, Measure, Outcome};
pub use packed::{Bit, BitString, Register};
pub use shots::{Shot, ShotError, Shots};
pub use value::ShotValue;

/// The output of a job, read on request.
///
/// | format | histogram | shots |
/// | --- | --- | --- |
/// | `microsoft.quantum-results.v2` | counts | yes |
/// | `microsoft.quantum-results.v1` | probabilities | no |
/// | `ionq.quantum-results.v1` | probabilities | no |
/// | `honeywell.quantum-results.v1`, `quantinuum.quantum-results.v1` | counts | yes |
/// | `rigetti.quil-results.v1` | counts | yes |
/// | `pasqal.pulser-results.v1` | counts | no |
///
/// Labels read qubit 0 (or the first recorded result) first in each of them. [`Results::raw`] has the data of every other
/// format too.
#[derive(Clone)]
pub struct Results {
    job: Option<JobId>,
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
            job: Some(job.id.clone()),
            format: job.output_data_format.clone().unwrap_or_default(),
            bytes,
            context: Context { shots: job.shots(), num_qubits: job.num_qubits() },
        }
    }

    /// Results from an output that was kept, of a format such as `microsoft.quantum-results.v2`.
    ///
    /// What only the job knows, its shots and qubits, is not known then: see [`Results::with_num_qubits`].
    #[must_use]
    pub fn from_raw(format: impl Into<String>, output: impl Into<Bytes>) -> Self {
        Self { job: None, format: format.into(), bytes: output.into(), context: Context::default() }
    }

    /// Says how many qubits the program has, which is how wide the labels of `ionq.quantum-results.v1` are; without it
    /// they are as wide as the largest outcome. Results of a job know it where its metadata do.
    #[must_use]
    pub fn with_num_qubits(mut self, num_qubits: usize) -> Self {
        self.context.num_qubits = Some(num_qubits);
        self
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

    /// The histogram of a job with one result. [`Histogram::measure`] tells whether the service gave counts or
    /// probabilities.
    ///
    /// # Errors
    /// [`ErrorKind::Results`] if the output is not what its format promises (the text names the field and the byte), the
    /// format is not known ([`Results::raw`] still has the data), or there is more than one result.
    pub fn histogram(&self) -> Result<Histogram, Error> {
        self.only(self.histograms()?, "histograms()")
    }

    /// The histogram of each result; batches have several, in the order of their items.
    ///
    /// # Errors
    /// As [`Results::histogram`].
    pub fn histograms(&self) -> Result<Vec<Histogram>, Error> {
        let bytes = &self.bytes[..];
        let read = match self.known_format()? {
            Format::MicrosoftV2 => formats::microsoft_v2_histograms(bytes),
            Format::MicrosoftV1 => formats::microsoft_v1(bytes, self.context).map(one),
            Format::Ionq => formats::ionq_v1(bytes, self.context).map(one),
            Format::Quantinuum => formats::quantinuum(bytes).map(|shots| one(shots.histogram())),
            Format::Rigetti => formats::rigetti(bytes).map(|shots| one(shots.histogram())),
            Format::Pasqal => formats::pasqal(bytes).map(one),
        };
        read.map_err(|fault| self.error(fault.to_string()))
    }

    /// What each shot of a job with one result recorded.
    ///
    /// # Errors
    /// [`ErrorKind::Results`] as for [`Results::histogram`], or if the format has no shots.
    pub fn shots(&self) -> Result<Shots, Error> {
        self.only(self.all_shots()?, "all_shots()")
    }

    /// The shots of each result; batches have several, in the order of their items.
    ///
    /// # Errors
    /// As [`Results::shots`].
    pub fn all_shots(&self) -> Result<Vec<Shots>, Error> {
        let bytes = &self.bytes[..];
        let read = match self.known_format()? {
            Format::MicrosoftV2 => formats::microsoft_v2_shots(bytes),
            Format::Quantinuum => formats::quantinuum(bytes).map(one),
            Format::Rigetti => formats::rigetti(bytes).map(one),
            Format::MicrosoftV1 | Format::Ionq | Format::Pasqal => {
                let text = format!(
                    "the format `{}` holds a histogram and no shots; there are shots in \
                     `microsoft.quantum-results.v2`, `honeywell.quantum-results.v1` and `rigetti.quil-results.v1`",
                    self.format
                );
                let hint =
                    "submit with the output format `microsoft.quantum-results.v2`, where the target has it";
                return Err(self.error(text).with_hint(hint));
            }
        };
        read.map_err(|fault| self.error(fault.to_string()))
    }

    fn known_format(&self) -> Result<Format, Error> {
        Ok(match self.format.as_str() {
            "microsoft.quantum-results.v1" => Format::MicrosoftV1,
            "microsoft.quantum-results.v2" => Format::MicrosoftV2,
            "ionq.quantum-results.v1" => Format::Ionq,
            "honeywell.quantum-results.v1" | "quantinuum.quantum-results.v1" => Format::Quantinuum,
            "rigetti.quil-results.v1" => Format::Rigetti,
            "pasqal.pulser-results.v1" => Format::Pasqal,
            "" => return Err(self.error("the job names no output format; `raw()` has the data")),
            other => {
                return Err(self.error(format!("the format `{other}` is not known; `raw()` has the data")));
            }
        })
    }

    /// The one result of a job that is no batch.
    fn only<T>(&self, mut all: Vec<T>, instead: &str) -> Result<T, Error> {
        match (all.pop(), all.len()) {
            (Some(only), 0) => Ok(only),
            (_, others) => {
                Err(self.error(format!("the job has {} results: `{instead}` gives them all", others + 1)))
            }
        }
    }

    fn error(&self, text: impl AsRef<str>) -> Error {
        let error =
            Error::new(ErrorKind::Results, one_line(text.as_ref())).with_operation(Operation::Results);
        match &self.job {
            Some(job) => error.with_job(job),
            None => error,
        }
    }
}

enum Format {
    MicrosoftV1,
    MicrosoftV2,
    Ionq,
    Quantinuum,
    Rigetti,
    Pasqal,
}

fn one<T>(only: T) -> Vec<T> {
    vec![only]
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
