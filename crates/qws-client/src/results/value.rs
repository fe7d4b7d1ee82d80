use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{Error as _, MapAccess, SeqAccess, Visitor},
};

/// What a shot recorded where it is more than bits. `Display` writes it as the service labels outcomes:
/// `([1, 0], -2.5, true)`.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum ShotValue {
    /// Nothing.
    Unit,
    /// A truth value.
    Bool(bool),
    /// An integer. Measured bits are integers too: the formats write both as `0` and `1`.
    Int(i64),
    /// A floating-point number.
    Double(f64),
    /// A text; in place of a bit, `-` says that the qubit was lost.
    Text(String),
    /// A list.
    List(Vec<ShotValue>),
    /// A tuple.
    Tuple(Vec<ShotValue>),
}

impl fmt::Display for ShotValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all = |f: &mut fmt::Formatter<'_>, items: &[Self]| {
            items.iter().enumerate().try_for_each(|(n, item)| {
                f.write_str(if n == 0 { "" } else { ", " })?;
                item.fmt(f)
            })
        };
        match self {
            Self::Unit => f.write_str("()"),
            Self::Bool(value) => value.fmt(f),
            Self::Int(value) => value.fmt(f),
            Self::Double(value) => write!(f, "{value:?}"),
            Self::Text(value) => f.write_str(value),
            Self::List(items) => {
                f.write_str("[")?;
                all(f, items)?;
                f.write_str("]")
            }
            Self::Tuple(items) => {
                f.write_str("(")?;
                all(f, items)?;
                f.write_str(")")
            }
        }
    }
}

impl<'de> Deserialize<'de> for ShotValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = ShotValue;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("what a shot recorded")
            }

            fn visit_unit<E>(self) -> Result<ShotValue, E> {
                Ok(ShotValue::Unit)
            }

            fn visit_bool<E>(self, value: bool) -> Result<ShotValue, E> {
                Ok(ShotValue::Bool(value))
            }

            fn visit_i64<E>(self, value: i64) -> Result<ShotValue, E> {
                Ok(ShotValue::Int(value))
            }

            fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<ShotValue, E> {
                let too_large =
                    || E::custom(format!("the integer {value} does not fit into 64 bits with a sign"));
                value.try_into().map(ShotValue::Int).map_err(|_| too_large())
            }

            fn visit_f64<E>(self, value: f64) -> Result<ShotValue, E> {
                Ok(ShotValue::Double(value))
            }

            fn visit_str<E>(self, value: &str) -> Result<ShotValue, E> {
                Ok(ShotValue::Text(value.to_owned()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<ShotValue, A::Error> {
                let mut all = Vec::new();
                while let Some(item) = items.next_element()? {
                    all.push(item);
                }
                Ok(ShotValue::List(all))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<ShotValue, A::Error> {
                let first = fields.next_key()?;
                tuple(first, fields)
            }
        }
        deserializer.deserialize_any(Any)
    }
}

/// `{"Item1": …, "Item2": …}`, whose first key was read already.
pub(super) fn tuple<'de, A: MapAccess<'de>>(
    first: Option<String>,
    mut fields: A,
) -> Result<ShotValue, A::Error> {
    let mut items: Vec<(usize, ShotValue)> = Vec::new();
    let mut key = first;
    while let Some(name) = key {
        let number = name.strip_prefix("Item").and_then(|number| number.parse().ok());
        let unclear =
            || A::Error::custom(format!("the key {name:?}: a tuple has the keys `Item1`, `Item2`, …"));
        items.push((number.ok_or_else(unclear)?, fields.next_value()?));
        key = fields.next_key()?;
    }
    items.sort_by_key(|(number, _)| *number);
    if items.iter().map(|(number, _)| *number).ne(1..=items.len()) {
        return Err(A::Error::custom(
            "a tuple has each of the keys `Item1`, `Item2`, … once, and none is left out",
        ));
    }
    Ok(ShotValue::Tuple(items.into_iter().map(|(_, item)| item).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_and_written_as_the_service_labels_them() {
        for (json, label) in [
            (
                r#"{"Item1": [1, 0], "Item2": {"Item2": 67, "Item1": -2.71}, "Item3": [{"Item1": true}]}"#,
                "([1, 0], (-2.71, 67), [(true)])",
            ),
            (r#"[0, 1, "-"]"#, "[0, 1, -]"),
            ("1.0", "1.0"),
            ("null", "()"),
            ("{}", "()"),
        ] {
            assert_eq!(serde_json::from_str::<ShotValue>(json).unwrap().to_string(), label);
        }
    }

    #[test]
    fn objects_that_are_no_tuples_are_refused() {
        for json in
            [r#"{"Foo": 1}"#, r#"{"Item1": 1, "Item3": 1}"#, r#"{"Item1": 1, "Item1": 1}"#, r#"{"Item": 1}"#]
        {
            assert!(
                serde_json::from_str::<ShotValue>(json).unwrap_err().to_string().contains("`Item1`"),
                "{json}"
            );
        }
        assert!(
            serde_json::from_str::<ShotValue>("9223372036854775808")
                .unwrap_err()
                .to_string()
                .contains("64 bits")
        );
    }
}
