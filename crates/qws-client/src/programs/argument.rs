use serde_json::{Value, json};

/// A value for a parameter of a QIR entry point.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Argument {
    /// A whole number.
    Int(i64),
    /// A floating-point number; it must be finite.
    Double(f64),
    /// True or false.
    Boolean(bool),
    /// A text.
    String(String),
    /// A Pauli operator.
    Pauli(Pauli),
    /// A measured result: one is true.
    Result(bool),
    /// Whole numbers from start to end, the end included.
    Range {
        /// The first.
        start: i64,
        /// The last at most.
        end: i64,
        /// From one to the next; 1 where it is not given.
        step: Option<i64>,
    },
    /// Values of one type.
    Array {
        /// The type of the values, told even where there are none.
        element: ArgumentType,
        /// The values.
        values: Vec<Argument>,
    },
}

/// The type of an [`Argument`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ArgumentType {
    /// See [`Argument::Int`].
    Int,
    /// See [`Argument::Double`].
    Double,
    /// See [`Argument::Boolean`].
    Boolean,
    /// See [`Argument::String`].
    String,
    /// See [`Argument::Pauli`].
    Pauli,
    /// See [`Argument::Result`].
    Result,
    /// See [`Argument::Range`].
    Range,
    /// See [`Argument::Array`].
    Array,
}

/// A Pauli operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "there are four")]
pub enum Pauli {
    /// The identity.
    I,
    /// X.
    X,
    /// Y.
    Y,
    /// Z.
    Z,
}

impl Argument {
    /// An array of whole numbers.
    #[must_use]
    pub fn ints(values: impl IntoIterator<Item = i64>) -> Self {
        Self::Array { element: ArgumentType::Int, values: values.into_iter().map(Self::Int).collect() }
    }

    /// An array of floating-point numbers.
    #[must_use]
    pub fn doubles(values: impl IntoIterator<Item = f64>) -> Self {
        Self::Array { element: ArgumentType::Double, values: values.into_iter().map(Self::Double).collect() }
    }

    /// The type.
    #[must_use]
    pub fn kind(&self) -> ArgumentType {
        match self {
            Self::Int(_) => ArgumentType::Int,
            Self::Double(_) => ArgumentType::Double,
            Self::Boolean(_) => ArgumentType::Boolean,
            Self::String(_) => ArgumentType::String,
            Self::Pauli(_) => ArgumentType::Pauli,
            Self::Result(_) => ArgumentType::Result,
            Self::Range { .. } => ArgumentType::Range,
            Self::Array { .. } => ArgumentType::Array,
        }
    }

    /// What is wrong with the value, if anything: a number that JSON cannot write, or an array of mixed types.
    pub(crate) fn problem(&self) -> Option<String> {
        match self {
            Self::Double(number) if !number.is_finite() => {
                Some(format!("{number} is no number that can be sent"))
            }
            Self::Range { step: Some(0), .. } => Some("a range with step 0 has no end".to_owned()),
            Self::Array { element, values } => values.iter().enumerate().find_map(|(at, value)| {
                if value.kind() != *element {
                    return Some(format!("element {at} is {:?} in an array of {element:?}", value.kind()));
                }
                value.problem()
            }),
            _ => None,
        }
    }

    fn value(&self) -> Value {
        match self {
            Self::Int(number) => json!(number),
            Self::Double(number) => json!(number),
            Self::Boolean(truth) | Self::Result(truth) => json!(truth),
            Self::String(text) => json!(text),
            Self::Pauli(pauli) => json!(format!("Pauli{pauli:?}")),
            Self::Range { start, end, step: None } => json!({"start": start, "end": end}),
            Self::Range { start, end, step: Some(step) } => json!({"start": start, "end": end, "step": step}),
            Self::Array { values, .. } => values.iter().map(Self::value).collect(),
        }
    }

    /// `{"name", "value", "type"}`, and `elementType` for arrays, as the service takes it.
    pub(crate) fn to_json(&self, name: &str) -> Value {
        let mut argument = json!({"name": name, "value": self.value(), "type": format!("{:?}", self.kind())});
        if let Self::Array { element, .. } = self {
            argument["elementType"] = json!(format!("{element:?}"));
        }
        argument
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_is_written_as_recorded() {
        for (argument, expected) in [
            (Argument::Int(1), json!({"name": "x", "value": 1, "type": "Int"})),
            (Argument::Double(1.5), json!({"name": "x", "value": 1.5, "type": "Double"})),
            (Argument::Boolean(true), json!({"name": "x", "value": true, "type": "Boolean"})),
            (Argument::String("s".into()), json!({"name": "x", "value": "s", "type": "String"})),
            (Argument::Pauli(Pauli::X), json!({"name": "x", "value": "PauliX", "type": "Pauli"})),
            (Argument::Result(true), json!({"name": "x", "value": true, "type": "Result"})),
            (
                Argument::Range { start: 1, end: 5, step: None },
                json!({"name": "x", "value": {"start": 1, "end": 5}, "type": "Range"}),
            ),
            (
                Argument::Range { start: 1, end: 5, step: Some(2) },
                json!({"name": "x", "value": {"start": 1, "end": 5, "step": 2}, "type": "Range"}),
            ),
            (
                Argument::ints([1, 2]),
                json!({"name": "x", "value": [1, 2], "type": "Array", "elementType": "Int"}),
            ),
            (
                Argument::doubles([]),
                json!({"name": "x", "value": [], "type": "Array", "elementType": "Double"}),
            ),
        ] {
            assert_eq!(argument.to_json("x"), expected);
            assert_eq!(argument.problem(), None);
        }
    }

    #[test]
    fn what_cannot_be_sent_is_told() {
        let mixed = Argument::Array {
            element: ArgumentType::Int,
            values: vec![Argument::Int(1), Argument::Double(1.0)],
        };
        assert_eq!(mixed.problem().as_deref(), Some("element 1 is Double in an array of Int"));
        assert!(Argument::Double(f64::NAN).problem().is_some());
        assert!(Argument::Range { start: 0, end: 1, step: Some(0) }.problem().is_some());
    }
}
