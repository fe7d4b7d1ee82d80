//! A piece of the caller's text that knows where it began, so that every error can point into the whole.
//!
//! What reads such pieces is marked `#[inline]`: compiled apart, the readers of a connection string pass their values through
//! memory, which takes a tenth of the time.

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
    #[inline]
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
    #[inline]
    pub(crate) fn split_once(self, mark: u8) -> Option<(Self, Self)> {
        let found = find(self.str, mark)?;
        Some((Self::new(&self.str[..found], self.at), Self::new(&self.str[found + 1..], self.at + found + 1)))
    }
}

/// Whether every byte is fine. All of them are looked at, even after one that is not: nearly always all are fine, and without
/// a way out of the loop the compiler looks at many at once.
pub(crate) fn all(bytes: &[u8], fine: impl Fn(u8) -> bool) -> bool {
    bytes.iter().fold(true, |all, byte| all & fine(*byte))
}

/// The offset of the first `mark`.
///
/// Quicker than `str::find` for texts of this length, because it looks at eight bytes at once: after the exclusive or, the
/// mark's bytes are zero; the subtraction sets their highest bits, and the lowest bit so set is never a false one.
#[inline]
pub(crate) fn find(text: &str, mark: u8) -> Option<usize> {
    const LOW: u64 = u64::from_ne_bytes([0x01; 8]);
    const HIGH: u64 = u64::from_ne_bytes([0x80; 8]);
    let (words, rest) = text.as_bytes().as_chunks();
    for (index, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word) ^ (LOW * u64::from(mark));
        let zeros = word.wrapping_sub(LOW) & !word & HIGH;
        if zeros != 0 {
            return Some(8 * index + zeros.trailing_zeros() as usize / 8);
        }
    }
    Some(8 * words.len() + rest.iter().position(|byte| *byte == mark)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_found_wherever_it_stands_and_nothing_else_is() {
        for length in 0..40 {
            // Neighbours of the mark in value and in place are where such arithmetic goes wrong.
            let others: String = [':', '<', '\u{7f}', 'é', '\0'].into_iter().cycle().take(length).collect();
            assert_eq!(find(&others, b';'), None, "{others:?}");
            for (at, _) in others.char_indices() {
                let text = format!("{};{};", &others[..at], &others[at..]);
                assert_eq!(find(&text, b';'), text.find(';'), "{text:?}");
            }
        }
    }
}
