//! Splits a stream of bytes into numbered lines. Only the current line is in memory.

use std::fmt;

/// The greatest length of a line without its end, in bytes: that of other request bodies.
pub const LINE_BYTES_MAX: usize = crate::http::BODY_BYTES_MAX;

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// A line as it was sent. `Debug` leaves out its bytes, which may hold a secret.
#[derive(Clone, PartialEq, Eq)]
pub struct RawLine {
    /// The number of the line, from 1.
    pub number: u64,
    /// The line without its end; `None` if it is longer than [`LINE_BYTES_MAX`].
    pub bytes: Option<Vec<u8>>,
}

impl fmt::Debug for RawLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RawLine({}, {:?} bytes)", self.number, self.bytes.as_ref().map(Vec::len))
    }
}

/// The splitter. It takes chunks of any size.
pub struct Lines {
    complete: u64,
    /// The beginning of the current line; `None` if it is too long.
    partial: Option<Vec<u8>>,
}

impl Default for Lines {
    fn default() -> Self {
        Self { complete: 0, partial: Some(Vec::new()) }
    }
}

impl Lines {
    /// Reads a chunk, and returns the lines that end in it.
    pub fn push(&mut self, chunk: &[u8]) -> Vec<RawLine> {
        let mut lines = Vec::new();
        for piece in chunk.split_inclusive(|byte| *byte == b'\n') {
            let end = piece.strip_suffix(b"\n");
            self.extend(end.unwrap_or(piece));
            if end.is_some() {
                lines.push(self.complete());
            }
        }
        lines
    }

    /// Returns the last line, if the stream ended without the end of a line.
    pub fn finish(mut self) -> Option<RawLine> {
        let is_empty = self.partial.as_ref().is_some_and(Vec::is_empty);
        (!is_empty).then(|| self.complete())
    }

    /// The number of the current line, which is not complete.
    pub const fn current(&self) -> u64 {
        self.complete.saturating_add(1)
    }

    /// Appends bytes to the current line, and drops the line if it gets too long.
    fn extend(&mut self, bytes: &[u8]) {
        let fits = |partial: &Vec<u8>| partial.len().saturating_add(bytes.len()) <= LINE_BYTES_MAX;
        self.partial = self.partial.take().filter(fits);
        if let Some(partial) = &mut self.partial {
            partial.extend_from_slice(bytes);
        }
    }

    fn complete(&mut self) -> RawLine {
        let number = self.current();
        let mut bytes = self.partial.replace(Vec::new());
        if number == 1 {
            bytes = bytes.map(|bytes| bytes.strip_prefix(BYTE_ORDER_MARK).map_or(bytes.clone(), <[u8]>::to_vec));
        }
        self.complete = number;
        RawLine { number, bytes }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn line(number: u64, bytes: &[u8]) -> RawLine {
        RawLine { number, bytes: Some(bytes.to_vec()) }
    }

    fn split(chunks: &[&[u8]]) -> Vec<RawLine> {
        let mut lines = Lines::default();
        let mut all: Vec<_> = chunks.iter().flat_map(|chunk| lines.push(chunk)).collect();
        all.extend(lines.finish());
        all
    }

    #[test]
    fn lines_are_numbered_from_1_and_empty_lines_count() {
        assert_eq!(split(&[b"a\n\nb\r\n"]), [line(1, b"a"), line(2, b""), line(3, b"b\r")]);
        assert_eq!(split(&[]), []);
        assert_eq!(split(&[b"\n"]), [line(1, b"")]);
    }

    #[test]
    fn the_last_line_needs_no_end() {
        assert_eq!(split(&[b"a\nb"]), [line(1, b"a"), line(2, b"b")]);
        let mut lines = Lines::default();
        assert_eq!((lines.push(b"a\nb"), lines.current()), (vec![line(1, b"a")], 2));
    }

    #[test]
    fn a_byte_order_mark_at_the_beginning_is_removed() {
        assert_eq!(split(&[b"\xef\xbb", b"\xbfa\n\xef\xbb\xbfb"]), [line(1, b"a"), line(2, b"\xef\xbb\xbfb")]);
    }

    #[test]
    fn a_line_that_is_too_long_is_dropped_and_counted() {
        let longest = vec![b'x'; LINE_BYTES_MAX];
        let too_long = |number| RawLine { number, bytes: None };
        assert_eq!(split(&[&longest, b"\na"]), [line(1, &longest), line(2, b"a")]);
        assert_eq!(split(&[&longest, b"x", &longest, b"\na\n"]), [too_long(1), line(2, b"a")]);
        assert_eq!(split(&[b"a\n", &longest, b"x"]), [line(1, b"a"), too_long(2)]);
    }

    #[test]
    fn a_line_that_is_too_long_takes_no_memory() {
        let mut lines = Lines::default();
        for _ in 0..100 {
            assert_eq!(lines.push(&vec![b'x'; LINE_BYTES_MAX]), []);
            let capacity = lines.partial.as_ref().map_or(0, Vec::capacity);
            assert!(capacity <= 2 * LINE_BYTES_MAX, "{capacity} bytes");
        }
        assert_eq!(lines.push(b"\nb\n"), [RawLine { number: 1, bytes: None }, line(2, b"b")]);
    }

    proptest! {
        #[test]
        fn the_size_of_the_chunks_makes_no_difference(text in "[ab\r\n]{0,40}", cuts in prop::collection::vec(0_usize..40, 0..6)) {
            let bytes = text.as_bytes();
            let mut cuts: Vec<_> = cuts.into_iter().map(|cut| cut.min(bytes.len())).chain([0, bytes.len()]).collect();
            cuts.sort_unstable();
            let chunks: Vec<_> = cuts.windows(2).map(|pair| &bytes[pair[0]..pair[1]]).collect();
            prop_assert_eq!(split(&chunks), split(&[bytes]));
        }
    }
}
