use bytes::Bytes;
use serde_json::{Value, json};

use super::{Argument, Program};
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
    /// The profile that the target takes, where the service tells it, goes along as the parameter `target_profile`, unless
    /// [`Program::with_parameter`] sets another.
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

    /// Gives the entry point a value for one of its parameters.
    #[must_use]
    pub fn with_argument(mut self, name: &str, argument: &Argument) -> Self {
        self.note(name, argument);
        push(self.parameters.entry("arguments"), argument.to_json(name));
        self
    }

    /// Adds a run of its own to the job: another entry point or other arguments. A job with items has one result each;
    /// arguments of the program itself are not sent then.
    #[must_use]
    pub fn with_item(mut self, item: &BatchItem) -> Self {
        for (name, argument) in &item.arguments {
            self.note(name, argument);
        }
        self.parameters.remove("arguments");
        push(self.parameters.entry("items"), item.to_json());
        self
    }

    fn note(&mut self, name: &str, argument: &Argument) {
        let problem = argument.problem().map(|problem| format!("argument `{name}`: {problem}"));
        self.problem = self.problem.take().or(problem);
    }

    fn qir(bytes: impl Into<Bytes>, entry_point: &str) -> Self {
        // The service's own clients use the format's name as its media type.
        Self::raw(bytes, "qir.v1", "qir.v1", RESULTS_V2)
            .with_parameter("entryPoint", entry_point)
            .with_parameter("arguments", json!([]))
    }
}

/// Appends to a list that may not be there yet.
fn push(list: serde_json::map::Entry<'_>, value: Value) {
    if let Some(list) = list.or_insert_with(|| json!([])).as_array_mut() {
        list.push(value);
    }
}

/// One run of a batch.
#[derive(Debug, Clone, Default)]
#[must_use]
pub struct BatchItem {
    entry_point: Option<String>,
    arguments: Vec<(String, Argument)>,
}

impl BatchItem {
    /// A run of the program's own entry point without arguments.
    pub fn new() -> Self {
        Self::default()
    }

    /// Runs another entry point.
    pub fn entry_point(mut self, name: impl Into<String>) -> Self {
        self.entry_point = Some(name.into());
        self
    }

    /// Gives it a value for one of its parameters.
    pub fn argument(mut self, name: impl Into<String>, argument: Argument) -> Self {
        self.arguments.push((name.into(), argument));
        self
    }

    fn to_json(&self) -> Value {
        let mut item = json!({});
        if let Some(name) = &self.entry_point {
            item["entryPoint"] = json!(name);
        }
        if !self.arguments.is_empty() {
            item["arguments"] =
                self.arguments.iter().map(|(name, argument)| argument.to_json(name)).collect();
        }
        item
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
    fn items_replace_the_arguments_and_wrong_values_are_noted() {
        let program = Program::qir_text(TEXT).unwrap();
        let with_argument = program.clone().with_argument("n", &Argument::Int(1));
        assert_eq!(
            with_argument.parameters()["arguments"],
            json!([{"name": "n", "value": 1, "type": "Int"}])
        );
        let batch = program
            .with_item(&BatchItem::new().argument("n", Argument::Int(1)))
            .with_item(&BatchItem::new().entry_point("F"));
        assert!(batch.parameters().get("arguments").is_none());
        let items = json!([{"arguments": [{"name": "n", "value": 1, "type": "Int"}]}, {"entryPoint": "F"}]);
        assert_eq!(batch.parameters()["items"], items);
        assert_eq!(batch.problem(), None);
        let wrong = with_argument.with_argument("x", &Argument::Double(f64::INFINITY));
        assert_eq!(wrong.problem(), Some("argument `x`: inf is no number that can be sent"));
    }

    #[test]
    fn bitcode_is_known_by_its_first_bytes() {
        assert!(Program::qir_bitcode(&b"BC\xC0\xDE5"[..], "main").is_ok());
        assert!(Program::qir_bitcode(&b"define void"[..], "main").is_err());
    }
}
