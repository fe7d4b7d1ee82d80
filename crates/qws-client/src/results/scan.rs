//! One pass over JSON that knows the byte and the field it is at. The frame is read by hand, every value in it by serde.

use std::fmt;

use serde::de::{DeserializeOwned, IgnoredAny};

/// Where an output is not what its format promises.
#[derive(Debug)]
pub(super) struct Fault {
    path: String,
    at: usize,
    what: String,
}

pub(super) type Read<T> = Result<T, Fault>;

impl Fault {
    /// The same fault, seen from one level up.
    fn under(mut self, step: &str) -> Self {
        let dot = if self.path.is_empty() || self.path.starts_with('[') { "" } else { "." };
        self.path = format!("{step}{dot}{}", self.path);
        self
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the output is not as its format promises, at byte {}", self.at)?;
        // The path comes second: a key may be longer than a line is let be.
        match self.path.as_str() {
            "" => write!(f, ": {}", self.what),
            path => write!(f, ", `{path}`: {}", self.what),
        }
    }
}

/// A place in a document.
pub(super) struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// How many bytes lie before it.
    pub(super) fn at(&self) -> usize {
        self.at
    }

    /// What is left.
    pub(super) fn rest(&self) -> &'a [u8] {
        &self.bytes[self.at..]
    }

    /// Goes on by bytes of [`Cursor::rest`] that were read.
    pub(super) fn advance(&mut self, bytes: usize) {
        self.at += bytes;
    }

    pub(super) fn fault(&self, what: impl Into<String>) -> Fault {
        self.fault_at(self.at, what)
    }

    #[allow(clippy::unused_self, reason = "faults are made where the document is")]
    pub(super) fn fault_at(&self, at: usize, what: impl Into<String>) -> Fault {
        Fault { path: String::new(), at, what: what.into() }
    }

    /// The next byte that is no white space.
    pub(super) fn peek(&mut self) -> Option<u8> {
        while matches!(self.bytes.get(self.at), Some(b' ' | b'\n' | b'\r' | b'\t')) {
            self.at += 1;
        }
        self.bytes.get(self.at).copied()
    }

    /// Takes the next byte if it is this one.
    fn take(&mut self, byte: u8) -> bool {
        let there = self.peek() == Some(byte);
        self.at += usize::from(there);
        there
    }

    fn expect(&mut self, byte: u8, what: &str) -> Read<()> {
        if self.take(byte) {
            return Ok(());
        }
        Err(match self.bytes.get(self.at) {
            None => self.fault(format!("expected {what}, and the output ends")),
            Some(_) => self.fault(format!("expected {what}")),
        })
    }

    /// Nothing may follow.
    pub(super) fn end(&mut self) -> Read<()> {
        match self.peek() {
            None => Ok(()),
            Some(_) => Err(self.fault("more follows where the output should end")),
        }
    }

    /// Reads an object: `each` gets every key, the byte it is at, and must read its value.
    pub(super) fn object(&mut self, mut each: impl FnMut(&mut Self, &str, usize) -> Read<()>) -> Read<()> {
        self.expect(b'{', "an object")?;
        if self.take(b'}') {
            return Ok(());
        }
        loop {
            self.peek();
            let at = self.at;
            let key: String = self.value()?;
            self.expect(b':', "`:`")
                .and_then(|()| each(self, &key, at))
                .map_err(|fault| fault.under(&key))?;
            if self.take(b'}') {
                return Ok(());
            }
            self.expect(b',', "`,` or `}`")?;
        }
    }

    /// Reads a list: `each` gets every index, and must read the item.
    pub(super) fn array(&mut self, mut each: impl FnMut(&mut Self, usize) -> Read<()>) -> Read<()> {
        self.expect(b'[', "a list")?;
        if self.take(b']') {
            return Ok(());
        }
        for index in 0.. {
            each(self, index).map_err(|fault| fault.under(&format!("[{index}]")))?;
            if self.take(b']') {
                return Ok(());
            }
            self.expect(b',', "`,` or `]`")?;
        }
        Ok(())
    }

    /// Reads a value by serde.
    pub(super) fn value<T: DeserializeOwned>(&mut self) -> Read<T> {
        self.peek();
        let mut values = serde_json::Deserializer::from_slice(self.rest()).into_iter();
        if let Some(Ok(value)) = values.next() {
            self.at += values.byte_offset();
            return Ok(value);
        }
        Err(self.explain::<T>())
    }

    /// Passes over a value. Of lists and objects only the end is looked for, because they may be most of the output.
    pub(super) fn skip(&mut self) -> Read<()> {
        if !matches!(self.peek(), Some(b'[' | b'{')) {
            return self.value::<IgnoredAny>().map(drop);
        }
        let mut depth = 0_usize;
        while let Some(&byte) = self.bytes.get(self.at) {
            match byte {
                b'[' | b'{' => depth += 1,
                b']' | b'}' => depth -= 1,
                b'"' => self.skip_string(),
                _ => {}
            }
            self.at += 1;
            if depth == 0 {
                return Ok(());
            }
        }
        self.at = self.bytes.len();
        Err(self.fault("the output ends within a value"))
    }

    /// From the quote that opens a string to the one that closes it.
    fn skip_string(&mut self) {
        self.at += 1;
        while let Some(&byte) = self.bytes.get(self.at) {
            match byte {
                b'"' => return,
                b'\\' => self.at += 2,
                _ => self.at += 1,
            }
        }
    }

    /// Reads a value again that could not be read, now with an eye on the path: too slow to be done always.
    fn explain<T: DeserializeOwned>(&self) -> Fault {
        let rest = self.rest();
        let mut deserializer = serde_json::Deserializer::from_slice(rest);
        let Err(error) = serde_path_to_error::deserialize::<_, T>(&mut deserializer) else {
            return self.fault("the value does not end where it should");
        };
        let path = error.path().to_string();
        let error = error.into_inner();
        let place = format!(" at line {} column {}", error.line(), error.column());
        let text = error.to_string();
        let what = text.strip_suffix(&place).unwrap_or(&text);
        let lines = rest.split_inclusive(|&byte| byte == b'\n').take(error.line().saturating_sub(1));
        let at = lines.map(<[u8]>::len).sum::<usize>() + error.column().saturating_sub(1);
        let fault = self.fault_at(self.at + at.min(rest.len()), what);
        if path == "." { fault } else { fault.under(&path) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(text: &str, read: impl FnOnce(&mut Cursor<'_>) -> Read<()>) -> String {
        let mut cursor = Cursor::new(text.as_bytes());
        let fault = read(&mut cursor).and_then(|()| cursor.end()).unwrap_err();
        assert!(fault.at <= text.len(), "{fault}");
        fault.to_string().trim_start_matches("the output is not as its format promises, at ").to_owned()
    }

    #[test]
    fn faults_name_field_and_byte() {
        let numbers = |cursor: &mut Cursor<'_>| {
            cursor.object(|cursor, _, _| cursor.array(|cursor, _| cursor.value::<Vec<u8>>().map(drop)))
        };
        for (text, wanted) in [
            ("", "byte 0: expected an object, and the output ends"),
            ("  []", "byte 2: expected an object"),
            (r#"{"a" 1}"#, "byte 5, `a`: expected `:`"),
            (r#"{"a": [[1], [1, "x"]]}"#, "byte 18, `a[1][1]`: invalid type: string \"x\", expected u8"),
            ("{\"a\": [[\n 1,\n 300]]}", "byte 16, `a[0][1]`: invalid value: integer `300`, expected u8"),
            (r#"{"a": [[1] "#, "byte 11, `a`: expected `,` or `]`, and the output ends"),
            (r#"{"a": []} x"#, "byte 10: more follows where the output should end"),
            (r#"{"a": [[1"#, "byte 8, `a[0]`: EOF while parsing a list"),
            (r"{1: 2}", "byte 1: invalid type: integer `1`, expected a string"),
        ] {
            assert_eq!(fault(text, numbers), wanted, "{text}");
        }
        let number = |cursor: &mut Cursor<'_>| cursor.value::<u8>().map(drop);
        assert_eq!(fault("1x", number), "byte 0: the value does not end where it should");
    }

    #[test]
    fn values_are_passed_over_to_their_end() {
        let mut cursor = Cursor::new(br#"{"a": [1, {"b\"": "]}\\"}], "c": 2.5e3, "d": "]"}"#);
        let mut keys = Vec::new();
        let read = cursor.object(|cursor, key, at| {
            keys.push((key.to_owned(), at));
            cursor.skip()
        });
        read.and_then(|()| cursor.end()).unwrap();
        assert_eq!(keys, [("a".to_owned(), 1), ("c".to_owned(), 28), ("d".to_owned(), 40)]);
        let skip = |cursor: &mut Cursor<'_>| cursor.peek().map_or(Ok(()), |_| cursor.skip());
        for (text, wanted) in [
            ("[1, {", "byte 5: the output ends within a value"),
            (r#"["\"#, "byte 3: the output ends within a value"),
            ("nul", "byte 2: EOF while parsing a value"),
        ] {
            assert_eq!(fault(text, skip), wanted, "{text}");
        }
    }
}
