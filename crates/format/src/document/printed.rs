//! A document as indented JSON; a long one is written by many at once.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::ser::{Formatter, Serializer};

/// The document as indented JSON, with room made for so many packages.
pub(crate) fn printed(document: &impl Serialize, packages: usize) -> String {
    let mut bytes = Vec::with_capacity(packages.saturating_mul(2048).saturating_add(4096));
    print(document, Indented::default(), &mut bytes);
    bytes.push(b'\n');
    String::from_utf8(bytes).expect("JSON is written as UTF-8")
}

/// Writes the document as indented JSON. The list that stands in it under `key`, empty, is of what is
/// told of each of `things`: reports are mostly findings, and those can be written by many at once.
pub(crate) fn print_with<T: Sync, S: Serialize>(
    document: &impl Serialize,
    key: &str,
    things: &[T],
    tell: impl Fn(&T) -> S + Sync,
    out: &mut dyn Write,
) -> io::Result<()> {
    const PIECE: usize = 16;
    const FEW: usize = 2;
    const NEXT: &[u8] = b",\n";
    let pieces: Vec<&[T]> = things.chunks(PIECE).collect();
    // Each hand writes all its pieces to one place, and keeps no more than they are long.
    let pieces = crew::each_with(&pieces, FEW, Vec::new, |bytes: &mut Vec<u8>, things| {
        bytes.clear();
        for it in *things {
            bytes.extend_from_slice(b"    ");
            print(&tell(it), Indented { depth: 2, holds: false }, bytes);
            bytes.extend_from_slice(NEXT);
        }
        bytes.as_slice().to_vec()
    });
    let document = printed(document, 0);
    let Some((last, pieces)) = pieces.split_last() else {
        return out.write_all(document.as_bytes());
    };
    // No text in JSON goes over a line, and no other key stands so far to the left.
    let empty = format!("\n  \"{key}\": []");
    let at = document.find(&empty).expect("the list is there") + empty.len() - 1;
    let (begin, end) = document.split_at(at);
    // Whoever passes lines on has whole ones.
    out.write_all(format!("{begin}\n").as_bytes())?;
    for piece in pieces {
        out.write_all(piece)?;
    }
    out.write_all(last.strip_suffix(NEXT).unwrap_or(last))?;
    out.write_all(format!("\n  {end}").as_bytes())
}

/// One of a list of the document itself, as it stands in it, behind the beginning of its first line.
pub(crate) fn printed_in_a_list(thing: &impl Serialize) -> String {
    let mut bytes = Vec::with_capacity(4096);
    print(thing, Indented { depth: 2, holds: false }, &mut bytes);
    String::from_utf8(bytes).expect("JSON is written as UTF-8")
}

fn print(document: &impl Serialize, form: Indented, bytes: &mut Vec<u8>) {
    let mut serializer = Serializer::with_formatter(bytes, form);
    document.serialize(&mut serializer).expect("its keys are texts");
}

/// Lines as `serde_json` indents them, which writes their beginnings blank by blank.
#[derive(Default)]
struct Indented {
    depth: usize,
    /// What was opened last has something in it.
    holds: bool,
}

impl Indented {
    fn open(&mut self, sign: &[u8], out: &mut (impl Write + ?Sized)) -> io::Result<()> {
        self.depth += 1;
        self.holds = false;
        out.write_all(sign)
    }

    fn close(&mut self, sign: &[u8], out: &mut (impl Write + ?Sized)) -> io::Result<()> {
        self.depth = self.depth.saturating_sub(1);
        if self.holds {
            self.line(true, out)?;
        }
        out.write_all(sign)
    }

    /// A new line, behind a comma where it is not the first.
    fn line(&self, first: bool, out: &mut (impl Write + ?Sized)) -> io::Result<()> {
        const BEGIN: &str = ",\n                                ";
        let begin = BEGIN.get(usize::from(first)..);
        let length = 1 + usize::from(!first) + 2 * self.depth;
        if let Some(line) = begin.and_then(|it| it.get(..length)) {
            return out.write_all(line.as_bytes());
        }
        out.write_all(if first { b"\n" } else { b",\n" })?;
        (0..self.depth).try_for_each(|_| out.write_all(b"  "))
    }
}

impl Formatter for Indented {
    fn begin_array<W: Write + ?Sized>(&mut self, out: &mut W) -> io::Result<()> {
        self.open(b"[", out)
    }

    fn end_array<W: Write + ?Sized>(&mut self, out: &mut W) -> io::Result<()> {
        self.close(b"]", out)
    }

    fn begin_array_value<W: Write + ?Sized>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        self.line(first, out)
    }

    fn end_array_value<W: Write + ?Sized>(&mut self, _: &mut W) -> io::Result<()> {
        self.holds = true;
        Ok(())
    }

    fn begin_object<W: Write + ?Sized>(&mut self, out: &mut W) -> io::Result<()> {
        self.open(b"{", out)
    }

    fn end_object<W: Write + ?Sized>(&mut self, out: &mut W) -> io::Result<()> {
        self.close(b"}", out)
    }

    fn begin_object_key<W: Write + ?Sized>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        self.line(first, out)
    }

    fn begin_object_value<W: Write + ?Sized>(&mut self, out: &mut W) -> io::Result<()> {
        out.write_all(b": ")
    }

    fn end_object_value<W: Write + ?Sized>(&mut self, _: &mut W) -> io::Result<()> {
        self.holds = true;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn lines_are_indented_as_everybody_does() {
        let check = |document: Value| {
            let expect = serde_json::to_string_pretty(&document).unwrap() + "\n";
            assert_eq!(printed(&document, 0), expect);
        };
        check(json!(1));
        check(json!([]));
        check(json!({}));
        check(
            json!({"a": [], "b": {}, "c": [1, "two\n\"", null, [true, [], [{}]]], "d": {"e": 0.5}}),
        );
        // Deeper than lines are kept ready for.
        let deep = (0..40).fold(json!([1, 2]), |inside, _| json!({"a": [inside, {}], "b": []}));
        check(deep);
    }

    #[test]
    fn a_list_told_apart_is_as_if_told_within() {
        for length in [0, 1, 15, 16, 17, 32, 100] {
            let all: Vec<Value> =
                (0..length).map(|it| json!({"n": it, "of": ["a\nb"], "none": []})).collect();
            let mut bytes = Vec::new();
            let document = json!({"a": 1, "all": [], "b": {"all": []}});
            print_with(&document, "all", &all, Value::clone, &mut bytes).unwrap();
            let expect = json!({"a": 1, "all": all, "b": {"all": []}});
            assert_eq!(String::from_utf8(bytes).unwrap(), printed(&expect, 0), "{length}");
        }
    }
}
