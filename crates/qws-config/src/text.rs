//! A piece of the caller's text that knows where it began, so that every error can point into the whole.

#[derive(Clone, Copy)]
pub(crate) struct Text<'a> {
    /// The piece, without white space around it.
    pub(crate) str: &'a str,
    /// Byte offset of the piece in the caller's text.
    pub(crate) at: usize,
}

impl<'a> Text<'a> {
    /// The piece of the caller's text that begins at `at`, trimmed.
    ///
    /// White space of a lone blank piece is skipped too, so that the offset is where a value would have to end.
    pub(crate) fn new(piece: &'a str, at: usize) -> Self {
        // Nearly always there is nothing to trim, and Unicode's white space takes longer to rule out.
        if let [first, .., last] = piece.as_bytes()
            && first.is_ascii_graphic()
            && last.is_ascii_graphic()
        {
            return Self { str: piece, at };
        }
        let rest = piece.trim_start();
        Self { str: rest.trim_end(), at: at + (piece.len() - rest.len()) }
    }

    /// Byte offset just past the piece.
    pub(crate) fn end(self) -> usize {
        self.at + self.str.len()
    }

    /// The pieces before and after the first `mark`, which is ASCII.
    pub(crate) fn split_once(self, mark: u8) -> Option<(Self, Self)> {
        // The parts of a connection string are short: a plain loop beats `str::find`.
        let found = self.str.bytes().position(|byte| byte == mark)?;
        Some((Self::new(&self.str[..found], self.at), Self::new(&self.str[found + 1..], self.at + found + 1)))
    }
}
