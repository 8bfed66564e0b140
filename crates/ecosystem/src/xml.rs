//! XML documents as they go by: elements are opened and closed, and none is kept.

use quick_xml::escape::resolve_xml_entity;
use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

/// Deeper than any feed and any `pom.xml`.
const DEEPEST: usize = 64;

/// Whoever looks at the elements.
pub trait Visit {
    /// An element begins.
    fn open(&mut self, element: &Element);
    /// An element ends; `text` is its own, trimmed.
    fn close(&mut self, name: &str, text: &str);
}

/// How an element begins.
#[derive(Debug, Default)]
pub struct Element {
    /// Without a prefix.
    pub name: String,
    /// Name of the element around it; empty for the outermost.
    pub parent: String,
    attributes: Vec<(String, String)>,
}

impl Element {
    /// An attribute's value; empty without one.
    pub fn get(&self, name: &str) -> &str {
        self.attributes.iter().find(|(it, _)| it == name).map_or("", |(_, value)| value)
    }
}

/// Shows every element to `visit`, up to the first that is broken.
pub fn read(bytes: &[u8], visit: &mut dyn Visit) -> Result<(), String> {
    let text = std::str::from_utf8(bytes).map_err(|error| error.to_string())?;
    let mut reader = Reader::from_str(text.trim_start_matches('\u{feff}'));
    let mut open: Vec<(String, String)> = Vec::new();
    loop {
        match reader.read_event().map_err(|error| error.to_string())? {
            Event::Start(start) => {
                if open.len() >= DEEPEST {
                    return Err("elements are nested too deeply".to_owned());
                }
                let element = element(&start, &open);
                visit.open(&element);
                open.push((element.name, String::new()));
            }
            Event::Empty(start) => {
                let element = element(&start, &open);
                visit.open(&element);
                visit.close(&element.name, "");
            }
            Event::End(_) => {
                if let Some((name, text)) = open.pop() {
                    visit.close(&name, text.trim());
                }
            }
            Event::Text(text) => push(&mut open, &text.xml10_content()),
            Event::CData(text) => push(&mut open, &text.xml10_content()),
            Event::GeneralRef(reference) => {
                let character = reference.resolve_char_ref().ok().flatten();
                match character {
                    Some(character) => push(&mut open, character.encode_utf8(&mut [0; 4])),
                    // Entities of the document's own are never expanded.
                    None => push(
                        &mut open,
                        resolve_xml_entity(&reference.into_inner()).unwrap_or("\u{fffd}"),
                    ),
                }
            }
            Event::Eof => break,
            _ => {}
        }
    }
    if open.is_empty() { Ok(()) } else { Err("it ends inside an element".to_owned()) }
}

fn element(start: &BytesStart<'_>, open: &[(String, String)]) -> Element {
    let attributes = start.attributes().filter_map(|it| {
        let attribute = it.ok()?;
        let value = attribute
            .normalized_value(XmlVersion::Implicit1_0)
            .map_or_else(|_| attribute.value.to_string(), Into::into);
        Some((attribute.key.local_name().as_ref().to_owned(), value))
    });
    Element {
        name: start.local_name().as_ref().to_owned(),
        parent: open.last().map(|(name, _)| name.clone()).unwrap_or_default(),
        attributes: attributes.collect(),
    }
}

fn push(open: &mut [(String, String)], text: &str) {
    if let Some((_, own)) = open.last_mut() {
        own.push_str(text);
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;

    #[derive(Default)]
    struct Shown(String);

    impl Visit for Shown {
        fn open(&mut self, element: &Element) {
            let _ = write!(self.0, "{}<{} {}; ", element.parent, element.name, element.get("a"));
        }

        fn close(&mut self, name: &str, text: &str) {
            let _ = write!(self.0, "{name}={text}; ");
        }
    }

    fn check(text: &str, expect: &str) {
        let mut shown = Shown::default();
        if let Err(why) = read(text.as_bytes(), &mut shown) {
            shown.0 += &why;
        }
        assert_eq!(shown.0.trim_end(), expect, "{text}");
    }

    #[test]
    fn shows_elements() {
        check(
            "<x:r><e a='1&amp;2'/>b<i> &lt;c&#33; </i></x:r>",
            "<r ; r<e 1&2; e=; r<i ; i=<c!; r=b;",
        );
        check("<r><![CDATA[<d>]]></r>", "<r ; r=<d>;");
    }

    #[test]
    fn never_expands_entities() {
        check("<!DOCTYPE r [<!ENTITY e 'eee'>]><r>&e;</r>", "<r ; r=\u{fffd};");
    }

    #[test]
    fn stops_at_what_is_broken() {
        check("<r><e></e>", "<r ; r<e ; e=; it ends inside an element");
        let deep = "<r>".repeat(100_000);
        let mut shown = Shown::default();
        assert_eq!(
            read(deep.as_bytes(), &mut shown),
            Err("elements are nested too deeply".to_owned())
        );
        assert!(read(&[b'<', 0xff], &mut shown).is_err());
    }
}
