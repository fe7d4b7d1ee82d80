use serde::Deserialize;

use super::Program;
use crate::{Error, ErrorKind, Operation};

/// The part of a circuit that we need ourselves.
#[derive(Deserialize)]
struct Circuit {
    qubits: u64,
    #[serde(rename = "circuit")]
    _circuit: Vec<serde::de::IgnoredAny>,
}

impl Program {
    /// A circuit in IonQ's JSON (`ionq.circuit.v1`), for `ionq.*` targets: `{"qubits": 3, "circuit": [{"gate": "h",
    /// "target": 0}, …]}`. The text is sent as it is.
    ///
    /// The number of qubits is noted in the job's metadata as `num_qubits`: IonQ's results name outcomes by a bare
    /// number, and only the width makes a label of it.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`] if the text is no JSON of that shape, with line and column.
    pub fn ionq_json(text: impl Into<String>) -> Result<Self, Error> {
        let text = text.into();
        let circuit: Circuit = serde_json::from_str(&text).map_err(|error| {
            let text = format!("not an IonQ circuit (`{{\"qubits\": n, \"circuit\": [..]}}`): {error}");
            Error::new(ErrorKind::InvalidInput, text).with_operation(Operation::Submit)
        })?;
        let program = Self::raw(text, "application/json", "ionq.circuit.v1", "ionq.quantum-results.v1");
        Ok(program.with_metadata("num_qubits", circuit.qubits))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_width_is_noted_and_the_text_untouched() {
        let text = r#"{"circuit": [], "qubits": 3, "gateset": "qis"}"#;
        let program = Program::ionq_json(text).unwrap();
        assert_eq!(program.bytes(), text);
        assert_eq!(program.metadata()["num_qubits"], 3);
    }

    #[test]
    fn what_is_no_circuit_is_refused_with_its_place() {
        let error = Program::ionq_json(r#"{"qubits": "three"}"#).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert!(error.to_string().contains("line 1 column 18"), "{error}");
    }
}
