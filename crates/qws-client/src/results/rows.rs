//! Lists of shots: bits are read by hand, because there can be millions of them, everything else by serde.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, MapAccess, Visitor},
};
use serde_json::Value;

use super::{
    Bit, ShotError, ShotValue, Shots,
    packed::{Packed, Row, Style},
    scan::{Cursor, Read},
    value::tuple,
};

/// `[[0, 1], [1, 1], …]`, or `[0, 1, …]`, or of tuples and other values; a shot that failed is `{"Error": …}`.
pub(super) fn shots(cursor: &mut Cursor<'_>) -> Read<Shots> {
    let mut packed: Option<Packed> = None;
    let mut values: Option<Vec<ShotValue>> = None;
    let mut errors = Vec::new();
    let mut row = Row::default();
    cursor.array(|cursor, shot| {
        let first = cursor.peek();
        if values.is_none()
            && let Some((style, length)) = bits(cursor.rest(), &mut row)
        {
            let packed = packed.get_or_insert_with(|| Packed::new(style.clone(), row.width()));
            if packed.style == style && packed.push(&row) {
                cursor.advance(length);
                return Ok(());
            }
        }
        let value = match first {
            Some(b'{') => match cursor.value::<Object>()? {
                Object::Error(details) => {
                    errors.push(error(shot, &details));
                    return Ok(());
                }
                Object::Tuple(value) => value,
            },
            _ => cursor.value()?,
        };
        // A shot that is not as the bits before it: from here on, all are kept as values.
        values.get_or_insert_with(|| packed.take().as_ref().map(unpacked).unwrap_or_default()).push(value);
        Ok(())
    })?;
    Ok(match values {
        Some(values) => Shots::values(values, errors),
        None => Shots::packed(packed.unwrap_or_else(|| Packed::new(Style::List, 0)), errors),
    })
}

/// `["01", "11", …]`: a string a shot, its last character the first bit.
pub(super) fn strings(cursor: &mut Cursor<'_>) -> Read<Packed> {
    let mut packed: Option<Packed> = None;
    let mut row = Row::default();
    cursor.array(|cursor, _| {
        cursor.peek();
        let at = cursor.at();
        let length = bit_string(cursor.rest(), &mut row);
        let length = length.ok_or_else(|| cursor.fault("expected a string of `0` and `1`"))?;
        let packed = packed.get_or_insert_with(|| Packed::new(Style::List, row.width()));
        if packed.push(&row) {
            cursor.advance(length);
            return Ok(());
        }
        Err(cursor.fault_at(at, format!("{} bits, and the shots before have {}", row.width(), packed.width)))
    })?;
    Ok(packed.unwrap_or_else(|| Packed::new(Style::List, 0)))
}

/// Reads `[0, 1, "-"]` or `1` at the beginning of the text, and says how long it was.
fn bits(text: &[u8], row: &mut Row) -> Option<(Style, usize)> {
    row.clear();
    let Some(mut rest) = text.strip_prefix(b"[") else {
        let rest = bit(text, row)?;
        let ends = matches!(rest.first(), None | Some(b',' | b']' | b' ' | b'\n' | b'\r' | b'\t'));
        return ends.then_some((Style::Scalar, text.len() - rest.len()));
    };
    rest = rest.trim_ascii_start();
    if let [b']', after @ ..] = rest {
        return Some((Style::List, text.len() - after.len()));
    }
    loop {
        // Nearly all bits of nearly all outputs are read in this loop.
        while let [digit @ (b'0' | b'1'), b',', after @ ..] = rest {
            row.push((*digit == b'1').into());
            rest = if let [b' ', after @ ..] = after { after } else { after };
        }
        rest = bit(rest.trim_ascii_start(), row)?.trim_ascii_start();
        match rest {
            [b']', after @ ..] => return Some((Style::List, text.len() - after.len())),
            [b',', after @ ..] => rest = after,
            _ => return None,
        }
    }
}

/// Reads one bit, and gives what follows it.
fn bit<'a>(text: &'a [u8], row: &mut Row) -> Option<&'a [u8]> {
    let (bit, after) = match text {
        [b'0', after @ ..] => (Bit::Zero, after),
        [b'1', after @ ..] => (Bit::One, after),
        [b'"', b'-', b'"', after @ ..] => (Bit::Lost, after),
        _ => return None,
    };
    row.push(bit);
    Some(after)
}

/// Reads `"011"` at the beginning of the text, last character first, and says how long it was.
fn bit_string(text: &[u8], row: &mut Row) -> Option<usize> {
    row.clear();
    let inner = text.strip_prefix(b"\"")?;
    let width = inner.iter().position(|byte| !matches!(byte, b'0' | b'1'))?;
    if inner[width] != b'"' {
        return None;
    }
    inner[..width].iter().rev().for_each(|byte| row.push((*byte == b'1').into()));
    Some(width + 2)
}

/// The shots as values, as serde would have read them.
pub(super) fn unpacked(packed: &Packed) -> Vec<ShotValue> {
    let value = |bit| match bit {
        Bit::Lost => ShotValue::Text("-".into()),
        bit => ShotValue::Int(bit.is_one().into()),
    };
    let shot = |index| {
        let mut bits = packed.row(index).iter().map(value);
        match packed.style {
            Style::Scalar => bits.next().unwrap_or(ShotValue::Unit),
            _ => ShotValue::List(bits.collect()),
        }
    };
    (0..packed.len).map(shot).collect()
}

fn error(shot: usize, details: &Value) -> ShotError {
    let text = |name| match details.get(name)? {
        Value::String(text) => Some(text.clone()),
        Value::Null => None,
        other => Some(other.to_string()),
    };
    ShotError { shot, code: text("Code"), name: text("Name"), details: details.to_string() }
}

/// An object in place of a shot.
enum Object {
    Error(Value),
    Tuple(ShotValue),
}

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = Object;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a tuple or an error")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Object, A::Error> {
                let first: Option<String> = fields.next_key()?;
                if first.as_deref() == Some("Error") {
                    let error = fields.next_value().map(Object::Error);
                    while fields.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                    return error;
                }
                tuple(first, fields).map(Object::Tuple)
            }
        }
        deserializer.deserialize_map(Either)
    }
}
