//! What can be sent: a program in one of the formats that targets take.

mod ionq;
mod qir;

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
            .finish()
    }
}
