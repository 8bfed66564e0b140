//! XML documents as small trees.

use quick_xml::Reader;
use quick_xml::events::Event;

/// Deeper than any `pom.xml`.
const DEEPEST: usize = 64;

/// An element: its name without a prefix, its own text, and the elements in it.
#[derive(Default)]
pub(super) struct Element {
    pub(super) name: String,
    text: String,
    pub(super) children: Vec<Element>,
}

impl Element {
    /// The root element of `text`.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut reader = Reader::from_str(text);
        let mut open = vec![Self::default()];
        loop {
            match reader.read_event().map_err(|error| error.to_string())? {
                Event::Start(start) => {
                    if open.len() > DEEPEST {
                        return Err("elements are nested too deeply".into());
                    }
                    let name = start.local_name().as_ref().to_owned();
                    open.push(Self { name: text_of(name), ..Self::default() });
                }
                Event::End(_) => {
                    if let (Some(done), Some(parent)) = (open.pop(), open.last_mut()) {
                        parent.children.push(done);
                    }
                }
                Event::Empty(start) => {
                    let name = start.local_name().as_ref().to_owned();
                    if let Some(parent) = open.last_mut() {
                        parent.children.push(Self { name: text_of(name), ..Self::default() });
                    }
                }
                Event::Text(text) => push(&mut open, &text.xml10_content()),
                Event::CData(text) => push(&mut open, &text.xml10_content()),
                Event::GeneralRef(reference) => {
                    let character = reference.resolve_char_ref().ok().flatten();
                    let named = match reference.into_inner().as_ref() {
                        "amp" => Some('&'),
                        "lt" => Some('<'),
                        "gt" => Some('>'),
                        "quot" => Some('"'),
                        "apos" => Some('\''),
                        _ => None,
                    };
                    // Entities of the document's own are never expanded.
                    let character = character.or(named).unwrap_or('\u{fffd}');
                    push(&mut open, character.encode_utf8(&mut [0; 4]));
                }
                Event::Eof => break,
                _ => {}
            }
        }
        if open.len() > 1 {
            return Err("it ends inside an element".into());
        }
        open.pop().and_then(|it| it.children.into_iter().next()).ok_or("it is empty".into())
    }

    /// The first element of that name.
    pub(super) fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|it| it.name == name)
    }

    /// The text of the first element of that name; empty without one.
    pub(super) fn text(&self, name: &str) -> &str {
        self.child(name).map_or("", Self::own_text)
    }

    /// Its own text, trimmed.
    pub(super) fn own_text(&self) -> &str {
        self.text.trim()
    }

    /// The elements in the first element of that name.
    pub(super) fn list(&self, name: &str) -> &[Self] {
        self.child(name).map_or(&[], |it| &it.children)
    }
}

fn text_of(name: impl AsRef<str>) -> String {
    name.as_ref().to_owned()
}

fn push(open: &mut [Element], text: &str) {
    if let Some(element) = open.last_mut() {
        element.text.push_str(text);
    }
}
