//! Programs in the providers' own languages, as text.

use super::Program;
use crate::{Error, ErrorKind, Operation};

impl Program {
    /// OpenQASM 2 for Quantinuum's targets (`honeywell.openqasm.v1`). The text is sent as it is.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`] if the text does not declare itself `OPENQASM`.
    pub fn openqasm(text: impl Into<String>) -> Result<Self, Error> {
        let text = text.into();
        if !begins_with(&text, "//", "OPENQASM") {
            return Err(invalid("OpenQASM begins with `OPENQASM 2.0;`"));
        }
        Ok(Self::raw(text, "application/qasm", "honeywell.openqasm.v1", "honeywell.quantum-results.v1"))
    }

    /// Quil for Rigetti's targets (`rigetti.quil.v1`). The text is sent as it is.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`] if it declares no memory `ro`, the only one that Rigetti's targets read out.
    pub fn quil(text: impl Into<String>) -> Result<Self, Error> {
        let text = text.into();
        let declared = text
            .lines()
            .map(str::split_whitespace)
            .any(|mut words| words.next() == Some("DECLARE") && words.next() == Some("ro"));
        if !declared {
            return Err(invalid("the Quil program declares no readout memory: `DECLARE ro BIT[n]`"));
        }
        Ok(Self::raw(text, "text/plain", "rigetti.quil.v1", "rigetti.quil-results.v1"))
    }

    /// A Pulser sequence as JSON for Pasqal's targets (`pasqal.pulser.v1`): `{"sequence_builder": …}`. The text is sent
    /// as it is.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`] if it is no JSON object, with line and column.
    pub fn pulser_json(text: impl Into<String>) -> Result<Self, Error> {
        let text = text.into();
        let object: Result<serde_json::Map<String, serde_json::Value>, _> = serde_json::from_str(&text);
        if let Err(error) = object {
            return Err(invalid(&format!("not a Pulser sequence as a JSON object: {error}")));
        }
        Ok(Self::raw(text, "application/json", "pasqal.pulser.v1", "pasqal.pulser-results.v1"))
    }
}

/// Whether the first line that is neither empty nor a comment begins with the word.
fn begins_with(text: &str, comment: &str, word: &str) -> bool {
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with(comment));
    lines.next().is_some_and(|line| line.starts_with(word))
}

fn invalid(text: &str) -> Error {
    Error::new(ErrorKind::InvalidInput, text).with_operation(Operation::Submit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_language_has_its_formats() {
        let qasm = Program::openqasm("// bell\nOPENQASM 2.0;\ninclude \"qelib1.inc\";").unwrap();
        assert_eq!((qasm.input_format(), qasm.content_type()), ("honeywell.openqasm.v1", "application/qasm"));
        let quil = Program::quil("DECLARE ro BIT[1]\nX 0\nMEASURE 0 ro[0]").unwrap();
        assert_eq!(
            (quil.input_format(), quil.output_format()),
            ("rigetti.quil.v1", "rigetti.quil-results.v1")
        );
        let pulser = Program::pulser_json(r#"{"sequence_builder": "{}"}"#).unwrap();
        assert_eq!(pulser.input_format(), "pasqal.pulser.v1");
    }

    #[test]
    fn what_is_plainly_something_else_is_refused() {
        assert!(Program::openqasm("DECLARE ro BIT[1]").is_err());
        assert!(Program::quil("OPENQASM 2.0;").is_err());
        assert!(Program::quil("DECLARE other BIT[1]").is_err());
        assert!(Program::pulser_json("[1]").unwrap_err().to_string().contains("line 1"));
    }
}
