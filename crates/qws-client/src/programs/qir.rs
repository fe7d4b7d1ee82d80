use bytes::Bytes;
use serde_json::json;

use super::Program;
use crate::{Error, ErrorKind, Operation};

const RESULTS_V2: &str = "microsoft.quantum-results.v2";

impl Program {
    /// QIR as LLVM assembly text (`qir.v1`). The entry point is the function with the `entry_point` attribute.
    ///
    /// Machines and most simulators of the service take QIR as bitcode only and fail a job with text
    /// (`BitcodeError`); the emulator takes text.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`] if no function, or more than one, has the attribute.
    pub fn qir_text(text: impl Into<String>) -> Result<Self, Error> {
        let text = text.into();
        let invalid =
            |text: String| Error::new(ErrorKind::InvalidInput, text).with_operation(Operation::Submit);
        let entry_point = match entry_points(&text).as_slice() {
            [one] => (*one).to_owned(),
            [] => return Err(invalid("the QIR has no function with the attribute `entry_point`".into())),
            many => {
                let text = format!(
                    "the QIR has {} entry points ({}), and one is needed",
                    many.len(),
                    many.join(", ")
                );
                return Err(invalid(text));
            }
        };
        Ok(Self::qir(text, &entry_point))
    }

    /// QIR as LLVM bitcode (`qir.v1`), with the name of its entry point.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`] if the bytes do not begin as bitcode does (`BC C0 DE`, bare or in its wrapper).
    pub fn qir_bitcode(bytes: impl Into<Bytes>, entry_point: &str) -> Result<Self, Error> {
        let bytes = bytes.into();
        if !bytes.starts_with(b"BC\xC0\xDE") && !bytes.starts_with(&[0xDE, 0xC0, 0x17, 0x0B]) {
            let text = "this is not LLVM bitcode: it does not begin with the bytes 42 43 C0 DE";
            return Err(Error::new(ErrorKind::InvalidInput, text).with_operation(Operation::Submit));
        }
        Ok(Self::qir(bytes, entry_point))
    }

    fn qir(bytes: impl Into<Bytes>, entry_point: &str) -> Self {
        // The service's own clients use the format's name as its media type.
        Self::raw(bytes, "qir.v1", "qir.v1", RESULTS_V2)
            .with_parameter("entryPoint", entry_point)
            .with_parameter("arguments", json!([]))
    }
}

/// Names of the functions that carry the attribute `entry_point`, by themselves or through an attribute group.
fn entry_points(text: &str) -> Vec<&str> {
    let lines = || text.lines().map(|line| line.split(';').next().unwrap_or_default().trim());
    let marked = |line: &str| line.contains("\"entry_point\"") || line.contains("\"EntryPoint\"");
    let groups: Vec<&str> = lines()
        .filter(|line| line.starts_with("attributes ") && marked(line))
        .filter_map(|line| line.split_whitespace().nth(1))
        .collect();
    lines()
        .filter(|line| line.starts_with("define "))
        .filter(|line| marked(line) || line.split_whitespace().any(|word| groups.contains(&word)))
        .filter_map(|line| line.split_once('@')?.1.split('(').next())
        .map(|name| name.trim_matches('"'))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"
define void @helper() #1 {
}
define i64 @"ENTRYPOINT__main"() #0 { ; attributes #9 = { "entry_point" }
}
attributes #0 = { "entry_point" "qir_profiles"="base_profile" }
attributes #1 = { "irreversible" }
"#;

    #[test]
    fn the_entry_point_is_found_by_its_attribute() {
        let program = Program::qir_text(TEXT).unwrap();
        assert_eq!(program.parameters()["entryPoint"], "ENTRYPOINT__main");
        assert_eq!(program.output_format(), RESULTS_V2);
        assert_eq!(entry_points("define void @a() \"entry_point\" {"), ["a"]);
    }

    #[test]
    fn none_and_several_are_refused() {
        assert!(
            Program::qir_text("define void @main() {\n}").unwrap_err().to_string().contains("no function")
        );
        let two = TEXT.replace("#1", "#0");
        assert!(Program::qir_text(two).unwrap_err().to_string().contains("helper, ENTRYPOINT__main"));
    }

    #[test]
    fn bitcode_is_known_by_its_first_bytes() {
        assert!(Program::qir_bitcode(&b"BC\xC0\xDE5"[..], "main").is_ok());
        assert!(Program::qir_bitcode(&b"define void"[..], "main").is_err());
    }
}
