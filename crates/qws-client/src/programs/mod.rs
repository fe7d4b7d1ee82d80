//! What can be sent: a program in one of the formats that targets take.

mod argument;
mod circuit;
mod formats;
mod ionq;
mod qir;
mod text;

pub use argument::{Argument, ArgumentType, Pauli};
pub use circuit::Circuit;
pub(crate) use formats::{FORMATS_AS_OF, known_formats};
pub use qir::BatchItem;

use std::fmt;

use bytes::Bytes;
use serde_json::{Map, Value};

/// A program ready to be submitted: its bytes, their format, and the format wanted for the results.
///
/// ```
/// use qws_client::Program;
///
/// let ghz = Program::ionq_json(
///     r#"{"qubits":2,"circuit":[{"gate":"h","target":0},{"gate":"cnot","control":0,"target":1}]}"#,
/// )?;
/// assert_eq!(ghz.input_format(), "ionq.circuit.v1");
/// # Ok::<(), qws_client::Error>(())
/// ```
#[derive(Clone)]
pub struct Program {
    bytes: Bytes,
    content_type: String,
    input_format: String,
    output_format: String,
    parameters: Map<String, Value>,
    metadata: Map<String, Value>,
    encoding: Option<&'static str>,
    problem: Option<String>,
}

impl Program {
    /// Bytes in a format of the caller's knowledge, sent as they are.
    #[must_use]
    pub fn raw(
        bytes: impl Into<Bytes>,
        content_type: impl Into<String>,
        input_format: impl Into<String>,
        output_format: impl Into<String>,
    ) -> Self {
        Self {
            bytes: bytes.into(),
            content_type: content_type.into(),
            input_format: input_format.into(),
            output_format: output_format.into(),
            parameters: Map::new(),
            metadata: Map::new(),
            encoding: None,
            problem: None,
        }
    }

    /// Wants the results in another format.
    #[must_use]
    pub fn with_output_format(mut self, format: impl Into<String>) -> Self {
        self.output_format = format.into();
        self
    }

    /// Sets a parameter of the run (a field of the job's `inputParams`), for example `error-mitigation`.
    #[must_use]
    pub fn with_parameter(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.parameters.insert(name.into(), value.into());
        self
    }

    /// Adds a note to be kept with the job. The service keeps values as text.
    #[must_use]
    pub fn with_metadata(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.metadata.insert(name.into(), value.into());
        self
    }

    /// The same program with its bytes compressed by gzip, and marked so. Targets of the service's own clients take it;
    /// whether another one does, its provider tells.
    #[cfg(feature = "gzip")]
    #[must_use]
    pub fn gzipped(mut self) -> Self {
        use std::io::Write;
        if self.encoding.is_none() {
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
            // Writing into memory does not fail; if it ever did, the program would simply stay as it is.
            if let Ok(bytes) = encoder.write_all(&self.bytes).and_then(|()| encoder.finish()) {
                self.bytes = bytes.into();
                self.encoding = Some("gzip");
            }
        }
        self
    }

    /// How the bytes are encoded, if they are: `gzip`.
    #[must_use]
    pub fn encoding(&self) -> Option<&str> {
        self.encoding
    }

    /// What is wrong with values given so far; told when the program is submitted.
    pub(crate) fn problem(&self) -> Option<&str> {
        self.problem.as_deref()
    }

    /// The bytes.
    #[must_use]
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// The media type of the bytes.
    #[must_use]
    pub fn content_type(&self) -> &str {
        &self.content_type
    }

    /// The format of the bytes.
    #[must_use]
    pub fn input_format(&self) -> &str {
        &self.input_format
    }

    /// The format wanted for the results.
    #[must_use]
    pub fn output_format(&self) -> &str {
        &self.output_format
    }

    pub(crate) fn parameters(&self) -> &Map<String, Value> {
        &self.parameters
    }

    pub(crate) fn metadata(&self) -> &Map<String, Value> {
        &self.metadata
    }
}

impl fmt::Debug for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Program")
            .field("bytes", &self.bytes.len())
            .field("content_type", &self.content_type)
            .field("input_format", &self.input_format)
            .field("output_format", &self.output_format)
            .field("parameters", &self.parameters)
            .field("metadata", &self.metadata)
            .finish_non_exhaustive()
    }
}
