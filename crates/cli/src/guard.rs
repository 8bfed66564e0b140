//! A guard before a runner of GitHub's, which obeys lines of a certain form: what is told from
//! elsewhere must not have it.
//!
//! <https://docs.github.com/en/actions/reference/workflow-commands-for-github-actions>

use std::io::{self, Write};

/// Writes through, but for what would be taken for a command: `::…` at the start of a line, blanks before
/// it or not, and `##[…` anywhere.
pub(crate) struct Guard<'a> {
    out: &'a mut dyn Write,
    /// What may become a command with what comes next, not written yet.
    held: Vec<u8>,
    /// Has the line begun, with something else than blanks?
    is_begun: bool,
}

impl<'a> Guard<'a> {
    pub(crate) fn of(out: &'a mut dyn Write) -> Self {
        Self { out, held: Vec::new(), is_begun: false }
    }

    /// That was all.
    pub(crate) fn finish(mut self) -> io::Result<()> {
        self.let_go()
    }

    fn let_go(&mut self) -> io::Result<()> {
        self.out.write_all(&self.held)?;
        self.held.clear();
        Ok(())
    }

    fn take(&mut self, byte: u8, plain: &mut Vec<u8>) {
        match (self.held.as_slice(), byte) {
            (b":", b':') => plain.extend_from_slice(b": :"),
            (b"#", b'#') => {
                self.held.push(byte);
                return;
            }
            // However many there are, the last two count.
            (b"##", b'#') => {
                plain.push(b'#');
                return;
            }
            (b"##", b'[') => plain.extend_from_slice(b"## ["),
            (held, _) => {
                plain.extend_from_slice(held);
                self.held.clear();
                let begins = !self.is_begun && byte == b':';
                if begins || byte == b'#' {
                    self.held.push(byte);
                } else {
                    plain.push(byte);
                }
                self.is_begun = match byte {
                    b'\n' | b'\r' => false,
                    // What a runner takes for a blank may have several bytes.
                    b' ' | b'\t' | 0x0b | 0x0c => self.is_begun,
                    _ => self.is_begun || byte.is_ascii(),
                };
                return;
            }
        }
        self.held.clear();
        self.is_begun = true;
    }
}

impl Write for Guard<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut plain = Vec::with_capacity(bytes.len() + 8);
        for byte in bytes {
            self.take(*byte, &mut plain);
        }
        self.out.write_all(&plain)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guarded(text: &str, parts: usize) -> String {
        let mut out = Vec::new();
        let mut guard = Guard::of(&mut out);
        for part in text.as_bytes().chunks(parts) {
            guard.write_all(part).unwrap();
        }
        guard.finish().unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn nothing_is_taken_for_a_command() {
        let check = |text: &str, expect: &str| {
            for parts in 1..5 {
                assert_eq!(guarded(text, parts), expect, "{text:?} in parts of {parts}");
            }
        };
        check("::error::x", ": :error::x");
        check("a::b\n  \t::set-output name=a::b", "a::b\n  \t: :set-output name=a::b");
        check("a\r::error::x\u{a0}::x", "a\r: :error::x\u{a0}::x");
        check("\u{a0}::error::x", "\u{a0}: :error::x");
        check("x ##[error]y ###[z] # ## [", "x ## [error]y ### [z] # ## [");
        check(":::x", ": ::x");
        check("\n:\n:", "\n:\n:");
        check("ends with ##", "ends with ##");
        check("", "");
    }
}
